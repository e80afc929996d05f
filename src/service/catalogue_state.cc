// SPDX-License-Identifier: Apache-2.0
#include "service/catalogue_state.h"

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gnomon {

absl::StatusOr<absl::Time> CatalogueState::Load(ShardStore& handle) {
  Catalogue loaded;
  absl::Time time = absl::InfinitePast();
  absl::Status status = handle.Load(kCataloguePrefix, [&](std::string_view key, std::string_view value) -> absl::Status {
    absl::StatusOr<StoredCatalogue> stored = DecodeCatalogue(key, value);
    if (!stored.ok()) return stored.status();
    if (auto* network = std::get_if<NetworkEntry>(&*stored)) return loaded.Load(std::move(*network));
    if (auto* host = std::get_if<HostEntry>(&*stored)) loaded.Load(std::move(*host));
    if (auto* meta = std::get_if<CatalogueMeta>(&*stored)) {
      loaded.LoadLastId(meta->last_id);
      time = meta->time;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  catalogue_ = std::move(loaded);
  stored_time_ = time;
  if (!std::exchange(began_, true)) time_->Begin(time);
  if (followers_.loaded) followers_.loaded(catalogue_);
  return time;
}

void CatalogueState::Advance(absl::Time now, Batch* batch) {
  if (now < stored_time_ + kHeartbeat) return;
  stored_time_ = now;
  batch->AddAlone({MetaOf(0, now)});
}

Op CatalogueState::MetaOf(uint64_t, absl::Time now) const {
  return EncodeCatalogueMeta({.last_id = catalogue_.last_id(), .time = now});
}

void CatalogueState::Gather(CatalogueChanges changes, absl::Time now, Batch* batch) const {
  std::vector<Op> ops;
  for (const CatalogueChange& change : changes) ops.push_back(EncodeCatalogueChange(change));
  batch->Add(0, std::move(ops), [&](uint64_t group) { return MetaOf(group, now); });
  if (changes.empty() || !followers_.changed) return;
  batch->WhenDurable([changed = followers_.changed, changes = std::move(changes)] {
    for (const CatalogueChange& change : changes) changed(change);
  });
}

}  // namespace gnomon
