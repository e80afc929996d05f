// SPDX-License-Identifier: Apache-2.0
//
// Pools, reads and the plumbing that all commands share.
#include "ipam/network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {

Network::Network(NetworkId id) : id_(id) {}

absl::StatusOr<PoolId> Network::AddPool(PoolConfig config, Changes* changes) {
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
  pools_.emplace(id, std::make_unique<Pool>(std::move(config)));
  return id;
}

absl::Status Network::UpdatePool(absl::Time now, PoolConfig config, Changes* changes) {
  Pool* pool = PoolOf(config.id);
  if (pool == nullptr) return Error(absl::StatusCode::kNotFound, "POOL_NOT_FOUND", "no such pool");
  config.name = pool->config().name;
  const bool drain = config.draining && !pool->config().draining;
  GNOMON_RETURN_IF_ERROR(pool->SetConfig(config));
  ++revision_;
  changes->push_back(pool->config());
  while (drain && ShadowsOf(config.id) > 0) {
    const Slot slot = shadows_.Oldest([&](Slot candidate) {
      const AddressRecord& record = At(candidate);
      return record.pool == config.id || (record.partner && At(SlotOf(*record.partner)).pool == config.id);
    });
    Reclaim(now, slot, true, changes);
  }
  return absl::OkStatus();
}

absl::Status Network::RemovePool(absl::Time now, PoolId id, Changes* changes) {
  Pool* pool = PoolOf(id);
  if (pool == nullptr) return Error(absl::StatusCode::kNotFound, "POOL_NOT_FOUND", "no such pool");
  std::vector<Slot> shadows;
  uint64_t holders = 0;
  pool->Visit(pool->config().prefix.base(), SIZE_MAX, [&](Slot slot) {
    const AddressState state = At(slot).state;
    if (state == AddressState::kShadow || state == AddressState::kWithdrawing) {
      shadows.push_back(slot);
    } else {
      ++holders;
    }
    return true;
  });
  if (holders > 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "POOL_IN_USE",
                 absl::StrCat("pool ", pool->config().name, " holds ", holders,
                              " addresses that are assigned, preserved or quarantined"))
        .Number("holders", static_cast<int64_t>(holders))
        .Hint("set draining, and delete the pool when its instances are gone");
  }
  for (Slot slot : shadows) {
    if (At(slot).state == AddressState::kShadow) Reclaim(now, slot, false, changes);
    if (At(slot).state == AddressState::kWithdrawing) ReturnUnused(now, slot, changes);
  }
  ++revision_;
  changes->push_back(ErasedPool{id});
  pools_.erase(id);
  shadows_by_pool_.erase(id);
  return absl::OkStatus();
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

Families Network::families() const {
  Families all = kNoFamilies;
  for (const auto& [id, pool] : pools_) {
    if (pool->config().draining) continue;
    all |= pool->config().prefix.family() == Family::kIpv4 ? kOnlyIpv4 : kOnlyIpv6;
  }
  return all;
}

std::vector<AddressRecord> Network::Find(std::string_view instance) const {
  std::vector<AddressRecord> found;
  for (Slot slot : SlotsOf(instance)) found.push_back(At(slot));
  return found;
}

std::optional<AddressRecord> Network::Describe(Ip address) const {
  const Slot slot = SlotOf(address);
  if (slot == 0) return std::nullopt;
  return At(slot);
}

std::optional<AddressRecord> Network::PeekShadow(const std::string& type, const Place& place) const {
  CreateRequest request;
  request.type = type;
  request.place = place;
  const Slot slot = MatchingShadow(request, families());
  if (slot == 0) return std::nullopt;
  return At(slot);
}

uint64_t Network::ShadowsOf(PoolId pool) const {
  auto count = shadows_by_pool_.find(pool);
  return count == shadows_by_pool_.end() ? 0 : count->second;
}

std::optional<Ip> Network::Visit(Ip from, size_t budget, absl::FunctionRef<bool(const AddressRecord&)> visit) const {
  std::vector<const Pool*> ordered = pools();
  std::sort(ordered.begin(), ordered.end(), [](const Pool* a, const Pool* b) {
    return a->config().prefix.base() < b->config().prefix.base();
  });
  bool more = true;
  for (const Pool* pool : ordered) {
    const Prefix& prefix = pool->config().prefix;
    if (prefix.last() < from) continue;
    if (budget == 0 || !more) return std::max(from, prefix.base());
    const Ip start = std::max(from, prefix.base());
    std::optional<Ip> rest = pool->Visit(start, budget, [&](Slot slot) { return more = visit(At(slot)); });
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
  for (const auto& [id, pool] : pools_) {
    if (pool->config().prefix.Contains(ip)) return pool.get();
  }
  return nullptr;
}

Slot Network::NewSlot(AddressRecord record) {
  ++counts_[static_cast<size_t>(record.state)];
  if (free_slots_.empty()) {
    records_.push_back(std::move(record));
    return static_cast<Slot>(records_.size() - 1);
  }
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  records_[slot] = std::move(record);
  return slot;
}

void Network::DropSlot(Slot slot) {
  --counts_[static_cast<size_t>(At(slot).state)];
  At(slot) = AddressRecord{};
  free_slots_.push_back(slot);
}

void Network::SetState(absl::Time now, Slot slot, AddressState state, absl::Time until) {
  AddressRecord& record = At(slot);
  --counts_[static_cast<size_t>(record.state)];
  ++counts_[static_cast<size_t>(state)];
  record.state = state;
  record.since = now;
  record.until = until;
}

void Network::Put(Slot slot, Changes* changes) {
  AddressRecord& record = At(slot);
  record.revision = ++revision_;
  changes->push_back(record);
  if (record.until == absl::InfiniteFuture() || PrimaryOf(slot) != slot) return;
  deadlines_.push({record.until, slot, record.revision});
  // Deadlines that are void stay in the queue until their time; more of them than records means that most are void.
  if (deadlines_.size() <= 2 * records_.size() + 1024) return;
  std::vector<Deadline> live;
  while (!deadlines_.empty()) {
    if (At(deadlines_.top().slot).revision == deadlines_.top().revision) live.push_back(deadlines_.top());
    deadlines_.pop();
  }
  deadlines_ = decltype(deadlines_)(std::greater<>(), std::move(live));
}

Slot Network::SlotOf(Ip ip) const {
  const Pool* pool = PoolAt(ip);
  return pool == nullptr ? 0 : pool->Find(ip);
}

std::vector<Slot> Network::SlotsOf(std::string_view instance) const {
  auto found = instances_.find(AbslView(instance));
  if (found == instances_.end()) return {};
  std::vector<Slot> slots{found->second};
  if (At(found->second).partner) slots.push_back(SlotOf(*At(found->second).partner));
  return slots;
}

Slot Network::PrimaryOf(Slot slot) const {
  const AddressRecord& record = At(slot);
  if (record.state != AddressState::kShadow || !record.partner || record.address.IsV4()) return slot;
  return SlotOf(*record.partner);
}

ShadowTable::Group Network::GroupOf(const AddressRecord& record) const {
  Families families = record.address.IsV4() ? kOnlyIpv4 : kOnlyIpv6;
  if (record.partner) families = kBothFamilies;
  return {record.type, record.place, families};
}

void Network::IndexShadow(Slot slot) {
  const AddressRecord& record = At(slot);
  ++shadows_by_pool_[record.pool];
  if (!record.partner || record.address.IsV4()) shadows_.Add(GroupOf(record), record.warmth, slot);
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
