// SPDX-License-Identifier: Apache-2.0
//
// WriteBody makes the body of a remote write as a Prometheus sends it, for tests and benchmarks.
#pragma once

#include <snappy.h>

#include <string>
#include <utility>
#include <vector>

#include "signals/remote_write.pb.h"
#include "signals/series.h"

namespace gnomon {

// One item of `samples` for each of `labels`: times in ms, and values.
inline std::string WriteBody(const std::vector<std::vector<Series::Label>>& labels,
                             const std::vector<std::vector<std::pair<int64_t, double>>>& samples) {
  std::string message;
  for (size_t i = 0; i < labels.size(); ++i) {
    wire::WrittenSeries series;
    for (const Series::Label& label : labels[i]) {
      series.add_labels()->set_name(label.name);
      series.mutable_labels()->rbegin()->set_value(label.value);
    }
    for (const auto& [time_ms, value] : samples[i]) {
      series.add_samples()->set_timestamp(time_ms);
      series.mutable_samples()->rbegin()->set_value(value);
    }
    const std::string bytes = series.SerializeAsString();
    message.push_back('\x0a');
    for (size_t size = bytes.size();; size >>= 7) {
      message.push_back(static_cast<char>(size < 128 ? size : (size & 127) | 128));
      if (size < 128) break;
    }
    message += bytes;
  }
  std::string body;
  snappy::Compress(message.data(), message.size(), &body);
  return body;
}

}  // namespace gnomon
