// SPDX-License-Identifier: Apache-2.0
//
// Baselines are the warm pools that others use, and the pool that knows the future: what prediction is measured
// against.
//
// | policy | a type's level |
// |---|---|
// | FixedPool | a number of shadows, the same for every type |
// | ProportionalPool | a factor times its mean demand of five minutes in the warm-up, at least 1: `WARM_IP_TARGET` by
// hand | | QuantilePool | a quantile of its demand over a review and a lead, in the warm-up, at least 1 | | RollingPool
// | the same quantile over the last 24 hours, set anew every five minutes | | AzurePool | B * ceil(mf + demand / B)
// addresses for the `demand` that live (Azure CNS: batch B, minimum free mf) | | CiliumPool | `pre` shadows; when
// fewer, ordered up to pre + above; reclaimed from there on | | OraclePool | its true demand until the next review and
// a lead further |
//
// A demand over a window is counted in whole minutes, as many as a review and a lead fill. A quantile q of n values is
// the order statistic ceil(q (n + 1)), at most the largest.
//
// Threads, time: as Policy. Limits: minute counts of the whole trace are kept.
#pragma once

#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "plan/policy.h"
#include "plan/simulation.h"

namespace gnomon {

// The same levels for ever, once the warm-up is over.
class FixedPool : public Policy {
 public:
  explicit FixedPool(std::vector<Level> points) : levels_(std::move(points)) {}
  size_t points() const override { return levels_.size(); }
  void Created(const Demand&) override {}
  void Review(double) override {}
  Level LevelOf(size_t, size_t point) const override { return levels_[point]; }

 private:
  const std::vector<Level> levels_;
};

// What the policies that look at minute counts have in common: targets by type and point, at least 1.
class MinutePool : public Policy {
 public:
  size_t points() const override { return settings_.size(); }
  void Created(const Demand& demand) override;
  Level LevelOf(size_t type, size_t point) const override;

 protected:
  MinutePool(size_t types, const SimulationOptions& options, std::vector<double> settings);
  // Demand over the window of minutes that begins with each of minutes [begin, end).
  std::vector<double> Windows(size_t type, int64_t begin, int64_t end) const;
  void SetTarget(size_t type, size_t point, double target);

  const double warmup_s_;
  const int64_t window_;  // minutes
  const std::vector<double> settings_;
  std::vector<std::vector<double>> minutes_;  // by type

 private:
  std::vector<std::vector<int64_t>> targets_;  // by type and point
};

class ProportionalPool : public MinutePool {
 public:
  ProportionalPool(size_t types, const SimulationOptions& options, std::vector<double> factors)
      : MinutePool(types, options, std::move(factors)) {}
  void Review(double time_s) override;
};

class QuantilePool : public MinutePool {
 public:
  QuantilePool(size_t types, const SimulationOptions& options, std::vector<double> quantiles)
      : MinutePool(types, options, std::move(quantiles)) {}
  void Review(double time_s) override;
};

class RollingPool : public MinutePool {
 public:
  RollingPool(size_t types, const SimulationOptions& options, double span_s, std::vector<double> quantiles)
      : MinutePool(types, options, std::move(quantiles)), span_(static_cast<int64_t>(span_s / 60)) {}
  void Review(double time_s) override;

 private:
  const int64_t span_;  // minutes
};

class AzurePool : public Policy {
 public:
  struct Point {
    double batch = 16, free = 0.5;
  };
  AzurePool(size_t types, std::vector<Point> points) : points_(std::move(points)), live_(types, 0) {}
  size_t points() const override { return points_.size(); }
  void Created(const Demand& demand) override;
  void Review(double time_s) override;
  Level LevelOf(size_t type, size_t point) const override;

 private:
  struct End {
    double time_s;
    size_t type;
    int64_t count;
    friend bool operator>(const End& a, const End& b) { return a.time_s > b.time_s; }
  };
  const std::vector<Point> points_;
  std::vector<int64_t> live_;  // by type
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
};

class OraclePool : public Policy {
 public:
  // The trace outlives the policy.
  OraclePool(const SimulatedTrace* trace, const SimulationOptions& options);
  size_t points() const override { return 1; }
  void Created(const Demand&) override {}
  void Review(double time_s) override;
  Level LevelOf(size_t type, size_t) const override { return Level::Exactly(ahead_[type]); }

 private:
  const SimulatedTrace& trace_;
  const double window_s_;
  size_t first_ = 0, last_ = 0;  // of the trace's demand, inside the window
  std::vector<int64_t> ahead_;   // by type
};

}  // namespace gnomon
