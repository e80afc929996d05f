// SPDX-License-Identifier: Apache-2.0
//
// Each example of the documents of Kubernetes, KEDA and AWS, written anew in testdata/, with its explanation.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signals/policy_book.h"
#include "signals/policy_reader.h"

namespace gnomon {
namespace {

int64_t At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text;
  return absl::ToUnixSeconds(time);
}

PoliciesRead ReadExample(const std::string& file, const std::string& type) {
  std::ifstream stream(absl::StrCat(GNOMON_SIGNALS_TESTDATA, "/", file));
  EXPECT_TRUE(stream.good()) << file;
  std::stringstream text;
  text << stream.rdbuf();
  absl::StatusOr<PoliciesRead> read = ReadPolicies({.text = text.str(), .file = file, .type = type});
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? *std::move(read) : PoliciesRead{};
}

std::string Explained(const PolicyBook& book, const std::string& type, const PolicyBook::At& at) {
  std::vector<std::string> lines;
  for (const RuleEffect& line : book.Explain(type, at)) lines.push_back(absl::StrCat(line.rule, ": ", line.effect));
  return absl::StrJoin(lines, "\n");
}

struct Example {
  std::string file, given, type, want, unknown;
};

std::vector<Example> KubernetesExamples() {
  const std::string web =
      "hpa/web: at least 1 (minReplicas), at most 100 (maxReplicas); from 10 at most 80 within 30 s\n"
      "hpa/web: holds ContainerResource cpu at 60 %";
  return {
      {"hpa_walkthrough.yaml", "", "php-apache",
       "deployment/php-apache: replicas 1 only until an autoscaler sets them\n"
       "deployment/php-apache: a rollout adds 3 for a while (maxSurge 25%)\n"
       "hpa/php-apache: at least 1 (minReplicas), at most 10 (maxReplicas); from 10 at most 10 within 30 s\n"
       "hpa/php-apache: holds Resource cpu at 50 %\n"
       "hpa/php-apache: holds Pods packets-per-second at 1000 an instance\n"
       "hpa/php-apache: holds Object requests-per-second at 10000 in all\n"
       "hpa/php-apache: holds External queue_messages_ready at 30 an instance",
       ""},
      {"hpa_v1.yaml", "shop", "shop",
       "hpa/php-apache: at least 1 (minReplicas), at most 10 (maxReplicas); from 10 at most 10 within 30 s\n"
       "hpa/php-apache: holds Resource cpu at 50 %",
       ""},
      {"hpa_behavior_pods_and_percent.yaml", "", "web", web, ""},
      {"hpa_behavior_window.yaml", "", "web", web, ""},
      {"hpa_behavior_least.yaml", "", "web", web, ""},
      {"hpa_behavior_disabled.yaml", "", "web", web, ""},
      {"hpa_behavior_default.yaml", "", "web", web, ""},
      {"hpa_behavior_tolerance.yaml", "", "web", web, ""},
      {"keda_cron.yaml", "", "my-deployment",
       "scaledobject/cron-scaledobject: at least 0 (minReplicaCount), at most 4 (maxReplicaCount); from 10 at most 4 within 30 s\n"
       "keda-cron 0 6 * * * Asia/Kolkata: at least 1 until 2026-03-02T20:00+05:30, then down after 300 s (cooldownPeriod)\n"
       "scaledobject/cron-scaledobject: holds cpu at 80 %",
       ""},
      {"keda_scaled_object.yaml", "", "my-deployment",
       "scaledobject/prometheus-scaledobject: at least 1 (minReplicaCount), 0 when idle (idleReplicaCount), at most 100 "
       "(maxReplicaCount); from 10 at most 80 within 30 s\n"
       "scaledobject/prometheus-scaledobject: holds prometheus query "
       "sum(rate(http_requests_total{deployment=\"my-deployment\"}[2m])) at 100.5 an instance",
       "spec.triggers[1].metadata"},
      {"keda_paused.yaml", "", "api", "scaledobject/prometheus-scaledobject: paused at 3", "spec.triggers[1].metadata"},
  };
}

std::vector<Example> AwsExamples() {
  return {
      {"aws_group.json", "", "my-asg",
       "group/my-asg: at least 0 (MinSize), at most 10 (MaxSize), 2 wanted (DesiredCapacity), unless a scheduled action has set another",
       ""},
      {"aws_scheduled_actions.json", "", "my-asg",
       "scheduled-action/my-recurring-action 30 0 1 1,6,12 * UTC: sets desired 4, at least 1, at most 6 since 2026-01-01T00:30Z, "
       "again at 2026-06-01T00:30Z\n"
       "scheduled-action/open for business 0 9 * * 1-5 America/New_York: sets desired 8, at least 6, at most 20 since "
       "2026-02-27T09:00-05:00, again at 2026-03-02T09:00-05:00",
       ""},
      {"aws_put_action.json", "", "my-asg", "scheduled-action/one-time at 2026-03-31T08:00Z: sets desired 3 at 2026-03-31T08:00Z", ""},
      {"aws_policies.json", "", "my-asg",
       "scaling-policy/cpu40-predictive: launches 600 s before the hour of its forecast (SchedulingBufferTime), and may go above MaxSize\n"
       "scaling-policy/cpu50-target-tracking: holds ASGAverageCPUUtilization at 50 %\n"
       "scaling-policy/simple: nothing that is understood here",
       "AdjustmentType ScalingAdjustment"},
      {"aws_target_tracking.json", "web", "web", "scaling-policy/target-tracking: holds CloudWatch MyNamespace/MyBacklogPerInstance at 100 an instance", ""},
      {"aws_predictive.json", "web", "web", "scaling-policy/predictive: nothing: it only forecasts", ""},
  };
}

void CheckExample(const Example& test) {
  SCOPED_TRACE(test.file);
  PoliciesRead read = ReadExample(test.file, test.given);
  std::vector<std::string> unknown;
  for (const ScalingPolicy& policy : read.policies) {
    for (const std::string& path : policy.unknown) {
      const size_t item = path.find("].");  // of a list of AWS
      unknown.push_back(path.starts_with("Scaling") && item != path.npos ? path.substr(item + 2) : path);
    }
  }
  std::erase(unknown, "StepAdjustments");
  EXPECT_EQ(absl::StrJoin(unknown, " "), test.unknown);
  for (const ScalingPolicy& policy : read.policies) {  // what is stored reads back as the same
    absl::StatusOr<PoliciesRead> again = ReadPolicies({.text = policy.document, .file = "-", .type = policy.type});
    ASSERT_TRUE(again.ok()) << again.status() << policy.document;
    EXPECT_EQ(again->policies[0].document, policy.document);
    EXPECT_EQ(again->policies[0].name, policy.name);
  }
  const PolicyBook book(std::move(read.policies));
  EXPECT_EQ(Explained(book, test.type, {.now_s = At("2026-03-02T08:00:00Z"), .horizon_s = 0, .instances = 10}), test.want);
}

TEST(PolicyExamples, EachOfKubernetesAndKedaParsesAndItsExplanationIsRight) {
  for (const Example& example : KubernetesExamples()) CheckExample(example);
}

TEST(PolicyExamples, EachOfAwsParsesAndItsExplanationIsRight) {
  for (const Example& example : AwsExamples()) CheckExample(example);
}

TEST(PolicyExamples, AWrongValueNamesItsPathAndLine) {
  const struct {
    std::string text, says, hint;
  } cases[] = {
      {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec:\n  scaleTargetRef: {name: a}\n  maxReplicas: many\n",
       "f.yaml:6: spec.maxReplicas: \"many\" is not a whole number", "from 1 to"},
      {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {scaleTargetRef: {name: a}, minReplicas: 5, maxReplicas: 3}",
       "f.yaml:4: spec.maxReplicas: \"3\" is less than minReplicas, 5", "as large"},
      {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {scaleTargetRef: {name: a}}",
       "f.yaml:4: spec.maxReplicas: is missing", "required"},
      {"apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  - type: cron\n    metadata:\n"
       "      timezone: Mars/Base\n      start: 0 8 * * *\n      end: 0 9 * * *\n      desiredReplicas: 3\n",
       "f.yaml:9: spec.triggers[0].metadata.timezone: \"Mars/Base\" is no time zone", "IANA"},
      {"kind: [", "f.yaml:", "YAML"},
      {"a: 1", "f.yaml:1: this is no policy that is known here", "HorizontalPodAutoscaler"},
      {"kind: Service\nmetadata: {name: a}", "f.yaml: there is no policy in it", "HorizontalPodAutoscaler"},
      {"{\"TargetValue\": 1, \"PredefinedMetricSpecification\": {}}", "f.yaml:1: nothing here says of which instances", "--type"},
      {"a: 1\na: 2", "f.yaml:2: \"a\" is there twice, first in line 1", "YAML"},
      {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
       "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]",
       "more than 100000 values", "YAML"},
      {absl::StrCat("a: &a ", std::string(300'000, 'x'), "\nb: [", std::string(3 * 1000, ' '), absl::StrJoin(std::vector<std::string>(40, "*a"), ", "), "]"),
       "more than 100000 values", "YAML"},
      {std::string(200, '['), "deeper than 40 levels", "YAML"},
  };
  for (const auto& test : cases) {
    const absl::Status status = ReadPolicies({.text = test.text, .file = "f.yaml"}).status();
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(test.says));
    EXPECT_THAT(PartsOf(status).hint, testing::HasSubstr(test.hint)) << status;
  }
}

}  // namespace
}  // namespace gnomon
