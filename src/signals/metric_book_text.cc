// SPDX-License-Identifier: Apache-2.0
//
// What a MetricBook tells at /metrics.
#include <string>

#include "absl/strings/str_cat.h"
#include "signals/metric_book.h"

namespace gnomon {

// Names of sources and reasons are ours, tokens' ids and names of the configuration: none needs escaping.
std::string MetricBook::MetricsText() const {
  const std::vector<SourceStatus> sources = Sources();
  const int64_t now_ms = NowMs();
  std::string ages, samples, errors, series;
  for (const SourceStatus& source : sources) {
    const std::string label = absl::StrCat("{source=\"", source.name, "\"");
    if (source.last_sample_ms.has_value()) {
      absl::StrAppend(&ages, "gnomon_signal_last_sample_age_seconds", label, "} ",
                      static_cast<double>(now_ms - *source.last_sample_ms) / 1000, "\n");
    }
    absl::StrAppend(&samples, "gnomon_signal_samples_total", label, "} ", source.samples, "\n");
    absl::StrAppend(&series, "gnomon_signal_series", label, ",state=\"bound\"} ", source.bound, "\n");
    absl::StrAppend(&series, "gnomon_signal_series", label, ",state=\"unbound\"} ", source.unbound, "\n");
    for (const auto& [reason, count] : source.errors) {
      absl::StrAppend(&errors, "gnomon_signal_errors_total", label, ",reason=\"", reason, "\"} ", count, "\n");
    }
  }
  return absl::StrCat(
      "# HELP gnomon_signal_last_sample_age_seconds Since the newest sample of a source.\n"
      "# TYPE gnomon_signal_last_sample_age_seconds gauge\n", ages,
      "# HELP gnomon_signal_samples_total Samples that rules took.\n# TYPE gnomon_signal_samples_total counter\n", samples,
      "# HELP gnomon_signal_errors_total Samples dropped, requests refused, queries failed.\n"
      "# TYPE gnomon_signal_errors_total counter\n", errors,
      "# HELP gnomon_signal_series Series seen that feed a rule, or none.\n# TYPE gnomon_signal_series gauge\n", series);
}

}  // namespace gnomon
