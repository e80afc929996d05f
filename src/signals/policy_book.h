// SPDX-License-Identifier: Apache-2.0
//
// A PolicyBook is what the policies of one network say together, by type of instances.
//
// Policies of one type combine: the highest floor, the lowest ceiling, steps by time. A workload's own count stands only
// where no autoscaler has that type. A scheduled action sets what it names from its time on, until another one does.
//
// Example:
//   PolicyOutlook outlook = book.OutlookFor("web", {.now_s = now, .horizon_s = 900, .instances = 10});
//   for (const PolicyStep& step : outlook.steps) ...   // at 08:00 there will be at least 10
//
// Threads: immutable; any number may be used at once. Deterministic: a function of its arguments.
// Limits: kMaxSteps of a type, kMaxHorizonS.
// Cost: for each schedule, its times within the horizon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signals/scaling_policy.h"

namespace gnomon {

// A count that is known to change.
struct PolicyStep {
  int64_t at_s = 0;
  int64_t count = 0;     // the desired count from then on
  bool at_least = true;  // others may want more
  std::string rule = {};
  friend bool operator==(const PolicyStep&, const PolicyStep&) = default;
};

struct PolicyLimit {
  int64_t count = 0;
  std::string rule = {};
};

// A metric that is held at a target: see signals/target_tracking.h.
struct TrackingRule {
  MetricTarget metric;
  double tolerance = 0.1;
  std::string rule = {};
};

struct PolicyOutlook {
  std::vector<PolicyStep> steps = {};      // by time, within the horizon
  std::optional<PolicyLimit> most = {};    // that there can be at the horizon
  std::optional<PolicyLimit> least = {};   // now
  std::vector<TrackingRule> tracking = {};
  std::optional<PolicyLimit> surge = {};   // what a rollout adds for a while
  std::optional<PolicyLimit> ahead_s = {};  // seconds before a forecast's hour at which a predictive policy launches
};

struct RuleEffect {
  std::string rule, effect;
};

class PolicyBook {
 public:
  static constexpr size_t kMaxSteps = 1000;
  static constexpr int64_t kMaxHorizonS = 7 * 86400;

  PolicyBook() = default;
  explicit PolicyBook(std::vector<ScalingPolicy> policies);
  PolicyBook(const PolicyBook&) = delete;  // types_ points into policies_
  PolicyBook& operator=(const PolicyBook&) = delete;

  const std::vector<ScalingPolicy>& policies() const { return policies_; }  // by name
  const ScalingPolicy* Find(std::string_view name) const;
  std::vector<std::string> types() const;

  struct At {
    int64_t now_s = 0;
    int64_t horizon_s = 0;
    std::optional<int64_t> instances = {};  // that there are; nullopt: it is not known
  };
  PolicyOutlook OutlookFor(std::string_view type, const At& at) const;

  // Which rule sets, adds or caps what; empty if no policy is of this type.
  std::vector<RuleEffect> Explain(std::string_view type, const At& at) const;

 private:
  using Members = std::vector<const ScalingPolicy*>;

  const Members& Of(std::string_view type) const;

  std::vector<ScalingPolicy> policies_;
  std::map<std::string, Members, std::less<>> types_;
};

// Of one policy alone, as the last scheduled actions of its group have left it at a time.
struct PolicyBounds {
  std::optional<int64_t> least = {}, most = {}, desired = {};
  std::string least_rule = {}, most_rule = {}, desired_rule = {};
};
PolicyBounds GroupBoundsAt(const std::vector<const ScalingPolicy*>& members, int64_t at_s);

// The last time until `until_s`, and the first after `after_s`, at which the action comes.
std::optional<int64_t> LastOf(const ScheduledAction& action, int64_t until_s);
std::optional<int64_t> NextOf(const ScheduledAction& action, int64_t after_s);

// Whether the window is open at a time, as KEDA says it: its end comes next.
bool IsOpen(const CronWindow& window, int64_t at_s);

// "keda-cron 0 8 * * 1-5 Europe/Berlin", "scheduled-action/scale-out 0 9 * * * UTC".
std::string RuleOf(const CronWindow& window);
std::string RuleOfAction(const ScalingPolicy& policy);

}  // namespace gnomon
