// SPDX-License-Identifier: Apache-2.0
//
// A MetricPush is what a decoder found in one request that brings samples: those that can be used, and what was wrong.
//
// Threads: a value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "signals/series.h"

namespace gnomon {

// Bounds of one request, checked before anything is allocated by them.
struct PushLimits {
  size_t bytes = 8 << 20;     // decompressed
  size_t series = 20'000;
  size_t samples = 100'000;
  size_t labels = 64;         // of a series
  size_t label_bytes = 8192;  // of all names and values of a series
};

struct MetricPush {
  std::vector<Series> series = {};
  uint64_t samples = 0;  // in all series above
  // Samples that were dropped, by reason: "not_finite" and "no_value" are usual, all others are the sender's fault.
  std::map<std::string, uint64_t> dropped = {};
  std::string first_fault = {};  // says which series or sample the first faulty one is, and why; empty: none is

  uint64_t faulty() const {
    uint64_t count = 0;
    for (const auto& [reason, samples_of_it] : dropped) {
      if (reason != "not_finite" && reason != "no_value") count += samples_of_it;
    }
    return count;
  }
};

}  // namespace gnomon
