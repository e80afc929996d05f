// SPDX-License-Identifier: Apache-2.0
#include "signals/advisor.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/notification.h"
#include "signals/calendar_text.h"

namespace gnomon {
namespace {

constexpr absl::Duration kShortestWait = absl::Milliseconds(1);  // a thread's, however fast the clock runs
constexpr int64_t kDayS = 86400;

// The rule's name among those of a network.
std::string NameOf(const MetricRule& rule) { return rule.match ? rule.match->text() : rule.query; }

// Whether a policy that names `metric` means this rule: by its name or its query.
bool IsMeant(const MetricRule& rule, const std::string& metric) {
  return NameOf(rule) == metric || (rule.match && rule.match->ExactName() == metric);
}

template <typename T, typename Call>
absl::StatusOr<T> Await(Call call) {
  absl::StatusOr<T> result = absl::UnknownError("no reply");
  absl::Notification done;
  call([&](absl::StatusOr<T> reply) {
    result = std::move(reply);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

}  // namespace

Advisor::~Advisor() { Stop(); }

void Advisor::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "signals");
    for (;;) {
      Step();
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), std::max(parts_.clock->Real(kTick), kShortestWait))) return;
    }
  });
}

void Advisor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Advisor::Created(const Service::Creation& creation) {
  if (creation.network.warm.mode_of_any() == PredictionMode::kOff) return;
  absl::MutexLock lock(&mutex_);
  CreatedTypes& types = created_[creation.network.id];
  if (auto known = types.find(creation.type); known != types.end()) {
    ++known->second;
  } else if (types.size() < kMaxTypes) {
    types.emplace(creation.type, 1);
  }
}

Advisor::CreatedTypes Advisor::CreatedIn(NetworkId network) const {
  absl::MutexLock lock(&mutex_);
  const auto found = created_.find(network);
  return found == created_.end() ? CreatedTypes() : found->second;
}

void Advisor::Step() {
  const int64_t now_s = absl::ToUnixSeconds(parts_.clock->Wall());
  std::set<NetworkId> there;
  for (const NetworkEntry& network : parts_.service->ListNetworks()) {
    if (network.deleting) continue;
    there.insert(network.id);
    if (network.warm.mode_of_any() == PredictionMode::kOff) {
      ImportPast(network, now_s);
    } else {
      LookAt(network, now_s);
    }
  }
  std::erase_if(signals_, [&](const auto& one) { return !there.contains(one.first.first); });
  std::erase_if(looked_at_, [&](const auto& one) { return !there.contains(one.first.first); });
  std::erase_if(workloads_, [&](const auto& one) { return !there.contains(one.first.first); });
  std::erase_if(known_, [&](const auto& one) { return !there.contains(one.first); });
  std::erase_if(calendars_, [&](const auto& one) { return !there.contains(one.first); });
  absl::MutexLock lock(&mutex_);
  std::erase_if(created_, [&](const auto& one) { return !there.contains(one.first); });
}

std::map<std::string, uint32_t> Advisor::CountsOf(const NetworkEntry& network, const std::set<std::string>& types) const {
  const std::vector<std::string> names(types.begin(), types.end());
  const absl::StatusOr<std::vector<uint32_t>> counts = Await<std::vector<uint32_t>>(
      [&](auto reply) { parts_.service->CountInstances(network.name, names, std::move(reply)); });
  std::map<std::string, uint32_t> by_type;
  for (size_t i = 0; counts.ok() && i < names.size(); ++i) by_type[names[i]] = (*counts)[i];
  return by_type;
}

void Advisor::LookAt(const NetworkEntry& network, int64_t now_s) {
  const std::vector<MetricRule>& rules = parts_.metrics->rules();
  const std::shared_ptr<const PolicyBook> policies = parts_.policies->BookOf(network.id);
  std::map<std::string, std::vector<size_t>> metrics;  // rules by type
  std::set<std::string> types;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].network != network.name || rules[i].use == MetricUse::kDemand) continue;
    metrics[rules[i].type].push_back(i);
    types.insert(rules[i].type);
  }
  for (const std::string& type : policies->types()) types.insert(type);
  const CreatedTypes created = CreatedIn(network.id);
  std::vector<Advice> advices;
  KnownCreations::Changes changes;
  if (!types.empty()) {
    KnownCreations::View known{.now_s = now_s, .instances = CountsOf(network, types)};
    if (known.instances.empty()) return;  // the network has gone, or the service stops
    for (const std::string& type : types) {
      TypeView seen{.type = type, .instances = known.instances[type], .rules = metrics[type], .policies = policies};
      seen.outlook = policies->OutlookFor(
          type, {.now_s = now_s, .horizon_s = absl::ToInt64Seconds(kLookahead), .instances = seen.instances});
      advices.push_back(AdviceOn(network, seen, created, now_s, &known));
      AddRollout(network, seen, now_s, &changes);
    }
    const absl::StatusOr<std::vector<Announced>> open = Await<std::vector<Announced>>(
        [&](auto reply) { parts_.predictor->ListAnnouncements(network, std::move(reply)); });
    if (!open.ok()) return;
    known.open = *open;
    const KnownCreations::Changes counted = known_[network.id].Next(known);
    changes.announce.insert(changes.announce.end(), counted.announce.begin(), counted.announce.end());
    changes.cancel = counted.cancel;
  }
  LookAtCalendars(network, created, now_s, &advices, &changes);
  Announce(network, changes);
  if (!advices.empty()) parts_.predictor->Advise(network, std::move(advices));
}

Advice Advisor::AdviceOn(const NetworkEntry& network, const TypeView& seen, const CreatedTypes& created, int64_t now_s,
                         KnownCreations::View* known) {
  const TypeKey key(network.id, seen.type);
  const uint64_t so_far = created.contains(seen.type) ? created.at(seen.type) : 0;
  const auto last = looked_at_.try_emplace(key, so_far).first;
  TypeSignals::View view{.now_s = now_s,
                         .instances = seen.instances,
                         .created = static_cast<uint32_t>(so_far - std::exchange(last->second, so_far))};
  auto [signals, is_new] = signals_.try_emplace(key);
  Advice said;
  AddMetrics(seen, &signals->second, is_new, &view, known, &said);
  AddTargets(seen, &view);
  signals->second.Look(view);
  Advice advice = signals->second.advice();
  advice.type = seen.type;
  advice.rules.insert(advice.rules.end(), said.rules.begin(), said.rules.end());
  const PolicyOutlook& outlook = seen.outlook;
  if (outlook.most) {
    // A step goes to its count, however slowly the policy would grow otherwise.
    int64_t most = outlook.most->count;
    for (const PolicyStep& step : outlook.steps) most = std::max(most, step.count);
    advice.most = static_cast<uint32_t>(std::clamp<int64_t>(most - seen.instances, 0, UINT32_MAX));
    advice.rules.push_back(absl::StrCat(outlook.most->rule, ": at most ", outlook.most->count, " instances"));
  }
  if (outlook.least) {
    known->desired.push_back({outlook.least->rule, seen.type, outlook.least->count});
    advice.rules.push_back(absl::StrCat(outlook.least->rule, ": at least ", outlook.least->count, " instances"));
  }
  for (const PolicyStep& step : outlook.steps) {
    known->steps.push_back({step.rule, seen.type, step.at_s, step.count});
    advice.rules.push_back(absl::StrCat(step.rule, ": ", step.count, " instances in ", step.at_s - now_s, " s"));
  }
  return advice;
}

void Advisor::AddMetrics(const TypeView& seen, TypeSignals* signals, bool is_new, TypeSignals::View* view,
                         KnownCreations::View* known, Advice* advice) const {
  for (const size_t i : seen.rules) {
    const MetricRule& rule = parts_.metrics->rules()[i];
    const std::optional<MetricPoint> latest = parts_.metrics->Latest(i);
    TypeSignals::Metric metric{.name = NameOf(rule), .drives = rule.use == MetricUse::kDriver};
    if (latest) metric.latest = {latest->time_s, latest->value};
    if (metric.drives && is_new) {
      std::vector<TypeSignals::Point> past;
      for (const MetricPoint& point : parts_.metrics->PointsOf(i, 0)) past.push_back({point.time_s, point.value});
      signals->LearnPast(metric.name, past);
    }
    if (rule.use == MetricUse::kDesired && latest && view->now_s - latest->time_s <= TypeSignals::kFreshS) {
      const double count = std::clamp(latest->value, 0.0, static_cast<double>(Predictor::kMaxAnnounced));
      known->desired.push_back({metric.name, seen.type, std::llround(count)});
      advice->rules.push_back(absl::StrCat(metric.name, ": wants ", std::llround(count), " instances"));
    }
    view->metrics.push_back(std::move(metric));
  }
}

// By its name or its query; or the only driver there is, as what is scraped seldom has the autoscaler's name for it.
void Advisor::AddTargets(const TypeView& seen, TypeSignals::View* view) const {
  const std::vector<MetricRule>& rules = parts_.metrics->rules();
  for (const TrackingRule& tracking : seen.outlook.tracking) {
    if (tracking.metric.target <= 0) continue;  // it only says whether there is work
    const std::string& wanted = tracking.metric.query.empty() ? tracking.metric.name : tracking.metric.query;
    std::vector<size_t> drivers;
    for (const size_t i : seen.rules) {
      if (rules[i].use == MetricUse::kDriver) drivers.push_back(i);
    }
    const auto meant = std::find_if(drivers.begin(), drivers.end(), [&](size_t i) { return IsMeant(rules[i], wanted); });
    if (meant != drivers.end()) drivers = {*meant};
    TypeSignals::Target target{.metric = drivers.size() == 1 ? NameOf(rules[drivers[0]]) : wanted,
                               .rule = {.target = tracking.metric.target, .tolerance = tracking.tolerance},
                               .text = tracking.rule};
    if (seen.outlook.most) target.rule.most = seen.outlook.most->count;
    // Of a mean over the instances their sum is what stays when there are more of them.
    target.is_mean = tracking.metric.of != MetricTarget::Of::kAnInstance;
    view->targets.push_back(std::move(target));
  }
}

void Advisor::AddRollout(const NetworkEntry& network, const TypeView& seen, int64_t now_s,
                         KnownCreations::Changes* changes) {
  for (const ScalingPolicy& policy : seen.policies->policies()) {
    if (policy.kind != PolicyKind::kWorkload || policy.type != seen.type) continue;
    std::string& document = workloads_[{network.id, policy.name}];
    const std::string before = std::exchange(document, policy.document);
    if (before.empty() || before == policy.document || !seen.outlook.surge || seen.outlook.surge->count <= 0) continue;
    changes->announce.push_back({.id = {.source = kRolloutSource, .id = absl::StrCat(policy.name, "-", now_s)},
                                 .type = seen.type,
                                 .count = static_cast<uint32_t>(seen.outlook.surge->count),
                                 .at = absl::FromUnixSeconds(now_s)});
  }
}

void Advisor::LookAtCalendars(const NetworkEntry& network, const CreatedTypes& created, int64_t now_s,
                              std::vector<Advice>* advices,
                              KnownCreations::Changes* changes) {
  std::vector<Document> documents = parts_.documents->Read(network.id, kCalendarKind);
  Calendars& calendars = calendars_[network.id];
  if (documents != calendars.documents) {
    std::vector<CalendarEvent> events;
    for (const Document& document : documents) {
      absl::StatusOr<ParsedCalendar> parsed = ParseCalendar(document.text);
      for (CalendarEvent& event : parsed.ok() ? parsed->events : std::vector<CalendarEvent>()) {
        event.name = absl::StrCat(document.name, "/", event.name);
        events.push_back(std::move(event));
      }
    }
    calendars.watch.SetEvents(std::move(events));
    calendars.documents = std::move(documents);
  }
  calendars.watch.Look(absl::FromUnixSeconds(now_s), created);
  for (const CalendarWatch::Coming& one : calendars.watch.coming()) {
    const std::string id = absl::StrCat(absl::StrReplaceAll(one.event, {{"/", "."}}), "-", absl::ToUnixSeconds(one.at));
    changes->announce.push_back(
        {.id = {.source = kCalendarSource, .id = id}, .type = one.type, .count = one.count, .at = one.at});
    AdviceOf(one.type, advices).rules.push_back(absl::StrCat(one.event, ": ", one.count, " creations from ",
                                                            absl::FormatTime(one.at, absl::UTCTimeZone()), " on"));
  }
  for (const CalendarWatch::Multiplied& one : calendars.watch.multiplied()) {
    Advice& advice = AdviceOf(one.type, advices);
    advice.factor = std::max(advice.factor, one.factor);
    advice.rules.push_back(one.rule);
  }
}

Advice& Advisor::AdviceOf(const std::string& type, std::vector<Advice>* advices) {
  const auto found = std::find_if(advices->begin(), advices->end(), [&](const Advice& one) { return one.type == type; });
  return found != advices->end() ? *found : advices->emplace_back(Advice{.type = type});
}

void Advisor::Announce(const NetworkEntry& network, const KnownCreations::Changes& changes) {
  for (const AnnouncementId& id : changes.cancel) parts_.predictor->Cancel(network, id, [](absl::StatusOr<Done>) {});
  for (const Announced& announced : changes.announce) {
    parts_.predictor->Announce(network, announced, [this](absl::StatusOr<Announced> view) {
      if (view.ok()) return;
      absl::MutexLock lock(&mutex_);
      ++refused_;
    });
  }
}

// Of all rules together, in the order of time, as the engine learns the past in order. What it has already it refuses
// (HISTORY_TOO_LATE), so that a restart imports nothing twice.
void Advisor::ImportPast(const NetworkEntry& network, int64_t now_s) {
  if (imported_.contains(network.id)) return;
  const std::vector<MetricRule>& rules = parts_.metrics->rules();
  std::vector<PastCreations> past;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].network != network.name || rules[i].use != MetricUse::kDemand) continue;
    const std::vector<MetricPoint> points = parts_.metrics->PointsOf(i, 0);
    if (points.empty() || now_s - points.front().time_s < kDayS) return;  // it is still being read, or too little
    double before = points.front().value;
    for (const MetricPoint& point : points) {
      const double count = rules[i].increases() ? point.value : point.value - std::exchange(before, point.value);
      if (count < 0.5) continue;
      const double most = static_cast<double>(Predictor::kMaxAnnounced);
      past.push_back({rules[i].type, point.time_s, static_cast<uint32_t>(std::lround(std::min(count, most)))});
    }
  }
  if (past.empty()) return;
  imported_.insert(network.id);
  std::stable_sort(past.begin(), past.end(), [](const auto& a, const auto& b) { return a.time_s < b.time_s; });
  std::vector<PastCreations> call;
  const auto send = [&] {
    const std::string id = absl::StrCat("metrics-", call.front().time_s, "-", call.size());
    parts_.predictor->Import(network, id, std::exchange(call, {}), [](absl::StatusOr<ImportView>) {});
  };
  for (PastCreations& one : past) {
    const bool is_full = call.size() == Predictor::kMaxPast;
    if (!call.empty() && (is_full || one.time_s - call.front().time_s > absl::ToInt64Seconds(Predictor::kMaxPastSpan))) send();
    call.push_back(std::move(one));
  }
  send();
}

uint64_t Advisor::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

std::string Advisor::MetricsText() const {
  return absl::StrCat(
      "# HELP gnomon_signal_refused_announcements_total Announcements of signals that the engine refused.\n"
      "# TYPE gnomon_signal_refused_announcements_total counter\ngnomon_signal_refused_announcements_total ",
      refused(), "\n");
}

}  // namespace gnomon
