// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_book.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr size_t kMaxErrorBytes = 500;

std::string NameOf(const MetricBook::Pusher& pusher) { return absl::StrCat(pusher.kind, "/", pusher.sender); }

std::string Bounded(const absl::Status& error) {
  return std::string(error.message().substr(0, kMaxErrorBytes));
}

// Codes as reasons: "TOO_MANY_SAMPLES" is "too_many_samples".
std::string ReasonOf(const absl::Status& error) {
  std::string code = CodeOf(error);
  if (code.empty()) code = std::string(absl::StatusCodeToString(error.code()));
  std::transform(code.begin(), code.end(), code.begin(), [](unsigned char c) { return static_cast<char>(tolower(c)); });
  return code;
}

MetricGrid::Options OptionsOf(const MetricRule& rule) {
  return {.step_s = absl::ToInt64Seconds(rule.step), .combine = rule.combine, .increases = rule.increases()};
}

}  // namespace

MetricBook::MetricBook(std::vector<MetricRule> rules, const std::vector<std::string>& prometheus, const Clock* clock)
    : rules_(std::move(rules)), clock_(clock), rule_errors_(rules_.size()) {
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < rules_.size(); ++i) {
    grids_.emplace_back(OptionsOf(rules_[i]));
    if (!rules_[i].match.has_value()) continue;
    if (const std::optional<std::string> name = rules_[i].match->ExactName()) {
      by_name_[*name].push_back(i);
    } else {
      any_name_.push_back(i);
    }
  }
  for (const std::string& name : prometheus) {
    SourceStatus& status = sources_[absl::StrCat("prometheus/", name)].status;
    status.name = absl::StrCat("prometheus/", name);
    status.kind = "prometheus";
  }
}

absl::StatusOr<MetricBook::Source*> MetricBook::SourceOf(const Pusher& pusher) {
  const std::string name = NameOf(pusher);
  auto found = sources_.find(name);
  if (found == sources_.end()) {
    if (pushers_ >= kMaxPushers) {
      return Error(absl::StatusCode::kUnavailable, "TOO_MANY_PUSHERS",
                   absl::StrCat(kMaxPushers, " senders have pushed samples; ", Excerpt(pusher.sender), " is one more"))
          .Hint("let them share tokens, and restart");
    }
    ++pushers_;
    found = sources_.try_emplace(name).first;
    found->second.status.name = name;
    found->second.status.kind = pusher.kind;
    found->second.status.sender = pusher.sender;
    found->second.filled = clock_->Monotonic();
  }
  return &found->second;
}

absl::Status MetricBook::Spend(Source& source, uint64_t samples) {
  const absl::Duration now = clock_->Monotonic();
  const double passed = absl::ToDoubleSeconds(now - source.filled);
  source.budget = std::min(kSamplesBurst, source.budget + passed * kSamplesASecond);
  source.filled = now;
  const auto wanted = static_cast<double>(samples);
  if (wanted <= source.budget) {
    source.budget -= wanted;
    return absl::OkStatus();
  }
  const auto seconds = static_cast<int64_t>(std::ceil((wanted - source.budget) / kSamplesASecond));
  return Error(absl::StatusCode::kUnavailable, "SAMPLE_RATE",
               absl::StrCat(source.status.name, " sends more than ", kSamplesASecond, " samples a second"))
      .Hint("send again later; send fewer series, or less often")
      .Number("retry_after_seconds", seconds);
}

std::vector<size_t> MetricBook::RulesFor(const Series& series, MayUse may_use) const {
  std::vector<size_t> matched;
  const auto consider = [&](const std::vector<size_t>& some) {
    for (const size_t rule : some) {
      if (rules_[rule].match->Matches(series.labels) && may_use(rules_[rule].network)) matched.push_back(rule);
    }
  };
  const auto name = std::lower_bound(series.labels.begin(), series.labels.end(), Series::Label{.name = "__name__"});
  if (name != series.labels.end() && name->name == "__name__") {
    if (const auto found = by_name_.find(name->value); found != by_name_.end()) consider(found->second);
  }
  consider(any_name_);
  return matched;
}

absl::StatusOr<MetricBook::Outcome> MetricBook::Push(const Pusher& pusher, const MetricPush& push, MayUse may_use) {
  absl::MutexLock lock(&mutex_);
  GNOMON_ASSIGN_OR_RETURN(Source * source, SourceOf(pusher));
  source->status.last_contact_ms = NowMs();
  if (absl::Status spent = Spend(*source, push.samples); !spent.ok()) {
    ++source->status.errors[ReasonOf(spent)];
    source->status.last_error = Bounded(spent);
    return spent;
  }
  Outcome outcome{.faulty = push.faulty(), .first_fault = push.first_fault};
  FeedAll(push, [&](const Series& series) { return RulesFor(series, may_use); }, *source, &outcome);
  source->status.last_error = outcome.first_fault.substr(0, kMaxErrorBytes);
  return outcome;
}

void MetricBook::PushFailed(const Pusher& pusher, const absl::Status& error) {
  absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Source*> source = SourceOf(pusher);
  if (!source.ok()) return;
  SourceStatus& status = (*source)->status;
  status.last_contact_ms = NowMs();
  ++status.errors[ReasonOf(error)];
  status.last_error = Bounded(error);
}

void MetricBook::Polled(size_t rule, const MetricPush& answer) {
  absl::MutexLock lock(&mutex_);
  Source& source = sources_.at(absl::StrCat("prometheus/", rules_[rule].source));
  source.status.last_contact_ms = NowMs();
  Outcome outcome{.faulty = answer.faulty(), .first_fault = answer.first_fault};
  FeedAll(answer, [&](const Series&) { return std::vector<size_t>{rule}; }, source, &outcome);
  source.status.last_error.clear();
  rule_errors_[rule] = outcome.first_fault.substr(0, kMaxErrorBytes);
}

void MetricBook::PollFailed(size_t rule, const absl::Status& error, bool of_rule) {
  absl::MutexLock lock(&mutex_);
  SourceStatus& status = sources_.at(absl::StrCat("prometheus/", rules_[rule].source)).status;
  ++status.errors[ReasonOf(error)];
  (of_rule ? rule_errors_[rule] : status.last_error) = Bounded(error);
}

void MetricBook::Fault(Source& source, std::string_view reason, const std::string& what, Outcome* outcome) {
  ++source.status.errors[std::string(reason)];
  ++outcome->faulty;
  if (outcome->first_fault.empty()) outcome->first_fault = what;
}

// In the order of time over all series, as a grid of several of them needs it where a request brings hours.
void MetricBook::FeedAll(const MetricPush& push, absl::FunctionRef<std::vector<size_t>(const Series&)> rules_of,
                         Source& source, Outcome* outcome) {
  for (const auto& [reason, count] : push.dropped) source.status.errors[reason] += count;
  struct Item {
    int64_t time_ms;
    uint32_t series, sample;
  };
  std::vector<Item> items;
  std::vector<std::vector<size_t>> rules(push.series.size());
  std::vector<std::string> names(push.series.size());
  for (uint32_t i = 0; i < push.series.size(); ++i) {
    const Series& series = push.series[i];
    rules[i] = rules_of(series);
    if (rules[i].empty()) {
      outcome->unbound += series.samples.size();
      if (source.unbound.size() < kMaxCounted) source.unbound.insert(absl::HashOf(TextOf(series.labels)));
      for (const Series::Label& label : series.labels) {
        if (label.name == "__name__" && source.status.unbound_names.size() < kMaxNames) {
          source.status.unbound_names.insert(label.value.substr(0, kMaxErrorBytes));
        }
      }
      continue;
    }
    names[i] = TextOf(series.labels);
    if (source.bound.size() < kMaxCounted) source.bound.insert(absl::HashOf(names[i]));
    for (uint32_t j = 0; j < series.samples.size(); ++j) items.push_back({series.samples[j].time_ms, i, j});
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.time_ms < b.time_ms; });
  for (const Item& item : items) {
    const Series& series = push.series[item.series];
    Feed(rules[item.series], names[item.series], series, series.samples[item.sample], source, outcome);
  }
  source.status.bound = source.bound.size();
  source.status.unbound = source.unbound.size();
}

void MetricBook::Feed(const std::vector<size_t>& rules, const std::string& name, const Series& series,
                      const Sample& sample, Source& source, Outcome* outcome) {
  const auto where = [&] { return absl::StrCat("the sample of ", name, " at ", sample.time_ms, " ms "); };
  if (sample.time_ms > NowMs() + absl::ToInt64Milliseconds(kMaxAhead)) {
    return Fault(source, "future", absl::StrCat(where(), "is more than a minute in the future"), outcome);
  }
  bool taken = false;
  MetricGrid::Taken result = MetricGrid::Taken::kTaken;
  for (const size_t rule : rules) {
    result = grids_[rule].Add(name, sample, series.increases);
    taken = taken || result == MetricGrid::Taken::kTaken || result == MetricGrid::Taken::kSuperseded;
  }
  if (taken) {
    ++outcome->taken;
    ++source.status.samples;
    source.status.last_sample_ms = std::max(source.status.last_sample_ms.value_or(0), sample.time_ms);
    return;
  }
  switch (result) {
    case MetricGrid::Taken::kDuplicate:
      return Fault(source, "duplicate", absl::StrCat(where(), "has another value than before"), outcome);
    case MetricGrid::Taken::kTooOld:
      return Fault(source, "too_old",
                   absl::StrCat(where(), "is ", MetricGrid::kWindowSteps, " steps or more before the newest of its rule"), outcome);
    default:
      return Fault(source, "too_many_series",
                   absl::StrCat(name, " is beyond the ", MetricGrid::kMaxSeries, " series of one rule"), outcome);
  }
}

std::vector<MetricPoint> MetricBook::PointsOf(size_t rule, int64_t from_s) const {
  absl::MutexLock lock(&mutex_);
  return grids_[rule].Points(from_s, NowMs() / 1000);
}

std::optional<MetricPoint> MetricBook::Latest(size_t rule) const {
  absl::MutexLock lock(&mutex_);
  return grids_[rule].Latest(NowMs());
}

MetricStatus MetricBook::StatusOf(size_t rule) const {
  absl::MutexLock lock(&mutex_);
  MetricGrid& grid = grids_[rule];
  return {.series = grid.series(),
          .last_sample_ms = grid.last_sample_ms(),
          .latest = grid.Latest(NowMs()),
          .last_error = rule_errors_[rule]};
}

std::vector<SourceStatus> MetricBook::Sources() const {
  absl::MutexLock lock(&mutex_);
  std::vector<SourceStatus> sources;
  for (const auto& [name, source] : sources_) sources.push_back(source.status);
  return sources;
}

}  // namespace gnomon
