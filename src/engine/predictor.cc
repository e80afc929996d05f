// SPDX-License-Identifier: Apache-2.0
//
// The thread, and what one step does.
#include "engine/predictor.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr absl::Duration kShortestWait = absl::Milliseconds(1);  // a thread's, however fast the clock runs
constexpr double kLeadQuantile = 0.95;

uint32_t AsCount(int64_t number) {
  return static_cast<uint32_t>(std::clamp<int64_t>(number, 0, Network::kMaxPredicted));
}

std::string Head(std::string_view name, std::string_view type, std::string_view help) {
  return absl::StrCat("# HELP ", AbslView(name), " ", AbslView(help), "\n# TYPE ", AbslView(name), " ", AbslView(type),
                      "\n");
}

std::string Metric(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
  return absl::StrCat(Head(name, type, help), AbslView(name), " ", value, "\n");
}

}  // namespace

// The ids of one process differ from those of the one before, which the service may still know.
Predictor::Predictor(Service* service, const Clock* clock, std::function<void(const std::string&)> warn)
    : service_(service),
      clock_(clock),
      warn_(std::move(warn)),
      wall_(clock->Wall()),
      start_(clock->Monotonic()),
      id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(wall_)), "-")),
      reviewed_s_(Now()) {}

Predictor::~Predictor() { Stop(); }

void Predictor::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "engine");  // as top -H and a debugger show it
    for (;;) {
      Step();
      {
        absl::MutexLock lock(&mutex_);
        auto wakes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return woken_ || stopping_; };
        mutex_.AwaitWithTimeout(absl::Condition(&wakes), std::max(clock_->Real(kStep), kShortestWait));
        if (stopping_) return;
      }
    }
  });
}

void Predictor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(stopped_, true)) return;
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  Flush();
}

void Predictor::Created(const Service::Creation& creation) {
  if (creation.network.warm.mode_of_any() == PredictionMode::kOff) return;
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  if (queue_.size() >= kMaxQueued) {
    ++ignored_;
    return;
  }
  queue_.push_back({creation.network.id, creation.network.name, creation.type, Now(), creation.hit});
}

void Predictor::Step() {
  if (!std::exchange(opened_, true)) OpenAll();
  std::vector<Event> events;
  std::vector<Answer> answers;
  std::vector<Written> written;
  std::vector<Request> requests;
  int64_t now_s = 0;
  bool due = false;
  {
    absl::MutexLock lock(&mutex_);
    woken_ = false;
    events.swap(queue_);
    answers.swap(answers_);
    written.swap(written_);
    requests.swap(requests_);
    now_s = Now();
    due = now_s - reviewed_s_ >= absl::ToInt64Seconds(kReview);
  }
  for (const Written& one : written) TakeWritten(one);
  const uint64_t ignored = Learn(std::move(events));
  for (const Answer& answer : answers) Take(answer);
  for (Request& request : requests) request(absl::OkStatus());
  if (due) Review(now_s);
  {
    absl::MutexLock lock(&mutex_);
    ignored_ += ignored;
    if (due) {
      reviewed_s_ = now_s;
      ++rounds_;
    }
  }
  bool waited_for = false;
  for (auto& [id, member] : members_) {
    if (member.fleet != nullptr) DropOldAdvice(id, &member, now_s);
    if (member.fleet != nullptr) LookAtAnnouncements(id, &member, now_s);
    if (member.fleet != nullptr) AskFor(id, &member);
    Write(id, &member, now_s);
    waited_for |= !member.waiters.empty();
  }
  absl::MutexLock lock(&mutex_);
  waited_for_ = waited_for;
  woken_ |= waited_for && !written_.empty();
}

std::vector<TypePlan> Predictor::Plans(const NetworkEntry& network) const {
  if (network.warm.mode_of_any() == PredictionMode::kOff) return {};
  absl::MutexLock lock(&mutex_);
  auto found = plans_.find(network.id);
  return found == plans_.end() ? std::vector<TypePlan>() : found->second;
}

std::optional<std::vector<ReactiveTarget>> Predictor::ReactiveTargetsIfStalled() const {
  if (!stalled()) return std::nullopt;
  std::vector<ReactiveTarget> targets;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, some] : reactive_) targets.insert(targets.end(), some.begin(), some.end());
  return targets;
}

uint64_t Predictor::rounds() const {
  absl::MutexLock lock(&mutex_);
  return rounds_;
}

bool Predictor::stalled() const {
  absl::MutexLock lock(&mutex_);
  return Now() - reviewed_s_ > absl::ToInt64Seconds(kStalledRounds * kReview);
}

uint64_t Predictor::ignored() const {
  absl::MutexLock lock(&mutex_);
  return ignored_;
}

uint64_t Predictor::failed() const {
  absl::MutexLock lock(&mutex_);
  return failed_;
}

uint64_t Predictor::lost() const {
  absl::MutexLock lock(&mutex_);
  return lost_;
}

std::string Predictor::MetricsText() const {
  std::string text = absl::StrCat(
      Metric("gnomon_engine_rounds_total", "counter", "Reviews of all plans by the prediction engine.", rounds()),
      Metric("gnomon_engine_stalled", "gauge", "1 if the engine has missed three reviews; the reactive formula holds shadows instead.",
             stalled() ? 1 : 0),
      Metric("gnomon_engine_ignored_creations_total", "counter",
             "Creations beyond the engine's limits, which it has not learnt from.", ignored()),
      Metric("gnomon_engine_failed_predictions_total", "counter", "Calls of the engine that failed.", failed()),
      Metric("gnomon_engine_lost_states_total", "counter",
             "What was learnt of a network and could not be read: it is learnt anew.", lost()));
  absl::MutexLock lock(&mutex_);
  absl::StrAppend(&text, Metric("gnomon_engine_failed_writes_total", "counter",
                                "Writes of what was learnt that failed and are made again.", failed_writes_));
  text += Head("gnomon_engine_lead_seconds", "gauge", "From asking for shadows until they are held, the 0.95 quantile.");
  for (const auto& [network, seconds] : leads_s_) {
    absl::StrAppend(&text, "gnomon_engine_lead_seconds{network=\"", network, "\"} ", seconds, "\n");
  }
  return text + JudgedText();
}

std::string Predictor::JudgedText() const {
  constexpr size_t kP90 = 4;
  static_assert(kLevels[kP90] == 0.9);
  std::string outcomes = Head("gnomon_forecast_outcomes_total", "counter", "Forecasts whose horizon is over, of all types.");
  std::string covered = Head("gnomon_forecast_covered_total", "counter",
                             "Of these, those of which at most the 0.9 quantile came: it should be nine in ten.");
  for (const auto& [network, horizons] : judged_) {
    for (size_t h = 0; h < horizons.size(); ++h) {
      const double minutes = HorizonForecaster::kHorizonSteps[h] * HorizonForecaster::kStepS / 60;
      const std::string labels = absl::StrCat("_total{network=\"", network, "\",horizon=\"", minutes, "m\"} ");
      absl::StrAppend(&outcomes, "gnomon_forecast_outcomes", labels, horizons[h].outcomes, "\n");
      absl::StrAppend(&covered, "gnomon_forecast_covered", labels, horizons[h].covered[kP90], "\n");
    }
  }
  return outcomes + covered;
}

int64_t Predictor::Now() const { return absl::ToUnixSeconds(wall_ + (clock_->Monotonic() - start_)); }

// From falling due until it is held: a step, and what was measured. At least what is planned for: what is held for an
// announcement should not go because the last shadows came fast.
int64_t Predictor::LeadSeconds(const Member& member) {
  const absl::Duration measured = kStep + member.leads.Quantile(kLeadQuantile, absl::ZeroDuration());
  return absl::ToInt64Seconds(absl::Ceil(std::max(kLead, measured), absl::Seconds(1)));
}

Predictor::Bounded Predictor::PlanFor(const Member& member, size_t type) const {
  const PlanSettings settings = member.entry->warm.SettingsOf(member.fleet->NameOf(type));
  PlanBounds bounds{.hit_rate = settings.hit_rate, .least = settings.min_shadows, .most = settings.max_shadows};
  const Ask& ask = member.asks[type];
  if (ask.advised_s != 0) bounds.factor = ask.advice.factor;
  if (ask.advised_s != 0 && ask.advice.most) {
    bounds.most = std::min<int64_t>(bounds.most, *ask.advice.most);
    bounds.least = std::min(bounds.least, bounds.most);
  }
  return {PlanWithin(*member.fleet, type, bounds, Now(), LeadSeconds(member)), settings};
}

// Those of one second and type are told at once. Returns how many were beyond the limits.
uint64_t Predictor::Learn(std::vector<Event> events) {
  using Key = std::tuple<NetworkId, int64_t, std::string>;
  struct Counted {
    std::string network = {};
    uint32_t count = 0, hits = 0;
  };
  std::map<Key, Counted> counts;
  for (Event& event : events) {
    Counted& counted = counts[Key(event.network, event.time_s, std::move(event.type))];
    if (counted.count++ == 0) counted.network = std::move(event.name);
    counted.hits += event.hit ? 1 : 0;
  }
  uint64_t ignored = 0;
  for (const auto& [key, counted] : counts) {
    const auto& [id, time_s, type_name] = key;
    Member* member = Open(id, counted.network);
    const std::optional<size_t> type = member == nullptr ? std::nullopt : member->fleet->TypeOf(type_name);
    if (!type) {
      ignored += counted.count;
      continue;
    }
    member->fleet->Created(*type, time_s, counted.count);
    if (counted.hits > 0) member->fleet->Hit(*type, time_s, counted.hits);
    member->asks.resize(member->fleet->size());
    member->asks[*type].wanted = true;
  }
  return ignored;
}

void Predictor::Take(const Answer& answer) {
  auto found = members_.find(answer.network);
  if (found == members_.end()) return;
  Member& member = found->second;
  member.in_flight = false;
  if (!answer.views.ok() || member.fleet == nullptr) return;
  for (size_t i = 0; i < answer.types.size(); ++i) {
    const FillResult& fill = (*answer.views)[i].fill;
    if (answer.types[i] < member.asks.size()) {
      SetHeld(&member, answer.types[i], fill.held + fill.reserved - fill.reclaimed);
    }
  }
  member.leads.Add(answer.lead);
  {
    absl::MutexLock lock(&mutex_);
    leads_s_[member.network] = absl::ToDoubleSeconds(member.leads.Quantile(kLeadQuantile, kLead));
  }
  if (member.mode != PredictionMode::kOff) Publish(answer.network, member);
}

void Predictor::SetHeld(Member* member, size_t type, uint32_t held) const {
  if (member->fleet->HeldOf(type) != held) member->fleet->Hold(type, Now(), held);
}

void Predictor::Review(int64_t now_s) {
  for (auto one = members_.begin(); one != members_.end();) {
    auto& [id, member] = *one;
    const bool there = Follow(id, &member);
    if (there && member.fleet != nullptr && member.mode != PredictionMode::kOff) {
      // A floor holds before the first creation.
      for (const auto& [type, settings] : member.entry->warm.types) {
        if (settings.min_shadows.value_or(0) > 0) member.fleet->TypeOf(type);
      }
      member.asks.resize(member.fleet->size());
      member.fleet->Review(now_s);
      for (size_t type = 0; type < member.asks.size(); ++type) {
        member.asks[type].wanted = true;
        // Nobody asks how many are left of what was asked for before.
        const std::string& name = member.fleet->NameOf(type);
        if (member.entry->warm.SettingsOf(name).mode != PredictionMode::kReserve) SetHeld(&member, type, 0);
      }
      Publish(id, member);
      const Judged judged = member.fleet->Judged();
      absl::MutexLock lock(&mutex_);
      judged_[member.network] = judged;
    } else {
      absl::MutexLock lock(&mutex_);
      plans_.erase(id);
      reactive_.erase(id);
      leads_s_.erase(member.network);
      judged_.erase(member.network);
    }
    // An import for predictions that are off yet is kept; what else is switched off is forgotten.
    const bool kept = there && (member.mode != PredictionMode::kOff || (member.fleet && !member.fleet->live()));
    if (!kept && member.fleet != nullptr && !member.notebook.writing()) {
      member.fleet = nullptr;
      member.asks.clear();
      member.notebook.Clear();
    }
    const bool erased = !there || (member.fleet == nullptr && member.notebook.done());
    const bool busy = member.in_flight || member.notebook.writing();
    if (!erased || busy) {
      ++one;
      continue;
    }
    AnswerWaiters(&member, Error(absl::StatusCode::kFailedPrecondition, "PREDICTIONS_OFF",
                                 absl::StrCat("network ", member.network, " is not predicted any more")));
    one = members_.erase(one);
  }
}

bool Predictor::Follow(NetworkId id, Member* member) const {
  const std::shared_ptr<const NetworkEntry> entry = service_->FindNetwork(member->network);
  const bool there = entry != nullptr && entry->id == id && !entry->deleting;
  member->mode = there ? entry->warm.mode_of_any() : PredictionMode::kOff;
  if (there) member->entry = entry;
  return there;
}

// What is due has changed by itself: the time has come, or it is given up.
void Predictor::LookAtAnnouncements(NetworkId id, Member* member, int64_t now_s) {
  bool changed = false;
  const Announcements& announcements = member->fleet->announcements();
  const int64_t lead_s = LeadSeconds(*member);
  for (size_t type = 0; type < member->asks.size(); ++type) {
    Ask& ask = member->asks[type];
    if (ask.due == 0 && announcements.open() == 0) continue;
    const int64_t due = announcements.Due(type, now_s, lead_s);
    if (std::exchange(ask.due, due) == due) continue;
    ask.wanted = true;
    changed = true;
  }
  if (changed && member->mode != PredictionMode::kOff) Publish(id, *member);
}

void Predictor::Publish(NetworkId id, const Member& member) {
  std::vector<TypePlan> plans;
  plans.reserve(member.asks.size());
  for (size_t type = 0; type < member.asks.size(); ++type) {
    const Bounded bounded = PlanFor(member, type);
    const auto& [plan, raised, capped] = static_cast<const BoundedPlan&>(bounded);
    const PlanSettings& settings = bounded.settings;
    const Ask& ask = member.asks[type];
    if (settings.mode == PredictionMode::kOff) continue;
    plans.push_back({.type = member.fleet->NameOf(type),
                     .mode = settings.mode,
                     .target = AsCount(plan.level.fill),
                     .held = member.fleet->HeldOf(type),
                     .forecast = plan.forecast,
                     .spread = plan.spread,
                     .multiple = plan.multiple,
                     .announced = plan.announced,
                     .hit_rate = settings.hit_rate,
                     .raised = raised,
                     .capped = capped,
                     .kept = plan.kept,
                     .lead = member.leads.Quantile(kLeadQuantile, kLead)});
    if (ask.advised_s == 0) continue;
    plans.back().signal = SignalPlan{.expected = AsCount(plan.expected),
                                     .chance = plan.chance,
                                     .followed = plan.follows_signal,
                                     .most = ask.advice.most,
                                     .rules = ask.advice.rules};
    if (const OutlookPools* outlooks = member.fleet->OutlooksOf(type); outlooks != nullptr && outlooks->live()) {
      plans.back().signal->worth = outlooks->worth();
    }
  }
  std::sort(plans.begin(), plans.end(), [](const TypePlan& a, const TypePlan& b) { return a.type < b.type; });
  std::vector<ReactiveTarget> reactive;
  for (size_t type = 0; type < member.asks.size(); ++type) {
    if (member.entry->warm.SettingsOf(member.fleet->NameOf(type)).mode != PredictionMode::kReserve) continue;
    const double mean = member.fleet->RateOf(type) * ReactiveTarget::kReactiveMinutes;
    const uint32_t target = AsCount(std::llround(std::ceil(ReactiveTarget::kTimes * mean)));
    if (target > 0) reactive.push_back({member.network, member.fleet->NameOf(type), target});
  }
  absl::MutexLock lock(&mutex_);
  plans_[id] = std::move(plans);
  reactive_[id] = std::move(reactive);
}

// The service may answer from within the call, so that nothing is locked meanwhile.
void Predictor::AskFor(NetworkId id, Member* member) {
  if (member->in_flight || member->mode != PredictionMode::kReserve) return;
  PredictCall call{.network = member->network, .source = std::string(kSource)};
  std::vector<size_t> asked;
  for (size_t type = 0; type < member->asks.size() && asked.size() < Service::kMaxPredictionsACall; ++type) {
    if (!std::exchange(member->asks[type].wanted, false)) continue;
    const uint32_t left = member->fleet->LeftOf(type);
    const Bounded bounded = PlanFor(*member, type);
    if (bounded.settings.mode != PredictionMode::kReserve) continue;
    const uint32_t count = CountFor(bounded.plan, left);
    if (count == 0 && left == 0) continue;  // what was there ends by itself
    if (count != left) member->fleet->Asked(type, count);
    call.predictions.push_back({.type = member->fleet->NameOf(type), .count = count, .horizon = kHorizon});
    asked.push_back(type);
  }
  if (asked.empty()) return;
  call.id = absl::StrCat(id_prefix_, ++last_id_);
  member->in_flight = true;
  {
    absl::MutexLock lock(&mutex_);
    ++in_flight_;
  }
  auto reply = [this, id, asked = std::move(asked),
                asked_at = clock_->Monotonic()](absl::StatusOr<std::vector<PredictionView>> views) mutable {
    const absl::Duration lead = clock_->Monotonic() - asked_at;
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    if (!views.ok()) ++failed_;
    answers_.push_back({id, std::move(asked), lead, std::move(views)});
  };
  service_->PredictInstances(std::move(call), std::move(reply));
}

}  // namespace gnomon
