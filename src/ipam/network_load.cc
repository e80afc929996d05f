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
  KeepPool(std::move(config));
  return absl::OkStatus();
}

absl::Status Network::LoadRecord(const AddressRecord& record) {
  const Prefix prefix(record.address, record.length);
  if (std::max({record.instance.size(), record.type.size(), record.place.zone.size(), record.place.host.size()}) > kMaxTextBytes) {
    return Contradiction(absl::StrCat(prefix.ToString(), " has a text that is too long"));
  }
  if (record.state == AddressState::kFree || record.state == AddressState::kQuarantined) {
    loaded_free_.emplace_back(record);
    return absl::OkStatus();
  }
  Pool* pool = PoolOf(record.pool);
  const bool single = record.length == MaxLength(record.address.family());
  if (pool == nullptr || (single ? pool->Check(record.address) : pool->CheckBlock(prefix)) != Pool::Presence::kFree) {
    return Contradiction(absl::StrCat(prefix.ToString(), " is held twice, excluded, or of no pool"));
  }
  const Slot slot = NewSlot(record);
  if (record.partner) loaded_partners_.emplace_back(slot, *record.partner);
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
  std::sort(loaded_free_.begin(), loaded_free_.end(), [](const OwnedRecord& a, const OwnedRecord& b) {
    return std::tie(a.until, a.revision) < std::tie(b.until, b.revision);
  });
  for (const OwnedRecord& record : loaded_free_) {
    const Prefix prefix(record.address, record.length);
    const bool single = record.length == MaxLength(record.address.family());
    // A quarantine of no length ended with its own commit, also while nothing expires.
    const bool cooling =
        record.state == AddressState::kQuarantined && record.until > std::max(last_commit, record.since);
    Pool* pool = PoolOf(record.pool);
    // What is free again may have been given since in other pieces, or its pool may be gone or now exclude it.
    if (pool == nullptr || (single ? pool->Check(prefix.base()) : pool->CheckBlock(prefix)) != Pool::Presence::kFree) {
      if (cooling) return Contradiction(absl::StrCat(prefix.ToString(), " is held and in quarantine"));
      continue;
    }
    const Slot slot = NewSlot(record);
    single ? pool->Take(prefix.base(), slot) : pool->TakeBlock(prefix, slot);
    if (!cooling) {
      single ? pool->Free(prefix.base()) : pool->FreeBlock(prefix);
      DropSlot(slot);
    }
  }
  loaded_free_ = std::vector<OwnedRecord>();  // {} would keep its room
  records_.Settle();
  for (const auto& [slot, partner] : loaded_partners_) {
    const Slot other = SlotOf(partner);
    if (other == 0 || At(other).state != At(slot).state) {
      return Contradiction(absl::StrCat(At(slot).address.ToString(), " has lost its partner ", partner.ToString()));
    }
    At(slot).partner = other;
  }
  loaded_partners_ = std::vector<std::pair<Slot, Ip>>();
  for (Slot slot = 1; slot < records_.end(); ++slot) {
    if (records_.Exists(slot)) GNOMON_RETURN_IF_ERROR(IndexLoaded(slot));
  }
  return absl::OkStatus();
}

absl::Status Network::IndexLoaded(Slot slot) {
  const RecordTable::Entry& entry = At(slot);
  const std::string address = entry.address.ToString();
  if (entry.state == AddressState::kFree) return absl::OkStatus();
  if (entry.revision > revision_) return Contradiction(absl::StrCat(address, " is newer than the network"));
  if (entry.partner != 0 && At(entry.partner).partner != slot) {
    return Contradiction(absl::StrCat(address, " is not its partner's partner"));
  }
  if (entry.state == AddressState::kShadow) IndexShadow(slot);
  const bool first = !entry.is_pair() || entry.address.IsV4();
  if (first && (entry.state == AddressState::kShadow || entry.state == AddressState::kAssigned)) HoldMac(slot);
  if (entry.state == AddressState::kWithdrawing) withdrawing_.insert(slot);
  if (entry.until() != absl::InfiniteFuture() && PrimaryOf(slot) == slot) {
    deadlines_.Push({entry.until_us, entry.revision, slot});
  }
  if (entry.state != AddressState::kAssigned || !first) return absl::OkStatus();
  if (instances_.find(HashedId(records_.InstanceOf(slot))) != instances_.end()) {
    return Contradiction(absl::StrCat("instance ", AbslView(records_.InstanceOf(slot)), " has two assignments"));
  }
  instances_.insert(slot);
  CountInstance(slot, 1);
  return absl::OkStatus();
}

}  // namespace gnomon
