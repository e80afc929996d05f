// SPDX-License-Identifier: Apache-2.0
//
// An Hpa is the algorithm of Kubernetes' HorizontalPodAutoscaler in virtual time, for one metric with an average value.
//
// As documented (kubernetes.io, Horizontal Pod Autoscaling) and as its controller does it: the desired count is the
// present one times metric over target, rounded up, unless the ratio is within the tolerance of 1; recommendations are
// stabilized over a window in each direction; rules bound how many pods come or go in a period; minimum and maximum
// bound the result. Pods are taken for ready as soon as they are there.
//
// Example:
//   Hpa hpa({.least = 2, .most = 100, .target = 10}, 2);
//   int64_t replicas = hpa.Sync(15, 240.0);      // 24 are wanted: 6 at first
//
// Threads: not thread-safe. Deterministic. Time: seconds, rising from call to call.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace gnomon {

struct HpaRule {
  enum class Unit { kPods, kPercent };
  Unit unit = Unit::kPods;
  int64_t value = 0;
  double period_s = 15;
};

struct HpaRules {
  enum class Select { kMax, kMin, kDisabled };
  struct Direction {
    double stabilization_s = 0;
    std::vector<HpaRule> rules = {};
    Select select = Select::kMax;
  };
  static constexpr double kSyncS = 15;  // between two calls of Sync, of a controller as it comes

  int64_t least = 1, most = 1;
  double target = 1;  // of the metric, a pod
  double tolerance = 0.1;
  // The defaults of Kubernetes.
  Direction up = {.rules = {{HpaRule::Unit::kPods, 4, 15}, {HpaRule::Unit::kPercent, 100, 15}}};
  Direction down = {.stabilization_s = 300, .rules = {{HpaRule::Unit::kPercent, 100, 15}}};
};

class Hpa {
 public:
  Hpa(HpaRules rules, int64_t replicas) : rules_(std::move(rules)), replicas_(replicas) {}
  // `total`: the metric, summed over all pods. Returns the new count.
  int64_t Sync(double time_s, double total);
  int64_t replicas() const { return replicas_; }

 private:
  using Change = std::pair<double, int64_t>;  // when, and how many pods

  int64_t Stabilized(double time_s, int64_t wanted);
  int64_t UpLimit(double time_s) const;
  int64_t DownLimit(double time_s) const;

  const HpaRules rules_;
  int64_t replicas_;
  std::deque<Change> wanted_;        // recommendations, of the longer window
  std::deque<Change> added_, taken_;  // of the longest period that a rule may have
};

}  // namespace gnomon
