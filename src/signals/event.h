// SPDX-License-Identifier: Apache-2.0
//
// A SignalEvent is what one event of another system means to the engine: creations that are coming, or come no more.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/announcements.h"

namespace gnomon {

struct SignalEvent {
  enum class What : uint8_t {
    kNothing,   // it concerns no creation, or none any more: `why`
    kAnnounce,  // `count` creations of `type` from `at` on
    kStarted,   // what was announced as `id` runs: by a creation of its own, or on what was there
    kCancel,    // what was announced as `id` does not come
  };
  What what = What::kNothing;
  AnnouncementId id = {};
  std::string type = {};
  uint32_t count = 0;
  absl::Time at = absl::InfinitePast();  // InfinitePast: now
  std::string why = {};

  static SignalEvent Nothing(std::string why) { return {.why = std::move(why)}; }
};

}  // namespace gnomon
