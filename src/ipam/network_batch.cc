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
  size_t addresses = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const CreateRequest& request = requests[i];
    Families families = kNoFamilies;
    if (absl::Status valid = CheckRequest(request, &families); !valid.ok()) return AtIndex(valid, i);
    addresses += families == kBothFamilies ? 2 : 1;
    if (request.block_length != 0 || addresses > kMaxBatch || !ids.insert(request.instance).second) {
      std::string_view why = request.block_length != 0 ? "a batch has no blocks"
                             : addresses > kMaxBatch   ? "a batch has at most 100 addresses"
                                                       : "an id stands in a batch once";
      return AtIndex(Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", why).Field("instances").Value(request.instance), i);
    }
  }
  std::vector<std::pair<int, size_t>> order;  // the most particular first, so that the others leave them what they need
  for (size_t i = 0; i < requests.size(); ++i) {
    auto found = instances_.find(std::string_view(requests[i].instance));
    if (found == instances_.end()) {
      order.emplace_back(requests[i].address ? 0 : requests[i].pool.empty() ? 2 : 1, i);
      continue;
    }
    absl::StatusOr<Assignment> existing = Existing(requests[i], *found);
    if (!existing.ok()) return AtIndex(existing.status(), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<CreateRequest> fresh;
  for (const auto& [rank, i] : order) fresh.push_back(requests[i]);
  GNOMON_RETURN_IF_ERROR(CheckBatchFits(fresh));
  std::vector<Assignment> results(requests.size());
  for (const auto& [rank, i] : order) {
    absl::StatusOr<Assignment> created = CreateNew(now, requests[i], changes);
    GNOMON_CHECK(created.ok());
    results[i] = *std::move(created);
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    if (results[i].created) continue;
    results[i] = Existing(requests[i], *instances_.find(std::string_view(requests[i].instance))).value();
  }
  return results;
}

// Each new address takes one that is free, a shadow's or withdrawing, of the named pool or of any of its family. So it is
// enough to count: the named ones against their pools, then all the others against what is left.
absl::Status Network::CheckBatchFits(absl::Span<const CreateRequest> requests) const {
  std::map<PoolId, uint64_t> left;
  for (const auto& [id, pool] : pools_) {
    left[id] = pool->config().draining ? 0 : pool->counts().free + ShadowsOf(id);
  }
  for (Slot slot : withdrawing_) {
    if (!PoolOf(At(slot).pool)->config().draining) ++left[At(slot).pool];
  }
  absl::flat_hash_set<Ip> asked;
  for (const CreateRequest& request : requests) {
    Families families = kNoFamilies;
    GNOMON_RETURN_IF_ERROR(CheckRequest(request, &families));
    for (Family family : {Family::kIpv4, Family::kIpv6}) {
      if ((families & (family == Family::kIpv4 ? kOnlyIpv4 : kOnlyIpv6)) == 0) continue;
      if (request.address && request.address->family() == family) {
        absl::StatusOr<Prefix> chosen = ChooseExplicit(*request.address, MaxLength(family));
        if (!chosen.ok()) return chosen.status();
        if (!asked.insert(*request.address).second) {
          return Error(absl::StatusCode::kInvalidArgument, "INVALID_BATCH", "an address stands in a batch once")
              .Field("address")
              .Value(request.address->ToString());
        }
        const Slot slot = SlotOf(*request.address);
        if (slot == 0 || At(slot).state != AddressState::kPreserved) --left[PoolAt(*request.address)->config().id];
        continue;
      }
      bool fits = false;
      for (Pool* pool : CandidatePools(request, family)) {
        uint64_t& rest = left[pool->config().id];
        if (rest == 0) continue;
        --rest;
        fits = true;
        break;
      }
      if (!fits) return Exhausted(request, family);
    }
  }
  return absl::OkStatus();
}

}  // namespace gnomon
