// SPDX-License-Identifier: Apache-2.0
//
// A Predictor is the Address Prediction Engine: it learns what is created, plans, and asks for the shadows planned.
//
// Each network with a prediction mode has a Planner of its own, from its first creation on. Every kReview all plans are
// made anew. Of a network that reserves, each type's plan is then asked for, and again after creations of the type,
// which use it up: through the same use case as every predictor, as source "engine", with a new id each time. What is
// asked for ends after kHorizon, so that the shadows of an engine that has stopped end by themselves; warm targets go
// on without it.
//
// Example:
//   Predictor predictor(service, &clock);
//   service->OnCreation([&](const Service::Creation& creation) { predictor.Created(creation); });
//   predictor.Start();
//
// Threads: any; one of its own, on which all planning is done. Created never waits for the service or for planning.
// Time: the clock's; days begin at midnight UTC.
// Ownership: the service outlives Stop(), the predictor the service, as creations are told of until that is gone.
// Limits: kMaxNetworks networks, the first kMaxTypes types of each, kMaxQueued creations between two steps: what is
// beyond them is not learnt from, and counted. One call a network is in flight, of kMaxPredictionsACall types at most.
// Errors: a prediction that fails is counted, and made again at the next review. It fails no request.
// Cost: Created is a lock and a copy of two names. Memory: 20 kB a type and up to 25 MB a network (plan/planner.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "engine/type_plan.h"
#include "ipam/catalogue.h"
#include "plan/planner.h"
#include "service/service.h"

namespace gnomon {

class Predictor {
 public:
  static constexpr std::string_view kSource = "engine";
  static constexpr absl::Duration kReview = absl::Minutes(1);
  static constexpr absl::Duration kStep = absl::Seconds(1);  // between looking at what was created
  static constexpr absl::Duration kLead = absl::Seconds(5);  // until what is taken is replaced: a step, and the store
  static constexpr absl::Duration kHorizon = absl::Minutes(5);
  static constexpr int kStalledRounds = 3;
  static constexpr size_t kMaxNetworks = 100;
  static constexpr size_t kMaxTypes = 1000;
  static constexpr size_t kMaxQueued = 100'000;

  Predictor(Service* service, const Clock* clock);
  ~Predictor();  // Stop()
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  // Begins a thread that steps. Without it the caller does, one step at a time.
  void Start();
  // Waits for what it has asked for. From then on nothing happens any more.
  void Stop();
  // Learns from what was created, reviews if that is due, and asks for what is wanted.
  void Step();

  void Created(const Service::Creation& creation);

  // As of the last review, by type; empty before the first, and for a network without predictions.
  std::vector<TypePlan> Plans(const NetworkEntry& network) const;

  uint64_t rounds() const;   // reviews that have ended
  bool stalled() const;      // none has for kStalledRounds times kReview
  uint64_t ignored() const;  // creations beyond the limits
  uint64_t failed() const;   // calls
  // The four above, in the text format of Prometheus.
  std::string MetricsText() const;

 private:
  struct Event {
    NetworkId network{};
    std::string name, type;
    int64_t time_s = 0;
  };
  struct Answer {
    NetworkId network{};
    std::vector<size_t> types;
    absl::StatusOr<std::vector<PredictionView>> views;
  };
  struct Type {
    std::string name;
    uint32_t left = 0;  // of what was asked for
    uint32_t held = 0;
    bool wanted = false;  // is to be asked for
  };
  struct Fleet {
    Fleet(std::string network, int64_t midnight);
    double Time(int64_t time_s) const { return static_cast<double>(time_s - midnight_s); }

    std::string network;
    int64_t midnight_s;  // before its first creation: where its planner's time begins
    PredictionMode mode = PredictionMode::kObserve;
    double hit_rate = 0;
    Planner planner;
    std::vector<Type> types;  // by the planner's key
    absl::flat_hash_map<std::string, size_t> keys;
    bool in_flight = false;
  };
  // Whole seconds of 1970 UTC, so that planners are told times that can be compared; never going back.
  int64_t Now() const;
  bool Learn(const Event& event);
  void Take(const Answer& answer);
  void Review(int64_t now_s);
  // Takes up the network's mode. False if it is gone or not predicted any more.
  bool Follow(NetworkId id, Fleet* fleet) const;
  void Publish(NetworkId id, const Fleet& fleet);
  void Ask(NetworkId id, Fleet* fleet);
  static uint32_t CountFor(const Plan& plan, const Type& type);

  Service* const service_;
  const Clock* const clock_;
  const absl::Time wall_;  // when the clock's monotonic time was start_
  const absl::Duration start_;
  const std::string id_prefix_;

  // Owned by who steps.
  std::map<NetworkId, Fleet> fleets_;
  uint64_t last_id_ = 0;

  mutable absl::Mutex mutex_;
  std::vector<Event> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::map<NetworkId, std::vector<TypePlan>> plans_ ABSL_GUARDED_BY(mutex_);
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t reviewed_s_ ABSL_GUARDED_BY(mutex_);
  uint64_t rounds_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ignored_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace gnomon
