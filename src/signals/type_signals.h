// SPDX-License-Identifier: Apache-2.0
//
// TypeSignals turn what metrics say of one type, and the targets that policies set them, into advice for the engine.
//
// Each metric is looked at every kStepS; a reading holds for kFresh, and then there is a gap, not a zero. A metric that a
// policy keeps at a target says what the policy will do (signals/target_tracking.h); one that is only a driver says it by
// the ratio and the lag that are learnt (forecast/driver_model.h). Of several the largest counts, as an autoscaler with
// several metrics does.
//
// Example:
//   TypeSignals signals;
//   signals.Look({.now_s = now, .instances = 12, .created = 1, .metrics = {...}, .targets = {...}});
//   Advice advice = signals.advice();
//
// Threads: not thread-safe. Deterministic. Time: whole seconds, never going back.
// Cost: 10 us a metric and step. Memory: 160 kB a metric with a target, 20 kB a driver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/advice.h"
#include "forecast/driver_model.h"
#include "forecast/rise_forecast.h"
#include "signals/target_tracking.h"

namespace gnomon {

class TypeSignals {
 public:
  static constexpr int64_t kStepS = 15;
  static constexpr int64_t kFreshS = 90;
  // Steps that an outlook covers: the engine's lead and step, and how late a metric is known.
  static constexpr size_t kHorizon = 4;

  struct Point {
    int64_t time_s = 0;
    double value = 0;
  };
  struct Metric {
    std::string name = {};
    bool drives = false;                 // without a target: what it says is learnt
    std::optional<Point> latest = {};
  };
  struct Target {
    std::string metric = {};  // a name
    TargetTracking rule = {};
    std::string text = {};    // for people
    bool is_mean = false;     // the metric is a mean over the instances, not a sum
  };
  struct View {
    int64_t now_s = 0;
    uint32_t instances = 0;
    uint32_t created = 0;  // since the last Look
    std::vector<Metric> metrics = {};
    std::vector<Target> targets = {};
  };

  // What a metric was before the first Look at it; in order.
  void LearnPast(const std::string& metric, const std::vector<Point>& past);
  void Look(const View& view);
  // Without a type. As of the last Look.
  const Advice& advice() const { return advice_; }

 private:
  struct Followed {
    std::unique_ptr<RiseForecast> rise = {};      // of the sum over all instances
    std::unique_ptr<DriverModel> driver = {};
    bool of_mean = false;
  };

  static bool IsMean(const std::string& metric, const View& view);
  static bool IsFresh(const Metric& metric, int64_t now_s);
  void Step(const View& view);
  void Expect(const Outlook& outlook);
  void AddTarget(const Target& target, const View& view);
  void AddDriver(const Metric& metric);

  std::map<std::string, Followed> followed_;  // by metric
  std::optional<int64_t> step_;               // the last one that was looked at
  uint32_t created_ = 0;                      // since it
  Advice advice_;
};

}  // namespace gnomon
