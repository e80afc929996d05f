// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <chrono>

namespace gnomon {

absl::Time SystemClock::Wall() const { return absl::Now(); }

absl::Duration SystemClock::Monotonic() const {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void CoreTime::Begin(absl::Time last_commit) {
  const absl::Time wall = clock_.Wall();
  behind_ = last_commit != absl::InfinitePast() && wall - last_commit > kMaxJump;
  AtLeast(behind_ ? last_commit : std::max(last_commit, wall));
}

void CoreTime::AtLeast(absl::Time time) {
  if (time == absl::InfinitePast()) return;
  const int64_t wanted = absl::ToUnixMicros(time) - absl::ToInt64Microseconds(clock_.Monotonic());
  int64_t now = ahead_us_;
  while (now < wanted && !ahead_us_.compare_exchange_weak(now, wanted)) {
  }
}

absl::Time CoreTime::Now() const {
  return absl::FromUnixMicros(ahead_us_ + absl::ToInt64Microseconds(clock_.Monotonic()));
}

void CoreTime::CatchUp() {
  AtLeast(clock_.Wall());
  behind_ = false;
}

}  // namespace gnomon
