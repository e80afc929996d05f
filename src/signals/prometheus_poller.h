// SPDX-License-Identifier: Apache-2.0
//
// A PrometheusPoller asks one Prometheus for the queries of its rules, and gives what is answered to the book.
//
// It begins with 14 days of history of each rule, in chunks, then asks each `interval` for what is new: by an instant
// query where that is one step, by a range where it is more, as after an outage. A step is asked for kSettle after its
// time, so that what was scraped up to then is there.
//
// A query that is refused keeps none of the other rules from theirs. A server that does not answer is asked again after
// the interval, then after twice that, up to kMaxWait.
//
// Threads: one of its own, from Start to Stop; the other functions from one thread.
// Errors: none: what fails is told to the book.
// Limits: SignalsConfig's; kMaxAnswerBytes of an answer.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "client/http_client.h"
#include "signals/metric_book.h"
#include "signals/prometheus_query.h"
#include "signals/signals_config.h"

namespace gnomon {

class PrometheusPoller {
 public:
  static constexpr absl::Duration kHistory = absl::Hours(24 * 14);
  static constexpr absl::Duration kSettle = absl::Seconds(2);
  static constexpr absl::Duration kMaxWait = absl::Minutes(5);
  static constexpr size_t kMaxAnswerBytes = 32 << 20;

  // Both outlive the poller.
  PrometheusPoller(PrometheusSource source, MetricBook* book, const Clock* clock);
  ~PrometheusPoller();
  PrometheusPoller(const PrometheusPoller&) = delete;
  PrometheusPoller& operator=(const PrometheusPoller&) = delete;

  void Start();
  void Stop();

 private:
  struct Asked {
    size_t rule;
    int64_t next_s;  // the first step that was not answered yet
  };

  void Run();
  bool Poll();  // false: the server did not answer
  bool PollRule(Asked& asked);
  absl::StatusOr<QueryAnswer> Ask(const MetricRule& rule, const QueryRange& range);
  absl::Status Connect();

  const PrometheusSource source_;
  MetricBook* const book_;
  const Clock* const clock_;

  // The thread's own.
  std::vector<Asked> asked_;
  std::string secret_;  // that http_ was made with
  std::unique_ptr<HttpClient> http_;

  std::atomic<bool> stopping_{false};  // also ends a request
  absl::Mutex mutex_;
  absl::CondVar wake_;
  std::thread thread_;
};

}  // namespace gnomon
