// SPDX-License-Identifier: Apache-2.0
#include "signals/remote_write.h"

#include <snappy.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "gmock/gmock.h"
#include "testing/metric_bodies.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RemoteWrite, SeriesComeWithTheirLabelsAndSamples) {
  const auto push = DecodeRemoteWrite(WriteBody({{{"__name__", "up"}, {"job", "web"}}, {{"__name__", "b"}}},
                                                {{{1000, 1}, {2000, 0}}, {{1500, -2.5}}}));
  ASSERT_TRUE(push.ok()) << push.status();
  ASSERT_EQ(push->series.size(), 2u);
  EXPECT_EQ(TextOf(push->series[0].labels), "up{job=\"web\"}");
  EXPECT_THAT(push->series[0].samples, ElementsAre(Sample{1000, 1}, Sample{2000, 0}));
  EXPECT_THAT(push->series[1].samples, ElementsAre(Sample{1500, -2.5}));
  EXPECT_EQ(push->samples, 3u);
  EXPECT_EQ(push->faulty(), 0u);
}

TEST(RemoteWrite, AStaleMarkerEndsASeriesAndWhatIsNotFiniteIsDropped) {
  const auto stale = std::bit_cast<double>(uint64_t{0x7ff0000000000002});
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto push = DecodeRemoteWrite(WriteBody({{{"__name__", "up"}}}, {{{1, 1}, {2, nan}, {3, infinity}, {4, stale}}}));
  ASSERT_TRUE(push.ok()) << push.status();
  EXPECT_THAT(push->series[0].samples, ElementsAre(Sample{1, 1}, Sample{4, 0, true}));
  EXPECT_EQ(push->dropped.at("not_finite"), 2u);
  EXPECT_EQ(push->faulty(), 0u) << "it is usual";
}

TEST(RemoteWrite, ASeriesWithWrongLabelsIsNamedAndTheOthersAreKept) {
  struct Case {
    std::vector<Series::Label> labels;
    std::string want;
  };
  const Case cases[] = {{{}, "has no label __name__"},
                        {{{"job", "web"}}, "has no label __name__"},
                        {{{"job", "web"}, {"__name__", "up"}}, "not sorted"},
                        {{{"__name__", "up"}, {"__name__", "up"}}, "has the label __name__ twice"},
                        {{{"__name__", "up"}, {"job", ""}}, "has an empty label job"},
                        {{{"", "x"}, {"__name__", "up"}}, "without a name"},
                        {{{"__name__", std::string(10'000, 'x')}}, "labels of 10008 bytes"},
                        {std::vector<Series::Label>(65, {"a", "b"}), "has 65 labels; at most 64"}};
  for (const Case& one : cases) {
    const auto push = DecodeRemoteWrite(WriteBody({{{"__name__", "ok"}}, one.labels}, {{{1, 1}}, {{1, 1}, {2, 2}}}));
    ASSERT_TRUE(push.ok()) << push.status();
    EXPECT_EQ(push->series.size(), 1u) << one.want;
    EXPECT_EQ(push->dropped.at("labels"), 2u);
    EXPECT_THAT(push->first_fault, AllOf(HasSubstr("series 1 "), HasSubstr(one.want)));
  }
}

TEST(RemoteWrite, WhatIsTooMuchIsRefusedByItsLimit) {
  const std::string body = WriteBody({{{"__name__", "a"}}, {{"__name__", "b"}}}, {{{1, 1}, {2, 2}}, {{1, 1}, {2, 2}}});
  EXPECT_TRUE(DecodeRemoteWrite(body, {.series = 2, .samples = 4}).ok());
  EXPECT_EQ(CodeOf(DecodeRemoteWrite(body, {.samples = 3}).status()), "TOO_MANY_SAMPLES");
  EXPECT_EQ(CodeOf(DecodeRemoteWrite(body, {.series = 1}).status()), "TOO_MANY_SERIES");
  EXPECT_EQ(CodeOf(DecodeRemoteWrite(body, {.bytes = 10}).status()), "PUSH_TOO_LARGE");
  // A block may say that it holds 4 GB: nothing is allocated by that.
  EXPECT_EQ(CodeOf(DecodeRemoteWrite("\xff\xff\xff\xff\x0f").status()), "PUSH_TOO_LARGE");
  EXPECT_TRUE(absl::IsOutOfRange(DecodeRemoteWrite("\xff\xff\xff\xff\x0f").status()));
}

TEST(RemoteWrite, WhatIsDamagedIsRefused) {
  EXPECT_EQ(CodeOf(DecodeRemoteWrite("").status()), "INVALID_SNAPPY");
  EXPECT_EQ(CodeOf(DecodeRemoteWrite("\x05hello").status()), "INVALID_SNAPPY");
  for (const std::string& message : {std::string("\x0a"), std::string("\x0a\x05\x0a"), std::string("\x07"), std::string("\x0a\x02\x0a\x05xy")}) {
    std::string body;
    snappy::Compress(message.data(), message.size(), &body);
    EXPECT_EQ(CodeOf(DecodeRemoteWrite(body).status()), "INVALID_PROTOBUF") << testing::PrintToString(message);
  }
  std::string nothing;
  snappy::Compress("", 0, &nothing);
  EXPECT_THAT(DecodeRemoteWrite(nothing)->series, IsEmpty());
}

}  // namespace
}  // namespace gnomon
