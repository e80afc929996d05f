// SPDX-License-Identifier: Apache-2.0
//
// Batches: all or nothing, decided by counting before anything is taken.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"

namespace gnomon {
namespace {

absl::Status Invalid(std::string_view why, std::string_view field, std::string_view value, size_t index) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", why).Field(field).Value(value).Item(index);
}

}  // namespace

absl::StatusOr<std::vector<Assignment>> Network::CreateBatch(absl::Time now, absl::Span<const CreateRequest> requests,
                                                             Changes* changes) {
  records_.Settle();
  std::set<std::string_view> ids;
  std::vector<Fresh> wanted;
  size_t addresses = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const CreateRequest& request = requests[i];
    auto invalid = [&](std::string_view why) { return Invalid(why, "instances", request.instance, i); };
    if (!ids.insert(request.instance).second) return invalid("an id stands in a batch once");
    auto found = instances_.find(HashedId(request.instance));
    if (found != instances_.end()) {
      absl::StatusOr<Assignment> existing = Existing(request, *found);
      if (!existing.ok()) return Error(existing.status()).Item(i);
      continue;
    }
    Families asked = kNoFamilies;
    if (absl::Status valid = CheckRequest(request, &asked); !valid.ok()) return Error(valid).Item(i);
    if (request.block_length != 0) return invalid("a batch has no blocks");
    addresses += asked == kBothFamilies ? 2 : 1;
    if (addresses > kMaxBatch) return invalid("a batch has at most 100 addresses");
    wanted.push_back({&request, asked, i});
  }
  absl::StatusOr<std::vector<Pins>> pins = PinBatch(wanted);
  if (!pins.ok()) return pins.status();
  std::vector<Assignment> results(requests.size());
  // First those that name their address, so that no other gets it; and no MAC is made that one of them names.
  for (const Fresh& one : wanted) {
    if (one.request->mac) other_macs_.insert(one.request->mac->bits());
  }
  for (bool named : {true, false}) {
    for (size_t n = 0; n < wanted.size(); ++n) {
      const CreateRequest& request = *wanted[n].request;
      if (request.address.has_value() != named) continue;
      if (request.mac) other_macs_.erase(request.mac->bits());
      absl::StatusOr<Assignment> created = CreateNew(now, request, HashedId(request.instance), wanted[n].families, (*pins)[n], changes);
      GNOMON_CHECK(created.ok());  // PinBatch has counted all that it can need
      results[wanted[n].index] = *std::move(created);
    }
  }
  PutConsumed(changes);
  for (size_t i = 0; i < requests.size(); ++i) {
    if (results[i].created) continue;
    results[i] = Existing(requests[i], *instances_.find(HashedId(requests[i].instance))).value();
  }
  return results;
}

// How many single addresses each pool can give, free, from a shadow or a withdrawing one. Fewer than that never.
std::map<PoolId, uint64_t> Network::SinglesByPool() const {
  std::map<PoolId, uint64_t> left;
  for (const auto& [id, pool] : pools_) left[id] = pool->config().draining ? 0 : pool->SinglesLeft() + ShadowsOf(id);
  for (Slot slot : withdrawing_) {
    if (!PoolOf(At(slot).pool)->config().draining) ++left[At(slot).pool];
  }
  return left;
}

// Gives each address of each request a pool to come from, so that all fit whatever is taken first: explicit ones their own,
// then those of a named pool, then all others any of their family that has one left.
absl::StatusOr<std::vector<Network::Pins>> Network::PinBatch(absl::Span<const Fresh> wanted) const {
  std::map<PoolId, uint64_t> left = SinglesByPool();
  std::vector<Pins> pins(wanted.size());
  absl::flat_hash_set<Ip> asked;
  absl::flat_hash_set<uint64_t> macs;
  for (const Fresh& one : wanted) {
    const CreateRequest& request = *one.request;
    if (request.mac && !macs.insert(request.mac->bits()).second) {
      return Invalid("a MAC stands in a batch once", "mac", request.mac->ToString(), one.index);
    }
    if (!request.address) continue;
    if (absl::Status pinned = PinNamed(one, &left); !pinned.ok()) return Error(pinned).Item(one.index);
    if (!asked.insert(*request.address).second) {
      return Invalid("an address stands in a batch once", "address", request.address->ToString(), one.index);
    }
  }
  for (bool named : {true, false}) {
    for (size_t n = 0; n < wanted.size(); ++n) {
      const CreateRequest& request = *wanted[n].request;
      if (request.pool.empty() == named) continue;
      for (Family family : {Family::kIpv4, Family::kIpv6}) {
        if ((wanted[n].families & BitOf(family)) == 0) continue;
        if (request.address && request.address->family() == family) continue;
        absl::StatusOr<PoolId> pin = PinOne(request, family, &left);
        if (!pin.ok()) return Error(pin.status()).Item(wanted[n].index);
        (family == Family::kIpv4 ? pins[n].ipv4 : pins[n].ipv6) = *pin;
      }
    }
  }
  return pins;
}

// Takes the address that the request names out of what is left of its pool.
absl::Status Network::PinNamed(const Fresh& one, std::map<PoolId, uint64_t>* left) const {
  const Ip address = *one.request->address;
  GNOMON_RETURN_IF_ERROR(ChooseExplicit(address, MaxLength(address.family()), one.request->pool).status());
  const Slot slot = SlotOf(address);
  if (slot != 0 && At(slot).state == AddressState::kPreserved) return absl::OkStatus();
  const Pool* pool = PoolAt(address);
  // It may open a segment of its own, which then no other can.
  uint64_t& rest = (*left)[pool->config().id];
  rest -= std::min<uint64_t>(rest, pool->OpensSegmentFor(address) ? Pool::kSegmentSize : 1);
  return absl::OkStatus();
}

absl::StatusOr<PoolId> Network::PinOne(const CreateRequest& request, Family family, std::map<PoolId, uint64_t>* left) const {
  for (Pool* pool : CandidatePools(request, family, 0)) {
    uint64_t& rest = (*left)[pool->config().id];
    if (rest == 0) continue;
    --rest;
    return pool->config().id;
  }
  return Exhausted(request, family);
}

}  // namespace gnomon
