// SPDX-License-Identifier: Apache-2.0
//
// The JSON of a quality: every ratio with the counts that it comes from, and words where there is too little for one.
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "api/encode.h"

namespace gnomon {
namespace {

constexpr int64_t kFewestOutcomes = 100;  // that shares are told of

double Minutes(double seconds) { return seconds / 60; }

void WriteIdle(double idle_s, int64_t creations, JsonWriter* json) {
  json->Key("idle_minutes").Double(Minutes(idle_s));
  if (creations > 0) json->Key("idle_minutes_per_creation").Double(Minutes(idle_s) / static_cast<double>(creations));
}

void WriteHits(int64_t hits, int64_t creations, JsonWriter* json) {
  json->Key("hits").Int(hits);
  json->Key("misses").Int(creations - hits);
  if (creations > 0) json->Key("hit_rate").Double(static_cast<double>(hits) / static_cast<double>(creations));
}

void WriteWindow(std::string_view name, const TypeQuality::Window& window, JsonWriter* json) {
  json->Key(name).BeginObject();
  json->Key("from").Time(window.from);
  json->Key("creations").Int(window.served.creations);
  WriteHits(window.served.hits, window.served.creations, json);
  WriteIdle(window.served.idle_s, window.served.creations, json);
  json->EndObject();
}

void WritePool(std::string_view name, std::string_view setting, const std::optional<StaticPoolView>& pool,
               const ServedTally& served, JsonWriter* json) {
  json->Key(name).BeginObject();
  if (pool) {
    json->Key(setting).Double(pool->setting);
    WriteHits(pool->hits, served.creations, json);
    WriteIdle(pool->idle_s, served.creations, json);
  } else {
    json->Key("missing").String(served.hits == 0 ? "nothing was hit that a pool could equal"
                                                 : "none of the pools tried has as many hits");
  }
  json->EndObject();
}

// One value a level, of those that `value(level)` gives.
template <typename Value>
void WriteLevels(std::string_view name, JsonWriter* json, Value value) {
  json->Key(name).BeginObject();
  for (size_t i = 0; i < kLevels.size(); ++i) json->Key(LevelName(i)).Double(value(i));
  json->EndObject();
}

void WriteHorizon(const JudgedHorizon& horizon, JsonWriter* json) {
  json->BeginObject();
  json->Key("outcomes").Int(horizon.outcomes);
  if (horizon.outcomes < kFewestOutcomes) {
    json->Key("missing").String(
        absl::StrCat("fewer than ", kFewestOutcomes, " forecasts were judged; the first day is not"));
    json->EndObject();
    return;
  }
  const double outcomes = static_cast<double>(horizon.outcomes);
  json->Key("covered").BeginObject();
  for (size_t i = 0; i < kLevels.size(); ++i) json->Key(LevelName(i)).Int(horizon.covered[i]);
  json->EndObject();
  WriteLevels("coverage", json, [&](size_t i) { return static_cast<double>(horizon.covered[i]) / outcomes; });
  WriteLevels("pinball", json, [&](size_t i) { return horizon.pinball[i] / outcomes; });
  WriteLevels("pinball_naive", json, [&](size_t i) { return horizon.naive[i] / outcomes; });
  json->Key("pinball_ratio").BeginObject();
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (horizon.naive[i] > 0) json->Key(LevelName(i)).Double(horizon.pinball[i] / horizon.naive[i]);
  }
  json->EndObject().EndObject();
}

}  // namespace

std::string LevelName(size_t level) { return absl::StrCat("p", std::lround(100 * kLevels[level])); }

void Encoder::Write(const TypeQuality& quality, JsonWriter* json) const {
  json->BeginObject();
  if (!quality.type.empty()) json->Key("type").String(quality.type);
  if (!quality.missing.empty()) {
    json->Key("missing").String(quality.missing).EndObject();
    return;
  }
  if (quality.total.from != absl::InfinitePast()) {
    json->Key("observed_seconds").Int(absl::ToInt64Seconds(quality.observed));
    WriteWindow("total", quality.total, json);
    WriteWindow("last_day", quality.day, json);
    WriteWindow("last_hour", quality.hour, json);
    WritePool("static_pool", "size", quality.fixed, quality.total.served, json);
    if (quality.type.empty()) {
      WritePool("proportional_pool", "times", quality.proportional, quality.total.served, json);
    }
  }
  json->Key("forecasts").BeginObject();
  for (size_t h = 0; h < quality.horizons.size(); ++h) {
    json->Key(absl::StrCat(std::lround(HorizonForecaster::kHorizonSteps[h] * HorizonForecaster::kStepS)));
    WriteHorizon(quality.horizons[h], json);
  }
  json->EndObject().EndObject();
}

}  // namespace gnomon
