// SPDX-License-Identifier: Apache-2.0
//
// An AuditLog keeps one line of JSON for each request that may change something: who, what, when, and the outcome.
//
// Example:
//   {"time":"2026-11-24T09:00:00Z","principal":"ci","peer":"10.1.0.7:4711","method":"POST",
//    "path":"/v1/networks/prod/instances","route":"/v1/networks/{network}/instances","network":"prod","ids":["vm-1"],
//    "status":201,"code":"","request_id":"5f-0-1a"}
//
// Lines are gathered: whoever sends answers calls Flush after their Note and before the first of them, and so one
// write(2) serves many.
//
// Threads: any.
// Durability: after Flush a line is with the kernel, so it outlives the process, also one that is killed. It
// is not synced: a machine that loses its power may lose the last seconds, of which the store still has the changes.
// Errors: a line that cannot be written is lost, counted, and complained of at most once a minute; requests go on.
// Cost: one write(2) a Flush that finds lines; one atomic load otherwise.
// Limits: kMaxGathered bytes of lines wait; what is more is written at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/exchange.h"
#include "base/clock.h"

namespace gnomon {

class AuditLog {
 public:
  static constexpr absl::Duration kBetweenComplaints = absl::Minutes(1);
  static constexpr size_t kMaxGathered = 256 << 10;
  using Complain = std::function<void(const std::string& message)>;

  // Appends to `path`, which its owner alone may read if it is new; lines go on in the right place when the file is cut
  // to nothing while it is open. UNAVAILABLE AUDIT_FAILED if it cannot be opened. `clock` outlives the log.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path, const Clock* clock, Complain complain);
  ~AuditLog();  // flushes
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // `code`: the error's; empty if it went well.
  void Note(const Exchange& exchange, int status, std::string_view code);
  // When it returns, every line noted before is written, also those of other threads.
  void Flush();

  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }  // lines
  // The counter of lost lines, in the text format of Prometheus.
  std::string MetricsText() const;

 private:
  AuditLog(std::string path, int descriptor, const Clock* clock, Complain complain)
      : path_(std::move(path)), descriptor_(descriptor), clock_(clock), complain_(std::move(complain)) {}

  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Lose(uint64_t lines, int error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const int descriptor_;
  const Clock* const clock_;
  const Complain complain_;
  std::atomic<uint64_t> lost_ = 0;
  std::atomic<bool> waiting_ = false;  // lines are gathered, or being written

  absl::Mutex mutex_;
  std::string gathered_ ABSL_GUARDED_BY(mutex_);
  uint64_t lines_ ABSL_GUARDED_BY(mutex_) = 0;  // that begin in gathered_
  bool torn_ ABSL_GUARDED_BY(mutex_) = false;   // the file ends inside a line, which gathered_ ends first
  absl::Duration silent_until_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();  // of the clock's Monotonic()
};

}  // namespace gnomon
