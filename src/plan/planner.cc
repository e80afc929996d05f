// SPDX-License-Identifier: Apache-2.0
#include "plan/planner.h"

#include <algorithm>
#include <cmath>

#include "plan/planner_key.h"

namespace gnomon {
namespace {

constexpr double kMinuteS = 60, kHourS = 3600, kDayS = 86400;
constexpr size_t kFewestRows = 2000;       // that trees are fitted on
constexpr double kRowsSpanS = 12 * kDayS;  // that the rows reach back, at least
constexpr double kBusyDay = 24;            // creations in a day from which on a key is learnt from
constexpr double kTicksALead = 5;          // at least, of virtual pools, unless they are shorter than a second
constexpr double kFirstScore = 3;          // before the first fit
constexpr double kMostSpanS = 7 * kDayS;   // a key holds no more than were created in so long
constexpr double kKnownWeek = 20;          // creations in a week from which on a key's hits and misses count
constexpr double kOwn = 1.25;              // of the key's largest score, that a score is at most
constexpr double kOwnMemory = 10080;       // minutes, after which that counts 1/e; less while fewer are known
constexpr double kOwnFew = 60;             // minutes that are too few to tell
constexpr double kTreeQuantile = 0.99;
constexpr int kTrees = 100;  // of a model
constexpr double kTreeRate = 0.06;
constexpr double kRecentQuantile = 0.995;  // of a key's needs
constexpr double kFollows = 0.5;           // of what a multiple beyond 1 adds, the share that follows the forecast
constexpr double kLevelBelow = 0.7;        // of what a multiple below 1 takes off: so much of the level
constexpr double kSpreadBelow = 1.6;       // and so much of the rest
constexpr double kBurstFactor = 5;         // a minute of so many times the day's mean is a burst
constexpr double kBurstLeast = 4;          // and of so many creations

}  // namespace

Planner::Planner(const PlannerOptions& options)
    : lead_s_(std::min(options.lead_s, PlannerOptions::kMaxLeadS)),
      review_s_(options.review_s),
      capacity_(static_cast<double>(options.capacity)),
      window_s_(std::ceil((review_s_ + lead_s_) / kMinuteS) * kMinuteS),
      tick_s_(std::clamp(std::floor(lead_s_ / kTicksALead), 1.0, DemandHistory::kTickS)),
      expected_(lead_s_) {}

Planner::~Planner() = default;

size_t Planner::AddKey() {
  const double ticks = std::ceil(lead_s_ / tick_s_);
  keys_.push_back(std::make_unique<Key>(static_cast<size_t>(std::max(1.0, ticks))));
  keys_.back()->number = keys_.size() - 1;
  return keys_.size() - 1;
}

bool Planner::Created(size_t key, double time_s, uint32_t count, uint32_t batch) {
  const int64_t known = batch == 0 ? 0 : expected_.Consume(time_s, key, batch, count);
  if (known > 0) curve_.Add(static_cast<double>(known), {});  // the hit rate that is asked for is that of all creations
  if (const uint32_t unknown = count - static_cast<uint32_t>(known); unknown > 0) {
    keys_[key]->history.Add(time_s, unknown);
    keys_[key]->seen = true;
    all_.Add(time_s, unknown);
  }
  return known > 0;
}

void Planner::Review(double time_s) {
  all_.Advance(time_s);
  const bool minute = time_s - learnt_s_ >= kMinuteS;
  if (minute) {
    curve_.Age(kMinuteS);
    busy_keys_ = 0;
    for (const std::unique_ptr<Key>& key : keys_) {
      key->history.Advance(time_s);
      if (key->seen) LearnMinute(key.get(), time_s);
    }
    learnt_s_ = time_s;
    const int64_t day = static_cast<int64_t>(time_s / kDayS);
    const bool is_new_day = day > fitted_day_ && rows_.size() >= kFewestRows;
    const bool has_doubled = rows_.size() >= std::max(kFewestRows, 2 * fitted_rows_);
    if (is_new_day || has_doubled) {
      if (models_.empty()) curve_ = HitCurve();  // its multiples were those of kFirstScore
      FitOneModel();
      fitted_day_ = day;
      fitted_rows_ = rows_.size();
    }
  }
  targets_ = {};
  for (const std::unique_ptr<Key>& key : keys_) {
    if (!key->seen) continue;
    key->history.Advance(time_s);
    Forecast(key.get(), time_s);
    targets_.at_one += key->target.at_one;
    targets_.below += key->target.below;
    targets_.beyond += key->target.beyond;
    if (!minute) key->pending.pop_back();  // learnt from once a minute
    if (minute) key->pools.Review(key->target, key->keep - key->target.at_one);
  }
}

// The largest demand over a lead and a spread that ends while a plan of `time_s` decides.
double Planner::NeedAt(const Key& key, double time_s) const {
  double need = 0;
  for (double end_s = time_s + lead_s_; end_s <= time_s + lead_s_ + review_s_ + kSpreadS; end_s += kSpreadS) {
    need = std::max(need, key.history.Sum(end_s - lead_s_ - kSpreadS, end_s));
  }
  return need;
}

void Planner::LearnMinute(Key* key, double time_s) {
  const double from_s = time_s - kMinuteS;
  const bool is_known = key->history.Sum(from_s - kMostSpanS, from_s) >= kKnownWeek;
  for (double at_s = from_s; at_s < time_s; at_s += tick_s_) {
    const double demand = key->history.Sum(at_s, at_s + tick_s_);
    key->pools.Tick(static_cast<uint32_t>(std::lround(demand)), is_known ? &curve_ : nullptr);
  }
  const double day = key->history.Sum(time_s - kDayS, time_s);
  if (day >= kBusyDay) ++busy_keys_;
  const double last = key->history.Sum(from_s, time_s);
  if (last >= std::max(kBurstLeast, kBurstFactor * day * kMinuteS / kDayS)) key->burst_s = time_s;
  std::vector<Pending>& pending = key->pending;
  while (!pending.empty() && pending.front().time_s + lead_s_ + review_s_ + kSpreadS <= time_s) {
    Learn(key, pending.front());
    pending.erase(pending.begin());
  }
}

void Planner::Learn(Key* key, const Pending& pending) {
  const double need = NeedAt(*key, pending.time_s);
  key->linear.Learn(std::span(pending.features).first<kLags>(), Root(need));
  key->needs.Add(need);
  const double scale = std::sqrt(pending.level + 1);
  const double score = (need - pending.level) / scale;
  if (pending.time_s >= kDayS) Keep(*key, pending, score, scale);
  const double memory = std::clamp(key->known_minutes, kOwnFew, kOwnMemory);
  key->own_score = std::max(key->own_score * std::exp(-1 / memory), score);
  ++key->known_minutes;
}

// Keeps the forecast and its outcome for the next fit, if its turn comes.
void Planner::Keep(const Key& key, const Pending& pending, double score, double scale) {
  if (key.history.Sum(pending.time_s - kDayS, pending.time_s) < kBusyDay) return;
  const double rows_a_key = static_cast<double>(kMaxRows) / static_cast<double>(std::max<size_t>(busy_keys_, 1));
  const uint64_t stride = static_cast<uint64_t>(std::max(2.0, std::ceil(kRowsSpanS / kMinuteS / rows_a_key)));
  if ((static_cast<uint64_t>(pending.time_s / kMinuteS) + key.number) % stride != 0) return;
  if (rows_.size() < kMaxRows) {
    rows_.Add(pending.features, static_cast<float>(score), static_cast<float>(scale));
    return;
  }
  rows_.Replace(next_row_, pending.features, static_cast<float>(score), static_cast<float>(scale));
  next_row_ = (next_row_ + 1) % kMaxRows;
}

void Planner::FitOneModel() {
  models_.push_back(
      QuantileTrees::Fit(rows_, {.quantile = kTreeQuantile, .trees = kTrees, .rate = kTreeRate, .seed = ++fits_}));
  if (models_.size() > kModels) models_.pop_front();
}

double Planner::Score(const Key& key, const Pending& pending) const {
  if (models_.empty()) return kFirstScore;
  double sum = 0;
  for (const QuantileTrees& model : models_) sum += model.Predict(pending.features);
  const double shared = sum / static_cast<double>(models_.size());
  const double few = kOwnFew / (kOwnFew + key.known_minutes);
  return few * shared + (1 - few) * std::min(shared, kOwn * key.own_score);
}

void Planner::Forecast(Key* key, double time_s) {
  Pending& pending = key->pending.emplace_back();
  const std::span<float, kFeatures> features(pending.features);
  const Moment moment{key->history, all_, time_s, window_s_};
  pending.time_s = time_s;
  WriteLags(moment, features.first<kLags>());
  pending.level = FromRoot(key->linear.Predict(features.first<kLags>()));
  WriteRest(moment, pending.level, time_s - key->burst_s, features.last<kFeatures - kLags>());
  key->level = pending.level;
  const double most = key->history.Sum(time_s - kMostSpanS, time_s);
  const double at_one = std::clamp(key->level + Score(*key, pending) * std::sqrt(pending.level + 1), 0.0, most);
  const double level = std::min(key->level, at_one);
  const double beyond = kFollows * at_one + (1 - kFollows) * key->needs.Quantile(kRecentQuantile);
  key->target = {at_one, kLevelBelow * level + kSpreadBelow * (at_one - level), std::min(beyond, most), most};
  key->keep = std::max(key->target.at_one, key->keep - kFall * (key->keep - key->target.at_one));
}

Plan Planner::PlanFor(size_t key_number, double hit_rate) const {
  const Key& key = *keys_[key_number];
  Plan plan;
  plan.forecast = key.level;
  plan.multiple = curve_.MultipleFor(hit_rate);
  const bool is_short = targets_.At(plan.multiple) > capacity_;
  if (is_short) plan.multiple = targets_.MultipleOf(capacity_);
  const double target_at = key.target.At(plan.multiple);
  plan.spread = plan.multiple > 0 ? target_at / plan.multiple - key.level : 0;
  const double kept = is_short ? 0 : plan.multiple * (key.keep - key.target.at_one);
  const int64_t target = std::llround(target_at), keep = std::llround(target_at + kept);
  plan.announced = expected_.Due(key_number);
  plan.level = {target + plan.announced, target + plan.announced, keep + plan.announced};
  plan.kept = static_cast<double>(keep - target);
  return plan;
}

}  // namespace gnomon
