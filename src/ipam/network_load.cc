// SPDX-License-Identifier: Apache-2.0
//
// Loading: the state that the stored changes describe.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "ipam/network.h"

namespace gnomon {
namespace {

absl::Status Contradiction(std::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "STORE_CONTRADICTS", what)
      .Hint("restore the last backup; the store's check lists what is damaged");
}

}  // namespace

absl::Status Network::LoadPool(PoolConfig config) {
  if (absl::Status valid = Pool::Validate(config); !valid.ok()) return Contradiction(std::string(valid.message()));
  for (const auto& [id, pool] : pools_) {
    if (id == config.id || pool->config().prefix.Overlaps(config.prefix)) {
      return Contradiction(absl::StrCat("pools ", pool->config().name, " and ", config.name, " overlap"));
    }
  }
  const PoolId id = config.id;
  pools_.emplace(id, std::make_unique<Pool>(std::move(config)));
  return absl::OkStatus();
}

absl::Status Network::LoadRecord(AddressRecord record) {
  const bool over = record.state == AddressState::kFree || record.state == AddressState::kQuarantined;
  if (over) {
    loaded_free_.push_back(std::move(record));
    return absl::OkStatus();
  }
  Pool* pool = PoolOf(record.pool);
  const Prefix prefix(record.address, record.length);
  const bool single = record.length == MaxLength(record.address.family());
  if (pool == nullptr || (single ? pool->Check(record.address) : pool->CheckBlock(prefix)) != Pool::Presence::kFree) {
    return Contradiction(absl::StrCat(prefix.ToString(), " is held twice, excluded, or of no pool"));
  }
  const Slot slot = NewSlot(std::move(record));
  if (single) {
    pool->Take(prefix.base(), slot);
  } else {
    pool->TakeBlock(prefix, slot);
  }
  return absl::OkStatus();
}

absl::Status Network::LoadPrediction(PredictionRecord prediction) {
  const GroupKey key{prediction.key.type, prediction.key.scope};
  prediction_ends_.insert({prediction.until, key, prediction.key.source});
  predictions_[key][prediction.key.source] = std::move(prediction);
  return absl::OkStatus();
}

absl::Status Network::FinishLoad(uint64_t revision, absl::Time last_commit) {
  revision_ = revision;
  // In the order in which they became free, so that the longest idle one is given first again.
  std::sort(loaded_free_.begin(), loaded_free_.end(), [](const AddressRecord& a, const AddressRecord& b) {
    return std::tie(a.until, a.revision) < std::tie(b.until, b.revision);
  });
  for (AddressRecord& record : loaded_free_) {
    const Prefix prefix(record.address, record.length);
    const bool single = record.length == MaxLength(record.address.family());
    const bool cooling = record.state == AddressState::kQuarantined && record.until > last_commit;
    Pool* pool = PoolOf(record.pool);
    // What is free again may have been given since in other pieces, or its pool may be gone or now exclude it.
    if (pool == nullptr || (single ? pool->Check(prefix.base()) : pool->CheckBlock(prefix)) != Pool::Presence::kFree) {
      if (cooling) return Contradiction(absl::StrCat(prefix.ToString(), " is held and in quarantine"));
      continue;
    }
    const Slot slot = NewSlot(std::move(record));
    single ? pool->Take(prefix.base(), slot) : pool->TakeBlock(prefix, slot);
    if (!cooling) {
      single ? pool->Free(prefix.base()) : pool->FreeBlock(prefix);
      DropSlot(slot);
    }
  }
  loaded_free_ = {};
  for (Slot slot = 1; slot < records_.size(); ++slot) {
    const AddressRecord& record = At(slot);
    if (record.state == AddressState::kFree) continue;
    if (record.revision > revision_) return Contradiction(absl::StrCat(record.address.ToString(), " is newer than the network"));
    if (record.partner && SlotOf(*record.partner) == 0) {
      return Contradiction(absl::StrCat(record.address.ToString(), " has lost its partner ", record.partner->ToString()));
    }
    if (record.state == AddressState::kShadow) IndexShadow(slot);
    if (record.state == AddressState::kWithdrawing) withdrawing_.insert(slot);
    if (record.until != absl::InfiniteFuture() && PrimaryOf(slot) == slot) {
      deadlines_.push({record.until, slot, record.revision});
    }
    if (record.state != AddressState::kAssigned || (record.partner && !record.address.IsV4())) continue;
    if (!instances_.emplace(record.instance, slot).second) {
      return Contradiction(absl::StrCat("instance ", record.instance, " has two assignments"));
    }
  }
  return absl::OkStatus();
}

}  // namespace gnomon
