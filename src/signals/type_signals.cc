// SPDX-License-Identifier: Apache-2.0
#include "signals/type_signals.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gnomon {
namespace {

std::unique_ptr<RiseForecast> NewRise() {
  return std::make_unique<RiseForecast>(
      RiseForecast::Options{.step_s = TypeSignals::kStepS, .horizon = TypeSignals::kHorizon});
}

}  // namespace

bool TypeSignals::IsMean(const std::string& metric, const View& view) {
  return std::any_of(view.targets.begin(), view.targets.end(),
                     [&](const Target& target) { return target.metric == metric && target.is_mean; });
}

void TypeSignals::LearnPast(const std::string& metric, const std::vector<Point>& past) {
  if (past.empty()) return;
  std::unique_ptr<RiseForecast>& rise = followed_[metric].rise;
  rise = NewRise();
  size_t next = 0;
  for (int64_t at_s = past.front().time_s; at_s <= past.back().time_s; at_s += kStepS) {
    while (next < past.size() && past[next].time_s <= at_s) ++next;
    const Point& last = past[next - 1];
    rise->Add(at_s - last.time_s <= kFreshS ? std::optional<double>(last.value) : std::nullopt);
  }
}

bool TypeSignals::IsFresh(const Metric& metric, int64_t now_s) {
  return metric.latest && now_s - metric.latest->time_s <= kFreshS;
}

void TypeSignals::Look(const View& view) {
  created_ += view.created;
  const int64_t step = view.now_s / kStepS;
  if (!step_ || step > *step_) {
    // Of a pause between two looks, no more is told than what a model looks back at.
    constexpr int64_t kMostSteps = 8;
    for (int64_t missed = step_ ? std::min(step - *step_ - 1, kMostSteps) : 0; missed > 0; --missed) {
      for (auto& [name, followed] : followed_) {
        if (followed.rise != nullptr) followed.rise->Add(std::nullopt);
        if (followed.driver != nullptr) followed.driver->Add({.instances = view.instances});
      }
    }
    Step(view);
    step_ = step;
    created_ = 0;
  }
  advice_ = {};
  for (const Target& target : view.targets) AddTarget(target, view);
  for (const Metric& metric : view.metrics) {
    const bool has_target = std::any_of(view.targets.begin(), view.targets.end(),
                                        [&](const Target& target) { return target.metric == metric.name; });
    if (!IsFresh(metric, view.now_s)) {
      advice_.rules.push_back(absl::StrCat(metric.name, ": silent",
                                           metric.latest ? absl::StrCat(" for ", view.now_s - metric.latest->time_s, " s") : "",
                                           ", nothing is concluded from it"));
    } else if (metric.drives && !has_target) {
      AddDriver(metric);
    }
  }
}

void TypeSignals::Step(const View& view) {
  for (const Metric& metric : view.metrics) {
    const std::optional<double> value =
        IsFresh(metric, view.now_s) ? std::optional<double>(metric.latest->value) : std::nullopt;
    Followed& followed = followed_[metric.name];
    const bool is_mean = IsMean(metric.name, view);
    if (followed.rise == nullptr || followed.of_mean != is_mean) followed.rise = NewRise();
    followed.of_mean = is_mean;
    followed.rise->Add(value && is_mean ? std::optional<double>(*value * view.instances) : value);
    if (!metric.drives) continue;
    if (followed.driver == nullptr) {
      followed.driver =
          std::make_unique<DriverModel>(DriverModel::Options{.step_s = kStepS, .horizon = kHorizon});
    }
    followed.driver->Add({.metric = value, .instances = view.instances, .created = created_});
  }
}

void TypeSignals::Expect(const Outlook& outlook) {
  if (!advice_.expected) advice_.expected = outlook;
  for (size_t i = 0; i < kChances; ++i) (*advice_.expected)[i] = std::max((*advice_.expected)[i], outlook[i]);
}

void TypeSignals::AddTarget(const Target& target, const View& view) {
  const auto found = followed_.find(target.metric);
  if (found == followed_.end() || found->second.rise == nullptr) {
    advice_.rules.push_back(absl::StrCat(target.text, ": no metric is bound to ", target.metric));
    return;
  }
  const RiseForecast& rise = *found->second.rise;
  if (!rise.known()) {
    advice_.rules.push_back(absl::StrCat(target.text, ": ", target.metric, " is not known well enough yet, or silent"));
    return;
  }
  const Outlook outlook = ExpectedBy(target.rule, rise, view.instances);
  Expect(outlook);
  constexpr size_t kShown = kChances - 6;
  advice_.rules.push_back(absl::StrFormat("%s: %s is %.6g, wants %d; %d more within a minute at %.1f %%", target.text,
                                          target.metric, rise.now(), WantedBy(target.rule, rise.now(), view.instances),
                                          outlook[kShown], ChanceOf(kShown) * 100));
}

void TypeSignals::AddDriver(const Metric& metric) {
  const auto found = followed_.find(metric.name);
  if (found == followed_.end() || found->second.driver == nullptr) return;
  const DriverModel& driver = *found->second.driver;
  if (!driver.known()) {
    advice_.rules.push_back(absl::StrFormat("%s: explains %.0f %% of the instances, too little to be used", metric.name,
                                            driver.explained() * 100));
    return;
  }
  Outlook outlook{};
  for (size_t i = 0; i < kChances; ++i) {
    outlook[i] = static_cast<uint32_t>(std::min(std::lround(driver.AtChance(ChanceOf(i))), 1L << 20));
  }
  Expect(outlook);
  advice_.rules.push_back(absl::StrFormat("%s: an instance follows %.4g of it after %d s (explains %.0f %%)", metric.name,
                                          1 / driver.instances_per_unit(), driver.lag_s(), driver.explained() * 100));
}

}  // namespace gnomon
