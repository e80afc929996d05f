// SPDX-License-Identifier: Apache-2.0
//
// A ScalingPolicy is what one document says of how many instances of a type there may be and will be, wherever it comes from.
//
// Counts are of instances. A member that its document does not have has the default of that document's system, or is empty
// if that has none.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signals/cron.h"
#include "signals/zone.h"

namespace gnomon {

enum class PolicyKind {
  kAutoscaler,       // Kubernetes HorizontalPodAutoscaler
  kWorkload,         // Kubernetes Deployment or StatefulSet
  kScaledObject,     // KEDA ScaledObject
  kGroup,            // AWS Auto Scaling group
  kScheduledAction,  // of such a group
  kScalingPolicy,    // of such a group: target tracking, predictive or other
};

// Bounds how many instances come or go in a period.
struct ScalingRule {
  enum class Unit { kInstances, kPercent };
  Unit unit = Unit::kInstances;
  int64_t value = 0;
  int64_t period_s = 15;
};

// One direction of a HorizontalPodAutoscaler's behavior.
struct ScalingDirection {
  enum class Select { kMost, kLeast, kDisabled };
  int64_t stabilization_s = 0;
  Select select = Select::kMost;
  std::vector<ScalingRule> rules = {};
  double tolerance = 0.1;

  static ScalingDirection DefaultUp();    // 4 or 100 % in 15 s, the larger
  static ScalingDirection DefaultDown();  // 100 % in 15 s, after 300 s
};

// A metric that is held at a target by the count.
struct MetricTarget {
  enum class Of { kUtilization, kAnInstance, kTotal };  // percent of what is requested; summed over all, a share; as it is
  std::string source = {};  // "Resource", "prometheus", "ASGAverageCPUUtilization"
  std::string name = {};
  std::string query = {}, server = {};  // of Prometheus
  double target = 0;                    // 0: it only says whether there is work
  Of of = Of::kAnInstance;
};

// At least so many between two times (KEDA cron).
struct CronWindow {
  CronSchedule start, end;
  Zone zone;
  int64_t count = 0;
};

// What an AWS scheduled action sets when it comes.
struct ScheduledAction {
  std::optional<CronSchedule> recurrence = {};
  Zone zone = {};
  std::optional<int64_t> start_s = {}, end_s = {};  // once, or from when to when it recurs
  std::optional<int64_t> least = {}, most = {}, desired = {};
};

// What an AWS predictive policy does.
struct Predictive {
  bool scales = false;       // else it only forecasts
  int64_t ahead_s = 300;     // before the hour that the forecast is for
  bool raises_most = false;  // it may go above MaxSize
};

// What a rollout adds.
struct Surge {
  ScalingRule::Unit unit = ScalingRule::Unit::kPercent;  // percent is rounded up
  int64_t value = 0;
};

struct ScalingPolicy {
  PolicyKind kind = PolicyKind::kAutoscaler;
  std::string name = {};   // "hpa.web": of one network no two are the same
  std::string title = {};  // "hpa/web": as rules name it
  std::string type = {};   // of the instances
  std::string group = {};  // of AWS: the group that it is part of

  std::optional<int64_t> least = {}, most = {}, desired = {}, idle = {};
  std::optional<ScalingDirection> up = {}, down = {};
  std::vector<MetricTarget> metrics = {};
  std::vector<CronWindow> windows = {};
  std::optional<ScheduledAction> action = {};
  std::optional<Predictive> predictive = {};
  std::optional<Surge> surge = {};
  int64_t cooldown_s = 0, polling_s = 0;
  bool paused = false;
  std::optional<int64_t> paused_count = {};

  std::vector<std::string> unknown = {};  // paths of what was not understood, as "spec.metrics[0].foo"
  std::string document = {};              // what it was read from, as JSON: reads back as the same policy
};

// "hpa", "deployment", "scaledobject", "group", "scheduled-action", "scaling-policy": with which names begin.
std::string_view PrefixOf(PolicyKind kind);

}  // namespace gnomon
