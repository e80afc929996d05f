// SPDX-License-Identifier: Apache-2.0
// Singular spectrum analysis: the series is what its strongest patterns of kWindow blocks make of it.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "forecast/demand_features.h"
#include "forecast/expert.h"

namespace gnomon {
namespace {

// The lag covariances of windows of kWindow values of the root series, their kPatterns strongest eigenvectors by
// orthogonal iteration, and from these the linear recurrence that continues the series (Golyandina and Zhigljavsky,
// Singular Spectrum Analysis for Time Series, 2013, section 3.2). A block is some steps: a season has kWindow of them.
class Spectrum : public ExpertOf<Spectrum> {
 public:
  explicit Spectrum(int season)
      : block_(std::max(1, season / kWindow)), refit_(std::max(1, season / 12)), span_(7 * season) {}

  void Learn(const StepHistory& history) override {
    if (history.pushed() % refit_ == 0) Fit(history);
  }

  double Forecast(const StepHistory& history, const Span& span) const override {
    const double mean = history.Mean(0, block_ * kWindow);
    if (!fitted_) return mean * span.length();
    std::array<double, kWindow> window{};  // the oldest first
    for (int i = 0; i < kWindow; ++i) window[At(i)] = BlockAt(history, kWindow - 1 - i);
    const double highest = *std::max_element(window.begin(), window.end());
    double sum = 0;
    for (int ahead = 0, block = 0; ahead < span.to; ++block) {
      double next = 0;
      for (int i = 0; i < kWindow - 1; ++i) next += static_cast<double>(recurrence_[At(i)]) * window[At(i + 1)];
      next = std::clamp(next, 0.0, kMostTimes * highest);
      std::rotate(window.begin(), window.begin() + 1, window.end());
      window.back() = next;
      const int end = std::min(ahead + block_, span.to);
      sum += FromRoot(next) * std::max(0, end - std::max(ahead, span.from));
      ahead = end;
    }
    return sum;
  }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.recurrence_, self.fitted_);
  }

 private:
  static constexpr int kWindow = 24, kPatterns = 5, kRounds = 12;
  static constexpr double kMostTimes = 1.5;   // of the window's largest
  static constexpr double kMostRegular = 0.9; // of the last place in the patterns; beyond it the recurrence is wild
  using Pattern = std::array<double, kWindow>;

  static size_t At(int i) { return static_cast<size_t>(i); }
  double BlockAt(const StepHistory& history, int blocks_back) const {
    return Root(history.Mean(blocks_back * block_, block_));
  }

  void Fit(const StepHistory& history) {
    const int blocks = std::min(history.known(), span_) / block_;
    if (blocks < 2 * kWindow) return;
    std::vector<double> series(At(blocks));  // the newest first
    for (int i = 0; i < blocks; ++i) series[At(i)] = BlockAt(history, i);
    std::array<Pattern, kWindow> covariance{};
    for (int i = 0; i < kWindow; ++i) {
      for (int j = i; j < kWindow; ++j) {
        double sum = 0;
        for (int t = 0; t + kWindow <= blocks; ++t) sum += series[At(t + i)] * series[At(t + j)];
        covariance[At(i)][At(j)] = covariance[At(j)][At(i)] = sum;
      }
    }
    SetRecurrence(Strongest(covariance));
  }

  // Orthogonal iteration from cosines, each round made orthonormal.
  static std::array<Pattern, kPatterns> Strongest(const std::array<Pattern, kWindow>& covariance) {
    std::array<Pattern, kPatterns> patterns{};
    for (int p = 0; p < kPatterns; ++p) {
      for (int i = 0; i < kWindow; ++i) patterns[At(p)][At(i)] = std::cos(M_PI * p * (i + 0.5) / kWindow);
    }
    for (int round = 0; round < kRounds; ++round) {
      for (int p = 0; p < kPatterns; ++p) {
        Pattern next{};
        for (int i = 0; i < kWindow; ++i) next[At(i)] = Dot(covariance[At(i)], patterns[At(p)]);
        for (int q = 0; q < p; ++q) {
          const double along = Dot(next, patterns[At(q)]);
          for (int i = 0; i < kWindow; ++i) next[At(i)] -= along * patterns[At(q)][At(i)];
        }
        const double length = std::sqrt(Dot(next, next));
        for (double& value : next) value = length > kTiny ? value / length : 0;
        patterns[At(p)] = next;
      }
    }
    return patterns;
  }
  static double Dot(const Pattern& a, const Pattern& b) {
    double sum = 0;
    for (int i = 0; i < kWindow; ++i) sum += a[At(i)] * b[At(i)];
    return sum;
  }

  // Patterns run from the newest value, place 0, back.
  void SetRecurrence(const std::array<Pattern, kPatterns>& patterns) {
    double regular = 0;
    Pattern recurrence{};
    for (const Pattern& pattern : patterns) {
      if (regular + pattern[0] * pattern[0] >= kMostRegular) break;
      regular += pattern[0] * pattern[0];
      for (int i = 1; i < kWindow; ++i) recurrence[At(i)] += pattern[0] * pattern[At(i)];
    }
    for (int i = 0; i < kWindow - 1; ++i) {
      recurrence_[At(i)] = static_cast<float>(recurrence[At(kWindow - 1 - i)] / (1 - regular));
    }
    fitted_ = true;
  }

  static constexpr double kTiny = 1e-12;
  const int block_, refit_, span_;
  std::array<float, kWindow - 1> recurrence_{};  // of the kWindow - 1 values before, the oldest first
  bool fitted_ = false;
};

}  // namespace

std::unique_ptr<Expert> MakeSpectrum(int season) { return std::make_unique<Spectrum>(season); }

}  // namespace gnomon
