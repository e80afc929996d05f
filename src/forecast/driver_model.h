// SPDX-License-Identifier: Apache-2.0
//
// A DriverModel learns what a metric says of the instances to come: how many there are for so much of it, and how long
// after it they follow.
//
// For each of kLags, a line through (metric, instances so much later) is kept up; the one that leaves least is the lag.
// What it says of the next `horizon` steps, less the instances there are, is one feature of a least squares forecast of
// the creations in them; what that leaves is a histogram, of which any quantile is read.
//
// Example:
//   DriverModel driver({.step_s = 15, .horizon = 4});
//   driver.Add({.metric = 120.0, .instances = 12, .created = 1});   // every step
//   if (driver.known()) double most = driver.AtChance(0.99);        // creations within the horizon
//
// Threads: not thread-safe. Deterministic. Cost: Add 1.5 us. Memory: 16 kB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "forecast/least_squares.h"
#include "forecast/residual_histogram.h"

namespace gnomon {

class DriverModel {
 public:
  struct Options {
    int64_t step_s = 15;
    size_t horizon = 4;  // steps, 1 or more
  };
  struct Step {
    std::optional<double> metric = {};  // nullopt: a gap
    uint32_t instances = 0;             // at its end
    uint32_t created = 0;               // in it
  };
  static constexpr std::array<size_t, 10> kLags = {0, 1, 2, 3, 4, 8, 20, 40, 60, 120};  // steps
  static constexpr uint64_t kFewest = 240;     // steps from which on it knows anything
  static constexpr double kExplained = 0.3;  // of the variance of instances, at least, by the best lag

  explicit DriverModel(const Options& options);
  void Add(const Step& step);

  // Whether the metric explains the instances, and there is a value of now.
  bool known() const;
  double AtChance(double chance) const;  // creations within the horizon; known()

  int64_t lag_s() const { return static_cast<int64_t>(kLags[best_]) * options_.step_s; }
  double explained() const { return lines_[best_].Explained(); }  // share of the variance
  double instances_per_unit() const { return lines_[best_].Slope(); }

 private:
  static constexpr size_t kFeatures = 5;
  // A line by least squares, older points fading.
  struct Line {
    double weight = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    void Add(double at, double value);
    double Slope() const;
    double At(double at) const;
    double Explained() const;
  };
  struct Pending {
    std::array<float, kFeatures> features{};
    double forecast = 0, scale = 1, created = 0;
    bool known = false;
  };

  std::optional<double> Back(size_t steps) const;
  void Learn(const Step& step);
  void Forecast(const Step& step);

  const Options options_;
  std::deque<std::optional<double>> metrics_;  // of the longest lag and the horizon, the newest last
  std::array<Line, kLags.size()> lines_{};
  size_t best_ = 0;
  uint64_t steps_ = 0;
  LeastSquares linear_;
  ResidualHistogram residuals_;
  double variance_ = 1;
  std::deque<Pending> pending_;  // of the last `horizon` steps
};

}  // namespace gnomon
