// SPDX-License-Identifier: Apache-2.0
//
// OpenMetricsOf turns metrics in the text format of Prometheus 0.0.4 into OpenMetrics 1.0.
//
// The samples are the same. A family of counters is called without the "_total" of its samples, and the text has an end, so
// that a reader knows of one that was cut off.
//
// Threads: a function of its argument. Cost: a copy.
#pragma once

#include <string>
#include <string_view>

namespace gnomon {

// `text` is what Metrics::Text() and its like make: each line ends, each counter's name ends in "_total".
std::string OpenMetricsOf(std::string_view text);

}  // namespace gnomon
