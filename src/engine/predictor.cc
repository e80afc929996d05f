// SPDX-License-Identifier: Apache-2.0
#include "engine/predictor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"

namespace gnomon {
namespace {

constexpr int64_t kDayS = 86400;
constexpr absl::Duration kShortestWait = absl::Milliseconds(1);  // a thread's, however fast the clock runs

uint32_t AsCount(int64_t number) {
  return static_cast<uint32_t>(std::clamp<int64_t>(number, 0, Network::kMaxPredicted));
}

std::string Metric(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
  return absl::StrCat("# HELP ", AbslView(name), " ", AbslView(help), "\n# TYPE ", AbslView(name), " ", AbslView(type),
                      "\n", AbslView(name), " ", value, "\n");
}

}  // namespace

Predictor::Fleet::Fleet(std::string name, int64_t midnight)
    : network(std::move(name)),
      midnight_s(midnight),
      planner({.lead_s = absl::ToDoubleSeconds(kLead), .review_s = absl::ToDoubleSeconds(kReview)}) {}

// The ids of one process differ from those of the one before, which the service may still know.
Predictor::Predictor(Service* service, const Clock* clock)
    : service_(service),
      clock_(clock),
      wall_(clock->Wall()),
      start_(clock->Monotonic()),
      id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(wall_)), "-")),
      reviewed_s_(Now()) {}

Predictor::~Predictor() { Stop(); }

void Predictor::Start() {
  thread_ = std::thread([this] {
    for (;;) {
      {
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(&stopping_), std::max(clock_->Real(kStep), kShortestWait));
        if (stopping_) return;
      }
      Step();
    }
  });
}

void Predictor::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](size_t* in_flight) { return *in_flight == 0; }, &in_flight_));
}

void Predictor::Created(const Service::Creation& creation) {
  if (creation.network.warm.mode == PredictionMode::kOff) return;
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  if (queue_.size() >= kMaxQueued) {
    ++ignored_;
    return;
  }
  queue_.push_back({creation.network.id, creation.network.name, creation.type, Now()});
}

void Predictor::Step() {
  std::vector<Event> events;
  std::vector<Answer> answers;
  int64_t now_s = 0;
  bool due = false;
  {
    absl::MutexLock lock(&mutex_);
    events.swap(queue_);
    answers.swap(answers_);
    now_s = Now();
    due = now_s - reviewed_s_ >= absl::ToInt64Seconds(kReview);
  }
  uint64_t ignored = 0;
  for (const Event& event : events) ignored += Learn(event) ? 0 : 1;
  for (const Answer& answer : answers) Take(answer);
  if (due) Review(now_s);
  {
    absl::MutexLock lock(&mutex_);
    ignored_ += ignored;
    if (due) {
      reviewed_s_ = now_s;
      ++rounds_;
    }
  }
  for (auto& [id, fleet] : fleets_) Ask(id, &fleet);
}

std::vector<TypePlan> Predictor::Plans(const NetworkEntry& network) const {
  if (network.warm.mode == PredictionMode::kOff) return {};
  absl::MutexLock lock(&mutex_);
  auto found = plans_.find(network.id);
  return found == plans_.end() ? std::vector<TypePlan>() : found->second;
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

std::string Predictor::MetricsText() const {
  return absl::StrCat(
      Metric("gnomon_engine_rounds_total", "counter", "Reviews of all plans by the prediction engine.", rounds()),
      Metric("gnomon_engine_stalled", "gauge", "1 if the engine has missed three reviews; warm targets go on.",
             stalled() ? 1 : 0),
      Metric("gnomon_engine_ignored_creations_total", "counter",
             "Creations beyond the engine's limits, which it has not learnt from.", ignored()),
      Metric("gnomon_engine_failed_predictions_total", "counter", "Calls of the engine that failed.", failed()));
}

int64_t Predictor::Now() const { return absl::ToUnixSeconds(wall_ + (clock_->Monotonic() - start_)); }

bool Predictor::Learn(const Event& event) {
  auto found = fleets_.find(event.network);
  if (found == fleets_.end()) {
    if (fleets_.size() >= kMaxNetworks) return false;
    found = fleets_.try_emplace(event.network, event.name, event.time_s / kDayS * kDayS).first;
  }
  Fleet& fleet = found->second;
  auto known = fleet.keys.find(event.type);
  if (known == fleet.keys.end()) {
    if (fleet.types.size() >= kMaxTypes) return false;
    known = fleet.keys.emplace(event.type, fleet.planner.AddKey()).first;
    fleet.types.push_back({.name = event.type});
  }
  fleet.planner.Created(known->second, fleet.Time(event.time_s), 1);
  Type& type = fleet.types[known->second];
  type.wanted = true;
  if (type.left > 0) --type.left;
  if (type.held > 0) --type.held;
  return true;
}

void Predictor::Take(const Answer& answer) {
  auto found = fleets_.find(answer.network);
  if (found == fleets_.end()) return;
  Fleet& fleet = found->second;
  fleet.in_flight = false;
  if (!answer.views.ok()) return;
  for (size_t i = 0; i < answer.types.size(); ++i) {
    const FillResult& fill = (*answer.views)[i].fill;
    fleet.types[answer.types[i]].held = fill.held + fill.reserved - fill.reclaimed;
  }
  if (fleet.mode != PredictionMode::kOff) Publish(answer.network, fleet);
}

void Predictor::Review(int64_t now_s) {
  for (auto fleet = fleets_.begin(); fleet != fleets_.end();) {
    if (!Follow(fleet->first, &fleet->second)) {
      absl::MutexLock lock(&mutex_);
      plans_.erase(fleet->first);
      // The answer that is still to come is for these types.
      fleet = fleet->second.in_flight ? std::next(fleet) : fleets_.erase(fleet);
      continue;
    }
    fleet->second.planner.Review(fleet->second.Time(now_s));
    for (Type& type : fleet->second.types) type.wanted = true;
    Publish(fleet->first, fleet->second);
    ++fleet;
  }
}

bool Predictor::Follow(NetworkId id, Fleet* fleet) const {
  const std::shared_ptr<const NetworkEntry> entry = service_->FindNetwork(fleet->network);
  const bool there = entry != nullptr && entry->id == id && !entry->deleting;
  fleet->mode = there ? entry->warm.mode : PredictionMode::kOff;
  if (fleet->mode == PredictionMode::kOff) return false;
  fleet->hit_rate = entry->warm.hit_rate;
  return true;
}

void Predictor::Publish(NetworkId id, const Fleet& fleet) {
  std::vector<TypePlan> plans;
  plans.reserve(fleet.types.size());
  for (size_t key = 0; key < fleet.types.size(); ++key) {
    const Plan plan = fleet.planner.PlanFor(key, fleet.hit_rate);
    plans.push_back({.type = fleet.types[key].name,
                     .mode = fleet.mode,
                     .target = AsCount(plan.level.fill),
                     .held = fleet.types[key].held,
                     .forecast = plan.forecast,
                     .spread = plan.spread,
                     .multiple = plan.multiple,
                     .announced = plan.announced,
                     .kept = plan.kept});
  }
  std::sort(plans.begin(), plans.end(), [](const TypePlan& a, const TypePlan& b) { return a.type < b.type; });
  absl::MutexLock lock(&mutex_);
  plans_[id] = std::move(plans);
}

// The target; above it no more than is still there, of what is given back slowly.
uint32_t Predictor::CountFor(const Plan& plan, const Type& type) {
  return AsCount(std::max(plan.level.fill, std::min<int64_t>(type.left, plan.level.keep)));
}

// The service may answer from within the call, so that nothing is locked meanwhile.
void Predictor::Ask(NetworkId id, Fleet* fleet) {
  if (fleet->in_flight || fleet->mode != PredictionMode::kReserve) return;
  PredictCall call{.network = fleet->network, .source = std::string(kSource)};
  std::vector<size_t> asked;
  for (size_t key = 0; key < fleet->types.size() && asked.size() < Service::kMaxPredictionsACall; ++key) {
    Type& type = fleet->types[key];
    if (!std::exchange(type.wanted, false)) continue;
    const uint32_t count = CountFor(fleet->planner.PlanFor(key, fleet->hit_rate), type);
    if (count == 0 && type.left == 0) continue;  // what was there ends by itself
    type.left = count;
    call.predictions.push_back({.type = type.name, .count = count, .horizon = kHorizon});
    asked.push_back(key);
  }
  if (asked.empty()) return;
  call.id = absl::StrCat(id_prefix_, ++last_id_);
  fleet->in_flight = true;
  {
    absl::MutexLock lock(&mutex_);
    ++in_flight_;
  }
  auto reply = [this, id, asked = std::move(asked)](absl::StatusOr<std::vector<PredictionView>> views) mutable {
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    if (!views.ok()) ++failed_;
    answers_.push_back({id, std::move(asked), std::move(views)});
  };
  service_->PredictInstances(std::move(call), std::move(reply));
}

}  // namespace gnomon
