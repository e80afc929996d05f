// SPDX-License-Identifier: Apache-2.0
//
// A CatalogueState is the catalogue with its encoding: a State of Shard.
//
// Threads: not thread-safe; its shard's thread owns it.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ipam/catalogue.h"
#include "service/batch.h"
#include "store/catalogue_codec.h"
#include "store/store.h"

namespace gnomon {

class CatalogueState {
 public:
  absl::StatusOr<absl::Time> Load(ShardStore& handle);  // InfinitePast: nothing of the catalogue depends on time
  void Advance(absl::Time, Batch*) {}
  absl::Time NextDeadline() const { return absl::InfiniteFuture(); }
  Op MetaOf(uint64_t, absl::Time) const { return EncodeCatalogueMeta({.last_id = catalogue_.last_id()}); }

  const Catalogue& catalogue() const { return catalogue_; }

  // Runs a command of Catalogue, `(Catalogue&, CatalogueChanges*) -> result`.
  template <typename Command>
  auto On(absl::Time now, Batch* batch, Command command) {
    CatalogueChanges changes;
    auto result = command(catalogue_, &changes);
    Gather(changes, now, batch);
    return result;
  }

 private:
  void Gather(const CatalogueChanges& changes, absl::Time now, Batch* batch) const;

  Catalogue catalogue_;
};

}  // namespace gnomon
