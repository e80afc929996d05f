// SPDX-License-Identifier: Apache-2.0
//
// AWS Auto Scaling: groups, scheduled actions, target tracking and predictive policies. Names of members and defaults: Amazon
// EC2 Auto Scaling API reference.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "signals/policy_families.h"

namespace gnomon {
namespace {

constexpr int64_t kMaxCount = DocumentFields::kMaxCount;
constexpr int64_t kMaxSeconds = 7 * 86400;

void SetName(PolicyKind kind, const std::string& group, const std::string& name, ScalingPolicy* policy) {
  const std::string prefix(PrefixOf(kind));
  policy->kind = kind;
  policy->group = group;
  policy->name = absl::StrCat(prefix, ".", EncodedName(group), name.empty() ? "" : ".", EncodedName(name));
  policy->title = absl::StrCat(prefix, "/", name.empty() ? group : name);
  if (policy->type.empty()) policy->type = EncodedName(group);
}

// RFC 3339 as the API has it, or seconds as older tools print them.
std::optional<int64_t> ReadTime(DocumentFields& fields, std::string_view name) {
  const std::optional<std::string> text = fields.Text(name);
  if (!text) return std::nullopt;
  absl::Time time;
  std::string error;
  double seconds = 0;
  std::optional<int64_t> at;
  if (absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) {
    at = absl::ToUnixSeconds(time);
  } else if (absl::SimpleAtod(*text, &seconds) && seconds >= 0 && seconds < 1e11) {
    at = static_cast<int64_t>(seconds);
  }
  if (at && *at >= CronSchedule::kFirstS && *at <= CronSchedule::kLastS) return at;
  fields.Fail(name, "is no time", "use one as 2026-03-02T08:00:00Z");
  return std::nullopt;
}

void CheckOrder(DocumentFields& item, const std::optional<int64_t>& least, const std::optional<int64_t>& most,
                const std::optional<int64_t>& desired) {
  if (least && most && *most < *least) {
    item.Fail("MaxSize", absl::StrCat("is less than MinSize, ", *least), "let it be as large, or larger");
  }
  if (desired && ((least && *desired < *least) || (most && *desired > *most))) {
    item.Fail("DesiredCapacity", "is not from MinSize to MaxSize", "use a number between them");
  }
}

// The metric of a target tracking policy.
MetricTarget ReadTrackedMetric(DocumentFields& configuration) {
  MetricTarget metric;
  if (configuration.Has("PredefinedMetricSpecification")) {
    DocumentFields predefined = configuration.Map("PredefinedMetricSpecification");
    metric.source = predefined.Text("PredefinedMetricType").value_or("");
    if (metric.source.empty()) predefined.Lacks("PredefinedMetricType", "as ASGAverageCPUUtilization");
    metric.name = predefined.Text("ResourceLabel").value_or("");
    if (metric.source == "ASGAverageCPUUtilization") metric.of = MetricTarget::Of::kUtilization;
    predefined.Done();
  } else if (configuration.Has("CustomizedMetricSpecification")) {
    DocumentFields customized = configuration.Map("CustomizedMetricSpecification");
    metric.source = "CloudWatch";
    metric.name = customized.Text("MetricName").value_or("");
    const std::string space = customized.Text("Namespace").value_or("");
    if (!space.empty()) metric.name = absl::StrCat(space, "/", metric.name);
    if (customized.Has("Metrics")) metric.name = "metric math";
    customized.Skip({"Metrics", "Dimensions", "Statistic", "Unit", "Period"});
    if (metric.name.empty()) customized.Lacks("MetricName", "name the metric");
    customized.Done();
  } else {
    configuration.Lacks("PredefinedMetricSpecification", "give it, or CustomizedMetricSpecification");
  }
  return metric;
}

}  // namespace

std::string EncodedName(std::string_view theirs) {
  std::string ours;
  for (const char letter : theirs) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
    if (plain) {
      ours.push_back(letter);
    } else {
      absl::StrAppend(&ours, "~", absl::Hex(static_cast<unsigned char>(letter), absl::kZeroPad2));
    }
  }
  return ours;
}

void ReadGroup(DocumentFields& item, ScalingPolicy* policy) {
  const std::string group = item.Text("AutoScalingGroupName").value_or("");
  if (group.empty()) return item.Lacks("AutoScalingGroupName", "name the group");
  for (DocumentFields& tag : item.List("Tags")) {
    if (tag.Text("Key") == "gnomon.dev/type" && policy->type.empty()) policy->type = tag.Text("Value").value_or("");
  }
  SetName(PolicyKind::kGroup, group, "", policy);
  policy->least = item.Int("MinSize", 0, kMaxCount);
  policy->most = item.Int("MaxSize", 0, kMaxCount);
  policy->desired = item.Int("DesiredCapacity", 0, kMaxCount);
  policy->cooldown_s = item.Int("DefaultCooldown", 0, kMaxSeconds).value_or(300);
  CheckOrder(item, policy->least, policy->most, policy->desired);
  item.Skip({"AutoScalingGroupARN", "AvailabilityZones", "CapacityRebalance", "CreatedTime", "DefaultInstanceWarmup",
             "EnabledMetrics", "HealthCheckGracePeriod", "HealthCheckType", "Instances", "LaunchConfigurationName",
             "LaunchTemplate", "LoadBalancerNames", "MixedInstancesPolicy", "NewInstancesProtectedFromScaleIn",
             "ServiceLinkedRoleARN", "Status", "SuspendedProcesses", "TargetGroupARNs", "TerminationPolicies",
             "TrafficSources", "VPCZoneIdentifier"});
  item.Done();
}

void ReadScheduledAction(DocumentFields& item, const std::string& group, ScalingPolicy* policy) {
  const std::string of = item.Text("AutoScalingGroupName").value_or(group);
  const std::string name = item.Text("ScheduledActionName").value_or("");
  if (of.empty()) return item.Lacks("AutoScalingGroupName", "name the group");
  if (name.empty()) return item.Lacks("ScheduledActionName", "name the action");
  SetName(PolicyKind::kScheduledAction, of, name, policy);
  ScheduledAction action;
  ReadCron(item, "Recurrence", &action.recurrence);
  ReadZone(item, "TimeZone", &action.zone);
  action.start_s = ReadTime(item, "StartTime");
  action.end_s = ReadTime(item, "EndTime");
  action.least = item.Int("MinSize", 0, kMaxCount);
  action.most = item.Int("MaxSize", 0, kMaxCount);
  action.desired = item.Int("DesiredCapacity", 0, kMaxCount);
  if (!item.Has("Recurrence") && !item.Has("StartTime")) item.Lacks("Recurrence", "give StartTime, or Recurrence, or both");
  if (!action.least && !action.most && !action.desired) item.Lacks("DesiredCapacity", "give it, MinSize or MaxSize");
  CheckOrder(item, action.least, action.most, action.desired);
  item.Skip({"ScheduledActionARN", "Time"});
  item.Done();
  policy->action = std::move(action);
}

void ReadTargetTracking(DocumentFields& configuration, ScalingPolicy* policy) {
  MetricTarget metric = ReadTrackedMetric(configuration);
  metric.target = configuration.Number("TargetValue").value_or(0);
  if (!configuration.Has("TargetValue")) configuration.Lacks("TargetValue", "give the target");
  if (configuration.Has("TargetValue") && metric.target <= 0) configuration.Fail("TargetValue", "is not above 0", "use a number above 0");
  if (configuration.Bool("DisableScaleIn").value_or(false)) {
    policy->down = ScalingDirection{.select = ScalingDirection::Select::kDisabled};
  }
  configuration.Done();
  policy->metrics.push_back(std::move(metric));
}

void ReadPredictive(DocumentFields& configuration, ScalingPolicy* policy) {
  Predictive predictive;
  const std::string mode = configuration.Text("Mode").value_or("ForecastOnly");
  predictive.scales = mode == "ForecastAndScale";
  if (!predictive.scales && mode != "ForecastOnly") configuration.Fail("Mode", "is not known", "use ForecastOnly or ForecastAndScale");
  predictive.ahead_s = configuration.Int("SchedulingBufferTime", 0, 3600).value_or(300);
  const std::string breach = configuration.Text("MaxCapacityBreachBehavior").value_or("HonorMaxCapacity");
  predictive.raises_most = breach == "IncreaseMaxCapacity";
  if (!predictive.raises_most && breach != "HonorMaxCapacity") {
    configuration.Fail("MaxCapacityBreachBehavior", "is not known", "use HonorMaxCapacity or IncreaseMaxCapacity");
  }
  configuration.Int("MaxCapacityBuffer", 0, 100);
  for (DocumentFields& specification : configuration.List("MetricSpecifications")) {
    MetricTarget metric{.source = "forecast"};
    metric.target = specification.Number("TargetValue").value_or(0);
    if (metric.target <= 0) specification.Fail("TargetValue", "is not above 0", "use a number above 0");
    for (std::string_view name : {"PredefinedMetricPairSpecification", "PredefinedScalingMetricSpecification"}) {
      if (specification.Has(name)) metric.name = specification.Map(name).Text("PredefinedMetricType").value_or("");
    }
    specification.Skip({"PredefinedLoadMetricSpecification", "CustomizedScalingMetricSpecification",
                        "CustomizedLoadMetricSpecification", "CustomizedCapacityMetricSpecification"});
    if (metric.name.empty()) metric.name = "metric math";
    specification.Done();
    policy->metrics.push_back(std::move(metric));
  }
  if (!configuration.Has("MetricSpecifications")) configuration.Lacks("MetricSpecifications", "give one metric and its target");
  configuration.Done();
  policy->predictive = predictive;
}

void ReadScalingPolicy(DocumentFields& item, ScalingPolicy* policy) {
  const std::string group = item.Text("AutoScalingGroupName").value_or("");
  const std::string name = item.Text("PolicyName").value_or("");
  if (group.empty()) return item.Lacks("AutoScalingGroupName", "name the group");
  if (name.empty()) return item.Lacks("PolicyName", "name the policy");
  SetName(PolicyKind::kScalingPolicy, group, name, policy);
  policy->paused = !item.Bool("Enabled").value_or(true);
  item.Skip({"PolicyType", "PolicyARN", "Alarms", "EstimatedInstanceWarmup", "Cooldown"});
  if (item.Has("TargetTrackingConfiguration")) {
    DocumentFields configuration = item.Map("TargetTrackingConfiguration");
    ReadTargetTracking(configuration, policy);
  }
  if (item.Has("PredictiveScalingConfiguration")) {
    DocumentFields configuration = item.Map("PredictiveScalingConfiguration");
    ReadPredictive(configuration, policy);
  }
  // What steps and simple adjustments do hangs on alarms that nobody tells of: they stay in the list of what is unknown.
  item.Done();
}

}  // namespace gnomon
