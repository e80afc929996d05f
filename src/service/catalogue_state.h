// SPDX-License-Identifier: Apache-2.0
//
// A CatalogueState is the catalogue with its encoding: a State of Shard.
//
// It also keeps the store's clock: core time is stored with each change, and at least once each kHeartbeat, so that the next
// start can tell a restart from a jump of the wall clock. The first load lets core time begin.
//
// Threads: not thread-safe; its shard's thread owns it.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "ipam/catalogue.h"
#include "service/batch.h"
#include "store/catalogue_codec.h"
#include "store/store.h"

namespace gnomon {

class CatalogueState {
 public:
  static constexpr absl::Duration kHeartbeat = absl::Minutes(1);

  // Those who show the catalogue to others: told of all that is stored after each load, on the shard's thread, and of each
  // change when it is durable, on the store's. Never both at once. Must be short.
  struct Followers {
    std::function<void(const Catalogue&)> loaded = nullptr;
    std::function<void(const CatalogueChange&)> changed = nullptr;
  };

  CatalogueState(CoreTime* time, Followers followers) : time_(time), followers_(std::move(followers)) {}

  absl::StatusOr<absl::Time> Load(ShardStore& handle);
  void Advance(absl::Time now, Batch* batch);
  absl::Time NextDeadline() const { return stored_time_ + kHeartbeat; }
  Op MetaOf(uint64_t group, absl::Time now) const;

  const Catalogue& catalogue() const { return catalogue_; }

  // Runs a command of Catalogue, `(Catalogue&, CatalogueChanges*) -> result`.
  template <typename Command>
  auto On(absl::Time now, Batch* batch, Command command) {
    CatalogueChanges changes;
    auto result = command(catalogue_, &changes);
    Gather(std::move(changes), now, batch);
    return result;
  }

 private:
  void Gather(CatalogueChanges changes, absl::Time now, Batch* batch) const;

  Catalogue catalogue_;
  CoreTime* time_;
  Followers followers_;
  bool began_ = false;
  absl::Time stored_time_ = absl::InfinitePast();
};

}  // namespace gnomon
