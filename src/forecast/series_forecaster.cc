// SPDX-License-Identifier: Apache-2.0
#include "forecast/series_forecaster.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "forecast/demand_features.h"
#include "forecast/negative_binomial.h"

namespace gnomon {
namespace {

constexpr double kSeasonsOfScores = 7;
constexpr double kLeastMemory = 500;   // scores, if seasons are short
constexpr double kPriorScores = 50;    // that the negative binomial is worth
constexpr double kSurely = 20;          // times kPriorScores: the prior is forgotten
constexpr int kFewestRecent = 48;      // steps of the rolling quantile, if a season is shorter
constexpr int kFewestWindows = 24;     // of which quantiles are taken
constexpr double kBatchShare = 0.01;   // of a step, in the faded means of batches
constexpr double kBurstFactor = 4;     // a step of so many times the season's mean is a burst
constexpr double kBurstLeast = 8;      // and of so many creations
constexpr size_t kBase = 0;            // the expert that trees add to
constexpr size_t kOwnFeatures = 28;    // besides the experts
constexpr int kDays = 7;               // seasons back that trees see

}  // namespace

size_t SeriesShape::capacity() const {
  int ahead = 0;
  for (const Span& span : spans) ahead = std::max(ahead, span.to);
  return static_cast<size_t>(std::max({seasons.back(), 7 * seasons.front(), kFewestRecent}) + 2 * ahead + seasons.back() / 48 + 1);
}

std::vector<std::string> SeriesShape::forecasts() const {
  std::vector<std::string> names = {"rolling"};
  for (const NamedExpert& named : MakeExperts(seasons, spans)) names.push_back(named.name);
  names.push_back("trees");
  return names;
}

ForecastPool MakePool(const SeriesShape& shape) {
  const size_t experts = MakeExperts(shape.seasons, shape.spans).size();
  return ForecastPool(shape.spans.size(), experts + kOwnFeatures);
}

SeriesForecaster::SeriesForecaster(const SeriesShape& shape, ForecastPool* pool, uint64_t key)
    : shape_(shape), pool_(pool), key_(key), history_(shape.capacity()), class_(ForecastPool::kClasses) {
  for (NamedExpert& named : MakeExperts(shape.seasons, shape.spans)) experts_.push_back(std::move(named.expert));
  for (size_t i = 0; i < shape.spans.size(); ++i) {
    spans_.push_back({std::vector<ScoreHistogram>(experts_.size()), ForecastMix(experts_.size() + 2), {}, {}});
  }
  mixed_.resize(shape.spans.size());
}

void SeriesForecaster::Add(const Step& step) {
  history_.Push(step.value);
  batched_ += kBatchShare * (step.batched - batched_);
  batches_ += kBatchShare * (step.batches - batches_);
  last_batched_ = step.batched;
  alone_ += kBatchShare * (step.value - step.batched - alone_);
  const double a_step = history_.Mean(0, shape_.seasons[0]);
  if (step.value >= std::max(kBurstLeast, kBurstFactor * a_step)) burst_ = history_.pushed();
  for (size_t span = 0; span < spans_.size(); ++span) Learn(span);
  for (const auto& expert : experts_) expert->Learn(history_);
  double squares = 0;
  const int recent = std::min(history_.known(), shape_.seasons[0]);
  for (int i = 0; i < recent; ++i) squares += history_.Back(i) * history_.Back(i);
  const double variance = squares / recent - a_step * a_step;
  const double unevenness = a_step <= 0 ? 1 : std::max(1.0, variance / a_step);
  const size_t size_class = pool_->ClassOf(a_step);
  pool_->Move(class_, size_class);
  class_ = size_class;
  for (size_t span = 0; span < spans_.size(); ++span) {
    spans_[span].made.push_back(Make(span, unevenness));
    mixed_[span] = spans_[span].made.back().mixed;
    std::sort(mixed_[span].begin(), mixed_[span].end());
  }
}

// From the forecast of `span` whose last step is the newest.
void SeriesForecaster::Learn(size_t span) {
  SpanState& state = spans_[span];
  const Span& ahead = shape_.spans[span];
  if (state.made.size() < static_cast<size_t>(ahead.to)) return;
  const Made& made = state.made.front();
  const double outcome =
      history_.Sum(0, ahead.length()) + Draw(key_ * spans_.size() + span, static_cast<uint64_t>(history_.pushed()));
  const double memory = std::max(kLeastMemory, kSeasonsOfScores * shape_.seasons[0]);
  for (size_t e = 0; e < experts_.size(); ++e) {
    const double expected = static_cast<double>(made.expected[e]);
    state.scores[e].Add(ScoreHistogram::Score(outcome, expected), memory);
  }
  if (shape_.parts.mixing) state.mix.Learn(made.apart, outcome);
  if (shape_.parts.calibration) pool_->Covered(span, class_, made.mixed, outcome, &state.own_shifts);
  if (!made.features.empty()) {
    const double base = static_cast<double>(made.expected[kBase]);
    pool_->Keep(span, made.features, ScoreHistogram::Score(outcome, base), std::sqrt(base + 1));
  }
  state.made.pop_front();
}

SeriesForecaster::Made SeriesForecaster::Make(size_t span, double unevenness) const {
  const Span& ahead = shape_.spans[span];
  const SpanState& state = spans_[span];
  Made made;
  made.expected.resize(experts_.size());
  made.apart.push_back(Recent(ahead, unevenness));
  for (size_t e = 0; e < experts_.size(); ++e) {
    made.expected[e] = static_cast<float>(experts_[e]->Forecast(history_, ahead));
    made.apart.push_back(Scored(state.scores[e], static_cast<double>(made.expected[e]), unevenness));
  }
  made.apart.push_back(made.apart[1 + kBase]);
  if (shape_.parts.pooling) {
    const double base = static_cast<double>(made.expected[kBase]);
    std::vector<float> features = Features(span, made.expected);
    if (pool_->HasTrees(span)) {
      const Quantiles scores = pool_->TreeScores(span, features);
      for (size_t i = 0; i < kLevels.size(); ++i) {
        made.apart.back()[i] = static_cast<float>(
            std::max(0.0, ScoreHistogram::Outcome(static_cast<double>(scores[i]), base)));
      }
    }
    if (pool_->Keeps(key_, static_cast<uint64_t>(history_.pushed()))) made.features = std::move(features);
  }
  made.mixed = state.mix.Mix(made.apart);
  if (shape_.parts.calibration) made.mixed = pool_->Shift(span, class_, state.own_shifts, made.mixed);
  return made;
}

// What the last season's sums say alone: for any share of them, the sum that is not passed.
Quantiles SeriesForecaster::Recent(const Span& span, double unevenness) const {
  const int recent = std::max(shape_.seasons[0], kFewestRecent);
  const int windows = std::min(history_.known(), recent) - span.length() + 1;
  const double mean = history_.Mean(0, recent) * span.length();
  if (windows < kFewestWindows) return NegativeBinomialQuantiles(mean, mean * unevenness);
  std::vector<float> sums(static_cast<size_t>(windows));
  double sum = history_.Sum(0, span.length());
  for (int i = 0; i < windows; ++i) {
    sums[static_cast<size_t>(i)] = static_cast<float>(sum);
    sum += history_.Back(i + span.length()) - history_.Back(i);
  }
  std::sort(sums.begin(), sums.end());
  Quantiles quantiles{};
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double rank = kLevels[i] * windows;
    const float at = sums[static_cast<size_t>(std::ceil(rank)) - 1];
    const auto [first, last] = std::equal_range(sums.begin(), sums.end(), at);
    const double ties = static_cast<double>(last - first), below = static_cast<double>(first - sums.begin());
    quantiles[i] = at + static_cast<float>((rank - below) / ties);
  }
  return quantiles;
}

Quantiles SeriesForecaster::Scored(const ScoreHistogram& scores, double expected, double unevenness) const {
  const double known = scores.weight(), prior = kPriorScores;
  Quantiles quantiles = scores.AtLevels();
  for (float& q : quantiles) {
    q = static_cast<float>(std::max(0.0, ScoreHistogram::Outcome(static_cast<double>(q), expected)));
  }
  if (known >= kSurely * prior) return quantiles;
  const Quantiles first = NegativeBinomialQuantiles(expected, expected * unevenness);
  const float share = static_cast<float>(known / (known + prior));
  for (size_t i = 0; i < kLevels.size(); ++i) quantiles[i] = first[i] + share * (quantiles[i] - first[i]);
  return quantiles;
}

std::vector<float> SeriesForecaster::Features(size_t span, std::span<const float> expected) const {
  const Span& ahead = shape_.spans[span];
  const int day = shape_.seasons[0], length = ahead.length();
  const double base = Root(static_cast<double>(expected[kBase]));
  std::vector<float> features;
  auto put = [&](double value) { features.push_back(static_cast<float>(value)); };
  put(base);
  for (size_t e = 0; e < expected.size(); ++e) {
    if (e != kBase) put(Root(static_cast<double>(expected[e])) - base);
  }
  for (int steps : {1, 2, 3, 6, 12, 36}) put(Root(history_.Mean(0, steps) * length) - base);
  put(Root(history_.Mean(0, day) * length));
  double largest = 0;
  for (int n = 1; n <= kDays; ++n) {
    const int back = n * day - ahead.to, side = std::max(1, day / 288);
    put(Root(history_.Sum(back, length)) - base);
    largest = std::max(largest, history_.Sum(std::max(0, back - side), length + 2 * side));
  }
  put(Root(largest) - base);
  put(static_cast<double>(history_.pushed() % day));
  put(static_cast<double>(history_.pushed() % shape_.seasons.back() / day));
  double squares = 0;
  for (int i = 0; i < 36; ++i) squares += history_.Back(i) * history_.Back(i);
  put(shape_.parts.bursts ? std::sqrt(squares / 36) : 0);
  for (int steps : {3, 12, 36, day}) put(shape_.parts.bursts ? Root(history_.Largest(steps)) : 0);
  put(shape_.parts.bursts ? static_cast<double>(std::min<int64_t>(history_.pushed() - burst_, 2 * day)) : 0);
  const bool batches = shape_.parts.batches;
  put(batches ? batched_ / std::max(1e-9, batched_ + alone_) : 0);
  put(batches ? batched_ / std::max(1e-9, batches_) : 0);
  put(batches ? batches_ : 0);
  put(batches ? Root(alone_ * length) : 0);
  put(batches ? last_batched_ : 0);
  GNOMON_CHECK(features.size() == expected.size() + kOwnFeatures);
  return features;
}

std::vector<Quantiles> SeriesForecaster::Weights(size_t span) const { return spans_[span].mix.Weights(); }

template <class Archive, class Self>
void SeriesForecaster::Fields(Archive& archive, Self& self) {
  archive(self.history_);
  archive.Elements(self.spans_);
  archive.Elements(self.mixed_);
  archive(self.class_, self.batched_, self.batches_, self.alone_, self.last_batched_, self.burst_);
  archive.Require(self.class_ <= ForecastPool::kClasses && self.IsWellFormed());
}

// Whether all lists are as long as they must be.
bool SeriesForecaster::IsWellFormed() const {
  for (size_t i = 0; i < spans_.size(); ++i) {
    const SpanState& state = spans_[i];
    if (state.made.size() > static_cast<size_t>(shape_.spans[i].to)) return false;
    for (const Made& made : state.made) {
      if (made.expected.size() != experts_.size() || made.apart.size() != experts_.size() + 2) return false;
      if (!made.features.empty() && made.features.size() != experts_.size() + kOwnFeatures) return false;
    }
  }
  return true;
}

void SeriesForecaster::Save(StateWriter& writer) const {
  Fields(writer, *this);
  for (const auto& expert : experts_) expert->Save(writer);
}

void SeriesForecaster::Restore(StateReader& reader) {
  Fields(reader, *this);
  for (const auto& expert : experts_) expert->Restore(reader);
}

}  // namespace gnomon
