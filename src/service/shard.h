// SPDX-License-Identifier: Apache-2.0
//
// A Shard is the one thread that runs the commands on a State, and answers each when what it saw is durable.
//
// It takes all that waits, applies it in order, commits the changes of all of it at once, and goes on with the next batch
// while the store syncs. Reads and refusals wait for their batch too: no answer tells of a state that could vanish.
//
// A State is a pure state machine with its encoding (NetworksState, CatalogueState). It has
//   absl::StatusOr<absl::Time> Load(ShardStore&)   forgets all, loads what is stored, returns the time of the last commit
//   void Advance(absl::Time now, Batch*)           one step of letting everything end whose time has come
//   absl::Time NextDeadline() const                when Advance next has something to do; not after `now`: it has more
//   Op MetaOf(uint64_t group, absl::Time now) const   see Batch::Meta
//
// Example:
//   shard->Call<NetworkEntry>([](CatalogueState& state, absl::Time now, Batch* batch) { return state.On(now, batch, ...); },
//                             [](absl::StatusOr<NetworkEntry> result) { ... });
//
// Threads: Call from any. Replies run on the store's thread, on the shard's, or inside Call when the queue is full: they must
// be short and must not wait for the shard.
// Limits: Batch's; ShardOptions::max_unanswered calls, then UNAVAILABLE QUEUE_FULL at once, but for later stages.
// Errors: beside a command's own, UNAVAILABLE with OUTCOME_UNKNOWN (a commit failed: the change may be stored or not, trying
// again is safe), SHARD_DOWN (the store cannot be read now) or SHUTTING_DOWN.
// Durability: after a failed commit the shard forgets its state and loads what the store has. It never guesses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/error.h"
#include "service/batch.h"
#include "service/metrics.h"
#include "store/store.h"

namespace gnomon {

struct ShardOptions {
  size_t max_unanswered = 4096;
  ShardMetrics* metrics = nullptr;  // outlives the shard; nullptr: nothing is measured
};

// A later stage of what has begun is never refused for a full queue: half of it done is worse than one call more.
enum class Stage { kFirst, kLater };

template <typename State>
class Shard {
 public:
  // Owns shard `id` of `store` and loads `state`. `store`, `clock` and `time` outlive the shard;
  // `time` has begun when the state is loaded. DATA_LOSS if what is stored is
  // damaged.
  static absl::StatusOr<std::unique_ptr<Shard>> Start(Store* store, ShardId id, const Clock* clock, CoreTime* time,
                                                      State state, ShardOptions options) {
    std::unique_ptr<Shard> shard(new Shard(store, id, clock, time, std::move(state), options));
    GNOMON_RETURN_IF_ERROR(shard->Reload());
    shard->thread_ = std::thread([raw = shard.get()] { raw->Run(); });
    return shard;
  }

  ~Shard() { Stop(); }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Answers all that was called before; refuses what comes from now on.
  void Stop() {
    if (!thread_.joinable()) return;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  // `reply` runs exactly once. `command` runs on the shard's thread, at most once.
  template <typename T>
  void Call(absl::AnyInvocable<absl::StatusOr<T>(State&, absl::Time, Batch*)> command,
            absl::AnyInvocable<void(absl::StatusOr<T>)> reply, Stage stage = Stage::kFirst) {
    auto result = std::make_shared<absl::StatusOr<T>>(absl::UnknownError("not run"));
    Submit({[result, command = std::move(command)](State& state, absl::Time now, Batch* batch) mutable {
              *result = command(state, now, batch);
            },
            [result, reply = std::move(reply)](const absl::Status& status) mutable {
              reply(status.ok() ? std::move(*result) : absl::StatusOr<T>(status));
            }},
           stage);
  }

 private:
  struct Item {
    absl::AnyInvocable<void(State&, absl::Time, Batch*)> apply;
    absl::AnyInvocable<void(const absl::Status&)> answer;
  };
  static constexpr absl::Duration kReloadPause = absl::Milliseconds(100);  // after a load that failed
  static constexpr absl::Duration kLongestWait = absl::Seconds(1);

  Shard(Store* store, ShardId id, const Clock* clock, CoreTime* time, State state, ShardOptions options)
      : store_(store), id_(id), clock_(clock), time_(time), options_(options), state_(std::move(state)) {}

  static absl::Status Unavailable(std::string_view code, std::string_view message, std::string_view hint) {
    return Error(absl::StatusCode::kUnavailable, code, message).Hint(hint);
  }

  void Submit(Item item, Stage stage) {
    absl::Status refusal;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) {
        refusal = Unavailable("SHUTTING_DOWN", "the server is shutting down", "try again on another, or later");
      } else if (stage == Stage::kFirst && unanswered_ >= options_.max_unanswered) {
        refusal =
            Unavailable("QUEUE_FULL", absl::StrCat(unanswered_, " requests wait, the most that may"), "try again later");
      } else {
        ++unanswered_;
        queue_.push_back(std::move(item));
        if (options_.metrics != nullptr) options_.metrics->Queued();
        return;
      }
    }
    item.answer(refusal);
  }

  void Run() {
    for (;;) {
      std::vector<Item> items = WaitForWork();
      bool reload = false, stop = false;
      {
        absl::MutexLock lock(&mutex_);
        reload = failed_;
        stop = stopping_ && items.empty() && queue_.empty();
      }
      if (stop) break;
      absl::Status ready = reload ? Reload() : absl::OkStatus();
      if (ready.ok()) {
        RunBatch(std::move(items));
        continue;
      }
      AnswerAll(std::move(items), Unavailable("SHARD_DOWN", std::string(ready.message()), "try again later"));
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kReloadPause);
    }
    AwaitCommits();
  }

  // Empty when it is time to stop, to load anew, or for something to end.
  std::vector<Item> WaitForWork() {
    const absl::Duration wait =
        std::clamp(clock_->Real(state_.NextDeadline() - time_->Now()), absl::ZeroDuration(), kLongestWait);
    absl::MutexLock lock(&mutex_);
    auto wakes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !queue_.empty() || stopping_ || failed_; };
    mutex_.AwaitWithTimeout(absl::Condition(&wakes), wait);
    return std::exchange(queue_, {});
  }

  void AwaitCommits() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](size_t* commits) { return *commits == 0; }, &commits_));
  }

  absl::Status Reload() {
    AwaitCommits();  // what failed answers first, so that a late failure is not taken for one of the new handle
    handle_ = nullptr;
    GNOMON_ASSIGN_OR_RETURN(handle_, store_->Acquire(id_));
    absl::StatusOr<absl::Time> last_commit = state_.Load(*handle_);
    if (!last_commit.ok()) return last_commit.status();
    time_->AtLeast(*last_commit);
    absl::MutexLock lock(&mutex_);
    failed_ = false;
    return absl::OkStatus();
  }

  void RunBatch(std::vector<Item> items) {
    const absl::Time now = time_->Now();
    Batch batch;
    state_.Advance(now, &batch);
    // Commands see everything ended whose time has come, however much that is; but no commit holds all of it.
    while (state_.NextDeadline() <= now) {
      Commit(std::exchange(batch, Batch()), now, {});
      state_.Advance(now, &batch);
    }
    for (Item& item : items) item.apply(state_, now, &batch);
    Commit(std::move(batch), now, std::move(items));
  }

  void Commit(Batch batch, absl::Time now, std::vector<Item> items) {
    std::vector<Transaction> transactions =
        batch.Finish([&](uint64_t group) { return state_.MetaOf(group, now); });
    if (transactions.empty() && items.empty()) return;
    {
      absl::MutexLock lock(&mutex_);
      ++commits_;
    }
    ShardMetrics* const measured = transactions.empty() ? nullptr : options_.metrics;
    const absl::Duration start = measured != nullptr ? clock_->Monotonic() : absl::ZeroDuration();
    if (options_.metrics != nullptr && !items.empty()) options_.metrics->ObserveBatch(items.size());
    handle_->Commit(std::move(transactions), [this, measured, start, items = std::move(items),
                                              effects = batch.TakeEffects()](absl::Status status) mutable {
      if (measured != nullptr) measured->ObserveCommit(start);
      if (status.ok()) {
        for (auto& effect : effects) effect();
      }
      Finish(std::move(items), status);
    });
  }

  void Finish(std::vector<Item> items, const absl::Status& status) {
    absl::Status answer;
    if (!status.ok()) {
      answer = Unavailable("OUTCOME_UNKNOWN", absl::StrCat("the store failed: ", status.message()),
                           "the change may have been stored: try again, it is safe");
      absl::MutexLock lock(&mutex_);
      failed_ = true;
    }
    AnswerAll(std::move(items), answer);
    absl::MutexLock lock(&mutex_);
    --commits_;
  }

  void AnswerAll(std::vector<Item> items, const absl::Status& status) {
    {
      absl::MutexLock lock(&mutex_);
      unanswered_ -= items.size();
    }
    if (options_.metrics != nullptr) options_.metrics->Answered(items.size());
    for (Item& item : items) item.answer(status);
  }

  Store* const store_;
  const ShardId id_;
  const Clock* const clock_;
  CoreTime* const time_;
  const ShardOptions options_;

  // Of the shard's thread.
  State state_;
  std::unique_ptr<ShardStore> handle_;

  absl::Mutex mutex_;
  std::vector<Item> queue_ ABSL_GUARDED_BY(mutex_);
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t commits_ ABSL_GUARDED_BY(mutex_) = 0;    // under way
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;   // a commit has failed and the state is not loaded anew yet
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // the last, so that all else is there when it starts
};

}  // namespace gnomon
