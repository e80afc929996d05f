// SPDX-License-Identifier: Apache-2.0
#include "signals/policy_book.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signals/reach.h"

namespace gnomon {
namespace {

// Instances a policy lets there be, and who says so.
void Lower(std::optional<PolicyLimit>* limit, int64_t count, const std::string& rule) {
  if (!*limit || count < (*limit)->count) *limit = PolicyLimit{count, rule};
}
void Raise(std::optional<PolicyLimit>* limit, int64_t count, const std::string& rule) {
  if (!*limit || count > (*limit)->count) *limit = PolicyLimit{count, rule};
}

bool HasAutoscaler(const std::vector<const ScalingPolicy*>& members) {
  return std::any_of(members.begin(), members.end(), [](const ScalingPolicy* policy) {
    return policy->kind == PolicyKind::kAutoscaler || policy->kind == PolicyKind::kScaledObject;
  });
}

// The floor of a scaled object: what a window that is open asks for, else its minimum, or idle if it has none.
PolicyLimit ScaledObjectFloor(const ScalingPolicy& policy, int64_t at_s) {
  PolicyLimit floor{policy.least.value_or(0), policy.title};
  bool open = false;
  for (const CronWindow& window : policy.windows) {
    if (!IsOpen(window, at_s)) continue;
    open = true;
    if (window.count > floor.count) floor = {window.count, RuleOf(window)};
  }
  if (!open && policy.idle) floor.count = *policy.idle;
  floor.count = std::min(floor.count, policy.most.value_or(floor.count));
  return floor;
}

// The floor of all that are of a type, and whether it is all that is wanted.
std::optional<PolicyLimit> FloorAt(const std::vector<const ScalingPolicy*>& members, int64_t at_s) {
  std::optional<PolicyLimit> floor;
  for (const ScalingPolicy* policy : members) {
    if (policy->kind == PolicyKind::kAutoscaler) Raise(&floor, policy->least.value_or(1), policy->title + " (minReplicas)");
    if (policy->kind == PolicyKind::kScaledObject && !policy->paused) {
      const PolicyLimit own = ScaledObjectFloor(*policy, at_s);
      Raise(&floor, own.count, own.rule);
    }
    if (policy->kind == PolicyKind::kScaledObject && policy->paused_count) {
      Raise(&floor, *policy->paused_count, policy->title + " (paused-replicas)");
    }
    if (policy->kind == PolicyKind::kWorkload && !HasAutoscaler(members)) {
      Raise(&floor, policy->desired.value_or(1), policy->title + " (replicas)");
    }
  }
  const PolicyBounds group = GroupBoundsAt(members, at_s);
  if (group.least) Raise(&floor, *group.least, group.least_rule);
  return floor;
}

std::optional<PolicyLimit> CeilingAt(const std::vector<const ScalingPolicy*>& members, const PolicyBook::At& at) {
  std::optional<PolicyLimit> most;
  bool raised = false;
  for (const ScalingPolicy* policy : members) {
    raised |= policy->predictive && policy->predictive->scales && policy->predictive->raises_most && !policy->paused;
    const bool scales = policy->kind == PolicyKind::kAutoscaler || policy->kind == PolicyKind::kScaledObject;
    if (!scales || !policy->most) continue;
    if (policy->paused) {
      if (policy->paused_count) Lower(&most, *policy->paused_count, policy->title + " (paused-replicas)");
      else if (at.instances) Lower(&most, *at.instances, policy->title + " (paused)");
      continue;
    }
    Lower(&most, *policy->most, policy->title + " (maximum)");
    if (!at.instances || !policy->up) continue;
    // A window that opens within the horizon wants its count at once; how fast it gets there the behavior says.
    const int64_t reach = ReachableWithin(*policy->up, {std::max<int64_t>(1, policy->least.value_or(1)), *policy->most},
                                          *at.instances, at.horizon_s);
    Lower(&most, reach, absl::StrCat(policy->title, " (behavior)"));
  }
  // The highest maximum that a group has until then: an action may raise it before the horizon.
  std::optional<PolicyLimit> group;
  std::set<int64_t> times = {at.now_s};
  for (const ScalingPolicy* policy : members) {
    std::optional<int64_t> next = policy->action ? NextOf(*policy->action, at.now_s) : std::nullopt;
    while (next && *next <= at.now_s + at.horizon_s && times.size() < PolicyBook::kMaxSteps) {
      times.insert(*next);
      next = NextOf(*policy->action, *next);
    }
  }
  for (int64_t time : times) {
    const PolicyBounds bounds = GroupBoundsAt(members, time);
    if (bounds.most) Raise(&group, *bounds.most, bounds.most_rule);
  }
  if (group && !raised) Lower(&most, group->count, group->rule);
  return most;
}

// The steps of windows: floors, as they rise and as they fall.
void AddWindowSteps(const std::vector<const ScalingPolicy*>& members, const PolicyBook::At& at, std::vector<PolicyStep>* steps) {
  std::set<int64_t> times;
  for (const ScalingPolicy* policy : members) {
    if (policy->kind != PolicyKind::kScaledObject || policy->paused) continue;
    for (const CronWindow& window : policy->windows) {
      for (const CronSchedule* schedule : {&window.start, &window.end}) {
        std::optional<int64_t> next = schedule->Next(at.now_s, window.zone);
        while (next && *next <= at.now_s + at.horizon_s && times.size() < PolicyBook::kMaxSteps) {
          times.insert(*next);
          next = schedule->Next(*next, window.zone);
        }
      }
    }
  }
  std::optional<PolicyLimit> before = FloorAt(members, at.now_s);
  for (int64_t time : times) {
    const std::optional<PolicyLimit> after = FloorAt(members, time);
    if (after && before && after->count != before->count) {
      const std::string rule = after->count > before->count ? after->rule : absl::StrCat("end of ", before->rule);
      steps->push_back({.at_s = time, .count = after->count, .at_least = true, .rule = rule});
    }
    before = after;
  }
}

// The steps of scheduled actions: what they set, or what their new bounds make of the count before.
void AddActionSteps(const std::vector<const ScalingPolicy*>& members, const PolicyBook::At& at, std::vector<PolicyStep>* steps) {
  std::map<int64_t, std::vector<const ScalingPolicy*>> times;
  for (const ScalingPolicy* policy : members) {
    std::optional<int64_t> next = policy->action ? NextOf(*policy->action, at.now_s) : std::nullopt;
    while (next && *next <= at.now_s + at.horizon_s && times.size() < PolicyBook::kMaxSteps) {
      times[*next].push_back(policy);
      next = NextOf(*policy->action, *next);
    }
  }
  const PolicyBounds now = GroupBoundsAt(members, at.now_s);
  std::optional<int64_t> count = at.instances ? at.instances : now.desired ? now.desired : now.least;
  for (const auto& [time, coming] : times) {
    const PolicyBounds bounds = GroupBoundsAt(members, time);
    std::optional<int64_t> after = count;
    for (const ScalingPolicy* policy : coming) {
      if (policy->action->desired) after = policy->action->desired;
    }
    if (after && bounds.least) after = std::max(*after, *bounds.least);
    if (!after) after = bounds.least;
    if (after && bounds.most) after = std::min(*after, *bounds.most);
    if (after && after != count) {
      steps->push_back({.at_s = time, .count = *after, .at_least = false, .rule = RuleOfAction(*coming.back())});
    }
    count = after;
  }
}

}  // namespace

std::string RuleOf(const CronWindow& window) {
  const std::string& zone = window.start.zone() ? window.start.zone()->name() : window.zone.name();
  return absl::StrCat("keda-cron ", window.start.text(), " ", zone);
}

std::string RuleOfAction(const ScalingPolicy& policy) {
  const ScheduledAction& action = *policy.action;
  if (action.recurrence) {
    const std::string& zone = action.recurrence->zone() ? action.recurrence->zone()->name() : action.zone.name();
    return absl::StrCat(policy.title, " ", action.recurrence->text(), " ", zone);
  }
  return absl::StrCat(policy.title, " at ", Zone().Text(action.start_s.value_or(0)));
}

// KEDA: active unless the start comes before the end.
bool IsOpen(const CronWindow& window, int64_t at_s) {
  const std::optional<int64_t> start = window.start.Next(at_s, window.zone), end = window.end.Next(at_s, window.zone);
  return end && (!start || *end <= *start);
}

std::optional<int64_t> LastOf(const ScheduledAction& action, int64_t until_s) {
  if (!action.recurrence) return action.start_s && *action.start_s <= until_s ? action.start_s : std::nullopt;
  const int64_t until = action.end_s ? std::min(*action.end_s, until_s) : until_s;
  const std::optional<int64_t> last = action.recurrence->Previous(until, action.zone);
  // It comes at its start, too, whatever its recurrence says.
  if (!action.start_s || (last && *last >= *action.start_s)) return last;
  return *action.start_s <= until ? action.start_s : std::nullopt;
}

std::optional<int64_t> NextOf(const ScheduledAction& action, int64_t after_s) {
  if (action.start_s && *action.start_s > after_s) return action.start_s;
  if (!action.recurrence) return std::nullopt;
  const std::optional<int64_t> next = action.recurrence->Next(after_s, action.zone);
  return next && (!action.end_s || *next <= *action.end_s) ? next : std::nullopt;
}

PolicyBounds GroupBoundsAt(const std::vector<const ScalingPolicy*>& members, int64_t at_s) {
  PolicyBounds bounds;
  std::vector<std::pair<int64_t, const ScalingPolicy*>> come;
  for (const ScalingPolicy* policy : members) {
    if (policy->kind == PolicyKind::kGroup) {
      bounds = {policy->least, policy->most, policy->desired, policy->title + " (MinSize)", policy->title + " (MaxSize)",
                policy->title + " (DesiredCapacity)"};
    } else if (policy->action) {
      if (const std::optional<int64_t> last = LastOf(*policy->action, at_s)) come.emplace_back(*last, policy);
    }
  }
  std::stable_sort(come.begin(), come.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [time, policy] : come) {
    const std::string rule = RuleOfAction(*policy);
    if (policy->action->least) bounds.least = policy->action->least, bounds.least_rule = rule;
    if (policy->action->most) bounds.most = policy->action->most, bounds.most_rule = rule;
    if (policy->action->desired) bounds.desired = policy->action->desired, bounds.desired_rule = rule;
  }
  return bounds;
}

PolicyBook::PolicyBook(std::vector<ScalingPolicy> policies) : policies_(std::move(policies)) {
  std::sort(policies_.begin(), policies_.end(), [](const ScalingPolicy& a, const ScalingPolicy& b) { return a.name < b.name; });
  for (const ScalingPolicy& policy : policies_) types_[policy.type].push_back(&policy);
}

const ScalingPolicy* PolicyBook::Find(std::string_view name) const {
  for (const ScalingPolicy& policy : policies_) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

std::vector<std::string> PolicyBook::types() const {
  std::vector<std::string> types;
  for (const auto& [type, members] : types_) types.push_back(type);
  return types;
}

const PolicyBook::Members& PolicyBook::Of(std::string_view type) const {
  static const Members* const none = new Members();
  const auto found = types_.find(type);
  return found == types_.end() ? *none : found->second;
}

PolicyOutlook PolicyBook::OutlookFor(std::string_view type, const At& asked) const {
  const Members& members = Of(type);
  At at = asked;
  at.horizon_s = std::clamp(at.horizon_s, int64_t{0}, kMaxHorizonS);
  PolicyOutlook outlook;
  outlook.least = FloorAt(members, at.now_s);
  outlook.most = CeilingAt(members, at);
  AddWindowSteps(members, at, &outlook.steps);
  AddActionSteps(members, at, &outlook.steps);
  std::stable_sort(outlook.steps.begin(), outlook.steps.end(),
                   [](const PolicyStep& a, const PolicyStep& b) { return a.at_s < b.at_s; });
  for (const ScalingPolicy* policy : members) {
    for (const MetricTarget& metric : policy->metrics) {
      if (metric.target <= 0 || policy->paused || policy->predictive) continue;
      outlook.tracking.push_back({metric, policy->up ? policy->up->tolerance : 0.1, policy->title});
    }
    if (policy->surge && policy->surge->value > 0) {
      const int64_t base = at.instances.value_or(policy->desired.value_or(1));
      const bool percent = policy->surge->unit == ScalingRule::Unit::kPercent;
      const int64_t added = percent ? (base * policy->surge->value + 99) / 100 : policy->surge->value;
      Raise(&outlook.surge, added, policy->title + " (maxSurge)");
    }
    if (policy->predictive && policy->predictive->scales && !policy->paused) {
      Raise(&outlook.ahead_s, policy->predictive->ahead_s, policy->title + " (SchedulingBufferTime)");
    }
  }
  return outlook;
}

}  // namespace gnomon
