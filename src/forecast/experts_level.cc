// SPDX-License-Identifier: Apache-2.0
// Experts that know a level alone: the last value, exponential averages, theta, and TSB.
#include <algorithm>
#include <cmath>

#include "forecast/expert.h"

namespace gnomon {
namespace {

class LastValue : public ExpertOf<LastValue> {
 public:
  void Learn(const StepHistory&) override {}
  double Forecast(const StepHistory& history, const Span& span) const override {
    return history.Back(0) * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive&, Self&) {}
};

class ExponentialAverage : public ExpertOf<ExponentialAverage> {
 public:
  explicit ExponentialAverage(double share) : share_(share) {}
  void Learn(const StepHistory& history) override {
    // A plain mean until it is as long as the average.
    const double share = std::max(share_, 1 / static_cast<double>(history.pushed()));
    level_ += share * (history.Back(0) - level_);
  }
  double Forecast(const StepHistory&, const Span& span) const override {
    return level_ * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.level_);
  }

 private:
  const double share_;
  double level_ = 0;
};

// The theta line's drift is the slope of a discounted line fit of the series against time.
class Theta : public ExpertOf<Theta> {
 public:
  void Learn(const StepHistory& history) override {
    const double value = history.Back(0), steps = static_cast<double>(history.pushed());
    level_ += std::max(kShare, 1 / steps) * (value - level_);
    const double share = std::max(kLong, 1 / steps);
    // Of time counted back from now: each step all earlier ones grow older by one.
    mean_age2_ = (1 - share) * (mean_age2_ + 2 * mean_age_ + 1);
    mean_age_ = (1 - share) * (mean_age_ + 1);
    cross_ = (1 - share) * (cross_ + mean_);
    mean_ += share * (value - mean_);
  }
  double Forecast(const StepHistory&, const Span& span) const override {
    const double variance = mean_age2_ - mean_age_ * mean_age_;
    const double drift = variance <= 1 ? 0 : -(cross_ - mean_age_ * mean_) / variance;
    const double middle = 0.5 * (span.from + span.to + 1);
    return std::max(0.0, level_ + 0.5 * drift * middle) * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.level_, self.mean_, self.mean_age_, self.mean_age2_, self.cross_);
  }

 private:
  static constexpr double kShare = 0.15;       // of the newest value in the level
  static constexpr double kLong = 1.0 / 100;   // and in the line
  double level_ = 0, mean_ = 0;
  double mean_age_ = 0, mean_age2_ = 0, cross_ = 0;  // discounted means of age, age squared, and age times value
};

class Tsb : public ExpertOf<Tsb> {
 public:
  void Learn(const StepHistory& history) override {
    const double value = history.Back(0), least = 1 / static_cast<double>(history.pushed());
    often_ += std::max(kOften, least) * ((value > 0 ? 1 : 0) - often_);
    if (value <= 0) return;
    size_ += (size_ == 0 ? 1 : kSize) * (value - size_);
  }
  double Forecast(const StepHistory&, const Span& span) const override {
    return often_ * size_ * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.often_, self.size_);
  }

 private:
  static constexpr double kOften = 0.02, kSize = 0.1;
  double often_ = 0, size_ = 0;
};

}  // namespace

std::unique_ptr<Expert> MakeLastValue() { return std::make_unique<LastValue>(); }
std::unique_ptr<Expert> MakeExponentialAverage(double share) { return std::make_unique<ExponentialAverage>(share); }
std::unique_ptr<Expert> MakeTheta() { return std::make_unique<Theta>(); }
std::unique_ptr<Expert> MakeTsb() { return std::make_unique<Tsb>(); }

}  // namespace gnomon
