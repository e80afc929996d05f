// SPDX-License-Identifier: Apache-2.0
#include "engine/quality.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gnomon {
namespace {

constexpr double kMeanS = 300;
constexpr double kLeastTimes = 0.25, kMostTimes = 300, kTimesFactor = 1.125;  // of pools in proportion

// Adds what the pool of kSizes[size] has done beside `record`.
void AddPool(const ServedRecord& record, size_t size, StaticPoolView* pool) {
  const int64_t hits = record.pools().hits(size);
  const double held_s = static_cast<double>(StaticPools::kSizes[size]) * static_cast<double>(record.observed_s());
  pool->hits += hits;
  pool->idle_s += std::max(0.0, held_s - static_cast<double>(StaticPools::kLeadS * hits));
}

// The first of StaticPools::kSizes that is at least `size`; nullopt: none is.
std::optional<size_t> SizeFrom(double size) {
  const auto found = std::find_if(StaticPools::kSizes.begin(), StaticPools::kSizes.end(),
                                  [size](uint32_t one) { return static_cast<double>(one) >= size; });
  if (found == StaticPools::kSizes.end()) return std::nullopt;
  return static_cast<size_t>(found - StaticPools::kSizes.begin());
}

std::optional<StaticPoolView> Fixed(const std::vector<const ServedRecord*>& records, int64_t hits) {
  if (hits == 0) return std::nullopt;
  for (size_t size = 0; size < StaticPools::kSizes.size(); ++size) {
    StaticPoolView pool{.setting = static_cast<double>(StaticPools::kSizes[size])};
    for (const ServedRecord* record : records) AddPool(*record, size, &pool);
    if (pool.hits >= hits) return pool;
  }
  return std::nullopt;
}

std::optional<StaticPoolView> Proportional(const std::vector<const ServedRecord*>& records, int64_t hits) {
  if (hits == 0) return std::nullopt;
  for (double times = kLeastTimes; times < kMostTimes; times *= kTimesFactor) {
    StaticPoolView pool{.setting = times};
    bool known = true;
    for (const ServedRecord* record : records) {
      if (record->total().creations == 0 || record->observed_s() == 0) continue;
      const double mean =
          static_cast<double>(record->total().creations) * kMeanS / static_cast<double>(record->observed_s());
      const std::optional<size_t> size = SizeFrom(std::max(1.0, std::ceil(times * mean)));
      known = known && size.has_value();
      if (size) AddPool(*record, *size, &pool);
    }
    if (!known) return std::nullopt;
    if (pool.hits >= hits) return pool;
  }
  return std::nullopt;
}

void AddServed(const ServedRecord& record, int64_t now_s, TypeQuality* quality) {
  if (record.since_s() == 0) return;
  const absl::Time since = absl::FromUnixSeconds(record.since_s());
  auto add = [&](absl::Time from, const ServedTally& served, TypeQuality::Window* window) {
    from = std::max(from, since);
    window->from = window->from == absl::InfinitePast() ? from : std::min(window->from, from);
    window->served.Add(served);
  };
  add(since, record.total(), &quality->total);
  add(absl::FromUnixSeconds(ServedRecord::Day::FromOf(now_s)), record.day().SumAt(now_s), &quality->day);
  add(absl::FromUnixSeconds(ServedRecord::Hour::FromOf(now_s)), record.hour().SumAt(now_s), &quality->hour);
  quality->observed = std::max(quality->observed, absl::Seconds(record.observed_s()));
}

void AddJudged(const ForecastJudge& judge, TypeQuality* quality) {
  for (size_t h = 0; h < quality->horizons.size(); ++h) quality->horizons[h].Add(judge.horizons()[h]);
}

}  // namespace

TypeQuality QualityOfType(const std::string& type, const QualityRecord& record, int64_t now_s) {
  TypeQuality quality{.type = type};
  AddServed(record.served, now_s, &quality);
  AddJudged(record.judge, &quality);
  quality.fixed = Fixed({&record.served}, quality.total.served.hits);
  return quality;
}

TypeQuality QualityOfAll(const std::vector<QualityRecord>& records, int64_t now_s) {
  TypeQuality quality;
  std::vector<const ServedRecord*> served;
  for (const QualityRecord& record : records) {
    AddServed(record.served, now_s, &quality);
    AddJudged(record.judge, &quality);
    served.push_back(&record.served);
  }
  quality.fixed = Fixed(served, quality.total.served.hits);
  quality.proportional = Proportional(served, quality.total.served.hits);
  return quality;
}

}  // namespace gnomon
