// SPDX-License-Identifier: Apache-2.0
//
// An Announced is an announcement as callers know it: so many creations of a type are coming.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "engine/announcements.h"

namespace gnomon {

struct Announced {
  AnnouncementId id = {};
  std::string type = {};
  uint32_t count = 0;
  // When the first is to come, in whole seconds. To Announce, InfinitePast: now.
  absl::Time at = absl::InfinitePast();
  uint32_t left = 0;  // still expected
  bool cancelled = false;
  bool made = false;  // by this call
};

}  // namespace gnomon
