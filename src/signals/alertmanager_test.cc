// SPDX-License-Identifier: Apache-2.0
#include "signals/alertmanager.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using What = SignalEvent::What;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z

std::string Webhook(const std::string& alerts) { return absl::StrCat(R"({"version":"4","alerts":[)", alerts, "]}"); }

std::string Alert(const std::string& labels, const std::string& annotations = "", const std::string& status = "firing",
                  const std::string& starts = "2027-01-15T07:59:58.5Z") {
  return absl::StrCat(R"({"status":")", status, R"(","labels":{)", labels, R"(},"annotations":{)", annotations,
                      R"(},"startsAt":")", starts, R"(","fingerprint":"abc123"})");
}

TEST(Alertmanager, AnAlertWithATypeAnnouncesWhileItFires) {
  struct Case {
    std::string alert;
    What what;
    uint32_t count;
    int64_t at_s;  // from now
    std::string why;
  };
  const std::string web = R"("gnomon_type":"web")";
  for (const Case& c : {
           Case{Alert(web), What::kAnnounce, 1, -2, ""},
           Case{Alert(web + R"(,"gnomon_count":"30")"), What::kAnnounce, 30, -2, ""},
           Case{Alert(web, R"("gnomon_count":"7","gnomon_at":"2027-01-15T09:01:00+01:00")"), What::kAnnounce, 7, 60, ""},
           Case{Alert(web, "", "resolved"), What::kCancel, 1, -2, ""},
           Case{Alert(web, "", "firing", "2027-01-15T07:54:59Z"), What::kNothing, 0, 0, "expected no more"},
           Case{Alert(""), What::kNothing, 0, 0, "no label gnomon_type"},
           Case{Alert(R"("gnomon_type":"a b")"), What::kNothing, 0, 0, R"(gnomon_type "a b")"},
           Case{Alert(web + R"(,"gnomon_count":"0")"), What::kNothing, 0, 0, R"(gnomon_count "0")"},
           Case{Alert(web + R"(,"gnomon_count":"100001")"), What::kNothing, 0, 0, "gnomon_count"},
           Case{Alert(web, R"("gnomon_at":"infinite-future")"), What::kNothing, 0, 0, "gnomon_at"},
           Case{Alert(web, "", "suppressed"), What::kNothing, 0, 0, "status"},
           Case{Alert(web, "", "firing", "yesterday"), What::kNothing, 0, 0, "startsAt"},
           Case{"3", What::kNothing, 0, 0, "no label"},
       }) {
    const auto events = DecodeAlerts(Webhook(c.alert), kNow);
    ASSERT_TRUE(events.ok() && events->size() == 1) << events.status();
    const SignalEvent& event = events->front();
    EXPECT_EQ(event.what, c.what) << c.alert;
    EXPECT_THAT(event.why, HasSubstr(c.why));
    if (c.what == What::kNothing) continue;
    EXPECT_EQ(event.id, (AnnouncementId{"alertmanager", "abc123-1799999998"}));
    EXPECT_EQ(event.type, "web");
    EXPECT_EQ(event.count, c.count);
    EXPECT_EQ(absl::ToInt64Seconds(absl::Floor(event.at - kNow, absl::Seconds(1))), c.at_s);
  }
}

TEST(Alertmanager, WhatIsNoWebhookIsRefused) {
  std::string many = "3";
  for (size_t i = 0; i < kMaxAlerts; ++i) many += ",3";
  for (const auto& [body, code] : {std::pair<std::string, std::string>{"", "INVALID_JSON"},
                                   {"{}", "UNKNOWN_VERSION"},
                                   {R"({"version":"5","alerts":[]})", "UNKNOWN_VERSION"},
                                   {R"({"version":"4"})", "MISSING_FIELD"},
                                   {R"({"version":"4","alerts":{}})", "MISSING_FIELD"},
                                   {Webhook(many), "TOO_MANY_EVENTS"}}) {
    EXPECT_EQ(CodeOf(DecodeAlerts(body, kNow).status()), code) << body.substr(0, 50);
  }
}

}  // namespace
}  // namespace gnomon
