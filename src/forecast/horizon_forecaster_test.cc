// SPDX-License-Identifier: Apache-2.0
#include "forecast/horizon_forecaster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr double kDayS = HorizonForecaster::kDayS;
constexpr size_t kKeys = 3;

// A minute's creations of three keys: steady, by day alone, and batches.
void TellMinute(HorizonForecaster* forecaster, double begin_s) {
  const uint64_t minute = static_cast<uint64_t>(begin_s / 60);
  forecaster->Created(0, begin_s + 7.25, static_cast<uint32_t>(1 + 4 * Draw(1, minute)));
  if (std::fmod(begin_s, kDayS) > kDayS / 2) forecaster->Created(1, begin_s + 31.5, static_cast<uint32_t>(30 * Draw(2, minute)));
  if (Draw(3, minute) < 0.02) {
    for (int i = 0; i < 6; ++i) forecaster->Created(2, begin_s + 50 + i, 5);
  }
  forecaster->Review(begin_s + 60);
}

std::unique_ptr<HorizonForecaster> Told(double end_s, const ForecastParts& parts = {}) {
  auto forecaster = std::make_unique<HorizonForecaster>(parts);
  for (size_t key = 0; key < kKeys; ++key) forecaster->AddKey();
  for (double now_s = 0; now_s < end_s; now_s += 60) TellMinute(forecaster.get(), now_s);
  return forecaster;
}

bool Same(const HorizonForecaster& a, const HorizonForecaster& b) {
  for (size_t key = 0; key < kKeys; ++key) {
    const KeyForecast left = a.ForecastOf(key), right = b.ForecastOf(key);
    if (left.as_of_s != right.as_of_s || left.steps != right.steps || left.recent != right.recent) return false;
    for (size_t h = 0; h < left.horizons.size(); ++h) {
      if (left.horizons[h].exact != right.horizons[h].exact || left.horizons[h].weights != right.horizons[h].weights) {
        return false;
      }
    }
  }
  return true;
}

TEST(HorizonForecaster, CoversAsOftenAsItSays) {
  HorizonForecaster forecaster;
  for (size_t key = 0; key < kKeys; ++key) forecaster.AddKey();
  std::array<double, kLevels.size()> covered{};
  double outcomes = 0, counted = 0;
  Quantiles said{};
  for (double now_s = 0; now_s < 12 * kDayS; now_s += 60) {
    TellMinute(&forecaster, now_s);
    const KeyForecast forecast = forecaster.ForecastOf(0);
    counted += std::floor(1 + 4 * Draw(1, static_cast<uint64_t>(now_s / 60)));
    if (forecast.as_of_s != now_s + 60) continue;
    EXPECT_EQ(forecast.recent[0], counted);
    if (now_s > 4 * kDayS) {
      ++outcomes;
      for (size_t i = 0; i < kLevels.size(); ++i) {
        covered[i] += counted + Draw(9, static_cast<uint64_t>(now_s)) <= static_cast<double>(said[i]) ? 1 : 0;
      }
    }
    said = forecast.horizons[0].exact;
    counted = 0;
  }
  for (size_t i = 0; i < kLevels.size(); ++i) EXPECT_NEAR(covered[i] / outcomes, kLevels[i], 0.03) << kLevels[i];
}

TEST(HorizonForecaster, LearnsWhenTheDayBegins) {
  const auto forecaster = Told(6 * kDayS + kDayS / 2 + 60);  // creations of the second key begin now
  const KeyForecast forecast = forecaster->ForecastOf(1);
  EXPECT_GT(forecast.horizons[2].quantiles[kMedian], 40);  // nothing came for half a day; 435 will
  EXPECT_GT(forecast.horizons[2].quantiles[kLevel99], 300);
  EXPECT_EQ(forecast.recent[0], 0);
}

TEST(HorizonForecaster, QuantilesRiseAndWeightsAddUpToOne) {
  const auto forecaster = Told(2 * kDayS);
  for (size_t key = 0; key < kKeys; ++key) {
    for (const HorizonForecast& horizon : forecaster->ForecastOf(key).horizons) {
      EXPECT_TRUE(std::is_sorted(horizon.quantiles.begin(), horizon.quantiles.end()));
      ASSERT_EQ(horizon.weights.size(), forecaster->forecasts().size());
      for (size_t i = 0; i < kLevels.size(); ++i) {
        float sum = 0;
        for (const Quantiles& weight : horizon.weights) sum += weight[i];
        EXPECT_NEAR(sum, 1, 1e-5);
      }
    }
  }
}

TEST(HorizonForecaster, KeysEndTheirStepsInDifferentMinutes) {
  const auto forecaster = Told(3600);
  EXPECT_EQ(forecaster->ForecastOf(0).as_of_s, 3600);
  EXPECT_EQ(forecaster->ForecastOf(1).as_of_s, 3360);
  EXPECT_EQ(forecaster->ForecastOf(2).as_of_s, 3420);
}

TEST(HorizonForecaster, ANewKeyHasNoForecastYetAndAGapIsPassedOver) {
  HorizonForecaster forecaster;
  forecaster.AddKey();
  EXPECT_EQ(forecaster.ForecastOf(0).steps, 0);
  forecaster.Review(300);
  EXPECT_EQ(forecaster.ForecastOf(0).steps, 1);
  forecaster.Review(400 * kDayS);
  EXPECT_LE(forecaster.ForecastOf(0).steps, 3);
  EXPECT_EQ(forecaster.ForecastOf(0).as_of_s, 400 * kDayS);
}

TEST(HorizonForecaster, EqualCallsGiveEqualBitsAndEachPartMatters) {
  EXPECT_TRUE(Same(*Told(2 * kDayS), *Told(2 * kDayS)));
  EXPECT_FALSE(Same(*Told(2 * kDayS), *Told(2 * kDayS, {.mixing = false})));
  EXPECT_FALSE(Same(*Told(2 * kDayS), *Told(2 * kDayS, {.calibration = false})));
}

TEST(HorizonForecasterState, ARestoredOneGoesOnInEveryBit) {
  const double half_s = 3 * kDayS + 420;
  const auto told = Told(half_s);
  auto restored = HorizonForecaster::Restore(told->Save());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(Same(*told, **restored));
  EXPECT_EQ(told->Save(), (*restored)->Save());
  for (double now_s = half_s; now_s < half_s + kDayS; now_s += 60) {
    TellMinute(told.get(), now_s);
    TellMinute(restored->get(), now_s);
  }
  EXPECT_TRUE(Same(*told, **restored));
  EXPECT_EQ(told->Save(), (*restored)->Save());
}

TEST(HorizonForecasterState, DamageIsRefused) {
  const std::string bytes = Told(7200)->Save();
  for (size_t at : {size_t{0}, size_t{3}, size_t{5}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(HorizonForecaster::Restore(damaged).status().code(), absl::StatusCode::kDataLoss) << at;
  }
  EXPECT_EQ(HorizonForecaster::Restore("").status().code(), absl::StatusCode::kDataLoss);
  // A true checksum over half the state.
  std::string half = bytes.substr(0, bytes.size() / 2), head(1, half[0]);
  AppendU32(&head, Crc32(Crc32(0, half.substr(0, 1)), half.substr(5)));
  EXPECT_EQ(HorizonForecaster::Restore(head + half.substr(5)).status().code(), absl::StatusCode::kDataLoss);
  std::string newer = "\x7f";
  AppendU32(&newer, Crc32(Crc32(0, newer), bytes.substr(5)));
  EXPECT_EQ(HorizonForecaster::Restore(newer + bytes.substr(5)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace gnomon
