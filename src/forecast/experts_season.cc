// SPDX-License-Identifier: Apache-2.0
// Experts that know a season: seasonal naive, the profile, Holt-Winters, and least squares on seasonal lags.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "forecast/demand_features.h"
#include "forecast/expert.h"
#include "forecast/least_squares.h"

namespace gnomon {
namespace {

// The steps of `span` as they were `season` steps earlier: how far back the newest of them lies. Spans longer than a
// season repeat it.
int BackOf(const Span& span, int season) {
  int back = season - span.to;
  while (back < 0) back += season;
  return back;
}

class SeasonalNaive : public ExpertOf<SeasonalNaive> {
 public:
  explicit SeasonalNaive(int season) : season_(season) {}
  void Learn(const StepHistory&) override {}
  double Forecast(const StepHistory& history, const Span& span) const override {
    const int back = BackOf(span, season_);
    const bool known = back + span.length() <= history.known();
    return known ? history.Sum(back, span.length()) : history.Mean(0, season_) * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive&, Self&) {}

 private:
  const int season_;
};

class Profile : public ExpertOf<Profile> {
 public:
  explicit Profile(int season)
      : season_(season), side_(std::max(season / 96, season >= 24 ? 1 : 0)), recent_(std::max(season / 48, 1)) {}
  void Learn(const StepHistory&) override {}
  double Forecast(const StepHistory& history, const Span& span) const override {
    // kLeast on both sides draws the ratio to one where little was counted.
    const double now = history.Sum(0, recent_);
    const double then = At(history, season_, recent_) * recent_;
    const double ratio = std::clamp((now + kLeast) / (then + kLeast), 1 / kMostRatio, kMostRatio);
    // The further ahead, the less the last hours say.
    const double reach = std::exp(-static_cast<double>(span.to) / (0.5 * season_));
    return At(history, BackOf(span, season_), span.length()) * span.length() * std::pow(ratio, reach);
  }
  template <class Archive, class Self>
  static void Fields(Archive&, Self&) {}

 private:
  static constexpr double kLeast = 2, kMostRatio = 4;
  static constexpr int kSeasons = 7;

  // The mean a step of the last seasons, and of some steps on both sides, at `back` and seasons before it.
  double At(const StepHistory& history, int back, int length) const {
    double sum = 0, steps = 0;
    for (int n = 0; n < kSeasons; ++n) {
      const int from = std::max(0, back + n * season_ - side_);
      const int end = std::min(back + n * season_ + length + side_, history.known());
      if (end <= from) break;
      sum += history.Sum(from, end - from);
      steps += end - from;
    }
    return steps == 0 ? history.Mean(0, season_) : sum / steps;
  }

  const int season_, side_, recent_;
};

class HoltWinters : public ExpertOf<HoltWinters> {
 public:
  explicit HoltWinters(int season) : seasonal_(static_cast<size_t>(season), 0) {}
  void Learn(const StepHistory& history) override {
    const size_t season = seasonal_.size();
    const int64_t step = history.pushed() - 1;
    float& seasonal = seasonal_[static_cast<size_t>(step) % season];
    const double root = Root(history.Back(0)), before = level_;
    if (step < static_cast<int64_t>(season)) {  // the first season: a mean, and what deviates from it
      level_ += std::max(kLevel, 1 / static_cast<double>(step + 1)) * (root - level_);
      seasonal = static_cast<float>(kFirst * (root - level_));
      return;
    }
    level_ += kDamp * trend_ + kLevel * (root - static_cast<double>(seasonal) - level_ - kDamp * trend_);
    trend_ = kDamp * trend_ + kTrend * (level_ - before - kDamp * trend_);
    seasonal += static_cast<float>(kSeason * (root - level_ - static_cast<double>(seasonal)));
  }
  double Forecast(const StepHistory& history, const Span& span) const override {
    const size_t season = seasonal_.size();
    double sum = 0;
    for (int ahead = span.from; ahead < span.to; ++ahead) {
      const size_t at = static_cast<size_t>(history.pushed() + ahead) % season;
      const double trend = trend_ * kDamp * (1 - std::pow(kDamp, ahead + 1)) / (1 - kDamp);
      sum += FromRoot(level_ + trend + static_cast<double>(seasonal_[at]));
    }
    return sum;
  }
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.level_, self.trend_);
    archive.Elements(self.seasonal_);
  }

 private:
  static constexpr double kLevel = 0.15, kTrend = 0.01, kSeason = 0.15, kDamp = 0.9, kFirst = 0.5;
  double level_ = 0, trend_ = 0;
  std::vector<float> seasonal_;
};

class SeasonalLags : public ExpertOf<SeasonalLags> {
 public:
  SeasonalLags(std::vector<int> seasons, std::vector<Span> spans)
      : seasons_(std::move(seasons)), spans_(std::move(spans)) {
    for (size_t i = 0; i < spans_.size(); ++i) models_.emplace_back(Width());
  }
  void Learn(const StepHistory& history) override {
    std::vector<float> lags(Width());
    for (size_t i = 0; i < spans_.size(); ++i) {
      if (history.pushed() <= spans_[i].to) continue;
      Lags(history, spans_[i], spans_[i].to, lags);
      models_[i].Learn(lags, Root(history.Sum(0, spans_[i].length()) / spans_[i].length()));
    }
  }
  double Forecast(const StepHistory& history, const Span& span) const override {
    std::vector<float> lags(Width());
    Lags(history, span, 0, lags);
    const size_t i = static_cast<size_t>(std::find(spans_.begin(), spans_.end(), span) - spans_.begin());
    return FromRoot(std::min(models_[i].Predict(lags), kMostTimes * Highest(lags))) * span.length();
  }
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    for (auto& model : self.models_) archive(model);
  }

 private:
  static constexpr std::array<int, 6> kRecent = {1, 2, 4, 12, 36, 144};  // steps
  static constexpr double kMostTimes = 1.5;                              // of the largest lag

  size_t Width() const { return kRecent.size() + 2 + 2 * seasons_.size(); }
  static double Highest(std::span<const float> lags) { return static_cast<double>(*std::max_element(lags.begin() + 1, lags.end())); }

  // As of `ago` steps before the newest, for `span` from there.
  void Lags(const StepHistory& history, const Span& span, int ago, std::span<float> lags) const {
    size_t at = 0;
    lags[at++] = 1;
    for (int steps : kRecent) lags[at++] = static_cast<float>(Root(history.Mean(ago, steps)));
    double days = 0;
    for (int n = 1; n <= 3; ++n) days += history.Mean(ago + BackOf(span, seasons_[0]) + (n - 1) * seasons_[0], span.length());
    lags[at++] = static_cast<float>(Root(days / 3));
    for (int season : seasons_) {
      const int back = ago + BackOf(span, season), side = std::max(1, season / 96);
      lags[at++] = static_cast<float>(Root(history.Mean(back, span.length())));
      const int from = std::max(ago, back - side);
      lags[at++] = static_cast<float>(Root(history.Mean(from, back + span.length() + side - from)));
    }
  }

  const std::vector<int> seasons_;
  const std::vector<Span> spans_;
  std::vector<LeastSquares> models_;
};

}  // namespace

std::unique_ptr<Expert> MakeSeasonalNaive(int season) { return std::make_unique<SeasonalNaive>(season); }
std::unique_ptr<Expert> MakeProfile(int season) { return std::make_unique<Profile>(season); }
std::unique_ptr<Expert> MakeHoltWinters(int season) { return std::make_unique<HoltWinters>(season); }
std::unique_ptr<Expert> MakeSeasonalLags(std::vector<int> seasons, std::vector<Span> spans) {
  return std::make_unique<SeasonalLags>(std::move(seasons), std::move(spans));
}

}  // namespace gnomon
