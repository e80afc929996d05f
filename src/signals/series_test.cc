// SPDX-License-Identifier: Apache-2.0
#include "signals/series.h"

#include <gtest/gtest.h>

namespace gnomon {
namespace {

TEST(Series, IsNamedAsPeopleWriteIt) {
  EXPECT_EQ(TextOf({{"__name__", "up"}}), "up");
  EXPECT_EQ(TextOf({{"__name__", "requests"}, {"job", "web"}, {"zone", "a"}}), "requests{job=\"web\",zone=\"a\"}");
  EXPECT_EQ(TextOf({{"job", "web"}}), "{job=\"web\"}");
}

}  // namespace
}  // namespace gnomon
