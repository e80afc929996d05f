// SPDX-License-Identifier: Apache-2.0
//
// A Replay sends the creations and releases of a trace to a live server, at the trace's own times divided by a speed.
//
// Events leave in the order of their times; a release leaves at its time, but never before its creation was answered.
// One thread waits for the next event while the others carry out those before it, so that a slow answer delays nothing
// unless all connections are busy. How far the replay fell behind its schedule is measured and reported.
//
// Threads: Run() is called once; Done() and Stop() from any thread meanwhile.
// Limits: as the trace's; 12 bytes an event for exact percentiles.
// Cost: about 50 us of processor a request; two cores hold more than 10,000 requests a second.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/api_client.h"
#include "client/trace.h"

namespace gnomon {

struct ReplayOptions {
  HttpClientOptions client;
  std::string network;
  std::string id_prefix;  // of the instances' ids, "<prefix>-<line>-<n>"
  double speed = 1;       // trace seconds a second
  int connections = 32;
  TraceWindow window = {};  // as the rows were read: its start is the moment 0, releases from its end on are not sent
};

struct Percentiles {
  absl::Duration p50, p99, p999, max;
};

struct ReplayReport {
  int64_t creations = 0;  // sent
  int64_t hits = 0, misses = 0, releases = 0;
  int64_t left = 0;                                                    // created and not released
  std::map<std::string, int64_t> creation_failures, release_failures;  // by the error's code
  Percentiles hit_latency, miss_latency;
  Percentiles lag;  // of every event, sent minus due
  absl::Duration took;
};

class Replay {
 public:
  // `rows` are sorted by time.
  Replay(ReplayOptions options, std::vector<TraceRow> rows, const Clock& clock);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // Returns when all events are answered or after Stop(). Calls `on_progress` each `interval`, in the caller's thread.
  ReplayReport Run(absl::Duration interval, const std::function<void()>& on_progress);

  void Stop();

  int64_t creations_done() const { return creations_done_; }
  int64_t creations_due() const { return creations_due_; }  // in all
  int64_t hits_done() const { return hits_done_; }

 private:
  struct Event {
    absl::Duration due;  // since the start, in real time
    uint32_t row = 0, number = 0;
    bool release = false;
    friend bool operator>(const Event& a, const Event& b) { return a.due > b.due; }
  };
  // What one worker measured; merged when all have ended.
  struct Measured {
    int64_t releases = 0;
    std::map<std::string, int64_t> creation_failures, release_failures;
    std::vector<uint32_t> hit_us, miss_us, lag_us;
  };

  void Work(Measured* measured);
  // Waits for the next event's time and takes it; false when there will be none.
  bool Take(Event* event, Measured* measured);
  const absl::Duration* NextDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Event Pop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Create(ApiClient& api, const Event& event, Measured* measured);
  void Release(ApiClient& api, const Event& event, Measured* measured);
  // A creation is answered; its release, if any, gets its place in the schedule.
  void Answered(const Event& event, bool created);
  absl::Duration Due(absl::Duration trace_time) const { return (trace_time - options_.window.from) / options_.speed; }
  absl::Duration Now() const { return clock_.Monotonic() - start_; }
  std::string Id(const Event& event) const;
  ReplayReport Merge(const std::vector<Measured>& all);

  const ReplayOptions options_;
  const std::vector<TraceRow> rows_;
  const Clock& clock_;
  const std::string path_;  // of the network's instances
  int64_t creations_due_ = 0;
  absl::Duration start_;  // set by Run() before it starts a thread
  std::atomic<int64_t> creations_done_ = 0, hits_done_ = 0;

  absl::Mutex mutex_;
  absl::CondVar leader_wakes_, followers_wake_;
  bool leading_ ABSL_GUARDED_BY(mutex_) =
      false;  // a thread waits for the next event's time; the others wait for its place
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  Event next_creation_ ABSL_GUARDED_BY(mutex_);  // past the last row when there is none
  std::priority_queue<Event, std::vector<Event>, std::greater<>> releases_ ABSL_GUARDED_BY(mutex_);
  int64_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;  // creations on their way: a release may follow
  int working_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Notification finished_;
};

// Of samples in microseconds, which are reordered; zeros if there are none. The p-th is the smallest with at least p of
// all at or below it.
Percentiles PercentilesOf(std::vector<uint32_t> samples_us);

// The sum of a counter over its series in a Prometheus text exposition: those labelled with this network, and those
// with no network at all. 0 if there is none.
double SumOfCounter(const std::string& exposition, const std::string& name, const std::string& network);

}  // namespace gnomon
