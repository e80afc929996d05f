// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>
#include <string>

#include "forecast/expert.h"
#include "forecast/levels.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr int kSeason = 48;
const std::vector<int> kSeasons = {kSeason, 7 * kSeason};
const std::vector<Span> kSpans = {{0, 1}, {0, 6}, {40, 48}};

// All experts, told the same series.
class Panel {
 public:
  Panel() : experts_(MakeExperts(kSeasons, kSpans)), history_(8 * kSeason * 7) {}

  void Tell(double value) {
    history_.Push(value);
    for (const NamedExpert& named : experts_) named.expert->Learn(history_);
  }
  double Says(const std::string& name, const Span& span) const {
    for (const NamedExpert& named : experts_) {
      if (named.name == name) return named.expert->Forecast(history_, span);
    }
    ADD_FAILURE() << name;
    return -1;
  }
  const std::vector<NamedExpert>& experts() const { return experts_; }
  const StepHistory& history() const { return history_; }

 private:
  std::vector<NamedExpert> experts_;
  StepHistory history_;
};

double Daily(int step) { return std::floor(60 + 50 * std::sin(2 * M_PI * step / kSeason)); }

TEST(Experts, AConstantSeriesGoesOn) {
  Panel panel;
  for (int step = 0; step < 20 * kSeason; ++step) panel.Tell(12);
  for (const NamedExpert& named : panel.experts()) {
    for (const Span& span : kSpans) {
      EXPECT_NEAR(named.expert->Forecast(panel.history(), span), 12.0 * span.length(), 0.2 * span.length()) << named.name;
    }
  }
}

TEST(Experts, NoneIsNegativeOrInfiniteWhateverComes) {
  Panel panel;
  for (int step = 0; step < 10 * kSeason; ++step) {
    const double draw = Draw(1, static_cast<uint64_t>(step));
    panel.Tell(step > 8 * kSeason || draw < 0.9 ? 0 : std::floor(1e6 * draw * draw));
    for (const NamedExpert& named : panel.experts()) {
      for (const Span& span : kSpans) {
        const double sum = named.expert->Forecast(panel.history(), span);
        ASSERT_TRUE(std::isfinite(sum) && sum >= 0) << named.name << " says " << sum << " at step " << step;
      }
    }
  }
}

TEST(Experts, ThoseWithASeasonFollowIt) {
  Panel panel;
  int step = 0;
  for (; step < 30 * kSeason + 5; ++step) panel.Tell(Daily(step));
  for (const char* name : {"seasonal_lags", "holt_winters", "seasonal_naive_48", "seasonal_naive_336", "profile"}) {
    for (const Span& span : kSpans) {
      double truth = 0;
      for (int ahead = span.from; ahead < span.to; ++ahead) truth += Daily(step + ahead);
      EXPECT_NEAR(panel.Says(name, span), truth, 0.08 * truth + 2) << name << " to " << span.to;
    }
  }
  EXPECT_NEAR(panel.Says("spectrum", {0, 6}), 6 * 95, 60);  // the season's rise, from blocks of two steps
}

TEST(Experts, TheirFormulasHoldByHand) {
  Panel panel;
  std::vector<double> values;
  for (int step = 0; step < 400; ++step) {
    values.push_back(Draw(2, static_cast<uint64_t>(step)) < 0.7 ? 0 : std::floor(9 * Draw(3, static_cast<uint64_t>(step))));
    panel.Tell(values.back());
  }
  double fast = 0, often = 0, size = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double n = static_cast<double>(i + 1);
    fast += std::max(0.3, 1 / n) * (values[i] - fast);
    often += std::max(0.02, 1 / n) * ((values[i] > 0 ? 1 : 0) - often);
    if (values[i] > 0) size += (size == 0 ? 1 : 0.1) * (values[i] - size);
  }
  EXPECT_NEAR(panel.Says("fast_average", {0, 6}), 6 * fast, 1e-9);
  EXPECT_NEAR(panel.Says("tsb", {0, 6}), 6 * often * size, 1e-9);
  EXPECT_EQ(panel.Says("last_value", {0, 6}), 6 * values.back());
  double naive = 0;
  for (size_t i = 0; i < 6; ++i) naive += values[values.size() - kSeason + i];
  EXPECT_EQ(panel.Says("seasonal_naive_48", {0, 6}), naive);
}

// The line of theta's drift against a weighted fit over the whole series.
TEST(Experts, ThetaDriftsHalfAsFastAsTheFittedLine) {
  Panel panel;
  for (int step = 0; step < 2000; ++step) panel.Tell(0.5 * step);
  const double level = panel.Says("theta", {0, 1}) - 0.25;
  EXPECT_NEAR(panel.Says("theta", {9, 10}), level + 10 * 0.25, 0.1);
}

TEST(Experts, StateIsRestoredInEveryBit) {
  Panel told;
  for (int step = 0; step < 9 * kSeason; ++step) told.Tell(Daily(step) + std::floor(9 * Draw(4, static_cast<uint64_t>(step))));
  Panel restored;
  for (size_t i = 0; i < told.experts().size(); ++i) {
    StateWriter writer;
    told.experts()[i].expert->Save(writer);
    StateReader reader(writer.bytes());
    restored.experts()[i].expert->Restore(reader);
    ASSERT_TRUE(reader.ok() && reader.left() == 0) << told.experts()[i].name;
    for (const Span& span : kSpans) {
      EXPECT_EQ(told.experts()[i].expert->Forecast(told.history(), span),
                restored.experts()[i].expert->Forecast(told.history(), span))
          << told.experts()[i].name;
    }
  }
}

}  // namespace
}  // namespace gnomon
