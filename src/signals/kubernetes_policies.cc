// SPDX-License-Identifier: Apache-2.0
//
// Kubernetes: HorizontalPodAutoscaler, Deployment, StatefulSet. Defaults: kubernetes.io, API reference.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "signals/policy_families.h"

namespace gnomon {
namespace {

constexpr int64_t kMaxCount = DocumentFields::kMaxCount;
constexpr int64_t kMaxWindowS = 3600, kMaxPeriodS = 1800;
constexpr double kDefaultCpuPercent = 80;

void ReadDirection(DocumentFields fields, ScalingDirection* direction) {
  if (auto window = fields.Int("stabilizationWindowSeconds", 0, kMaxWindowS)) direction->stabilization_s = *window;
  if (auto tolerance = fields.Number("tolerance")) {
    direction->tolerance = *tolerance;
    if (*tolerance < 0) fields.Fail("tolerance", "is negative", "use a number from 0 on, as 0.1");
  }
  if (auto select = fields.Text("selectPolicy")) {
    if (*select == "Max") {
      direction->select = ScalingDirection::Select::kMost;
    } else if (*select == "Min") {
      direction->select = ScalingDirection::Select::kLeast;
    } else if (*select == "Disabled") {
      direction->select = ScalingDirection::Select::kDisabled;
    } else {
      fields.Fail("selectPolicy", "is not known", "use Max, Min or Disabled");
    }
  }
  std::vector<ScalingRule> rules;
  for (DocumentFields& rule : fields.List("policies")) {
    ScalingRule read;
    const std::string unit = rule.Text("type").value_or("");
    if (unit == "Percent") {
      read.unit = ScalingRule::Unit::kPercent;
    } else if (unit != "Pods") {
      rule.Fail("type", rule.Has("type") ? "is not known" : "is missing", "use Pods or Percent");
    }
    read.value = rule.Int("value", 1, kMaxCount).value_or(0);
    read.period_s = rule.Int("periodSeconds", 1, kMaxPeriodS).value_or(0);
    if (!rule.Has("value")) rule.Lacks("value", "use a whole number from 1 on");
    if (!rule.Has("periodSeconds")) rule.Lacks("periodSeconds", "use a whole number from 1 to 1800");
    rule.Done();
    rules.push_back(read);
  }
  if (!rules.empty()) direction->rules = std::move(rules);
  fields.Done();
}

void ReadTarget(DocumentFields target, MetricTarget* metric) {
  target.Skip({"type"});  // which of the three is there says it
  if (auto percent = target.Int("averageUtilization", 1, kMaxCount)) {
    metric->of = MetricTarget::Of::kUtilization;
    metric->target = static_cast<double>(*percent);
  } else if (auto average = target.Number("averageValue")) {
    metric->of = MetricTarget::Of::kAnInstance;
    metric->target = *average;
  } else if (auto value = target.Number("value")) {
    metric->of = MetricTarget::Of::kTotal;
    metric->target = *value;
  } else if (!target.Has("averageUtilization")) {
    target.Lacks("averageValue", "give averageUtilization, averageValue or value");
  }
  if (metric->target <= 0) {
    for (std::string_view name : {"averageValue", "value"}) {
      if (target.Has(name)) target.Fail(name, "is not above 0", "use a number above 0");
    }
  }
  target.Done();
}

void ReadMetric(DocumentFields& fields, ScalingPolicy* policy) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kKinds = {{{"Resource", "resource"},
                                                                                   {"ContainerResource", "containerResource"},
                                                                                   {"Pods", "pods"},
                                                                                   {"Object", "object"},
                                                                                   {"External", "external"}}};
  MetricTarget metric{.source = fields.Text("type").value_or("")};
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& one) { return one.first == metric.source; });
  if (kind == kKinds.end()) {
    return fields.Fail("type", fields.Has("type") ? "is not known" : "is missing",
                       "use Resource, ContainerResource, Pods, Object or External");
  }
  if (!fields.Has(kind->second)) return fields.Lacks(kind->second, "describe the metric there");
  DocumentFields source = fields.Map(kind->second);
  source.Skip({"container", "describedObject"});
  if (source.Has("metric")) {
    DocumentFields name = source.Map("metric");
    name.Skip({"selector"});
    metric.name = name.Text("name").value_or("");
    name.Done();
  } else {
    metric.name = source.Text("name").value_or("");
  }
  if (metric.name.empty()) source.Lacks("name", "name the metric");
  ReadTarget(source.Map("target"), &metric);
  source.Done();
  fields.Done();
  policy->metrics.push_back(std::move(metric));
}

void ReadAutoscaler(DocumentFields& document, ScalingPolicy* policy) {
  const std::string version = document.Text("apiVersion").value_or("");
  if (version != "autoscaling/v2" && version != "autoscaling/v1" && version != "autoscaling/v2beta2") {
    return document.Fail("apiVersion", "is not read here", "use autoscaling/v2 or autoscaling/v1");
  }
  DocumentFields spec = document.Map("spec");
  DocumentFields target = spec.Map("scaleTargetRef");
  target.Skip({"apiVersion", "kind"});
  const std::string name = target.Text("name").value_or("");
  if (name.empty()) target.Lacks("name", "name what is scaled");
  target.Done();
  if (policy->type.empty()) policy->type = EncodedName(name);
  policy->least = spec.Int("minReplicas", 0, kMaxCount).value_or(1);
  policy->most = spec.Int("maxReplicas", 1, kMaxCount);
  if (!spec.Has("maxReplicas")) spec.Lacks("maxReplicas", "it is required");
  if (policy->most && *policy->most < *policy->least) {
    spec.Fail("maxReplicas", absl::StrCat("is less than minReplicas, ", *policy->least), "let it be as large, or larger");
  }
  if (auto percent = spec.Int("targetCPUUtilizationPercentage", 1, kMaxCount)) {
    policy->metrics.push_back({.source = "Resource", .name = "cpu", .target = static_cast<double>(*percent), .of = MetricTarget::Of::kUtilization});
  }
  for (DocumentFields& metric : spec.List("metrics")) ReadMetric(metric, policy);
  if (policy->metrics.empty() && spec.ok()) {
    policy->metrics.push_back({.source = "Resource", .name = "cpu", .target = kDefaultCpuPercent, .of = MetricTarget::Of::kUtilization});
  }
  ReadBehavior(spec.Map("behavior"), policy);
  spec.Done();
}

void ReadWorkload(std::string_view kind, DocumentFields& document, ScalingPolicy* policy) {
  document.Skip({"apiVersion"});
  if (policy->type.empty()) policy->type = EncodedName(document.Map("metadata").Text("name").value_or(""));
  DocumentFields spec = document.Map("spec");
  policy->desired = spec.Int("replicas", 0, kMaxCount).value_or(1);
  spec.Skip({"template", "selector", "revisionHistoryLimit", "minReadySeconds", "progressDeadlineSeconds", "paused",
             "serviceName", "volumeClaimTemplates", "podManagementPolicy", "updateStrategy",
             "persistentVolumeClaimRetentionPolicy", "ordinals"});
  if (kind == "Deployment") {
    DocumentFields strategy = spec.Map("strategy");
    policy->surge = Surge{.unit = ScalingRule::Unit::kPercent, .value = 25};
    const std::string type = strategy.Text("type").value_or("RollingUpdate");
    if (type == "Recreate") {
      policy->surge->value = 0;
    } else if (type != "RollingUpdate") {
      strategy.Fail("type", "is not known", "use RollingUpdate or Recreate");
    }
    DocumentFields rolling = strategy.Map("rollingUpdate");
    rolling.Skip({"maxUnavailable"});
    if (auto text = rolling.Text("maxSurge")) {
      const std::optional<CountOrPercent> surge = ParseCountOrPercent(*text);
      if (!surge) rolling.Fail("maxSurge", "is neither a count nor a percentage", "use one as 3 or \"25%\"");
      if (surge) {
        *policy->surge = {surge->percent ? ScalingRule::Unit::kPercent : ScalingRule::Unit::kInstances, surge->value};
      }
    }
    rolling.Done();
    strategy.Done();
  }
  spec.Done();
}

}  // namespace

bool IsKubernetesPolicy(std::string_view kind) {
  return kind == "HorizontalPodAutoscaler" || kind == "Deployment" || kind == "StatefulSet" || kind == "ScaledObject";
}

void ReadBehavior(DocumentFields behavior, ScalingPolicy* policy) {
  policy->up = ScalingDirection::DefaultUp();
  policy->down = ScalingDirection::DefaultDown();
  ReadDirection(behavior.Map("scaleUp"), &*policy->up);
  ReadDirection(behavior.Map("scaleDown"), &*policy->down);
  behavior.Done();
}

void ReadMetadata(std::string_view prefix, DocumentFields& metadata, ScalingPolicy* policy) {
  const std::string name = metadata.Text("name").value_or("");
  const std::string space = metadata.Text("namespace").value_or("default");
  if (name.empty()) return metadata.Lacks("name", "name it");
  const std::string place = space == "default" || space.empty() ? "" : EncodedName(space) + "~";
  policy->name = absl::StrCat(AbslView(prefix), ".", place, EncodedName(name));
  policy->title = absl::StrCat(AbslView(prefix), "/", name);
  DocumentFields annotations = metadata.Map("annotations");
  if (auto type = annotations.Text("gnomon.dev/type")) policy->type = *type;
  policy->paused = annotations.Bool("autoscaling.keda.sh/paused").value_or(false);
  if (auto count = annotations.Int("autoscaling.keda.sh/paused-replicas", 0, kMaxCount)) {
    policy->paused = true;
    policy->paused_count = count;
  }
}

void ReadKubernetesPolicy(std::string_view kind, DocumentFields& document, ScalingPolicy* policy) {
  document.Skip({"kind", "status"});
  const std::string prefix = kind == "HorizontalPodAutoscaler" ? "hpa" : absl::AsciiStrToLower(AbslView(kind));
  DocumentFields metadata = document.Map("metadata");
  ReadMetadata(prefix, metadata, policy);
  if (kind == "ScaledObject") {
    policy->kind = PolicyKind::kScaledObject;
    ReadScaledObject(document, policy);
  } else if (kind == "HorizontalPodAutoscaler") {
    policy->kind = PolicyKind::kAutoscaler;
    ReadAutoscaler(document, policy);
  } else {
    policy->kind = PolicyKind::kWorkload;
    ReadWorkload(kind, document, policy);
  }
  document.Done();
}

}  // namespace gnomon
