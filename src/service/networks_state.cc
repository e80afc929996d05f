// SPDX-License-Identifier: Apache-2.0
#include "service/networks_state.h"

#include <algorithm>
#include <variant>

#include "store/codec.h"

namespace gnomon {
namespace {

absl::Status LoadPools(ShardStore& handle, NetworkId id, Network* network) {
  return handle.Load(NetworkPrefix(id) + kPoolKind, [&](std::string_view key, std::string_view value) {
    absl::StatusOr<Stored> stored = Decode(key, value);
    return stored.ok() ? network->LoadPool(std::get<PoolConfig>(*std::move(stored))) : stored.status();
  });
}

absl::Status LoadRest(ShardStore& handle, NetworkId id, Network* network, NetworkMeta* meta) {
  return handle.Load(NetworkPrefix(id), [&](std::string_view key, std::string_view value) -> absl::Status {
    absl::StatusOr<Stored> stored = Decode(key, value);
    if (!stored.ok()) return stored.status();
    if (auto* record = std::get_if<AddressRecord>(&*stored)) return network->LoadRecord(std::move(*record));
    if (auto* prediction = std::get_if<PredictionRecord>(&*stored)) return network->LoadPrediction(std::move(*prediction));
    if (auto* found = std::get_if<NetworkMeta>(&*stored)) *meta = *found;
    return absl::OkStatus();
  });
}

}  // namespace

NetworksState::NetworksState(std::vector<NetworkId> networks) {
  for (NetworkId id : networks) Add(id);
}

absl::StatusOr<absl::Time> NetworksState::Load(ShardStore& handle) {
  absl::Time last_commit = absl::InfinitePast();
  for (auto& [id, network] : networks_) {
    auto loaded = std::make_unique<Network>(id);
    NetworkMeta meta;
    GNOMON_RETURN_IF_ERROR(LoadPools(handle, id, loaded.get()));
    GNOMON_RETURN_IF_ERROR(LoadRest(handle, id, loaded.get(), &meta));
    GNOMON_RETURN_IF_ERROR(loaded->FinishLoad(meta.revision, meta.last_commit));
    last_commit = std::max(last_commit, meta.last_commit);
    network = std::move(loaded);
  }
  return last_commit;
}

void NetworksState::Advance(absl::Time now, Batch* batch) {
  for (auto& [id, network] : networks_) {
    Changes changes;
    network->Advance(now, &changes);
    Gather(id, changes, now, batch);
  }
}

absl::Time NetworksState::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, network] : networks_) next = std::min(next, network->NextDeadline());
  return next;
}

Op NetworksState::MetaOf(uint64_t group, absl::Time now) const {
  const NetworkId id{group};
  return EncodeMeta(id, {.revision = networks_.at(id)->revision(), .last_commit = now});
}

void NetworksState::Add(NetworkId id) {
  std::unique_ptr<Network>& network = networks_[id];
  if (network == nullptr) network = std::make_unique<Network>(id);
}

void NetworksState::Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch) const {
  if (changes.empty()) return;
  std::vector<Op> ops;
  for (const Change& change : changes) ops.push_back(EncodeChange(id, change));
  batch->Add(static_cast<uint64_t>(id), std::move(ops), [&](uint64_t group) { return MetaOf(group, now); });
}

}  // namespace gnomon
