// SPDX-License-Identifier: Apache-2.0
#include "sim/crash_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(3);  // after a request that found no server
const char* const kTypes[] = {"web", "db", "batch"};

Ip RandomAddress(uint64_t random) { return Ip::V4(0x0a000000 + static_cast<uint32_t>(random % 512)); }

}  // namespace

CrashCounts& CrashCounts::operator+=(const CrashCounts& other) {
  creations += other.creations;
  batches += other.batches;
  repeats += other.repeats;
  releases += other.releases;
  preserves += other.preserves;
  reassigns += other.reassigns;
  predictions += other.predictions;
  reads += other.reads;
  refused += other.refused;
  unanswered += other.unanswered;
  return *this;
}

CrashClient::CrashClient(History* history, std::string network, int number, uint64_t seed)
    : history_(history), network_(std::move(network)), number_(number), rng_(seed) {}

void CrashClient::Forget() {
  held_.clear();
  doubts_.clear();
}

// 36 bytes, as a UUID is.
std::string CrashClient::NewId() {
  return absl::StrFormat("%08x-0000-4000-8000-%012x", number_, ++ids_);
}

void CrashClient::Run(const std::string& server, const absl::Notification& stop) {
  client_ = std::make_unique<NetworkClient>(server, network_);
  while (!stop.HasBeenNotified()) {
    const uint64_t unanswered = counts_.unanswered;
    std::vector<Asked> doubts = std::exchange(doubts_, {});
    for (const Asked& asked : doubts) Ask(asked);
    if (doubts.empty()) AskRandom();
    if (counts_.unanswered != unanswered) stop.WaitForNotificationWithTimeout(kPause);
  }
  client_ = nullptr;
}

void CrashClient::AskRandom() {
  const uint64_t dice = Random(100);
  if (dice < 4) return Predict();
  if (dice < 6) return EndPreserve();
  if (dice < 20) return Read();
  if (held_.size() < kMaxHeld && dice < 60) {
    Ask(NewCreate());
    return;
  }
  if (held_.empty()) return;
  const size_t which = Random(held_.size());
  const Wish wish = held_[which];
  if (dice < 68) {
    ++counts_.repeats;
    Ask({.kind = Kind::kCreate, .wishes = {wish}});
  } else if (dice < 76) {
    const Ip address = history_->ClaimPreserved(rng_()).value_or(RandomAddress(rng_()));
    const bool fits = wish.families == 46 || (wish.families == 4) == address.IsV4();
    const std::vector<Ip> own = history_->Addresses(wish.id);
    const bool moves = std::find(own.begin(), own.end(), address) == own.end();
    if (!fits || !moves || wish.address) return;
    Ask({.kind = Kind::kReassign, .wishes = {wish}, .id = wish.id, .address = address});
  } else {
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
    Ask({.kind = Kind::kRelease, .id = wish.id, .preserve = Random(12) == 0});
  }
}

CrashClient::Asked CrashClient::NewCreate() {
  Asked asked;
  const size_t count = Random(6) == 0 ? 2 + Random(kMaxHeld - 1) : 1;
  const int families[] = {4, 4, 4, 6, 46, 46};
  for (size_t i = 0; i < count; ++i) {
    Wish wish{.id = NewId(), .type = kTypes[Random(3)], .families = families[Random(6)], .address = {}};
    if (wish.families == 4 && Random(8) == 0) wish.address = RandomAddress(rng_());
    asked.wishes.push_back(std::move(wish));
  }
  return asked;
}

CrashClient::Outcome CrashClient::OutcomeOf(const absl::Status& status) {
  if (status.ok()) return Outcome::kDone;
  const std::string code = CodeOf(status);
  if (code == "QUEUE_FULL" || code == "SHARD_DOWN" || code == "SHUTTING_DOWN") {
    ++counts_.refused;
    return Outcome::kNotDone;
  }
  if (code == "OUTCOME_UNKNOWN" || code == "SERVER_UNREACHABLE") {
    ++counts_.unanswered;
    return Outcome::kUnknown;
  }
  const bool expected = status.code() == absl::StatusCode::kNotFound ||
                        status.code() == absl::StatusCode::kAlreadyExists ||
                        status.code() == absl::StatusCode::kFailedPrecondition ||
                        status.code() == absl::StatusCode::kResourceExhausted;
  if (!expected) {
    history_->Fail(absl::StrCat("not an answer: ", status.ToString()));
    ++counts_.unanswered;
    return Outcome::kUnknown;
  }
  ++counts_.refused;
  return Outcome::kRefused;
}

bool CrashClient::Ask(const Asked& asked) {
  const bool answered = asked.kind == Kind::kCreate    ? AskCreate(asked)
                        : asked.kind == Kind::kRelease ? AskRelease(asked)
                                                       : AskReassign(asked);
  if (!answered) doubts_.push_back(asked);
  return answered;
}

bool CrashClient::AskCreate(const Asked& asked) {
  const std::vector<Wish>& wishes = asked.wishes;
  const bool there = !history_->Addresses(wishes[0].id).empty();
  const History::Sent sent = history_->SendCreate(wishes);
  absl::StatusOr<std::vector<SeenInstance>> got = std::vector<SeenInstance>{};
  if (wishes.size() > 1) {
    got = client_->CreateBatch(wishes);
  } else {
    absl::StatusOr<SeenInstance> one = client_->Create(wishes[0]);
    one.ok() ? got->push_back(*std::move(one)) : void(got = one.status());
  }
  const Outcome outcome = OutcomeOf(got.status());
  if (outcome == Outcome::kDone) {
    history_->Created(sent, wishes, *got);
    if (there) return true;
    counts_.creations += wishes.size();
    counts_.batches += wishes.size() > 1 ? 1 : 0;
    held_.insert(held_.end(), wishes.begin(), wishes.end());
    return true;
  }
  if (outcome == Outcome::kRefused) history_->CreateRefused(wishes);
  return outcome == Outcome::kRefused || there;
}

bool CrashClient::AskRelease(const Asked& asked) {
  const History::Sent sent = history_->SendRelease(asked.id, asked.preserve);
  absl::StatusOr<std::vector<SeenRecord>> got = client_->Release(asked.id, asked.preserve);
  const Outcome outcome = OutcomeOf(got.status());
  if (outcome == Outcome::kRefused) history_->Fail(absl::StrCat("a release is refused: ", got.status().ToString()));
  if (outcome != Outcome::kDone) return false;
  history_->Released(sent, asked.id, asked.preserve, *got);
  ++(asked.preserve ? counts_.preserves : counts_.releases);
  return true;
}

bool CrashClient::AskReassign(const Asked& asked) {
  const History::Sent sent = history_->SendReassign(asked.id, asked.address);
  absl::StatusOr<SeenInstance> got = client_->Reassign(asked.id, asked.address);
  const Outcome outcome = OutcomeOf(got.status());
  if (outcome == Outcome::kDone) {
    history_->Reassigned(sent, asked.id, asked.address, *got);
    ++counts_.reassigns;
    return true;
  }
  return outcome == Outcome::kRefused && Settle(asked);
}

bool CrashClient::Settle(const Asked& asked) {
  const History::Sent sent = history_->Send();
  absl::StatusOr<SeenInstance> got = client_->Get(asked.id);
  if (OutcomeOf(got.status()) != Outcome::kDone) {
    if (absl::IsNotFound(got.status())) history_->Fail(absl::StrCat(asked.id, " is gone after a reassign"));
    return false;
  }
  bool moved = false;
  for (Ip ip : got->addresses) moved |= ip == asked.address;
  history_->Saw(sent, *got);
  if (moved) {
    history_->Reassigned(sent, asked.id, asked.address, *got);
  } else {
    history_->ReassignRefused(asked.id);
  }
  return true;
}

void CrashClient::Read() {
  const History::Sent sent = history_->Send();
  if (Random(3) == 0) {
    absl::StatusOr<SeenList> list = client_->ListPage();
    if (OutcomeOf(list.status()) != Outcome::kDone) return;
    history_->Saw(sent, *list);
  } else {
    const std::vector<std::string> ids = history_->Ids();
    if (ids.empty()) return;
    absl::StatusOr<SeenInstance> instance = client_->Get(ids[Random(ids.size())]);
    if (OutcomeOf(instance.status()) != Outcome::kDone) return;
    history_->Saw(sent, *instance);
  }
  ++counts_.reads;
}

void CrashClient::Predict() {
  const std::string id = absl::StrCat(number_, "-", rng_());
  if (OutcomeOf(client_->Predict(kTypes[Random(3)], static_cast<int>(Random(20)), id)) == Outcome::kDone) {
    ++counts_.predictions;
  }
}

void CrashClient::EndPreserve() {
  const std::optional<Ip> address = history_->ClaimPreserved(rng_());
  if (!address) return;
  history_->SendEndPreserve(*address);
  OutcomeOf(client_->EndPreserve(*address));
}

}  // namespace gnomon
