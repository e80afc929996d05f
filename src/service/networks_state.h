// SPDX-License-Identifier: Apache-2.0
//
// A NetworksState is the networks of one shard, with their encoding: a State of Shard.
//
// Threads: not thread-safe; its shard's thread owns it.
// Errors: NOT_FOUND NETWORK_NOT_FOUND for a network that it does not have.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ipam/network.h"
#include "ipam/refusals.h"
#include "service/batch.h"
#include "service/event_log.h"
#include "service/metrics.h"
#include "store/store.h"

namespace gnomon {

// One deletion's wish that a network takes no commands.
struct Closing {
  std::atomic<bool> durable{false};
};

class NetworksState {
 public:
  static constexpr size_t kErasedATurn = 64;  // groups of Batch::kMaxKeys keys

  // `networks`: what the shard owns, by the catalogue; of those that nothing is stored of, empty ones are made.
  explicit NetworksState(std::vector<NetworkId> networks);

  absl::StatusOr<absl::Time> Load(ShardStore& handle);
  void Advance(absl::Time now, Batch* batch);
  absl::Time NextDeadline() const;
  Op MetaOf(uint64_t group, absl::Time now) const;

  // Whether anything expires.
  void PauseExpiry(bool paused) { expiry_paused_ = paused; }

  // Makes an empty network; nothing if it is there.
  void Add(NetworkId id);
  // Shows from now on in `metrics` what the network holds.
  void Measure(NetworkId id, std::shared_ptr<NetworkMetrics> metrics);
  // The addresses of the network, closed or not, that are assigned or preserved.
  absl::StatusOr<uint64_t> HeldIn(NetworkId id) const;
  // Refuses all commands from now on, until the same closing is taken back: a network is closed while any is in force. A
  // load takes back a closing that never became durable.
  absl::Status Close(NetworkId id, std::shared_ptr<Closing> closing, Batch* batch);
  void Reopen(NetworkId id, const std::shared_ptr<Closing>& closing);
  // Erases keys of a closed network from the key `from` on (empty: the first), a few transactions of them, fewer when `more`
  // says so. Returns where to go on; nullopt if there were none any more, and then the network is forgotten. Each step must
  // be durable before the next.
  absl::StatusOr<std::optional<std::string>> EraseStep(NetworkId id, std::string_view from, absl::FunctionRef<bool()> more,
                                                       Batch* batch);
  // In the same way, the keys of the addresses that a draining pool does not hold, so that none is left when the pool is
  // gone. Nullopt too if there is no such pool. Should the pool stay, all that is lost is how long they have been idle.
  absl::StatusOr<std::optional<std::string>> EraseFreeStep(NetworkId id, PoolId pool, std::string_view from,
                                                           absl::FunctionRef<bool()> more, absl::Time now, Batch* batch);

  // The durable changes of the network.
  absl::StatusOr<std::shared_ptr<EventLog>> LogOf(NetworkId id) const;

  // Runs a command of Network, `(Network&, Changes*) -> StatusOr<T>`, on one of them.
  template <typename Command>
  auto On(NetworkId id, absl::Time now, Batch* batch, Command command)
      -> decltype(command(std::declval<Network&>(), std::declval<Changes*>())) {
    auto member = networks_.find(id);
    if (member == networks_.end() || member->second.closed()) return NetworkNotFound();
    Changes changes;
    auto result = command(*member->second.network, &changes);
    Gather(id, changes, now, batch);
    return result;
  }

 private:
  struct Member {
    std::unique_ptr<Network> network;
    std::shared_ptr<EventLog> log;
    std::shared_ptr<NetworkMetrics> metrics;  // nullptr: it is not measured
    std::set<std::shared_ptr<Closing>> closings = {};
    absl::Time expired = absl::InfinitePast();  // NetworkMeta::expired, as it was loaded
    bool closed() const { return !closings.empty(); }
  };

  // Of stored keys that begin with `prefix`, from `from` to `last`.
  struct Stretch {
    std::string prefix, from, last;
  };
  // Gives `erase` those of the stretch that `goes` says it of, in groups that fit a transaction. Returns the last key that it
  // looked at in this turn; empty if there was none.
  absl::StatusOr<std::string> EraseTurn(const Stretch& stretch, absl::FunctionRef<bool()> more,
                                        absl::FunctionRef<absl::StatusOr<bool>(std::string_view, std::string_view)> goes,
                                        absl::FunctionRef<void(std::vector<Op>)> erase) const;

  static void ShowCounts(const Member& member);
  void Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch) const;

  std::map<NetworkId, Member> networks_;
  ShardStore* handle_ = nullptr;  // of the last Load
  bool expiry_paused_ = false;
};

}  // namespace gnomon
