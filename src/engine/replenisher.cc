// SPDX-License-Identifier: Apache-2.0
#include "engine/replenisher.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

// A thread looks again after so long although nothing has woken it, as a clock may have been moved.
constexpr absl::Duration kLongestWait = absl::Milliseconds(250);

uint32_t TargetOf(const WarmPool& pool, const std::string& type) {
  const auto named = pool.by_type.find(type);
  return named == pool.by_type.end() ? pool.target : named->second;
}

}  // namespace

// The ids of one process differ from those of the one before, which the service may still know.
Replenisher::Replenisher(Service* service, const Clock* clock, Stalled stalled)
    : service_(service),
      clock_(clock),
      stalled_(std::move(stalled)),
      id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(clock->Wall())), "-")) {}

Replenisher::~Replenisher() { Stop(); }

void Replenisher::Start() {
  for (const NetworkEntry& network : service_->ListNetworks()) Configured(network);
  thread_ = std::thread([this] { Run(); });
}

void Replenisher::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](size_t* in_flight) { return *in_flight == 0; }, &in_flight_));
}

void Replenisher::Created(const Service::Creation& creation) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  Key* key = FindOrAdd(creation.network, creation.type, TargetOf(creation.network.warm, creation.type));
  if (key == nullptr) return;
  const absl::Duration now = clock_->Monotonic();
  key->created = now;
  if (key->in_flight) {
    key->again |= creation.hit;
  } else if (key->pause == absl::ZeroDuration()) {
    // A miss has taken no shadow, but some may have been preempted: it asks too, only less often.
    SetDue(key, creation.hit ? now : std::max(now, key->asked + kMissPause));
  }
}

void Replenisher::Configured(const NetworkEntry& network) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  for (const auto& [type, target] : network.warm.by_type) {
    Key* key = FindOrAdd(network, type, target);
    if (key == nullptr) continue;
    key->again = key->in_flight;
    key->pause = absl::ZeroDuration();
    if (!key->in_flight) SetDue(key, clock_->Monotonic());
  }
}

uint64_t Replenisher::ignored() const {
  absl::MutexLock lock(&mutex_);
  return ignored_;
}

Replenisher::Key* Replenisher::FindOrAdd(const NetworkEntry& network, const std::string& type, uint32_t target) {
  std::string name = absl::StrCat(network.name, "/", type);
  auto found = keys_.find(name);
  if (found != keys_.end()) return &found->second;
  if (target == 0) return nullptr;
  if (keys_.size() >= kMaxKeys) {
    ++ignored_;
    return nullptr;
  }
  Key& key = keys_[name];
  key.name = std::move(name);
  key.network = network.name;
  key.type = type;
  return &key;
}

// Never later than it is already.
void Replenisher::SetDue(Key* key, absl::Duration due) {
  if (due >= key->due) return;
  if (key->due != absl::InfiniteDuration()) due_.erase({key->due, key->name});
  key->due = due;
  const auto added = due_.insert({due, key->name}).first;
  if (added == due_.begin()) woken_ = true;
}

void Replenisher::Erase(const std::string& name) {
  auto found = keys_.find(name);
  due_.erase({found->second.due, name});
  keys_.erase(found);
}

void Replenisher::Run() {
  for (;;) {
    FollowEngine();
    for (const std::string& name : WaitForDue()) Ask(name);
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
  }
}

void Replenisher::FollowEngine() {
  const std::optional<std::vector<ReactiveTarget>> targets = stalled_ ? stalled_() : std::nullopt;
  if (targets.has_value() == took_over_) return;
  took_over_ = targets.has_value();
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = clock_->Monotonic();
  for (auto& [name, key] : keys_) {
    if (std::exchange(key.reactive, 0) == 0) continue;
    key.again = key.in_flight;
    if (!key.in_flight) SetDue(&key, now);
  }
  if (!took_over_) return;
  for (const ReactiveTarget& target : *targets) {
    const std::shared_ptr<const NetworkEntry> network = service_->FindNetwork(target.network);
    Key* key = network == nullptr ? nullptr : FindOrAdd(*network, target.type, target.target);
    if (key == nullptr) continue;
    key->reactive = target.target;
    key->created = now;
    key->again = key->in_flight;
    if (!key->in_flight) SetDue(key, now);
  }
}

std::vector<std::string> Replenisher::WaitForDue() {
  absl::MutexLock lock(&mutex_);
  absl::Duration wait = kLongestWait;
  if (!due_.empty() && in_flight_ < kMaxInFlight) {
    wait = std::clamp(clock_->Real(due_.begin()->first - clock_->Monotonic()), absl::ZeroDuration(), kLongestWait);
  }
  woken_ = false;
  auto wakes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return woken_ || stopping_; };
  mutex_.AwaitWithTimeout(absl::Condition(&wakes), wait);
  std::vector<std::string> names;
  const absl::Duration now = clock_->Monotonic();
  while (!stopping_ && !due_.empty() && due_.begin()->first <= now && in_flight_ < kMaxInFlight) {
    names.push_back(due_.begin()->second);
    due_.erase(due_.begin());
    Key& key = keys_.at(names.back());
    key.due = absl::InfiniteDuration();
    key.in_flight = true;
    key.again = false;
    ++in_flight_;
  }
  return names;
}

// The service may answer from within the call, so that nothing is locked meanwhile.
void Replenisher::Ask(const std::string& name) {
  PredictCall call{.network = {}, .source = std::string(kSource), .id = {}, .predictions = {}};
  std::string type;
  absl::Duration idle;
  uint32_t reactive = 0;
  {
    absl::MutexLock lock(&mutex_);
    Key& key = keys_.at(name);
    key.asked = clock_->Monotonic();
    idle = key.asked - key.created;
    type = key.type;
    reactive = key.reactive;
    call.network = key.network;
    call.id = absl::StrCat(id_prefix_, ++last_id_);
  }
  const std::shared_ptr<const NetworkEntry> network = service_->FindNetwork(call.network);
  const bool wanted = network != nullptr && (idle < kActive || network->warm.by_type.contains(type));
  const uint32_t target = wanted ? std::max(TargetOf(network->warm, type), reactive) : 0;
  {
    absl::MutexLock lock(&mutex_);
    Key& key = keys_.at(name);
    key.target = target;
    if (!wanted) {
      --in_flight_;
      key.in_flight = false;
      if (key.again) return SetDue(&key, key.asked);
      return Erase(name);  // its last prediction ends by itself
    }
  }
  call.predictions.push_back({.type = type, .count = target, .horizon = kHorizon});
  service_->PredictInstances(std::move(call), [this, name](absl::StatusOr<std::vector<PredictionView>> result) {
    Answered(name, result);
  });
}

void Replenisher::Answered(const std::string& name, const absl::StatusOr<std::vector<PredictionView>>& result) {
  absl::MutexLock lock(&mutex_);
  if (in_flight_-- == kMaxInFlight) woken_ = true;
  Key& key = keys_.at(name);
  key.in_flight = false;
  if (!result.ok() && CodeOf(result.status()) == "NETWORK_NOT_FOUND") return Erase(name);
  const absl::Duration now = clock_->Monotonic();
  if (!result.ok() || !result->front().fill.shortfall.empty()) {
    key.pause = key.pause == absl::ZeroDuration() ? kFirstPause : std::min(2 * key.pause, kLongestPause);
    return SetDue(&key, now + key.pause);
  }
  key.pause = absl::ZeroDuration();
  if (key.again) return SetDue(&key, now);
  if (key.target == 0) return Erase(name);  // all is given back
  SetDue(&key, key.asked + kRenewal);
}

}  // namespace gnomon
