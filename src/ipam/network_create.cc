// SPDX-License-Identifier: Apache-2.0
//
// Creation: take a shadow, else a free address, else a preempted one. Choosing changes nothing; only then is anything taken,
// so a refusal leaves no trace.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

std::string_view NamesOf(Families families) {
  return families == kBothFamilies ? "ipv4,ipv6" : families == kOnlyIpv4 ? "ipv4" : "ipv6";
}

}  // namespace

// One variable is returned, so that it is built where the caller wants it.
absl::StatusOr<Assignment> Network::Create(absl::Time now, const CreateRequest& request, Changes* changes) {
  records_.Settle();
  static const Assignment kNone;
  absl::StatusOr<Assignment> assignment(kNone);
  const HashedId id(request.instance);
  auto existing = instances_.find(id);
  if (existing != instances_.end()) {
    assignment = Existing(request, *existing);
    return assignment;
  }
  Families families = kNoFamilies;
  absl::Status status = CheckRequest(request, &families);
  if (status.ok()) status = CreateNew(now, request, id, families, Pins(), &*assignment, changes);
  if (!status.ok()) assignment = std::move(status);
  PutConsumed(changes);
  return assignment;
}

// What was not said matches anything that was chosen for it.
absl::StatusOr<Assignment> Network::Existing(const CreateRequest& request, Slot slot) const {
  Assignment assignment = Describe(PairOf(slot));
  const AddressRecord& first = assignment.addresses[0];
  Families families = kNoFamilies;
  bool has_address = !request.address, in_pool = request.pool.empty();
  for (const AddressRecord& record : assignment.addresses) {
    families |= BitOf(record.address.family());
    has_address = has_address || record.address == *request.address;
    in_pool = in_pool || PoolOf(record.pool)->config().name == request.pool;
  }
  const bool is_block = first.length != MaxLength(first.address.family());
  std::vector<absl::string_view> differ;
  std::string asked;  // for the first of them
  auto differs = [&](absl::string_view field, std::string_view value) {
    if (differ.empty()) asked = value;
    differ.push_back(field);
  };
  if (first.type != request.type) differs("type", request.type);
  if (first.place.zone != request.place.zone) differs("zone", request.place.zone);
  if (first.place.host != request.place.host) differs("host", request.place.host);
  if (first.labels != request.labels) differs("labels", "");
  if (request.mac && first.mac != *request.mac) differs("mac", request.mac->ToString());
  if (!has_address) differs("address", request.address->ToString());
  if (!in_pool) differs("pool", request.pool);
  if (request.families != kNoFamilies && families != request.families) differs("families", NamesOf(request.families));
  if (request.block_length != (is_block ? first.length : 0))
    differs("block_length", absl::StrCat(request.block_length));
  if (differ.empty()) return assignment;
  return Error(absl::StatusCode::kAlreadyExists, "INSTANCE_DIFFERS",
               absl::StrCat("instance ", request.instance, " exists with another ", absl::StrJoin(differ, ", ")))
      .Field(StdView(differ.front()))
      .Value(asked)
      .Hint("an id names one instance: use another id, or release this one first");
}

absl::Status Network::CheckRequest(const CreateRequest& request, Families* families) const {
  auto invalid = [&](std::string_view field, std::string_view value, std::string_view what) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_INSTANCE", what).Field(field).Value(value);
  };
  if (request.instance.empty()) return invalid("id", "", "an instance needs an id");
  auto too_long = [&](std::string_view field, std::string_view text) {
    return invalid(field, Excerpt(text), "the text is too long");
  };
  if (request.instance.size() > kMaxTextBytes) return too_long("id", request.instance);
  if (request.type.size() > kMaxTextBytes) return too_long("type", request.type);
  if (request.place.zone.size() > kMaxTextBytes) return too_long("zone", request.place.zone);
  if (request.place.host.size() > kMaxTextBytes) return too_long("host", request.place.host);
  if (request.labels.size() > kMaxLabelsBytes) return invalid("labels", "", "the labels are too long");
  if (request.mac && MacIsHeld(*request.mac)) {
    return Error(absl::StatusCode::kAlreadyExists, "MAC_IN_USE",
                 absl::StrCat("another instance or a shadow of this network has the MAC ", request.mac->ToString()))
        .Field("mac")
        .Value(request.mac->ToString())
        .Hint("use another, or none to get one");
  }
  if (!request.pool.empty() && FindPool(request.pool) == nullptr) return PoolNotFound(request.pool);
  *families = request.families;
  if (*families == kNoFamilies && request.address) *families = BitOf(request.address->family());
  if (*families == kNoFamilies && !request.pool.empty()) {
    *families = BitOf(FindPool(request.pool)->config().prefix.family());
  }
  if (*families == kNoFamilies) *families = this->families();
  if (*families == kNoFamilies) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_POOL", "the network has no pool that gives addresses")
        .Hint("create a pool first");
  }
  if (request.address && (*families & BitOf(request.address->family())) == 0) {
    return invalid("address", request.address->ToString(), "the address is of a family that was not asked for");
  }
  if (request.block_length == 0) return absl::OkStatus();
  if (*families == kBothFamilies) return invalid("families", "ipv4,ipv6", "a block is of one family: name it");
  const int longest = MaxLength(*families == kOnlyIpv4 ? Family::kIpv4 : Family::kIpv6) - 1;
  if (request.block_length < 0 || request.block_length > longest) {
    return invalid("block_length", absl::StrCat(request.block_length),
                   absl::StrCat("a block's prefix length is from the pool's to ", longest));
  }
  if (request.address && Prefix::Containing(*request.address, request.block_length).base() != *request.address) {
    return invalid("address", request.address->ToString(), "a block begins at a multiple of its size");
  }
  return absl::OkStatus();
}

absl::Status Network::CreateNew(absl::Time now, const CreateRequest& request, const HashedId& id, Families families,
                                const Pins& pins, Assignment* assignment, Changes* changes) {
  assignment->created = true;
  if (!request.address && request.block_length == 0) {
    const Slot shadow = MatchingShadow(request, families, pins);
    if (shadow != 0) {
      TakeShadow(now, request, id, shadow, assignment, changes);
      return absl::OkStatus();
    }
  }
  std::array<Choice, 2> chosen;
  size_t count = 0;
  for (Family family : {Family::kIpv4, Family::kIpv6}) {
    if ((families & BitOf(family)) == 0) continue;
    GNOMON_RETURN_IF_ERROR(Choose(request, family, pins.Of(family), &chosen[count++]));
  }
  for (size_t i = 0; i < count; ++i) Preempt(now, chosen[i], assignment, changes);
  const uint64_t mac = request.mac ? request.mac->bits() : MakeMac(chosen[0].address);
  const uint64_t generation = revision_ + 1;
  Slots slots;
  for (size_t i = 0; i < count; ++i) {
    AddressRecord& record = AddRecord(changes);
    record.revision = ++revision_;
    record.generation = generation;
    record.mac = Mac::FromBits(mac);
    record.instance = request.instance;
    record.type = request.type;
    record.place = request.place;
    record.labels = request.labels;
    slots.push_back(Assign(now, chosen[i], &record));
    records_.ViewTexts(slots[i], &record);
    if (count == 2) record.partner = chosen[1 - i].address;
  }
  if (count == 2) Join(slots[0], slots[1]);
  IndexInstance(id, slots[0]);
  for (size_t i = 0; i < count; ++i) {
    assignment->addresses.push_back(std::get<AddressRecord>((*changes)[changes->size() - count + i]));
  }
  return absl::OkStatus();
}

void Network::IndexInstance(const HashedId& id, Slot first) {
  HoldMac(first);
  instances_.lazy_emplace(id, [&](const auto& place) { place(first); });
  CountInstance(first, 1);
}

void Network::CountInstance(Slot first, int more) {
  const uint32_t type = At(first).type;
  if (instances_of_.size() <= type) instances_of_.resize(type + 1);
  instances_of_[type] += static_cast<uint32_t>(more);
}

Slot Network::MatchingShadow(const CreateRequest& request, Families families, const Pins& pins) const {
  auto fits = [&](Slot slot) {
    const Pool& pool = *PoolOf(At(slot).pool);
    const PoolId pin = pins.Of(At(slot).address.family());
    return !pool.config().draining && (request.pool.empty() || pool.config().name == request.pool) &&
           (pin == 0 || pin == pool.config().id);
  };
  return shadows_.Best(request.type, request.place, families,
                       [&](Slot slot) { return fits(slot) && (!At(slot).is_pair() || fits(At(slot).partner)); });
}

void Network::TakeShadow(absl::Time now, const CreateRequest& request, const HashedId& id, Slot slot,
                         Assignment* assignment, Changes* changes) {
  ConsumePredictions(slot);
  Detach(slot);
  const Slots slots = PairOf(slot);
  const Mac mac = request.mac ? *request.mac : At(slot).mac;
  const uint64_t generation = revision_ + 1;
  for (Slot each : slots) {
    EndShadow(now, each, AddressState::kAssigned, absl::InfiniteFuture());
    RecordTable::Entry& entry = At(each);
    if (entry.mac != mac) entry.warmth = Warmth::kCold;  // what was made ready was made for the shadow's own
    entry.mac = mac;
    entry.held.generation = generation;
    entry.used = true;
    entry.from_shadow = true;
    records_.SetInstance(each, request.instance, request.labels);
    records_.SetPlace(each, request.place);
  }
  IndexInstance(id, slots[0]);
  for (Slot each : slots) {
    Put(each, changes);
    assignment->addresses.push_back(std::get<AddressRecord>(changes->back()));
  }
  assignment->hit = true;
}

bool Network::IsCandidate(const Pool& pool, const CreateRequest& request, Family family, PoolId pin) {
  const PoolConfig& config = pool.config();
  return config.prefix.family() == family && !config.draining && (pin == 0 || config.id == pin) &&
         (request.pool.empty() || config.name == request.pool);
}

Network::PoolList Network::CandidatePools(const CreateRequest& request, Family family, PoolId pin) const {
  PoolList candidates;
  for (const auto& [id, pool] : pools_) {
    if (IsCandidate(*pool, request, family, pin)) candidates.push_back(pool.get());
  }
  return candidates;
}

absl::Status Network::Choose(const CreateRequest& request, Family family, PoolId pin, Choice* choice) {
  const bool named = request.address && request.address->family() == family;
  if (!named && request.block_length == 0) {
    for (const auto& [id, pool] : pools_) {
      if (!IsCandidate(*pool, request, family, pin)) continue;
      const std::optional<Ip> ip = pool->Propose(NextRandom());
      if (!ip) continue;
      choice->address = *ip;
      choice->length = MaxLength(family);
      choice->pool = pool.get();
      choice->free = true;
      return absl::OkStatus();
    }
  }
  const int length = request.block_length == 0 ? MaxLength(family) : request.block_length;
  const absl::StatusOr<Choice> other = named ? ChooseExplicit(*request.address, length, request.pool)
                                       : request.block_length != 0 ? ChooseBlock(request, family)
                                                                   : ChooseVictim(request, family, pin);
  if (other.ok()) *choice = *other;
  return other.status();
}

absl::StatusOr<Network::Choice> Network::ChooseVictim(const CreateRequest& request, Family family, PoolId pin) {
  const PoolList candidates = CandidatePools(request, family, pin);
  Choice choice;
  auto take_if_mine = [&](Slot slot) {
    if (slot == 0) return false;
    auto mine = std::find_if(candidates.begin(), candidates.end(),
                             [&](const Pool* pool) { return pool->config().id == At(slot).pool; });
    if (mine == candidates.end()) return false;
    choice = {At(slot).address, MaxLength(family), *mine, false};
    return true;
  };
  const bool any = std::any_of(candidates.begin(), candidates.end(),
                               [&](const Pool* pool) { return ShadowsOf(pool->config().id) > 0; });
  if (any) shadows_.First([&](Slot slot) { return take_if_mine(slot) || take_if_mine(At(slot).partner); });
  for (auto slot = withdrawing_.begin(); slot != withdrawing_.end() && choice.pool == nullptr; ++slot)
    take_if_mine(*slot);
  if (choice.pool == nullptr) return Exhausted(request, family);
  return choice;
}

absl::StatusOr<Network::Choice> Network::ChooseBlock(const CreateRequest& request, Family family) {
  const PoolList candidates = CandidatePools(request, family, 0);
  const int length = request.block_length;
  for (Pool* pool : candidates) {
    if (length <= pool->config().prefix.length()) continue;
    if (std::optional<Prefix> block = pool->ProposeBlock(length)) return Choice{block->base(), length, pool, true};
  }
  for (Pool* pool : candidates) {
    if (length <= pool->config().prefix.length()) continue;
    auto preemptible = [&](Ip ip) { return IsPreemptible(ip); };
    if (std::optional<Prefix> block = pool->ProposeBlockOver(length, preemptible)) {
      return Choice{block->base(), length, pool, false};
    }
  }
  return Exhausted(request, family);
}

bool Network::IsPreemptible(Ip ip) const {
  const Slot slot = SlotOf(ip);
  if (slot == 0) return false;
  return At(slot).state == AddressState::kShadow || At(slot).state == AddressState::kWithdrawing;
}

absl::StatusOr<Network::Choice> Network::ChooseExplicit(Ip address, int length, std::string_view pool_name) const {
  const Prefix wanted(address, length);
  auto refuse = [&](absl::StatusCode status, std::string_view code, std::string_view why) {
    return Error(status, code, absl::StrCat(wanted.ToString(), " ", AbslView(why))).Field("address").Value(address.ToString());
  };
  Pool* pool = PoolAt(address);
  if (pool == nullptr || !pool->config().prefix.Contains(wanted)) {
    return refuse(absl::StatusCode::kInvalidArgument, "ADDRESS_OUTSIDE_POOLS", "is in no pool of the network");
  }
  if (!pool_name.empty() && pool->config().name != pool_name) {
    return refuse(absl::StatusCode::kInvalidArgument, "ADDRESS_OUTSIDE_POOLS", "is not in the pool that was named");
  }
  const bool is_block = length != MaxLength(address.family());
  const Slot slot = SlotOf(address);
  // A preserved address is the account's own: it may be put on any instance, also while its pool drains.
  const bool same = slot != 0 && At(slot).address == address && At(slot).length == length;
  if (same && At(slot).state == AddressState::kPreserved) return Choice{address, length, pool, false};
  if (pool->config().draining) {
    return refuse(absl::StatusCode::kFailedPrecondition, "POOL_DRAINING", "is in a pool that is draining");
  }
  Pool::Presence presence = is_block ? pool->CheckBlock(wanted) : pool->Check(address);
  const bool free = presence == Pool::Presence::kFree;
  if (presence == Pool::Presence::kHeld) {
    const HeldSlots held = HeldIn(wanted);
    const bool preemptible = std::all_of(held.begin(), held.end(), [&](Slot each) {
      return At(each).state == AddressState::kShadow || At(each).state == AddressState::kWithdrawing;
    });
    const bool inside_block = slot != 0 && At(slot).length < length;
    if (preemptible && !inside_block) presence = Pool::Presence::kFree;
  }
  if (presence == Pool::Presence::kExcluded) {
    return refuse(absl::StatusCode::kFailedPrecondition, "ADDRESS_EXCLUDED", "is excluded by its pool's configuration");
  }
  if (presence == Pool::Presence::kHeld) {
    return refuse(absl::StatusCode::kAlreadyExists, "ADDRESS_IN_USE", "is assigned, preserved or quarantined");
  }
  return Choice{address, length, pool, free};
}

namespace {

// Why no pool gives addresses of the family, and what to do. `named`: the pool that was asked for; nullptr: none was.
std::pair<std::string, std::string> WhyNoPool(const Pool* named, const std::vector<const Pool*>& all, Family family) {
  const std::string kind(NameOf(family));
  if (named != nullptr && named->config().prefix.family() != family) {
    return {absl::StrCat("pool ", named->config().name, " has no ", kind, " addresses"),
            absl::StrCat("name a pool of ", kind, ", or none, or ask for the pool's family alone")};
  }
  const bool draining = std::any_of(all.begin(), all.end(),
                                    [family](const Pool* pool) { return pool->config().prefix.family() == family; });
  if (!draining) {
    return {absl::StrCat("the network has no ", kind, " pool"),
            absl::StrCat("create an ", kind, " pool, or do not ask for this family")};
  }
  return {named != nullptr ? absl::StrCat("pool ", named->config().name, " is draining")
                           : absl::StrCat("all ", kind, " pools of the network are draining"),
          absl::StrCat("create another ", kind, " pool, or end the draining")};
}

}  // namespace

absl::Status Network::Exhausted(const CreateRequest& request, Family family) const {
  // Each count of a pool saturates at its type's end, which a sum must not pass.
  auto add = [](uint64_t* sum, uint64_t more) { *sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more; };
  auto number = [](uint64_t count) { return static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX)); };
  uint64_t free = 0, shadow = 0, assigned = 0, quarantined = 0, preserved = 0, excluded = 0;
  std::vector<std::string> names;
  for (const Pool* pool : CandidatePools(request, family, 0)) {
    const Pool::Counts counts = pool->counts();
    add(&free, counts.free);
    shadow += ShadowsOf(pool->config().id);
    assigned += CountIn(pool->config().id, AddressState::kAssigned);
    quarantined += CountIn(pool->config().id, AddressState::kQuarantined);
    preserved += CountIn(pool->config().id, AddressState::kPreserved);
    add(&excluded, counts.excluded);
    names.push_back(absl::StrCat(pool->config().name, " (", pool->config().prefix.ToString(), ")"));
  }
  std::string what = absl::StrCat("nothing fits in pool ", absl::StrJoin(names, ", "));
  std::string hint = "add a pool, release instances, or wait for the end of a quarantine";
  if (names.empty()) std::tie(what, hint) = WhyNoPool(FindPool(request.pool), pools(), family);
  const bool family_is_wrong = names.empty() && request.pool.empty();
  return Error(absl::StatusCode::kResourceExhausted, "POOL_EXHAUSTED", what)
      .Field(family_is_wrong ? "families" : "pool")
      .Value(family_is_wrong ? NamesOf(BitOf(family)) : request.pool)
      .Number("free", number(free))
      .Number("shadow", number(shadow))
      .Number("assigned", number(assigned))
      .Number("quarantined", number(quarantined))
      .Number("preserved", number(preserved))
      .Number("excluded", number(excluded))
      .Hint(hint);
}

// The records of addresses in the prefix; not of a block around it.
Network::HeldSlots Network::HeldIn(const Prefix& prefix) const {
  const Pool* pool = PoolAt(prefix.base());
  HeldSlots held;
  if (prefix.length() == MaxLength(prefix.family())) {
    const Slot slot = pool->Find(prefix.base());
    if (slot != 0) held.push_back(slot);
    return held;
  }
  // No more cells than the prefix has addresses, so that what follows it costs nothing.
  const size_t cells = prefix.host_bits() >= 48 ? SIZE_MAX : size_t{1} << prefix.host_bits();
  pool->Visit(prefix.base(), cells, [&](Slot slot) {
    if (!prefix.Contains(At(slot).address)) return false;
    held.push_back(slot);
    return true;
  });
  return held;
}

// Clears the way. Of a single address the record stays, for Assign to replace.
void Network::Preempt(absl::Time now, const Choice& choice, Assignment* assignment, Changes* changes) {
  if (choice.free) return;
  const bool is_block = choice.length != MaxLength(choice.address.family());
  for (Slot slot : HeldIn(choice.prefix())) {
    if (At(slot).state == AddressState::kPreserved) continue;  // it is what was asked for, and Assign replaces it
    if (At(slot).warmth != Warmth::kCold) {
      assignment->withdrawing.push_back(At(slot).address);
      assignment->answer_by = now + kMaxWithdrawWait;
    }
    if (At(slot).state == AddressState::kShadow) {
      Detach(slot);
      const Slot partner = At(slot).partner;
      Part(slot);
      if (partner != 0) GiveBack(now, partner, changes);
      EndShadow(now, slot, AddressState::kWithdrawing, absl::InfiniteFuture());
    }
    withdrawing_.erase(slot);
    if (is_block) ReturnUnused(now, slot, changes);
  }
}

Slot Network::Assign(absl::Time now, const Choice& choice, AddressRecord* wanted) {
  Pool* pool = choice.pool;
  wanted->address = choice.address;
  wanted->length = choice.length;
  wanted->pool = pool->config().id;
  wanted->state = AddressState::kAssigned;
  wanted->since = now;
  wanted->until = absl::InfiniteFuture();
  wanted->used = true;
  wanted->partner.reset();
  const Slot before = choice.free ? 0 : pool->Find(choice.address);
  const Slot slot = NewSlot(*wanted);
  if (before != 0) {
    pool->SetSlot(choice.address, slot);
    DropSlot(before);
  } else if (choice.length == MaxLength(choice.address.family())) {
    pool->Take(choice.address, slot);
  } else {
    pool->TakeBlock(choice.prefix(), slot);
  }
  return slot;
}

Assignment Network::Describe(const Slots& slots) const {
  Assignment assignment;
  assignment.hit = true;
  for (Slot slot : slots) {
    assignment.addresses.push_back(records_.Get(slot));
    assignment.hit = assignment.hit && At(slot).from_shadow;
  }
  return assignment;
}

}  // namespace gnomon
