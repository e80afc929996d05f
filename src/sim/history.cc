// SPDX-License-Identifier: Apache-2.0
#include "sim/history.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace gnomon {
namespace {

constexpr size_t kMaxFailures = 20;

std::string TextOf(const std::vector<Ip>& addresses) {
  return absl::StrJoin(addresses, ",", [](std::string* out, Ip ip) { *out += ip.ToString(); });
}

bool Contains(const std::vector<Ip>& addresses, Ip ip) {
  return std::find(addresses.begin(), addresses.end(), ip) != addresses.end();
}

// `addresses` with `to` in place of the one of its family.
std::vector<Ip> Replaced(std::vector<Ip> addresses, Ip to) {
  for (Ip& ip : addresses) {
    if (ip.family() == to.family()) ip = to;
  }
  return addresses;
}

std::vector<Ip> Sorted(std::vector<Ip> addresses) {
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

std::vector<Ip> AddressesOf(const std::vector<SeenRecord>& records) {
  std::vector<Ip> addresses;
  for (const SeenRecord& record : records) addresses.push_back(record.address);
  return Sorted(std::move(addresses));
}

size_t WantedAddresses(const Wish& wish) { return wish.families == 46 ? 2 : 1; }

}  // namespace

void History::FailLocked(const std::string& what) {
  if (failures_.size() < kMaxFailures) failures_.push_back(absl::StrCat(network_, ": ", what));
}

void History::Fail(const std::string& what) {
  absl::MutexLock lock(&mutex_);
  FailLocked(what);
}

std::vector<std::string> History::failures() const {
  absl::MutexLock lock(&mutex_);
  return failures_;
}

History::Sent History::SendLocked() { return {clock_->Wall(), revision_}; }

History::Sent History::Send() {
  absl::MutexLock lock(&mutex_);
  return SendLocked();
}

void History::SawRevision(const Sent& sent, uint64_t revision) {
  if (revision < sent.revision) {
    FailLocked(absl::StrCat("revision ", revision, " was answered after ", sent.revision, " had been seen"));
  }
  revision_ = std::max(revision_, revision);
}

void History::SawRecord(const Sent& sent, const SeenRecord& record) {
  if (record.revision == 0 || record.state == "free") return;
  revision_ = std::max(revision_, record.revision);
  Address& address = addresses_[record.address];
  if (record.revision == address.seen.revision && record != address.seen) {
    FailLocked(absl::StrCat("two records of one revision: ", address.seen.ToString(), " and ", record.ToString()));
  }
  if (record.revision < address.seen.revision && address.seen_at < sent.at) {
    FailLocked(absl::StrCat("a record went back from ", address.seen.ToString(), " to ", record.ToString()));
  }
  if (record.revision <= address.seen.revision) return;
  address.seen = record;
  address.seen_at = clock_->Wall();
}

void History::Hold(const std::string& id, Ip ip, absl::Time answered, bool by_name) {
  Address& address = addresses_[ip];
  if (!address.holder.empty() && address.holder != id) {
    FailLocked(absl::StrCat(ip.ToString(), " is held twice: by ", address.holder, " and ", id));
  }
  const bool was_preserved = by_name && address.may_be_preserved;
  if (address.holder != id && !was_preserved && answered - address.released_after < quarantine_ - kSlack) {
    FailLocked(absl::StrCat(ip.ToString(), " was given to ", id, " ",
                            absl::FormatDuration(answered - address.released_after), " after it was released"));
  }
  if (by_name) address.preserved = std::nullopt;
  if (address.preserved) FailLocked(absl::StrCat(ip.ToString(), " was given to ", id, " although it is preserved"));
  address.may_be_preserved = false;
  address.holder = id;
}

void History::LetGo(Ip ip) {
  addresses_[ip].holder.clear();
  addresses_[ip].released_after = clock_->Wall();
}

void History::Adopt(Instance* instance, const SeenInstance& answer, bool by_name) {
  const absl::Time answered = clock_->Wall();
  instance->held = true;
  instance->doubt = Doubt::kNone;
  instance->addresses = answer.addresses;
  instance->mac = answer.mac;
  instance->generation = answer.generation;
  for (Ip ip : answer.addresses) Hold(answer.id, ip, answered, by_name);
}

History::Sent History::SendCreate(const std::vector<Wish>& wishes) {
  absl::MutexLock lock(&mutex_);
  for (const Wish& wish : wishes) {
    Instance& instance = instances_[wish.id];
    if (instance.held) continue;  // asked again
    instance.wish = wish;
    instance.batch = wishes.size() > 1 ? wishes[0].id : "";
    instance.doubt = Doubt::kCreate;
  }
  return SendLocked();
}

void History::Created(const Sent& sent, const std::vector<Wish>& wishes, const std::vector<SeenInstance>& answer) {
  absl::MutexLock lock(&mutex_);
  if (answer.size() != wishes.size()) {
    return FailLocked(absl::StrCat(wishes.size(), " asked for, ", answer.size(), " answered"));
  }
  for (size_t i = 0; i < answer.size(); ++i) {
    Instance& instance = instances_[wishes[i].id];
    SawRevision(sent, answer[i].revision);
    if (answer[i].id != wishes[i].id || answer[i].addresses.size() != WantedAddresses(wishes[i])) {
      FailLocked(absl::StrCat(wishes[i].id, " got ", TextOf(answer[i].addresses), " as ", answer[i].id));
    }
    if (instance.held && (instance.addresses != answer[i].addresses || instance.mac != answer[i].mac ||
                          instance.generation != answer[i].generation)) {
      FailLocked(absl::StrCat(wishes[i].id, " was answered ", TextOf(instance.addresses), " and then ",
                              TextOf(answer[i].addresses)));
    }
    if (wishes[i].address && !Contains(answer[i].addresses, *wishes[i].address)) {
      FailLocked(absl::StrCat(wishes[i].id, " asked for ", wishes[i].address->ToString(), " and got another"));
    }
    Adopt(&instance, answer[i], wishes[i].address.has_value());
    SawRecord(sent, answer[i].record);
  }
}

void History::CreateRefused(const std::vector<Wish>& wishes) {
  absl::MutexLock lock(&mutex_);
  for (const Wish& wish : wishes) {
    if (instances_[wish.id].held) FailLocked(absl::StrCat(wish.id, " is held, but asking again is refused"));
    instances_.erase(wish.id);
  }
}

History::Sent History::SendRelease(const std::string& id, bool preserve) {
  absl::MutexLock lock(&mutex_);
  Instance& instance = instances_[id];
  if (instance.doubt != Doubt::kRelease) {
    for (Ip ip : instance.addresses) {
      LetGo(ip);
      addresses_[ip].may_be_preserved = preserve;
    }
  }
  instance.doubt = Doubt::kRelease;
  return SendLocked();
}

void History::Released(const Sent& sent, const std::string& id, bool preserve, const std::vector<SeenRecord>& answer) {
  absl::MutexLock lock(&mutex_);
  for (const SeenRecord& record : answer) {
    SawRecord(sent, record);
    if (record.state != (preserve ? "preserved" : "quarantined")) FailLocked("released as " + record.ToString());
    Address& address = addresses_[record.address];
    if (preserve && address.may_be_preserved) address.preserved = record;  // else someone was faster to reassign it
    if (!preserve && record.until - record.since < quarantine_) FailLocked("short quarantine: " + record.ToString());
  }
  instances_.erase(id);
}

History::Sent History::SendReassign(const std::string& id, Ip to) {
  absl::MutexLock lock(&mutex_);
  Instance& instance = instances_[id];
  if (instance.doubt != Doubt::kReassign) {
    for (Ip ip : instance.addresses) {
      if (ip.family() == to.family()) LetGo(ip);
    }
    instance.reassigned_to = to;
  }
  instance.doubt = Doubt::kReassign;
  addresses_[to].preserved = std::nullopt;
  return SendLocked();
}

void History::Reassigned(const Sent& sent, const std::string& id, Ip to, const SeenInstance& answer) {
  absl::MutexLock lock(&mutex_);
  Instance& instance = instances_[id];
  SawRevision(sent, answer.revision);
  if (answer.addresses != Replaced(instance.addresses, to) || answer.mac != instance.mac ||
      answer.generation <= instance.generation) {
    FailLocked(absl::StrCat(id, " with ", TextOf(instance.addresses), " was reassigned to ", to.ToString(), " and has ",
                            TextOf(answer.addresses)));
  }
  Adopt(&instance, answer, true);
  SawRecord(sent, answer.record);
}

void History::ReassignRefused(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  Instance& instance = instances_[id];
  instance.doubt = Doubt::kNone;
  for (Ip ip : instance.addresses) {
    if (addresses_[ip].holder.empty()) addresses_[ip].released_after = absl::InfinitePast();
    Hold(id, ip, clock_->Wall(), false);
  }
}

History::Sent History::SendEndPreserve(Ip ip) {
  absl::MutexLock lock(&mutex_);
  addresses_[ip].preserved = std::nullopt;
  if (addresses_[ip].holder.empty()) LetGo(ip);
  return SendLocked();
}

void History::Saw(const Sent& sent, const SeenInstance& instance) {
  absl::MutexLock lock(&mutex_);
  SawRevision(sent, instance.revision);
  SawRecord(sent, instance.record);
}

void History::Saw(const Sent& sent, const SeenList& list) {
  absl::MutexLock lock(&mutex_);
  SawRevision(sent, list.revision);
  for (const SeenRecord& record : list.records) SawRecord(sent, record);
}

std::vector<Ip> History::Addresses(const std::string& id) const {
  absl::MutexLock lock(&mutex_);
  auto found = instances_.find(id);
  if (found == instances_.end() || found->second.doubt != Doubt::kNone) return {};
  return found->second.addresses;
}

std::vector<std::string> History::Ids() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, instance] : instances_) ids.push_back(id);
  return ids;
}

std::optional<Ip> History::ClaimPreserved(uint64_t random) {
  absl::MutexLock lock(&mutex_);
  std::vector<Ip> preserved;
  for (const auto& [ip, address] : addresses_) {
    if (address.preserved) preserved.push_back(ip);
  }
  if (preserved.empty()) return std::nullopt;
  const Ip ip = preserved[random % preserved.size()];
  addresses_[ip].preserved = std::nullopt;
  return ip;
}

void History::CheckRestarted(const Sent& sent, const SeenList& list) {
  const absl::Time now = clock_->Wall();
  absl::MutexLock lock(&mutex_);
  std::map<Ip, SeenRecord> by_address;
  ByInstance by_instance;
  for (const SeenRecord& record : list.records) {
    if (!by_address.emplace(record.address, record).second) FailLocked("listed twice: " + record.ToString());
    if (record.state != "assigned") continue;
    by_instance[record.instance].push_back(record);
    if (!instances_.contains(record.instance)) FailLocked("held by one that is gone: " + record.ToString());
  }
  for (const auto& [id, instance] : instances_) CheckInstance(id, instance, by_instance[id]);
  CheckBatches(by_instance);
  CheckAddresses(by_address, now);
  SawRevision(sent, list.revision);
  for (const SeenRecord& record : list.records) SawRecord(sent, record);
}

void History::CheckInstance(const std::string& id, const Instance& instance, const std::vector<SeenRecord>& listed) {
  if (instance.doubt == Doubt::kCreate) return CheckDoubtfulCreate(id, instance, listed);
  const std::vector<Ip> addresses = AddressesOf(listed);
  const bool same = addresses == Sorted(instance.addresses);
  const bool moved = instance.doubt == Doubt::kReassign &&
                     addresses == Sorted(Replaced(instance.addresses, instance.reassigned_to));
  const bool gone = instance.doubt == Doubt::kRelease && addresses.empty();
  if (!same && !moved && !gone) {
    FailLocked(absl::StrCat(id, " was answered ", TextOf(instance.addresses), " and has ", TextOf(addresses),
                            instance.doubt == Doubt::kNone ? "" : ", in doubt"));
  }
  for (const SeenRecord& record : listed) {
    const bool begun_anew = moved && !same && record.generation > instance.generation;
    if (record.mac != instance.mac || (record.generation != instance.generation && !begun_anew)) {
      FailLocked(absl::StrCat(id, " was answered generation ", instance.generation, ", MAC ", instance.mac,
                              " and has ", record.ToString()));
    }
  }
  if (!same) return;
  for (Ip ip : instance.addresses) {  // a release that someone saw cannot be undone
    const SeenRecord& seen = addresses_[ip].seen;
    if (seen.revision > instance.generation && seen.state != "assigned") {
      FailLocked(absl::StrCat(id, " holds what was seen as ", seen.ToString()));
    }
  }
}

void History::CheckDoubtfulCreate(const std::string& id, const Instance& instance,
                                  const std::vector<SeenRecord>& listed) {
  if (!listed.empty() && listed.size() != WantedAddresses(instance.wish)) {
    FailLocked(absl::StrCat(id, " has a part of its addresses: ", TextOf(AddressesOf(listed))));
  }
  if (!listed.empty()) return;
  for (const auto& [ip, address] : addresses_) {
    if (address.seen.state == "assigned" && address.seen.instance == id) {
      FailLocked(absl::StrCat(id, " is gone, but someone saw ", address.seen.ToString()));
    }
  }
}

void History::CheckBatches(const ByInstance& listed) {
  std::map<std::string, std::set<bool>> there;  // by batch
  for (const auto& [id, instance] : instances_) {
    if (instance.doubt != Doubt::kCreate || instance.batch.empty()) continue;
    auto found = listed.find(id);
    there[instance.batch].insert(found != listed.end() && !found->second.empty());
  }
  for (const auto& [batch, outcomes] : there) {
    if (outcomes.size() > 1) FailLocked(absl::StrCat("a part of the batch of ", batch, " is there"));
  }
}

bool History::MayBeTaken(const SeenRecord* record) const {
  if (record == nullptr || record->state != "assigned") return false;
  auto found = instances_.find(record->instance);
  if (found == instances_.end()) return false;
  const Instance& taker = found->second;
  return (taker.doubt == Doubt::kReassign && taker.reassigned_to == record->address) ||
         (taker.doubt == Doubt::kCreate && taker.wish.address == record->address);
}

void History::CheckAddresses(const std::map<Ip, SeenRecord>& listed, absl::Time now) {
  for (const auto& [ip, address] : addresses_) {
    const SeenRecord& seen = address.seen;
    auto found = listed.find(ip);
    const SeenRecord* is = found == listed.end() ? nullptr : &found->second;
    const std::string text = is == nullptr ? "free" : is->ToString();
    if (is != nullptr && (is->revision < seen.revision || (is->revision == seen.revision && *is != seen))) {
      FailLocked(absl::StrCat("was ", seen.ToString(), " and is ", is->ToString()));
    }
    if (address.preserved && !MayBeTaken(is) && (is == nullptr || *is != *address.preserved)) {
      FailLocked(absl::StrCat("was ", address.preserved->ToString(), " and is ", text));
    }
    if (seen.state == "quarantined" && now < seen.until - kSlack && (is == nullptr || *is != seen)) {
      FailLocked(absl::StrCat("was ", seen.ToString(), " and is ", text, " before that"));
    }
  }
}

}  // namespace gnomon
