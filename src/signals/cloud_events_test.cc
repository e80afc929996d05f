// SPDX-License-Identifier: Apache-2.0
#include "signals/cloud_events.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

std::string Event(const std::string& more, const std::string& data = R"({"type":"web","count":30})") {
  return absl::StrCat(R"({"specversion":"1.0","type":"x","source":"/a b","id":"1~2")", more, R"(,"data":)", data, "}");
}

TEST(CloudEvents, TheirDataIsAnAnnouncementInAllModes) {
  const absl::StatusOr<std::vector<SignalEvent>> one = DecodeCloudEvents(Event(R"(,"time":"2027-01-15T08:00:00Z")"));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->front().id, (AnnouncementId{"~2Fa~20b", "1~7E2"})) << "names, of which no two are the same";
  EXPECT_EQ(one->front().count, 30u);
  EXPECT_EQ(one->front().at, absl::FromUnixSeconds(1'800'000'000)) << "the event's time";
  const auto batch = DecodeCloudEvents(
      absl::StrCat("[", Event(""), ",", Event("", R"({"type":"db","count":1,"at":"2027-01-15T08:00:01Z"})"), "]"));
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ((*batch)[0].at, absl::InfinitePast()) << "now";
  EXPECT_EQ((*batch)[1].at, absl::FromUnixSeconds(1'800'000'001));
  EXPECT_TRUE(DecodeCloudEvents("[]")->empty());
  const auto binary = DecodeBinaryCloudEvent({"1.0", "ci", "9", ""}, R"({"type":"web","count":2})");
  ASSERT_TRUE(binary.ok()) << binary.status();
  EXPECT_EQ(binary->id, (AnnouncementId{"ci", "9"}));
}

TEST(CloudEvents, WhatIsWrongIsRefusedByFieldAndNothingOfItsBatchIsUsed) {
  struct Case {
    std::string body, code, field;
  };
  const std::string longest(43, '/');
  for (const Case& c : {Case{"", "INVALID_JSON", ""},
                        Case{R"({"source":"a"})", "UNKNOWN_VERSION", "specversion"},
                        Case{R"({"specversion":"1.0"})", "MISSING_FIELD", "source"},
                        Case{R"({"specversion":"1.0","source":"a"})", "MISSING_FIELD", "id"},
                        Case{absl::StrCat(R"({"specversion":"1.0","id":"1","source":")", longest, R"("})"), "INVALID_NAME", "source"},
                        Case{Event("", "3"), "MISSING_FIELD", "data"},
                        Case{Event("", R"({"count":1})"), "INVALID_NAME", "data.type"},
                        Case{Event("", R"({"type":"web"})"), "OUT_OF_RANGE", "data.count"},
                        Case{Event("", R"({"type":"web","count":0})"), "OUT_OF_RANGE", "data.count"},
                        Case{Event("", R"({"type":"web","count":1.5})"), "OUT_OF_RANGE", "data.count"},
                        Case{Event("", R"({"type":"web","count":1,"at":3})"), "INVALID_TIME", "data.at"},
                        Case{Event(R"(,"time":"noon")"), "INVALID_TIME", "time"},
                        Case{absl::StrCat("[", Event(""), ",3]"), "UNKNOWN_VERSION", "[1].specversion"}}) {
    const absl::Status status = DecodeCloudEvents(c.body).status();
    EXPECT_EQ(CodeOf(status), c.code) << c.body;
    EXPECT_EQ(PartsOf(status).field, c.field) << c.body;
  }
}

}  // namespace
}  // namespace gnomon
