// SPDX-License-Identifier: Apache-2.0
//
// A MetricBook takes the samples that are pushed to us or polled by us, and keeps of each rule what its metric was.
//
// A pushed series feeds each pushed rule whose selector it matches and whose network its sender may use; one that feeds
// none is counted, and its name shown. A polled answer feeds the rule that asked. Where the samples came from is a
// source: "prometheus/NAME", "remote_write/SENDER" or "otlp/SENDER".
//
// Example:
//   MetricBook book(rules, &clock);
//   book.Push({.kind = "remote_write", .sender = "ci"}, push, [](std::string_view network) { return true; });
//   std::vector<MetricPoint> hour = book.PointsOf(0, now_s - 3600);
//
// Threads: any. Time: samples are by the wall clock; what is more than kMaxAhead after it is refused.
// Limits: those of MetricGrid for a rule; kMaxPushers senders; kSamplesASecond of each on average, kSamplesBurst at once.
// Errors: UNAVAILABLE SAMPLE_RATE (with "retry_after_seconds") and TOO_MANY_PUSHERS; then nothing is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "signals/metric_grid.h"
#include "signals/metric_push.h"
#include "signals/metric_rule.h"

namespace gnomon {

// Of one rule, as it is now.
struct MetricStatus {
  size_t series = 0;                       // that feed it
  std::optional<int64_t> last_sample_ms = {};
  std::optional<MetricPoint> latest = {};  // none: a gap
  std::string last_error = {};             // of its query; empty once it is answered again
};

// Of one source, since the start.
struct SourceStatus {
  std::string name, kind, sender;
  std::optional<int64_t> last_contact_ms = {}, last_sample_ms = {};
  uint64_t samples = 0;                    // taken
  std::map<std::string, uint64_t> errors;  // by reason: samples dropped, requests refused, queries failed
  std::string last_error = {};             // empty once it works again
  size_t bound = 0, unbound = 0;           // series seen, of each at most kMaxCounted
  std::set<std::string> unbound_names = {};  // of metrics that feed no rule, at most kMaxNames
};

class MetricBook {
 public:
  static constexpr absl::Duration kMaxAhead = absl::Minutes(1);
  static constexpr size_t kMaxPushers = 100;
  static constexpr size_t kMaxCounted = 20'000;
  static constexpr size_t kMaxNames = 100;
  static constexpr double kSamplesASecond = 20'000, kSamplesBurst = 200'000;

  struct Pusher {
    std::string kind, sender;
  };
  struct Outcome {
    uint64_t taken = 0;    // by one rule or more
    uint64_t unbound = 0;  // that no rule asks for
    uint64_t faulty = 0;   // refused, those of the decoder included
    std::string first_fault = {};
  };
  using MayUse = absl::FunctionRef<bool(std::string_view network)>;

  // `prometheus`: the names of those that are polled. `clock` outlives the book.
  MetricBook(std::vector<MetricRule> rules, const std::vector<std::string>& prometheus, const Clock* clock);

  absl::StatusOr<Outcome> Push(const Pusher& pusher, const MetricPush& push, MayUse may_use);
  // A request that could not be read, or was refused before.
  void PushFailed(const Pusher& pusher, const absl::Status& error);

  // The answer to the rule's query.
  void Polled(size_t rule, const MetricPush& answer);
  // The query failed, by the fault of the source or (`of_rule`) of the query itself.
  void PollFailed(size_t rule, const absl::Status& error, bool of_rule);

  absl::Time Now() const { return clock_->Wall(); }
  const std::vector<MetricRule>& rules() const { return rules_; }
  // At or after `from_s`, up to now; ascending, without gaps.
  std::vector<MetricPoint> PointsOf(size_t rule, int64_t from_s) const;
  std::optional<MetricPoint> Latest(size_t rule) const;
  MetricStatus StatusOf(size_t rule) const;
  std::vector<SourceStatus> Sources() const;  // by name
  // gnomon_signal_..., in the text format of Prometheus.
  std::string MetricsText() const;

 private:
  struct Source {
    SourceStatus status;
    double budget = kSamplesBurst;  // samples that it may send at once
    absl::Duration filled;          // when the budget was last added to
    absl::flat_hash_set<uint64_t> bound, unbound;  // hashes of series
  };

  int64_t NowMs() const { return absl::ToUnixMillis(clock_->Wall()); }
  absl::StatusOr<Source*> SourceOf(const Pusher& pusher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Spend(Source& source, uint64_t samples) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<size_t> RulesFor(const Series& series, MayUse may_use) const;
  // Gives the samples of a series, from `next` on and up to `until_ms`, to the rules.
  void Feed(const std::vector<size_t>& rules, const std::string& name, const Series& series, const Sample& sample,
            Source& source, Outcome* outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FeedAll(const MetricPush& push, absl::FunctionRef<std::vector<size_t>(const Series&)> rules_of, Source& source,
               Outcome* outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Fault(Source& source, std::string_view reason, const std::string& what, Outcome* outcome);

  const std::vector<MetricRule> rules_;
  const Clock* const clock_;
  absl::flat_hash_map<std::string, std::vector<size_t>> by_name_;  // pushed rules by the name that they ask for
  std::vector<size_t> any_name_;                                    // pushed rules that ask for several

  mutable absl::Mutex mutex_;
  mutable std::vector<MetricGrid> grids_ ABSL_GUARDED_BY(mutex_);        // of each rule
  std::vector<std::string> rule_errors_ ABSL_GUARDED_BY(mutex_);         // of each rule
  std::map<std::string, Source> sources_ ABSL_GUARDED_BY(mutex_);        // by name
  size_t pushers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace gnomon
