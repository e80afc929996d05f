// SPDX-License-Identifier: Apache-2.0
#include "service/networks_state.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"
#include "store/codec.h"
#include "store/note_codec.h"

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
    if (auto* record = std::get_if<AddressRecord>(&*stored)) return network->LoadRecord(*record);
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
  handle_ = &handle;
  absl::Time last_commit = absl::InfinitePast();
  for (auto& [id, member] : networks_) {
    std::erase_if(member.closings, [](const auto& closing) { return !closing->durable; });
    if (member.closed()) continue;
    auto loaded = std::make_unique<Network>(id);
    NetworkMeta meta;
    GNOMON_RETURN_IF_ERROR(LoadPools(handle, id, loaded.get()));
    GNOMON_RETURN_IF_ERROR(LoadRest(handle, id, loaded.get(), &meta));
    GNOMON_RETURN_IF_ERROR(loaded->FinishLoad(meta.revision, meta.expired));
    last_commit = std::max(last_commit, meta.last_commit);
    member.network = std::move(loaded);
    member.expired = meta.expired;
    member.log->Reset(meta.revision);
    ShowCounts(member);
  }
  return last_commit;
}

void NetworksState::Advance(absl::Time now, Batch* batch) {
  if (expiry_paused_) return;
  for (auto& [id, member] : networks_) {
    if (member.closed() || member.network->NextDeadline() > now) continue;
    Changes changes;
    const uint64_t shadows = member.network->CountOf(AddressState::kShadow);
    member.network->Advance(now, &changes);
    const uint64_t expired = shadows - member.network->CountOf(AddressState::kShadow);
    if (changes.empty()) ShowCounts(member);  // the end of a quarantine is no change
    Gather(id, changes, now, batch);
    if (expired > 0 && member.metrics != nullptr) {
      batch->WhenDurable([metrics = member.metrics, expired] { metrics->CountExpired(expired); });
    }
  }
}

absl::Time NetworksState::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  if (expiry_paused_) return next;
  for (const auto& [id, member] : networks_) {
    if (!member.closed()) next = std::min(next, member.network->NextDeadline());
  }
  return next;
}

Op NetworksState::MetaOf(uint64_t group, absl::Time now) const {
  const NetworkId id{group};
  const Member& member = networks_.at(id);
  const absl::Time expired = expiry_paused_ ? member.expired : now;
  return EncodeMeta(id, {.revision = member.network->revision(), .last_commit = now, .expired = expired});
}

void NetworksState::Add(NetworkId id) {
  Member& member = networks_[id];
  if (member.network != nullptr) return;
  member.network = std::make_unique<Network>(id);
  member.log = std::make_shared<EventLog>(0);
}

void NetworksState::Measure(NetworkId id, std::shared_ptr<NetworkMetrics> metrics) {
  Member& member = networks_.at(id);
  member.metrics = std::move(metrics);
  ShowCounts(member);
}

void NetworksState::ShowCounts(const Member& member) {
  if (member.metrics == nullptr) return;
  NetworkMetrics::Counts counts;
  for (size_t state = 0; state < counts.size(); ++state) {
    counts[state] = member.network->CountOf(static_cast<AddressState>(state));
  }
  member.metrics->SetAddresses(counts);
  NetworkMetrics::Free free{};
  for (const Pool* pool : member.network->pools()) {
    uint64_t& sum = free[pool->config().prefix.family() == Family::kIpv4 ? 0 : 1];
    const uint64_t more = pool->counts().free;
    sum = sum > std::numeric_limits<uint64_t>::max() - more ? std::numeric_limits<uint64_t>::max() : sum + more;
  }
  member.metrics->SetFree(free);
}

absl::StatusOr<uint64_t> NetworksState::HeldIn(NetworkId id) const {
  auto member = networks_.find(id);
  if (member == networks_.end()) return NetworkNotFound();
  const Network& network = *member->second.network;
  return network.CountOf(AddressState::kAssigned) + network.CountOf(AddressState::kPreserved);
}

absl::Status NetworksState::Close(NetworkId id, std::shared_ptr<Closing> closing, Batch* batch) {
  auto member = networks_.find(id);
  if (member == networks_.end()) return NetworkNotFound();
  member->second.closings.insert(closing);
  batch->WhenDurable([closing = std::move(closing)] { closing->durable = true; });
  return absl::OkStatus();
}

void NetworksState::Reopen(NetworkId id, const std::shared_ptr<Closing>& closing) {
  auto member = networks_.find(id);
  if (member != networks_.end()) member->second.closings.erase(closing);
}

absl::StatusOr<std::optional<std::string>> NetworksState::EraseStep(NetworkId id, std::string_view from,
                                                                    absl::FunctionRef<bool()> more, Batch* batch) {
  auto member = networks_.find(id);
  GNOMON_CHECK(member == networks_.end() || member->second.closed());
  const std::string notes = NotesPrefix(id);
  const std::string prefix = from.starts_with(notes) ? notes : NetworkPrefix(id);
  GNOMON_ASSIGN_OR_RETURN(std::string looked_at,
                          EraseTurn({prefix, std::string(from), prefix + '\xff'}, more,
                                    [](std::string_view, std::string_view) { return true; },
                                    [&](std::vector<Op> ops) { batch->AddAlone(std::move(ops)); }));
  if (!looked_at.empty()) return std::optional(looked_at + '\0');
  if (prefix != notes) return std::optional(notes);
  if (member != networks_.end()) {
    member->second.log->Reset(0);  // whoever watches it is told to list, and finds it gone
    networks_.erase(member);
  }
  return std::optional<std::string>();
}

absl::StatusOr<std::optional<std::string>> NetworksState::EraseFreeStep(NetworkId id, PoolId pool_id, std::string_view from,
                                                                        absl::FunctionRef<bool()> more, absl::Time now,
                                                                        Batch* batch) {
  auto member = networks_.find(id);
  if (member == networks_.end() || member->second.closed()) return NetworkNotFound();
  const Network& network = *member->second.network;
  const Pool* pool = network.FindPool(pool_id);
  if (pool == nullptr || !pool->config().draining) return std::optional<std::string>();
  const Prefix& prefix = pool->config().prefix;
  auto key_of = [id](Ip address) { return EncodeChange(id, ErasedAddress{address}).key; };
  // What is stored may be older than what is on its way to the store; the network's memory knows what is held.
  auto is_free = [&](std::string_view key, std::string_view value) -> absl::StatusOr<bool> {
    GNOMON_ASSIGN_OR_RETURN(Stored stored, Decode(key, value));
    return !network.Describe(std::get<AddressRecord>(stored).address).has_value();
  };
  GNOMON_ASSIGN_OR_RETURN(
      std::string looked_at,
      EraseTurn({NetworkPrefix(id) + kAddressKind, from.empty() ? key_of(prefix.base()) : std::string(from), key_of(prefix.last())},
                more, is_free, [&](std::vector<Op> ops) {
                  batch->Add(static_cast<uint64_t>(id), std::move(ops), [&](uint64_t group) { return MetaOf(group, now); });
                }));
  if (looked_at.empty()) return std::optional<std::string>();
  return std::optional(looked_at + '\0');
}

absl::StatusOr<std::string> NetworksState::EraseTurn(
    const Stretch& stretch, absl::FunctionRef<bool()> more,
    absl::FunctionRef<absl::StatusOr<bool>(std::string_view, std::string_view)> goes,
    absl::FunctionRef<void(std::vector<Op>)> erase) const {
  std::string looked_at;
  std::vector<Op> ops;
  size_t keys = 0;
  absl::Status walked = handle_->Load(stretch.prefix, stretch.from, [&](std::string_view key, std::string_view value) -> absl::Status {
    if (key > stretch.last) return absl::CancelledError("the stretch ends");
    if (keys > 0 && keys % Batch::kMaxKeys == 0) {
      if (!ops.empty()) erase(std::exchange(ops, {}));
      if (keys == kErasedATurn * Batch::kMaxKeys || !more()) return absl::CancelledError("enough for one turn");
    }
    GNOMON_ASSIGN_OR_RETURN(const bool gone, goes(key, value));
    if (gone) ops.push_back(Op{std::string(key), std::nullopt});
    looked_at.assign(key);
    ++keys;
    return absl::OkStatus();
  });
  if (!walked.ok() && !absl::IsCancelled(walked)) return walked;
  if (!ops.empty()) erase(std::move(ops));
  return looked_at;
}

absl::Status NetworksState::WriteNotes(NetworkId id, const std::vector<NoteChange>& changes, Batch* batch) const {
  auto member = networks_.find(id);
  if (member == networks_.end() || member->second.closed()) return NetworkNotFound();
  std::vector<Op> ops;
  for (const NoteChange& change : changes) ops.push_back(EncodeNote(id, change));
  if (!ops.empty()) batch->AddAlone(std::move(ops));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Note>> NetworksState::ReadNotes(NetworkId id, uint64_t from, size_t bytes) const {
  auto member = networks_.find(id);
  if (member == networks_.end() || member->second.closed()) return NetworkNotFound();
  std::vector<Note> notes;
  size_t read = 0;
  absl::Status walked = handle_->Load(
      NotesPrefix(id), EncodeNote(id, ErasedNote{from}).key, [&](std::string_view key, std::string_view value) -> absl::Status {
        if (read >= bytes) return absl::CancelledError("enough for one turn");
        GNOMON_ASSIGN_OR_RETURN(Note note, DecodeNote(key, value));
        notes.push_back(std::move(note));
        read += value.size();
        return absl::OkStatus();
      });
  if (!walked.ok() && !absl::IsCancelled(walked)) return walked;
  return notes;
}

absl::StatusOr<std::shared_ptr<EventLog>> NetworksState::LogOf(NetworkId id) const {
  auto member = networks_.find(id);
  if (member == networks_.end() || member->second.closed()) return NetworkNotFound();
  return member->second.log;
}

void NetworksState::Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch) const {
  if (changes.empty()) return;
  std::vector<Op> ops;
  for (const Change& change : changes) ops.push_back(EncodeChange(id, change));
  batch->Add(static_cast<uint64_t>(id), std::move(ops), [&](uint64_t group) { return MetaOf(group, now); });
  const Member& member = networks_.at(id);
  ShowCounts(member);
  std::vector<OwnedChange> events;
  for (const Change& change : changes) events.push_back(Own(change));
  batch->WhenDurable([log = member.log, last = member.network->revision(), events = std::move(events)]() mutable {
    log->Append(last, std::move(events));
  });
}

}  // namespace gnomon
