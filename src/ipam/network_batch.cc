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

absl::Status AtIndex(const absl::Status& status, size_t index) {
  absl::Status located(status.code(), absl::StrCat("instances[", index, "]: ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { located.SetPayload(url, payload); });
  return located;
}

}  // namespace

absl::StatusOr<std::vector<Assignment>> Network::CreateBatch(absl::Time now, absl::Span<const CreateRequest> requests,
                                                             Changes* changes) {
  records_.Settle();
  std::set<std::string_view> ids;
  std::vector<size_t> fresh;
  std::vector<CreateRequest> wanted;
  std::vector<Families> families;
  size_t addresses = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const CreateRequest& request = requests[i];
    auto invalid = [&](std::string_view why) {
      return AtIndex(Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", why).Field("instances").Value(request.instance), i);
    };
    if (!ids.insert(request.instance).second) return invalid("an id stands in a batch once");
    auto found = instances_.find(HashedId(request.instance));
    if (found != instances_.end()) {
      absl::StatusOr<Assignment> existing = Existing(request, *found);
      if (!existing.ok()) return AtIndex(existing.status(), i);
      continue;
    }
    Families asked = kNoFamilies;
    if (absl::Status valid = CheckRequest(request, &asked); !valid.ok()) return AtIndex(valid, i);
    if (request.block_length != 0) return invalid("a batch has no blocks");
    addresses += asked == kBothFamilies ? 2 : 1;
    if (addresses > kMaxBatch) return invalid("a batch has at most 100 addresses");
    fresh.push_back(i);
    wanted.push_back(request);
    families.push_back(asked);
  }
  absl::StatusOr<std::vector<Pins>> pins = PinBatch(wanted, families);
  if (!pins.ok()) return pins.status();
  std::vector<Assignment> results(requests.size());
  // First those that name their address, so that no other gets it; and no MAC is made that one of them names.
  for (const CreateRequest& request : wanted) {
    if (request.mac) other_macs_.insert(request.mac->bits());
  }
  for (bool named : {true, false}) {
    for (size_t n = 0; n < wanted.size(); ++n) {
      if (wanted[n].address.has_value() != named) continue;
      if (wanted[n].mac) other_macs_.erase(wanted[n].mac->bits());
      absl::StatusOr<Assignment> created = CreateNew(now, wanted[n], HashedId(wanted[n].instance), families[n], (*pins)[n], changes);
      GNOMON_CHECK(created.ok());  // PinBatch has counted all that it can need
      results[fresh[n]] = *std::move(created);
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
absl::StatusOr<std::vector<Network::Pins>> Network::PinBatch(absl::Span<const CreateRequest> requests,
                                                               absl::Span<const Families> families) const {
  std::map<PoolId, uint64_t> left = SinglesByPool();
  std::vector<Pins> pins(requests.size());
  absl::flat_hash_set<Ip> asked;
  absl::flat_hash_set<uint64_t> macs;
  for (const CreateRequest& request : requests) {
    if (request.mac && !macs.insert(request.mac->bits()).second) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", "a MAC stands in a batch once").Field("mac").Value(request.mac->ToString());
    }
    if (!request.address) continue;
    absl::StatusOr<Prefix> chosen = ChooseExplicit(*request.address, MaxLength(request.address->family()), request.pool);
    if (!chosen.ok()) return chosen.status();
    if (!asked.insert(*request.address).second) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", "an address stands in a batch once")
          .Field("address")
          .Value(request.address->ToString());
    }
    const Slot slot = SlotOf(*request.address);
    if (slot != 0 && At(slot).state == AddressState::kPreserved) continue;
    const Pool* pool = PoolAt(*request.address);
    // It may open a segment of its own, which then no other can.
    uint64_t& rest = left[pool->config().id];
    rest -= std::min<uint64_t>(rest, pool->OpensSegmentFor(*request.address) ? Pool::kSegmentSize : 1);
  }
  for (bool named : {true, false}) {
    for (size_t i = 0; i < requests.size(); ++i) {
      if (requests[i].pool.empty() == named) continue;
      for (Family family : {Family::kIpv4, Family::kIpv6}) {
        if ((families[i] & (family == Family::kIpv4 ? kOnlyIpv4 : kOnlyIpv6)) == 0) continue;
        if (requests[i].address && requests[i].address->family() == family) continue;
        absl::StatusOr<PoolId> pin = PinOne(requests[i], family, &left);
        if (!pin.ok()) return pin.status();
        (family == Family::kIpv4 ? pins[i].ipv4 : pins[i].ipv6) = *pin;
      }
    }
  }
  return pins;
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
