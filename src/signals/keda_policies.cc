// SPDX-License-Identifier: Apache-2.0
//
// KEDA: ScaledObject. Defaults: keda.sh, "ScaledObject specification", "Cron", "Prometheus".
#include <utility>

#include "absl/strings/str_cat.h"
#include "signals/policy_families.h"

namespace gnomon {
namespace {

constexpr int64_t kMaxCount = DocumentFields::kMaxCount;
constexpr int64_t kMaxSeconds = 7 * 86400;

void ReadCronTrigger(DocumentFields metadata, ScalingPolicy* policy) {
  std::optional<CronSchedule> start, end;
  CronWindow window;
  for (std::string_view name : {"timezone", "start", "end", "desiredReplicas"}) {
    if (!metadata.Has(name)) return metadata.Lacks(name, "a cron trigger needs timezone, start, end and desiredReplicas");
  }
  ReadZone(metadata, "timezone", &window.zone);
  ReadCron(metadata, "start", &start);
  ReadCron(metadata, "end", &end);
  window.count = metadata.Int("desiredReplicas", 0, kMaxCount).value_or(0);
  if (start && end && *start == *end) metadata.Fail("end", "is the same as start", "let the window end at another time");
  metadata.Done();
  if (!metadata.ok()) return;
  window.start = *std::move(start);
  window.end = *std::move(end);
  policy->windows.push_back(std::move(window));
}

void ReadPrometheusTrigger(DocumentFields metadata, MetricTarget metric, ScalingPolicy* policy) {
  metric.server = metadata.Text("serverAddress").value_or("");
  metric.query = metadata.Text("query").value_or("");
  if (metric.query.empty()) metadata.Lacks("query", "a prometheus trigger needs a query");
  metric.target = metadata.Number("threshold").value_or(0);
  if (!metadata.Has("threshold")) metadata.Lacks("threshold", "a prometheus trigger needs a threshold");
  if (metadata.Has("threshold") && metric.target <= 0) metadata.Fail("threshold", "is not above 0", "use a number above 0");
  metric.name = metadata.Text("metricName").value_or("");
  metadata.Skip({"activationThreshold", "namespace", "customHeaders", "ignoreNullValues", "queryParameters", "unsafeSsl",
                 "authModes", "cortexOrgID", "timeout", "awsRegion", "azureManagedPrometheusAuthType"});
  metadata.Done();
  policy->metrics.push_back(std::move(metric));
}

void ReadTrigger(DocumentFields& trigger, ScalingPolicy* policy) {
  const std::string type = trigger.Text("type").value_or("");
  trigger.Skip({"useCachedMetrics", "authenticationRef"});
  MetricTarget metric{.source = type, .name = trigger.Text("name").value_or("")};
  const std::string per = trigger.Text("metricType").value_or(type == "cpu" || type == "memory" ? "" : "AverageValue");
  if (type.empty()) return trigger.Lacks("type", "name the kind of trigger, as cron or prometheus");
  if (type == "cron") {
    ReadCronTrigger(trigger.Map("metadata"), policy);
  } else if (type == "prometheus") {
    metric.of = per == "Value" ? MetricTarget::Of::kTotal : MetricTarget::Of::kAnInstance;
    ReadPrometheusTrigger(trigger.Map("metadata"), std::move(metric), policy);
  } else if (type == "cpu" || type == "memory") {
    DocumentFields metadata = trigger.Map("metadata");
    const std::string kind = per.empty() ? metadata.Text("type").value_or("Utilization") : per;
    metadata.Skip({"type", "containerName"});
    metric.of = kind == "AverageValue" ? MetricTarget::Of::kAnInstance : MetricTarget::Of::kUtilization;
    metric.target = metadata.Number("value").value_or(0);
    if (!metadata.Has("value")) metadata.Lacks("value", "give the target");
    if (metadata.Has("value") && metric.target <= 0) metadata.Fail("value", "is not above 0", "use a number above 0");
    metadata.Done();
    policy->metrics.push_back(std::move(metric));
  }
  // What another trigger's metadata means is not known, so that it stays in the list of what is unknown.
  trigger.Done();
}

}  // namespace

void ReadScaledObject(DocumentFields& document, ScalingPolicy* policy) {
  const std::string version = document.Text("apiVersion").value_or("");
  if (version != "keda.sh/v1alpha1") return document.Fail("apiVersion", "is not read here", "use keda.sh/v1alpha1");
  DocumentFields spec = document.Map("spec");
  DocumentFields target = spec.Map("scaleTargetRef");
  target.Skip({"apiVersion", "kind", "envSourceContainerName"});
  const std::string name = target.Text("name").value_or("");
  if (name.empty()) target.Lacks("name", "name what is scaled");
  target.Done();
  if (policy->type.empty()) policy->type = EncodedName(name);
  policy->polling_s = spec.Int("pollingInterval", 0, kMaxSeconds).value_or(30);
  policy->cooldown_s = spec.Int("cooldownPeriod", 0, kMaxSeconds).value_or(300);
  policy->least = spec.Int("minReplicaCount", 0, kMaxCount).value_or(0);
  policy->most = spec.Int("maxReplicaCount", 1, kMaxCount).value_or(100);
  policy->idle = spec.Int("idleReplicaCount", 0, kMaxCount);
  if (*policy->most < *policy->least) {
    spec.Fail(spec.Has("maxReplicaCount") ? "maxReplicaCount" : "minReplicaCount",
              absl::StrCat("leaves nothing between minReplicaCount, ", *policy->least, ", and maxReplicaCount, ", *policy->most),
              "let maxReplicaCount be as large, or larger");
  }
  if (policy->idle && *policy->idle >= *policy->least) {
    spec.Fail("idleReplicaCount", absl::StrCat("is not less than minReplicaCount, ", *policy->least), "KEDA takes 0 alone");
  }
  spec.Skip({"initialCooldownPeriod", "fallback"});
  DocumentFields advanced = spec.Map("advanced");
  advanced.Skip({"restoreToOriginalReplicaCount"});
  DocumentFields autoscaler = advanced.Map("horizontalPodAutoscalerConfig");
  autoscaler.Skip({"name"});
  ReadBehavior(autoscaler.Map("behavior"), policy);
  autoscaler.Done();
  advanced.Done();
  for (DocumentFields& trigger : spec.List("triggers")) ReadTrigger(trigger, policy);
  if (!spec.Has("triggers")) spec.Lacks("triggers", "KEDA scales by at least one");
  spec.Done();
}

}  // namespace gnomon
