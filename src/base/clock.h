// SPDX-License-Identifier: Apache-2.0
//
// A Clock tells the wall time and the time that has passed; all code above base/ gets one handed in.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gnomon {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // May jump, in both directions.
  virtual absl::Time Wall() const = 0;
  // Since some fixed moment; never goes back.
  virtual absl::Duration Monotonic() const = 0;
  // How long it really takes until so much of this clock's time has passed: what a thread that waits for it may sleep.
  virtual absl::Duration Real(absl::Duration passed) const { return passed; }
};

class SystemClock : public Clock {
 public:
  absl::Time Wall() const override;
  absl::Duration Monotonic() const override;
};

// A ScaledClock starts at the real time and runs `scale` times as fast as `real`, which outlives it: for demonstrations.
// Steps of the wall clock after the start do not reach it.
class ScaledClock : public Clock {
 public:
  ScaledClock(const Clock* real, double scale)
      : real_(real), scale_(scale), wall_(real->Wall()), start_(real->Monotonic()) {}

  absl::Time Wall() const override { return wall_ + Monotonic(); }
  absl::Duration Monotonic() const override { return (real_->Monotonic() - start_) * scale_; }
  absl::Duration Real(absl::Duration passed) const override { return passed / scale_; }

 private:
  const Clock* const real_;
  const double scale_;
  const absl::Time wall_;
  const absl::Duration start_;
};

// A ManualClock stands still until a test moves it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(absl::Time start) : wall_(start) {}

  absl::Time Wall() const override {
    absl::MutexLock lock(&mutex_);
    return wall_;
  }
  absl::Duration Monotonic() const override {
    absl::MutexLock lock(&mutex_);
    return passed_;
  }
  void Pass(absl::Duration time) {
    absl::MutexLock lock(&mutex_);
    wall_ += time;
    passed_ += time;
  }
  // A step of the wall clock in which no time passes.
  void Step(absl::Duration by) {
    absl::MutexLock lock(&mutex_);
    wall_ += by;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time wall_ ABSL_GUARDED_BY(mutex_);
  absl::Duration passed_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

// CoreTime is the time that the core is told: it never goes back, whatever the wall clock does while we run, and goes on
// where the last commit left it.
//
// Time: whole microseconds, as stored.
// Threads: any.
class CoreTime {
 public:
  // How far the wall clock may have moved since the last commit before it is doubted.
  static constexpr absl::Duration kMaxJump = absl::Hours(1);

  explicit CoreTime(const Clock& clock) : clock_(clock) {}

  // Once, before any other call: begins at the later of the last commit (InfinitePast: there is none) and the wall clock. If
  // that is more than kMaxJump after the last commit, it begins at the commit, and is behind until CatchUp.
  void Begin(absl::Time last_commit);
  // Moves on to `time` if it is not there yet.
  void AtLeast(absl::Time time);
  absl::Time Now() const;

  bool behind() const { return behind_; }
  // The wall clock is right: moves on to it.
  void CatchUp();

 private:
  const Clock& clock_;
  std::atomic<int64_t> ahead_us_{std::numeric_limits<int64_t>::min()};  // of the monotonic time
  std::atomic<bool> behind_{false};
};

}  // namespace gnomon
