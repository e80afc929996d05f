// SPDX-License-Identifier: Apache-2.0
#include "signals/policy_book.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signals/policy_reader.h"

namespace gnomon {
namespace {

using testing::ElementsAre;

int64_t At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text;
  return absl::ToUnixSeconds(time);
}

std::vector<ScalingPolicy> Policies(const std::string& text) {
  absl::StatusOr<PoliciesRead> read = ReadPolicies({.text = text});
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? read->policies : std::vector<ScalingPolicy>();
}

constexpr char kWindows[] = R"(
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 2
  maxReplicaCount: 40
  triggers:
  - {type: cron, metadata: {timezone: Europe/Berlin, start: 0 8 * * 1-5, end: 0 18 * * 1-5, desiredReplicas: "10"}}
  - {type: cron, metadata: {timezone: Europe/Berlin, start: 0 9 * * 1-5, end: 0 10 * * 1-5, desiredReplicas: "60"}}
)";

TEST(PolicyBook, WindowsAreFloorsBetweenTheirTimes) {
  const PolicyBook book(Policies(kWindows));
  // Clocks go forward on Sunday 29 March: Monday's 08:00 is 06:00 UTC.
  const PolicyOutlook outlook = book.OutlookFor("web", {.now_s = At("2026-03-30T05:00:00Z"), .horizon_s = 86400});
  ASSERT_TRUE(outlook.least.has_value());
  EXPECT_EQ(outlook.least->count, 2);
  EXPECT_EQ(outlook.most->count, 40);
  const std::string morning = "keda-cron 0 8 * * 1-5 Europe/Berlin", peak = "keda-cron 0 9 * * 1-5 Europe/Berlin";
  EXPECT_THAT(outlook.steps, ElementsAre(PolicyStep{At("2026-03-30T06:00:00Z"), 10, true, morning},
                                         PolicyStep{At("2026-03-30T07:00:00Z"), 40, true, peak},
                                         PolicyStep{At("2026-03-30T08:00:00Z"), 10, true, "end of " + peak},
                                         PolicyStep{At("2026-03-30T16:00:00Z"), 2, true, "end of " + morning}));
}

TEST(PolicyBook, ScheduledActionsSetWhatTheyNameUntilTheNext) {
  const PolicyBook book(Policies(R"({"AutoScalingGroups": [{"AutoScalingGroupName": "g", "MinSize": 1, "MaxSize": 10, "DesiredCapacity": 2}]}
---
{"ScheduledUpdateGroupActions": [
  {"AutoScalingGroupName": "g", "ScheduledActionName": "up", "Recurrence": "0 9 * * *", "TimeZone": "America/New_York", "MinSize": 5, "MaxSize": 30, "DesiredCapacity": 20},
  {"AutoScalingGroupName": "g", "ScheduledActionName": "down", "Recurrence": "0 17 * * *", "TimeZone": "America/New_York", "MinSize": 1, "MaxSize": 8}]})"));
  const PolicyOutlook night = book.OutlookFor("g", {.now_s = At("2026-11-24T12:00:00Z"), .horizon_s = 12 * 3600, .instances = 3});
  EXPECT_EQ(night.least->count, 1);
  EXPECT_EQ(night.most->count, 30);
  EXPECT_THAT(night.steps,
              ElementsAre(PolicyStep{At("2026-11-24T14:00:00Z"), 20, false, "scheduled-action/up 0 9 * * * America/New_York"},
                          PolicyStep{At("2026-11-24T22:00:00Z"), 8, false, "scheduled-action/down 0 17 * * * America/New_York"}));
  EXPECT_EQ(book.OutlookFor("g", {.now_s = At("2026-11-24T12:00:00Z"), .horizon_s = 60}).most->count, 8);
  EXPECT_EQ(book.OutlookFor("g", {.now_s = At("2026-11-24T15:00:00Z"), .horizon_s = 60}).least->count, 5);
}

TEST(PolicyBook, PoliciesOfOneTypeCombine) {
  const PolicyBook book(Policies(absl::StrCat(kWindows, R"(---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {name: web}, minReplicas: 3, maxReplicas: 30}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 7, strategy: {rollingUpdate: {maxSurge: 25%}}}
)")));
  const PolicyOutlook outlook = book.OutlookFor("web", {.now_s = At("2026-03-30T05:00:00Z"), .horizon_s = 15, .instances = 5});
  EXPECT_EQ(outlook.least->count, 3);  // not the Deployment's 7
  EXPECT_EQ(outlook.most->count, 20);  // doubled twice
  EXPECT_EQ(outlook.most->rule, "hpa/web (behavior)");
  EXPECT_EQ(outlook.surge->count, 2);
  EXPECT_EQ(outlook.surge->rule, "deployment/web (maxSurge)");
  ASSERT_EQ(outlook.tracking.size(), 1U);
  EXPECT_EQ(outlook.tracking[0].metric.name, "cpu");
  const PolicyOutlook none = book.OutlookFor("other", {});
  EXPECT_FALSE(none.most || none.least || none.surge || !none.steps.empty());
}

}  // namespace
}  // namespace gnomon
