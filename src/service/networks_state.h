// SPDX-License-Identifier: Apache-2.0
//
// A NetworksState is the networks of one shard, with their encoding: a State of Shard.
//
// Threads: not thread-safe; its shard's thread owns it.
// Errors: NOT_FOUND NETWORK_NOT_FOUND for a network that it does not have.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "ipam/network.h"
#include "service/batch.h"
#include "store/store.h"

namespace gnomon {

class NetworksState {
 public:
  // `networks`: what the shard owns, by the catalogue; of those that nothing is stored of, empty ones are made.
  explicit NetworksState(std::vector<NetworkId> networks);

  absl::StatusOr<absl::Time> Load(ShardStore& handle);
  void Advance(absl::Time now, Batch* batch);
  absl::Time NextDeadline() const;
  Op MetaOf(uint64_t group, absl::Time now) const;

  // Makes an empty network; nothing if it is there.
  void Add(NetworkId id);

  // Runs a command of Network, `(Network&, Changes*) -> StatusOr<T>`, on one of them.
  template <typename Command>
  auto On(NetworkId id, absl::Time now, Batch* batch, Command command)
      -> decltype(command(std::declval<Network&>(), std::declval<Changes*>())) {
    auto network = networks_.find(id);
    if (network == networks_.end()) {
      return absl::Status(Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND", "no such network"));
    }
    Changes changes;
    auto result = command(*network->second, &changes);
    Gather(id, changes, now, batch);
    return result;
  }

 private:
  void Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch) const;

  std::map<NetworkId, std::unique_ptr<Network>> networks_;
};

}  // namespace gnomon
