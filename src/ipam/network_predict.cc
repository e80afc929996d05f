// SPDX-License-Identifier: Apache-2.0
//
// Predictions, and the shadows that are reserved for them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"

namespace gnomon {

absl::Status Network::Validate(const PredictRequest& request) {
  auto invalid = [](std::string_view field, const auto& value, std::string_view what, std::string_view hint) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_PREDICTION", what)
        .Field(field)
        .Value(absl::StrCat(value))
        .Hint(hint);
  };
  if (request.count > kMaxPredicted) {
    return invalid("count", request.count, absl::StrCat("a prediction is of at most ", kMaxPredicted, " instances"),
                   "split it by type, zone or host");
  }
  if (request.horizon < kMinHorizon || request.horizon > kMaxHorizon) {
    return invalid("horizon", absl::FormatDuration(request.horizon), "the horizon is out of range",
                   absl::StrCat("use a duration from ", absl::FormatDuration(kMinHorizon), " to ", absl::FormatDuration(kMaxHorizon)));
  }
  if (!request.key.scope.zone.empty() && !request.key.scope.host.empty()) {
    return invalid("zone", request.key.scope.zone, "a scope is a zone or a host, not both",
                   "name the host alone; it implies its zone");
  }
  return absl::OkStatus();
}

absl::Status Network::Predict(absl::Time now, const PredictRequest& request, Changes* changes) {
  records_.Settle();
  GNOMON_RETURN_IF_ERROR(Validate(request));
  auto& sources = predictions_[{request.key.type, request.key.scope}];
  auto found = sources.find(request.key.source);
  if (found != sources.end()) {
    if (found->second.id == request.id) return absl::OkStatus();
    prediction_ends_.erase({found->second.until, {request.key.type, request.key.scope}, request.key.source});
  } else if (sources.size() >= kMaxSources) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_SOURCES",
                 absl::StrCat(kMaxSources, " sources predict this type and scope already, the most that can"))
        .Field("source")
        .Value(request.key.source);
  } else if (prediction_ends_.size() >= kMaxPredictions) {
    if (sources.empty()) predictions_.erase({request.key.type, request.key.scope});
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_PREDICTIONS",
                 absl::StrCat("the network has ", kMaxPredictions, " live predictions, the most that one can have"));
  }
  PredictionRecord record{.key = request.key, .id = request.id, .count = request.count, .remaining = request.count,
                          .additive = request.additive, .until = absl::FromUnixMicros(absl::ToUnixMicros(now + request.horizon)), .resources = request.resources};
  prediction_ends_.insert({record.until, {record.key.type, record.key.scope}, record.key.source});
  ++revision_;
  PredictionRecord& kept = sources[record.key.source];
  kept = std::move(record);
  changes->push_back(PutPrediction{&kept});
  return absl::OkStatus();
}

std::pair<uint32_t, absl::Time> Network::TargetOf(const GroupKey& key) const {
  auto sources = predictions_.find(key);
  if (sources == predictions_.end()) return {0, absl::InfinitePast()};
  uint64_t most = 0, added = 0;
  absl::Time until = absl::InfinitePast();
  for (const auto& [source, prediction] : sources->second) {
    if (prediction.additive) {
      added += prediction.remaining;
    } else {
      most = std::max<uint64_t>(most, prediction.remaining);
    }
    if (prediction.remaining > 0) until = std::max(until, prediction.until);
  }
  return {static_cast<uint32_t>(std::min<uint64_t>(most + added, kMaxPredicted)), until};
}

// The prediction that asks for most: it is named by the shadows that are reserved now.
const PredictionRecord* Network::ReasonOf(const GroupKey& key) const {
  const PredictionRecord* reason = nullptr;
  auto sources = predictions_.find(key);
  if (sources == predictions_.end()) return nullptr;
  for (const auto& [source, prediction] : sources->second) {
    if (reason == nullptr || prediction.remaining > reason->remaining) reason = &prediction;
  }
  return reason;
}

// Sources that combine by their maximum have all foreseen the instance; only what was beyond them was an additive source's.
void Network::ConsumePredictions(Slot shadow) {
  if (predictions_.empty()) return;
  auto sources = predictions_.find(GroupLess::View(records_.texts().Text(At(shadow).type), records_.PlaceOf(shadow)));
  if (sources == predictions_.end()) return;
  bool consumed = false;
  auto consume = [&](PredictionRecord& prediction) {
    --prediction.remaining;
    consumed = true;
    if (std::find(consumed_.begin(), consumed_.end(), &prediction) == consumed_.end()) consumed_.push_back(&prediction);
  };
  for (auto& [source, prediction] : sources->second) {
    if (!prediction.additive && prediction.remaining > 0) consume(prediction);
  }
  for (auto& [source, prediction] : sources->second) {
    if (!consumed && prediction.additive && prediction.remaining > 0) consume(prediction);
  }
}

void Network::PutConsumed(Changes* changes) {
  for (const PredictionRecord* prediction : consumed_) {
    ++revision_;
    changes->push_back(PutPrediction{prediction});
  }
  consumed_.clear();
}

void Network::ExpirePredictions(absl::Time now, Changes* changes) {
  while (!prediction_ends_.empty() && std::get<0>(*prediction_ends_.begin()) <= now) {
    const auto [until, key, source] = *prediction_ends_.begin();
    prediction_ends_.erase(prediction_ends_.begin());
    auto sources = predictions_.find(key);
    sources->second.erase(source);
    if (sources->second.empty()) predictions_.erase(sources);
    ++revision_;
    changes->push_back(ErasedPrediction{{source, key.first, key.second}});
  }
}

// A pool in which shadows may take one more address and still leave the headroom free.
Pool* Network::RoomyPool(Family family) const {
  for (const auto& [id, pool] : pools_) {
    if (pool->config().prefix.family() != family || pool->config().draining) continue;
    const Pool::Counts counts = pool->counts();
    const double headroom = pool->config().headroom * static_cast<double>(counts.capacity);
    if (counts.free > 0 && static_cast<double>(counts.free - 1) >= headroom) return pool.get();
  }
  return nullptr;
}

bool Network::ReserveOne(absl::Time now, const GroupKey& key, absl::Time until, Changes* changes) {
  const Families wanted = families();
  std::vector<std::pair<Pool*, Ip>> chosen;
  for (Family family : {Family::kIpv4, Family::kIpv6}) {
    if ((wanted & BitOf(family)) == 0) continue;
    Pool* pool = RoomyPool(family);
    std::optional<Ip> ip = pool == nullptr ? std::nullopt : pool->Propose(NextRandom());
    if (!ip) return false;
    chosen.emplace_back(pool, *ip);
  }
  if (chosen.empty()) return false;
  const PredictionRecord* reason = ReasonOf(key);
  const Mac mac = Mac::FromBits(MakeMac(chosen[0].second));
  Slots slots;
  for (const auto& [pool, ip] : chosen) {
    AddressRecord record{.address = ip, .length = MaxLength(ip.family()), .pool = pool->config().id};
    record.state = AddressState::kShadow;
    record.since = now;
    record.until = until;
    record.used = !pool->IsFresh(ip);
    record.mac = mac;
    record.type = key.first;
    record.place = key.second;
    if (reason != nullptr) {
      record.source = reason->key.source;
      record.prediction = reason->id;
      record.resources = reason->resources;
    }
    const Slot slot = NewSlot(record);
    pool->Take(ip, slot);
    slots.push_back(slot);
  }
  if (slots.size() == 2) Join(slots[0], slots[1]);
  HoldMac(slots[0]);
  for (Slot slot : slots) {
    IndexShadow(slot);
    Put(slot, changes);
  }
  return true;
}

FillResult Network::Fill(absl::Time now, const std::string& type, const Place& scope, Changes* changes) {
  records_.Settle();
  FillResult result;
  const GroupKey key{type, scope};
  const auto [target, until] = TargetOf(key);
  const ShadowTable::Group group{type, scope, families()};
  result.target = target;
  result.held = static_cast<uint32_t>(shadows_.CountOf(group));
  if (result.held > target) {
    const uint32_t surplus = result.held - target;
    for (; result.reclaimed < std::min(surplus, kMaxFill); ++result.reclaimed) {
      Reclaim(now, shadows_.Worst(group), changes);
    }
    result.more = result.reclaimed < surplus;
    return result;
  }
  const uint32_t missing = target - result.held;
  while (result.reserved < std::min(missing, kMaxFill) && ReserveOne(now, key, until, changes)) ++result.reserved;
  if (result.reserved < std::min(missing, kMaxFill)) {
    result.shortfall = pools_.empty() ? "the network has no pool"
                                      : "the pools have no free address beyond their headroom";
  } else {
    result.more = result.reserved < missing;
  }
  return result;
}

}  // namespace gnomon
