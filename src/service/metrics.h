// SPDX-License-Identifier: Apache-2.0
//
// Metrics are the figures that the server gives of itself at /metrics.
//
// Whoever counts keeps a pointer to what it counts in (a network's, a shard's), so that counting is an addition and not a
// lookup. docs/OPERATING.md has every name. No address is ever a label.
//
// Gauges show the state as applied, which may be one commit ahead of what is durable; counters count what is durable.
//
// Threads: any, but where it says otherwise.
// Time: durations are real ones, also under a clock that runs faster; idle shadow-seconds are the clock's.
// Limits: NetworkMetrics::kMaxTypes types a network and kMaxRoutes routes; the rest are counted as "other".
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace gnomon {

// Values counted by size, without a lock. One that equals a bound counts below it.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void Observe(double value);

  struct Snapshot {
    std::vector<double> bounds = {};
    std::vector<uint64_t> counts = {};  // one more than bounds: what is above them all
    double sum = 0;
  };
  Snapshot Read() const;

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

// Of one network. It may be counted in after its network was erased; nobody sees that.
class NetworkMetrics {
 public:
  static constexpr size_t kMaxTypes = 1000;
  using Counts = std::array<uint64_t, 6>;  // records by AddressState

  explicit NetworkMetrics(const Clock* clock) : clock_(clock) {}

  void CountCreation(std::string_view type, bool hit);
  void CountExpired(uint64_t shadows) { expired_.fetch_add(shadows, std::memory_order_relaxed); }
  // From the network's shard alone, after each change.
  void SetAddresses(const Counts& counts);
  // Those of its pools that are free, by family: IPv4, IPv6. From the network's shard alone, as above.
  using Free = std::array<uint64_t, 2>;
  void SetFree(const Free& free);

  struct Snapshot {
    std::map<std::string, std::array<uint64_t, 2>> creations = {};  // by type: standard, shadow
    Counts addresses{};
    Free free{};
    uint64_t expired = 0;
    double idle_seconds = 0;  // shadows held, integrated over the clock's time up to now
  };
  Snapshot Read() const;

 private:
  using BySource = std::array<uint64_t, 2>;  // index: hit

  const Clock* const clock_;
  std::array<std::atomic<uint64_t>, 6> addresses_{};
  std::array<std::atomic<uint64_t>, 2> free_{};
  std::atomic<uint64_t> expired_ = 0;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, BySource> creations_ ABSL_GUARDED_BY(mutex_);
  uint64_t held_ ABSL_GUARDED_BY(mutex_) = 0;  // shadows, since held_since_
  absl::Duration held_since_ ABSL_GUARDED_BY(mutex_);
  absl::Duration idle_ ABSL_GUARDED_BY(mutex_);  // up to held_since_
};

// Of one shard; all shards share the distributions.
class ShardMetrics {
 public:
  ShardMetrics(Histogram* batch_size, Histogram* commit_seconds, const Clock* clock)
      : batch_size_(batch_size), commit_seconds_(commit_seconds), clock_(clock) {}

  void Queued() { depth_.fetch_add(1, std::memory_order_relaxed); }
  void Answered(size_t calls) { depth_.fetch_sub(static_cast<int64_t>(calls), std::memory_order_relaxed); }
  void ObserveBatch(size_t calls) { batch_size_->Observe(static_cast<double>(calls)); }
  // A commit that stored something, which took from `start` of the clock's Monotonic() until now, has ended.
  void ObserveCommit(absl::Duration start) {
    commit_seconds_->Observe(absl::ToDoubleSeconds(clock_->Real(clock_->Monotonic() - start)));
  }
  int64_t depth() const { return depth_.load(std::memory_order_relaxed); }

 private:
  Histogram* const batch_size_;
  Histogram* const commit_seconds_;
  const Clock* const clock_;
  std::atomic<int64_t> depth_ = 0;
};

class Metrics {
 public:
  static constexpr size_t kMaxRoutes = 1000;  // with their codes

  // `clock` outlives the metrics, and the metrics all that counts in them.
  Metrics(const Clock* clock, std::string version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The network's, made at the first call.
  std::shared_ptr<NetworkMetrics> OfNetwork(const std::string& name);
  // Its series go away.
  void EraseNetwork(const std::string& name);
  // `shard`: its label. Valid as long as the metrics.
  ShardMetrics* OfShard(const std::string& shard);

  // From the call of a creation, at `start` of the clock's Monotonic(), to its durable answer.
  void ObserveCreation(absl::Duration start, bool hit);
  // `code`: the error's.
  void CountCreationFailure(const std::string& code);
  // `route`: a pattern, as "/v1/networks/{network}", never a path.
  void CountRequest(std::string_view route, int code);

  // Everything, in the text format of Prometheus 0.0.4. Cost: linear in the series.
  std::string Text() const;

 private:
  const Clock* const clock_;
  const std::string version_;
  std::array<Histogram, 2> creation_seconds_;  // index: hit
  Histogram batch_size_, commit_seconds_;

  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<NetworkMetrics>> networks_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<ShardMetrics>> shards_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> failures_ ABSL_GUARDED_BY(mutex_);

  mutable absl::Mutex requests_mutex_;
  size_t request_series_ ABSL_GUARDED_BY(requests_mutex_) = 0;
  std::map<int, std::map<std::string, uint64_t, std::less<>>> requests_ ABSL_GUARDED_BY(requests_mutex_);  // by code
};

}  // namespace gnomon
