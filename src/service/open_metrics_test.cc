// SPDX-License-Identifier: Apache-2.0
#include "service/open_metrics.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(OpenMetrics, CountersAreNamedWithoutTheirSuffixAndTheTextEnds) {
  EXPECT_EQ(OpenMetricsOf("# HELP a_total Things, in total.\n# TYPE a_total counter\na_total{x=\"_total \"} 3\n"
                          "# a comment\n# HELP b Seconds.\n# TYPE b gauge\nb 1.5\n"),
            "# HELP a Things, in total.\n# TYPE a counter\na_total{x=\"_total \"} 3\n# HELP b Seconds.\n# TYPE b gauge\nb 1.5\n# EOF\n");
  EXPECT_EQ(OpenMetricsOf(""), "# EOF\n");
}

}  // namespace
}  // namespace gnomon
