// SPDX-License-Identifier: Apache-2.0
//
// Any text as a cron schedule: what parses comes when it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "signals/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const absl::StatusOr<gnomon::CronSchedule> cron =
      gnomon::CronSchedule::Parse(std::string_view(reinterpret_cast<const char*>(bytes), size));
  if (!cron.ok()) return 0;
  constexpr int64_t kNow = 1774742400;  // the day before clocks go forward in Berlin
  static const gnomon::Zone zone = gnomon::Zone::Find("Europe/Berlin").value();
  const std::optional<int64_t> next = cron->Next(kNow, zone);
  if (next && (*next <= kNow || cron->Previous(*next, zone) != next)) std::abort();
  return 0;
}
