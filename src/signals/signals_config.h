// SPDX-License-Identifier: Apache-2.0
//
// A SignalsConfig is the section "signals" of the configuration: where telemetry comes from, and what it means.
//
// Threads: a value type.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "signals/metric_rule.h"

namespace gnomon {

// A Prometheus, Thanos, Mimir or VictoriaMetrics that is polled. Files are read anew at each connection.
struct PrometheusSource {
  std::string name = {}, url = {};
  std::string bearer_token_file = {}, username = {}, password_file = {};
  std::string ca_file = {}, cert_file = {}, key_file = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // as X-Scope-OrgID
  absl::Duration interval = absl::Seconds(15);
  absl::Duration timeout = absl::Seconds(30);  // of one query
};

struct SignalsConfig {
  static constexpr size_t kMaxPrometheus = 16;
  static constexpr size_t kMaxMetrics = 200;

  std::vector<PrometheusSource> prometheus;
  std::vector<MetricRule> metrics;
};

}  // namespace gnomon
