// SPDX-License-Identifier: Apache-2.0
//
// A HorizonForecaster forecasts, for each key of a fleet, how many creations the next 5, 15 and 30 minutes will bring.
//
// It counts creations by steps of kStepS. Whenever a key's step ends, its forecasts are made anew, each for a whole
// horizon from there (SeriesForecaster, with the season of a day and of a week). The steps of the n-th key end n
// minutes later than those of the first, modulo kStepS, so that a review never meets all keys at once.
//
// Example:
//   HorizonForecaster forecaster;
//   size_t key = forecaster.AddKey();
//   forecaster.Created(key, 12.5, 3);
//   forecaster.Review(60);                       // every minute
//   KeyForecast forecast = forecaster.ForecastOf(key);
//   forecast.horizons[2].quantiles[kLevel99];    // of the creations in the half hour from forecast.as_of_s
//
// Threads: not thread-safe. Deterministic: equal calls give equal bits. Time: seconds since a midnight, never going
// back. Cost: 10 us a key and review of a minute; every two hours a fit of 0.1 s. Memory: 12 kB a key and at most 20 MB
// for what trees learn from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "forecast/series_forecaster.h"

namespace gnomon {

struct HorizonForecast {
  double horizon_s = 0;
  // Creations, whole, at kLevels: so many or fewer come with that probability.
  std::array<int64_t, kLevels.size()> quantiles{};
  Quantiles exact{};               // of the creations plus U (levels.h)
  std::vector<Quantiles> weights;  // of each of HorizonForecaster::forecasts(), at kLevels; each level adds up to 1
};

struct KeyForecast {
  double as_of_s = 0;  // the end of the key's last step, where the horizons begin
  int64_t steps = 0;   // that the key is known for; 0: nothing is forecast yet
  std::array<HorizonForecast, 3> horizons;
  std::vector<double> recent;  // creations of the last steps, the newest first, at most kRecent
};

class HorizonForecaster {
 public:
  static constexpr double kStepS = 300;
  static constexpr double kDayS = 86400;
  static constexpr std::array<int, 3> kHorizonSteps = {1, 3, 6};
  static constexpr size_t kRecent = 288;
  // Longer times without a review are passed over: nothing is learnt from them.
  static constexpr double kMaxGapS = 3600;

  explicit HorizonForecaster(const ForecastParts& parts = {});
  ~HorizonForecaster();
  HorizonForecaster(const HorizonForecaster&) = delete;
  HorizonForecaster& operator=(const HorizonForecaster&) = delete;

  // Keys are numbered from 0.
  size_t AddKey();
  size_t keys() const { return keys_.size(); }
  void Created(size_t key, double time_s, uint32_t count);
  // Nothing more comes before `time_s`.
  void Review(double time_s);
  // As of the key's last step.
  KeyForecast ForecastOf(size_t key) const;
  // The names of what is mixed, in the order of HorizonForecast::weights.
  const std::vector<std::string>& forecasts() const { return names_; }
  // For who judges: the series of a key, with what is mixed.
  const SeriesForecaster& series(size_t key) const;

  // All that was learnt, as bytes: a version, a checksum, the state. A forecaster restored from them and told the same
  // gives the same forecasts, bit by bit. Size: about 12 kB a key, and 200 bytes a row that trees learn from.
  std::string Save() const;
  // Errors: DATA_LOSS (FORECASTER_STATE_CORRUPT) for bytes that Save did not make; FAILED_PRECONDITION
  // (FORECASTER_STATE_DIFFERS) for those of another version.
  static absl::StatusOr<std::unique_ptr<HorizonForecaster>> Restore(std::string_view bytes);

 private:
  struct Key;
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self);
  void Advance(Key* key, double time_s);

  const SeriesShape shape_;
  const std::vector<std::string> names_;
  ForecastPool pool_;
  std::vector<std::unique_ptr<Key>> keys_;
  double reviewed_s_ = 0;
  int64_t fit_ = 0;  // the period of the last one
};

}  // namespace gnomon
