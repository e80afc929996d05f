// SPDX-License-Identifier: Apache-2.0
#include "forecast/demand_features.h"

#include <algorithm>
#include <cmath>

namespace gnomon {
namespace {

constexpr double kMinuteS = 60, kHourS = 3600, kDayS = 86400;
constexpr double kAnscombe = 0.375;
constexpr double kLeastRoot = 0.6;  // of the forecast

// Writes values one after the other.
class Writer {
 public:
  explicit Writer(std::span<float> to) : to_(to) {}
  void Put(double value) { to_[at_++] = static_cast<float>(value); }
  size_t written() const { return at_; }

 private:
  std::span<float> to_;
  size_t at_ = 0;
};

}  // namespace

double Root(double count) { return std::sqrt(std::max(0.0, count) + kAnscombe); }

double FromRoot(double root) {
  const double bounded = std::max(kLeastRoot, root);
  return std::max(0.0, bounded * bounded - kAnscombe);
}

void WriteLags(const Moment& moment, std::span<float, kLags> lags) {
  const double t = moment.time_s, w = moment.window_s;
  auto sum = [&](double begin_s, double end_s) { return moment.series.Sum(begin_s, end_s); };
  Writer out(lags);
  out.Put(1);
  for (double minutes : {1, 2, 3, 5, 10, 20, 60, 180}) {
    out.Put(Root(sum(t - minutes * kMinuteS, t) * w / (minutes * kMinuteS)));
  }
  out.Put(Root(sum(t - 62 * kMinuteS, t - 58 * kMinuteS + w) * w / (w + 4 * kMinuteS)));
  double hours = 0;
  for (int h = 1; h <= 4; ++h) hours += sum(t - h * kHourS - kMinuteS, t - h * kHourS + w + kMinuteS);
  out.Put(Root(hours * w / (4 * (w + 2 * kMinuteS))));
  out.Put(Root(sum(t - kDayS, t - kDayS + w)));
  for (double ago_s : {kDayS, 7 * kDayS}) {
    for (double side_s : {5 * kMinuteS, 30 * kMinuteS}) {
      out.Put(Root(sum(t - ago_s - side_s, t - ago_s + w + side_s) * w / (w + 2 * side_s)));
    }
  }
}

void WriteRest(const Moment& moment, double level, double since_burst_s, std::span<float, kFeatures - kLags> rest) {
  constexpr double kLongAgoS = 7 * kDayS;
  const double t = moment.time_s, w = moment.window_s;
  auto sum = [&](double begin_s, double end_s) { return moment.series.Sum(begin_s, end_s); };
  Writer out(rest);
  out.Put(level);
  out.Put(Root(sum(t - 10, t) * 6));
  out.Put(Root(sum(t - 30, t) * 2));
  out.Put(Root(sum(t - kDayS, t) * kMinuteS / kDayS));
  out.Put(Root(sum(t - 7 * kDayS, t) * kMinuteS / (7 * kDayS)));
  out.Put(Root(sum(t - 7 * kHourS, t) * kMinuteS / (7 * kHourS)));
  out.Put(moment.series.MaxMinute(10));
  out.Put(moment.series.MaxMinute(60));
  out.Put(moment.series.MaxFiveMinutes(36));
  out.Put(moment.series.MaxFiveMinutes(288));
  out.Put(std::min(since_burst_s, kLongAgoS));
  double minutes = 0, five_minutes = 0;
  for (int i = 0; i < 30; ++i) minutes += std::pow(sum(t - (i + 1) * kMinuteS, t - i * kMinuteS), 2);
  for (int i = 0; i < 24; ++i) five_minutes += std::pow(sum(t - (i + 1) * 300, t - i * 300), 2);
  out.Put(minutes / 30);
  out.Put(five_minutes / 24);
  out.Put(std::floor(std::fmod(t, kDayS) / 300));
  out.Put(std::floor(std::fmod(t, kHourS) / 300));
  double largest = 0, mean = 0;
  for (int day = 1; day <= 7; ++day) {
    const double then_s = t - day * kDayS;
    out.Put(sum(then_s - 2 * kMinuteS, then_s + w + 2 * kMinuteS));
    const double wide = sum(then_s - 5 * kMinuteS, then_s + w + 5 * kMinuteS);
    largest = std::max(largest, wide);
    mean += wide / 7;
  }
  out.Put(largest);
  out.Put(mean);
  for (int hour = 1; hour <= 5; ++hour) {
    out.Put(sum(t - hour * kHourS - 2 * kMinuteS, t - hour * kHourS + w + 2 * kMinuteS));
  }
  for (double span_s : {kMinuteS, 5 * kMinuteS, 30 * kMinuteS}) {
    out.Put(Root(moment.all.Sum(t - span_s, t) - sum(t - span_s, t)));
  }
}

}  // namespace gnomon
