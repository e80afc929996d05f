// SPDX-License-Identifier: Apache-2.0
//
// What each rule of a type does at a time, in words.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signals/policy_book.h"
#include "signals/reach.h"

namespace gnomon {
namespace {

constexpr int64_t kShownReachS = 30;

class Explanation {
 public:
  Explanation(const std::vector<const ScalingPolicy*>& members, const PolicyBook::At& at) : members_(members), at_(at) {}

  std::vector<RuleEffect> Take() {
    for (const ScalingPolicy* policy : members_) Add(*policy);
    return std::move(lines_);
  }

 private:
  void Say(std::string rule, std::string effect) { lines_.push_back({std::move(rule), std::move(effect)}); }
  bool HasAutoscaler() const {
    return std::any_of(members_.begin(), members_.end(), [](const ScalingPolicy* one) {
      return one->kind == PolicyKind::kAutoscaler || one->kind == PolicyKind::kScaledObject;
    });
  }

  void Add(const ScalingPolicy& policy) {
    switch (policy.kind) {
      case PolicyKind::kAutoscaler:
        Say(policy.title, absl::StrCat("at least ", *policy.least, " (minReplicas), at most ", *policy.most, " (maxReplicas)", Reach(policy)));
        break;
      case PolicyKind::kScaledObject: AddScaledObject(policy); break;
      case PolicyKind::kWorkload: AddWorkload(policy); break;
      case PolicyKind::kGroup: AddGroup(policy); break;
      case PolicyKind::kScheduledAction: AddAction(policy); break;
      case PolicyKind::kScalingPolicy: break;
    }
    if (policy.kind == PolicyKind::kScalingPolicy && policy.paused) return Say(policy.title, "nothing: it is not enabled");
    if (policy.predictive) AddPredictive(policy);
    for (const MetricTarget& metric : policy.metrics) {
      if (metric.target > 0 && !policy.predictive && !policy.paused) Say(policy.title, Tracking(metric));
    }
    if (policy.metrics.empty() && policy.kind == PolicyKind::kScalingPolicy && !policy.predictive) {
      Say(policy.title, "nothing that is understood here");
    }
  }

  std::string Reach(const ScalingPolicy& policy) const {
    if (!at_.instances || !policy.up || !policy.most) return "";
    const int64_t reach = ReachableWithin(*policy.up, {std::max<int64_t>(1, policy.least.value_or(1)), *policy.most},
                                          *at_.instances, kShownReachS);
    return absl::StrCat("; from ", *at_.instances, " at most ", reach, " within ", kShownReachS, " s");
  }

  static std::string Tracking(const MetricTarget& metric) {
    const std::string name = metric.query.empty() ? absl::StrCat(metric.source, metric.name.empty() ? "" : " ", metric.name)
                                                  : absl::StrCat(metric.source, " query ", metric.query);
    switch (metric.of) {
      case MetricTarget::Of::kUtilization: return absl::StrCat("holds ", name, " at ", metric.target, " %");
      case MetricTarget::Of::kAnInstance: return absl::StrCat("holds ", name, " at ", metric.target, " an instance");
      case MetricTarget::Of::kTotal: return absl::StrCat("holds ", name, " at ", metric.target, " in all");
    }
    return "";
  }

  void AddScaledObject(const ScalingPolicy& policy) {
    if (policy.paused) {
      return Say(policy.title, policy.paused_count ? absl::StrCat("paused at ", *policy.paused_count) : "paused: nothing changes");
    }
    const std::string idle = policy.idle ? absl::StrCat(", ", *policy.idle, " when idle (idleReplicaCount)") : "";
    Say(policy.title, absl::StrCat("at least ", *policy.least, " (minReplicaCount)", idle, ", at most ", *policy.most,
                                   " (maxReplicaCount)", Reach(policy)));
    for (const CronWindow& window : policy.windows) {
      const bool open = IsOpen(window, at_.now_s);
      const std::optional<int64_t> next = (open ? window.end : window.start).Next(at_.now_s, window.zone);
      const std::string when = next ? window.zone.Text(*next) : "never";
      if (!open) {
        Say(RuleOf(window), absl::StrCat("nothing now; at least ", window.count, " from ", when));
      } else {
        const std::string after = *policy.least == 0 ? absl::StrCat(", then down after ", policy.cooldown_s, " s (cooldownPeriod)") : "";
        Say(RuleOf(window), absl::StrCat("at least ", window.count, " until ", when, after));
      }
    }
  }

  void AddWorkload(const ScalingPolicy& policy) {
    if (HasAutoscaler()) {
      Say(policy.title, absl::StrCat("replicas ", *policy.desired, " only until an autoscaler sets them"));
    } else {
      Say(policy.title, absl::StrCat(*policy.desired, " (replicas)"));
    }
    if (!policy.surge) return;
    const int64_t base = at_.instances.value_or(*policy.desired);
    const bool percent = policy.surge->unit == ScalingRule::Unit::kPercent;
    const int64_t added = percent ? (base * policy.surge->value + 99) / 100 : policy.surge->value;
    Say(policy.title, absl::StrCat("a rollout adds ", added, " for a while (maxSurge ", policy.surge->value, percent ? "%" : "", ")"));
  }

  void AddGroup(const ScalingPolicy& policy) {
    std::vector<std::string> parts;
    if (policy.least) parts.push_back(absl::StrCat("at least ", *policy.least, " (MinSize)"));
    if (policy.most) parts.push_back(absl::StrCat("at most ", *policy.most, " (MaxSize)"));
    if (policy.desired) parts.push_back(absl::StrCat(*policy.desired, " wanted (DesiredCapacity)"));
    Say(policy.title, absl::StrCat(absl::StrJoin(parts, ", "), ", unless a scheduled action has set another"));
  }

  void AddAction(const ScalingPolicy& policy) {
    const ScheduledAction& action = *policy.action;
    std::vector<std::string> parts;
    if (action.desired) parts.push_back(absl::StrCat("desired ", *action.desired));
    if (action.least) parts.push_back(absl::StrCat("at least ", *action.least));
    if (action.most) parts.push_back(absl::StrCat("at most ", *action.most));
    const std::optional<int64_t> next = NextOf(action, at_.now_s), last = LastOf(action, at_.now_s);
    std::string when;
    if (last) absl::StrAppend(&when, " since ", action.zone.Text(*last));
    if (next) absl::StrAppend(&when, last ? ", again at " : " at ", action.zone.Text(*next));
    Say(RuleOfAction(policy), absl::StrCat("sets ", absl::StrJoin(parts, ", "), when.empty() ? ": over" : when));
  }

  void AddPredictive(const ScalingPolicy& policy) {
    if (!policy.predictive->scales) return Say(policy.title, "nothing: it only forecasts");
    Say(policy.title, absl::StrCat("launches ", policy.predictive->ahead_s, " s before the hour of its forecast (SchedulingBufferTime)",
                                   policy.predictive->raises_most ? ", and may go above MaxSize" : ""));
  }

  const std::vector<const ScalingPolicy*>& members_;
  const PolicyBook::At at_;
  std::vector<RuleEffect> lines_;
};

}  // namespace

std::vector<RuleEffect> PolicyBook::Explain(std::string_view type, const At& at) const {
  return Explanation(Of(type), at).Take();
}

}  // namespace gnomon
