// SPDX-License-Identifier: Apache-2.0
//
// A Series is some samples of one metric under one set of labels, as monitoring systems send them.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gnomon {

struct Sample {
  int64_t time_ms = 0;  // of 1970 UTC
  double value = 0;
  bool ends = false;  // a stale marker: the series has no value from then on
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Series {
  struct Label {
    std::string name = {}, value = {};
    friend auto operator<=>(const Label&, const Label&) = default;
  };
  std::vector<Label> labels = {};    // by name, each once; the metric's own is "__name__"
  std::vector<Sample> samples = {};  // in the order in which they were sent
  bool increases = false;            // each value is what came since the sample before, not a total
  friend bool operator==(const Series&, const Series&) = default;
};

// As people write it: `http_requests_total{job="web"}`.
std::string TextOf(const std::vector<Series::Label>& labels);

}  // namespace gnomon
