// SPDX-License-Identifier: Apache-2.0
//
// Pools, reads and the plumbing that all commands share.
#include "ipam/network.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "base/text.h"
#include "ipam/refusals.h"

namespace gnomon {

Network::Network(NetworkId id) : id_(id) {}

absl::StatusOr<PoolId> Network::AddPool(PoolConfig config, Changes* changes) {
  records_.Settle();
  GNOMON_RETURN_IF_ERROR(Pool::Validate(config));
  if (pools_.size() >= kMaxPools) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_POOLS",
                 absl::StrCat("the network has ", pools_.size(), " pools, the most that one can have"));
  }
  for (const auto& [id, pool] : pools_) {
    if (pool->config().name == config.name) {
      return Error(absl::StatusCode::kAlreadyExists, "POOL_EXISTS", absl::StrCat("a pool named ", config.name, " exists"))
          .Field("name")
          .Value(config.name);
    }
    if (pool->config().prefix.Overlaps(config.prefix)) {
      return Error(absl::StatusCode::kFailedPrecondition, "POOL_OVERLAPS",
                   absl::StrCat(config.prefix.ToString(), " overlaps pool ", pool->config().name, " (",
                                pool->config().prefix.ToString(), ")"))
          .Field("prefix")
          .Value(config.prefix.ToString())
          .Hint("pools of one network are disjoint; use another network for an overlapping address space");
    }
  }
  // Ids follow the revision, so that one is not used again after its pool is gone.
  config.id = static_cast<PoolId>(++revision_);
  while (config.id == 0 || pools_.contains(config.id)) ++config.id;
  changes->push_back(config);
  const PoolId id = config.id;
  KeepPool(std::move(config));
  return id;
}

absl::Status Network::UpdatePool(PoolConfig config, Changes* changes) {
  records_.Settle();
  Pool* pool = PoolOf(config.id);
  if (pool == nullptr) return PoolNotFound();
  config.name = pool->config().name;
  GNOMON_RETURN_IF_ERROR(pool->SetConfig(config));
  NoteFamilies();
  ++revision_;
  changes->push_back(pool->config());
  return absl::OkStatus();
}

std::optional<Ip> Network::ReclaimStep(absl::Time now, PoolId id, Ip from, Changes* changes) {
  records_.Settle();
  const Pool* pool = PoolOf(id);
  if (pool == nullptr) return std::nullopt;
  std::vector<Slot> shadows;
  const std::optional<Ip> next = pool->Visit(from, kReclaimLook, [&](Slot slot) {
    if (At(slot).state == AddressState::kShadow) shadows.push_back(slot);
    return shadows.size() < kMaxFill;
  });
  for (Slot slot : shadows) Reclaim(now, slot, changes);
  return next;
}

absl::StatusOr<Pool*> Network::RemovablePool(PoolId id) const {
  Pool* pool = PoolOf(id);
  if (pool == nullptr) return PoolNotFound();
  const uint64_t holders = pool->counts().held - ShadowsOf(id) - CountIn(id, AddressState::kWithdrawing);
  if (holders == 0) return pool;
  return Error(absl::StatusCode::kFailedPrecondition, "POOL_IN_USE",
               absl::StrCat("pool ", pool->config().name, " holds ",
                            Counted(holders, "address that is", "addresses that are"),
                            " assigned, preserved or quarantined"))
      .Field("pool")
      .Value(pool->config().name)
      .Number("holders", static_cast<int64_t>(holders))
      .Hint("set draining, and delete the pool when its instances are gone and their quarantine is over");
}

absl::Status Network::BeginRemovePool(PoolId id, Changes* changes) {
  GNOMON_ASSIGN_OR_RETURN(Pool * pool, RemovablePool(id));
  if (pool->config().draining) return absl::OkStatus();
  PoolConfig config = pool->config();
  config.draining = true;
  return UpdatePool(std::move(config), changes);
}

absl::StatusOr<bool> Network::RemovePool(absl::Time now, PoolId id, Changes* changes) {
  records_.Settle();
  GNOMON_RETURN_IF_ERROR(RemovablePool(id).status());
  if (ShadowsOf(id) > 0) return false;
  std::vector<Slot> withdrawing;
  for (Slot slot : withdrawing_) {
    if (At(slot).pool == id) withdrawing.push_back(slot);
  }
  const bool more = withdrawing.size() > kMaxFill;
  if (more) withdrawing.resize(kMaxFill);
  for (Slot slot : withdrawing) ReturnUnused(now, slot, changes);
  if (more) return false;
  ++revision_;
  changes->push_back(ErasedPool{id});
  pools_by_base_.erase(PoolOf(id)->config().prefix.base());
  pools_.erase(id);
  counts_by_pool_.erase(id);
  NoteFamilies();
  return true;
}

const Pool* Network::FindPool(std::string_view name) const {
  for (const auto& [id, pool] : pools_) {
    if (pool->config().name == name) return pool.get();
  }
  return nullptr;
}

std::vector<const Pool*> Network::pools() const {
  std::vector<const Pool*> all;
  for (const auto& [id, pool] : pools_) all.push_back(pool.get());
  return all;
}

Records Network::Find(std::string_view instance) const {
  Records found;
  for (Slot slot : SlotsOf(instance)) found.push_back(records_.Get(slot));
  return found;
}

std::optional<AddressRecord> Network::Describe(Ip address) const {
  const Slot slot = SlotOf(address);
  if (slot == 0) return std::nullopt;
  return records_.Get(slot);
}

std::optional<AddressRecord> Network::PeekShadow(const std::string& type, const Place& place) const {
  CreateRequest request;
  request.type = type;
  request.place = place;
  const Slot slot = MatchingShadow(request, families(), Pins());
  if (slot == 0) return std::nullopt;
  return records_.Get(slot);
}

uint32_t Network::InstancesOf(std::string_view type) const {
  const uint32_t number = records_.texts().Find(type);
  return number < instances_of_.size() ? instances_of_[number] : 0;
}

size_t Network::MemoryBytes() const {
  size_t bytes = records_.MemoryBytes() + instances_of_.capacity() * sizeof(uint32_t) + other_macs_.capacity() * (sizeof(uint64_t) + 1) +
                 instances_.capacity() * (sizeof(Slot) + 1) + deadlines_.MemoryBytes();
  for (const auto& [id, pool] : pools_) bytes += pool->MemoryBytes();
  return bytes;
}

uint64_t Network::CountIn(PoolId pool, AddressState state) const {
  auto counts = counts_by_pool_.find(pool);
  return counts == counts_by_pool_.end() ? 0 : counts->second[static_cast<size_t>(state)];
}

void Network::CountRecord(PoolId pool, AddressState state, int more) {
  counts_[static_cast<size_t>(state)] += static_cast<uint64_t>(more);
  counts_by_pool_[pool][static_cast<size_t>(state)] += static_cast<uint64_t>(more);
}

void Network::RecountRecord(PoolId pool, AddressState before, AddressState after) {
  StateCounts& in_pool = counts_by_pool_[pool];
  for (StateCounts* counts : {&counts_, &in_pool}) {
    --(*counts)[static_cast<size_t>(before)];
    ++(*counts)[static_cast<size_t>(after)];
  }
}

std::optional<Ip> Network::Visit(Ip from, size_t budget, absl::FunctionRef<bool(const AddressRecord&)> visit) const {
  bool more = true;
  for (const auto& [base, pool] : pools_by_base_) {
    const Prefix& prefix = pool->config().prefix;
    if (prefix.last() < from) continue;
    if (budget == 0 || !more) return std::max(from, prefix.base());
    const Ip start = std::max(from, prefix.base());
    std::optional<Ip> rest = pool->Visit(start, budget, [&](Slot slot) { return more = visit(records_.Get(slot)); });
    if (rest) return rest;
    const absl::uint128 looked = prefix.last().bits() - start.bits();
    budget -= static_cast<size_t>(std::min<absl::uint128>(budget, looked));
  }
  return std::nullopt;
}

Pool* Network::PoolOf(PoolId id) const {
  auto found = pools_.find(id);
  return found == pools_.end() ? nullptr : found->second.get();
}

Pool* Network::PoolAt(Ip ip) const {
  auto after = pools_by_base_.upper_bound(ip);
  if (after == pools_by_base_.begin()) return nullptr;
  Pool* pool = std::prev(after)->second;
  return pool->config().prefix.Contains(ip) ? pool : nullptr;
}

void Network::KeepPool(PoolConfig config) {
  auto pool = std::make_unique<Pool>(std::move(config));
  pools_by_base_.emplace(pool->config().prefix.base(), pool.get());
  pools_.emplace(pool->config().id, std::move(pool));
  NoteFamilies();
}

void Network::NoteFamilies() {
  families_ = kNoFamilies;
  for (const auto& [id, pool] : pools_) {
    if (pool->config().draining) continue;
    families_ |= BitOf(pool->config().prefix.family());
  }
}

Slot Network::NewSlot(const AddressRecord& record) {
  CountRecord(record.pool, record.state, 1);
  return records_.Add(record);
}

void Network::DropSlot(Slot slot) {
  CountRecord(At(slot).pool, At(slot).state, -1);
  records_.Drop(slot);
}

void Network::SetState(absl::Time now, Slot slot, AddressState state, absl::Time until) {
  RecordTable::Entry& entry = At(slot);
  GNOMON_CHECK(entry.state != AddressState::kShadow && state != AddressState::kShadow);
  RecountRecord(entry.pool, entry.state, state);
  entry.state = state;
  entry.SetTimes(now, until);
}

void Network::EndShadow(absl::Time now, Slot slot, AddressState state, absl::Time until) {
  RecountRecord(At(slot).pool, AddressState::kShadow, state);
  records_.EndShadow(slot, state);
  At(slot).SetTimes(now, until);
}

void Network::Put(Slot slot, Changes* changes) {
  RecordTable::Entry& entry = At(slot);
  entry.revision = ++revision_;
  records_.Read(slot, &AddRecord(changes));
  if (entry.until_us == RecordTable::kNever || PrimaryOf(slot) != slot) return;
  deadlines_.Push({entry.until_us, entry.revision, slot});
  CompactDeadlines();
}

// Deadlines that are void stay in the queue until their time; more of them than records means that most are void.
void Network::CompactDeadlines() {
  const uint64_t records = std::accumulate(counts_.begin(), counts_.end(), uint64_t{1024});
  if (deadlines_.size() > 2 * records) deadlines_.Compact([this](const Deadline& deadline) { return IsLive(deadline); });
}

Slot Network::SlotOf(Ip ip) const {
  const Pool* pool = PoolAt(ip);
  return pool == nullptr ? 0 : pool->Find(ip);
}

Network::Slots Network::SlotsOf(std::string_view instance) const {
  auto found = instances_.find(HashedId(instance));
  return found == instances_.end() ? Slots() : PairOf(*found);
}

Network::Slots Network::PairOf(Slot slot) const { return Slots(slot, At(slot).partner); }

void Network::Join(Slot a, Slot b) {
  At(a).partner = b;
  At(b).partner = a;
}

void Network::Part(Slot slot) {
  const Slot partner = std::exchange(At(slot).partner, 0);
  if (partner != 0) At(partner).partner = 0;
}

Slot Network::PrimaryOf(Slot slot) const {
  const RecordTable::Entry& entry = At(slot);
  if (entry.state != AddressState::kShadow || !entry.is_pair() || entry.address.IsV4()) return slot;
  return entry.partner;
}

void Network::IndexShadow(Slot slot) {
  if (PrimaryOf(slot) == slot) shadows_.Add(slot);
}

// Deterministic: the same state gives the same number, so that a replay chooses the same addresses. SplitMix64's finalizer
// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
uint64_t Network::NextRandom() const {
  uint64_t z = (static_cast<uint64_t>(id_) << 32) + (revision_ + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace gnomon
