// SPDX-License-Identifier: Apache-2.0
//
// A Shard is the one thread that runs the commands of its networks, and answers each when what it saw is durable.
//
// It takes all that waits, applies it in order, commits the changes of all of it at once, and goes on with the next batch
// while the store syncs. Reads and refusals wait for their batch too: no answer tells of a state that could vanish.
//
// Example:
//   shard->Call<Assignment>(id,
//       [](Network& network, absl::Time now, Changes* changes) { return network.Create(now, request, changes); },
//       [](absl::StatusOr<Assignment> result) { ... });
//
// Threads: Call from any. Replies run on the store's thread, on the shard's, or inside Call when the queue is full: they must
// be short and must not wait for the shard.
// Limits: Batch's; Options::max_unanswered calls, then UNAVAILABLE QUEUE_FULL at once.
// Errors: beside a command's own, UNAVAILABLE with OUTCOME_UNKNOWN (a commit failed: the change may be stored or not, trying
// again is safe), SHARD_DOWN (the store cannot be read now) or SHUTTING_DOWN; NOT_FOUND NETWORK_NOT_FOUND.
// Durability: after a failed commit the shard forgets its state and loads what the store has. It never guesses.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ipam/network.h"
#include "service/batch.h"
#include "store/store.h"

namespace gnomon {

class Shard {
 public:
  struct Options {
    size_t max_unanswered = 4096;
  };

  // Owns shard `id` of `store` and loads `networks`, those that the store has nothing of as empty ones. `store` and `clock`
  // outlive the shard. DATA_LOSS if what is stored is damaged.
  static absl::StatusOr<std::unique_ptr<Shard>> Start(Store* store, ShardId id, const Clock* clock,
                                                      std::vector<NetworkId> networks, Options options);
  // Answers all that was called before.
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // `reply` runs exactly once. `command` runs on the shard's thread, at most once.
  template <typename T>
  void Call(NetworkId network, absl::AnyInvocable<absl::StatusOr<T>(Network&, absl::Time, Changes*)> command,
            absl::AnyInvocable<void(absl::StatusOr<T>)> reply) {
    auto result = std::make_shared<absl::StatusOr<T>>(absl::UnknownError("not run"));
    Submit({network,
            [result, command = std::move(command)](Network& state, absl::Time now, Changes* changes) mutable {
              *result = command(state, now, changes);
            },
            [result, reply = std::move(reply)](const absl::Status& status) mutable {
              reply(status.ok() ? std::move(*result) : absl::StatusOr<T>(status));
            }});
  }

 private:
  struct Item {
    NetworkId network;
    absl::AnyInvocable<void(Network&, absl::Time, Changes*)> apply;
    absl::AnyInvocable<void(const absl::Status&)> answer;
  };
  using Networks = std::map<NetworkId, std::unique_ptr<Network>>;

  Shard(Store* store, ShardId id, const Clock* clock, std::vector<NetworkId> networks, Options options);

  void Submit(Item item);
  void Run();
  std::vector<Item> WaitForWork();  // empty when it is time to stop, or for something to end
  absl::Status Reload();
  void RunBatch(std::vector<Item> items);
  void Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch);
  Op MetaOf(uint64_t group, absl::Time now) const;
  void Done(std::vector<Item> items, const absl::Status& status);
  void AnswerAll(std::vector<Item> items, const absl::Status& status);
  bool Wakes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !queue_.empty() || stopping_ || failed_; }

  Store* const store_;
  const ShardId id_;
  const Clock* const clock_;
  const std::vector<NetworkId> network_ids_;
  const Options options_;

  // Of the shard's thread.
  std::unique_ptr<ShardStore> handle_;
  Networks networks_;
  std::unique_ptr<CoreTime> time_;

  absl::Mutex mutex_;
  std::vector<Item> queue_ ABSL_GUARDED_BY(mutex_);
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t commits_ ABSL_GUARDED_BY(mutex_) = 0;  // under way
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;  // a commit has failed and the state is not loaded anew yet
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // the last, so that all else is there when it starts
};

}  // namespace gnomon
