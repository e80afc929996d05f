// SPDX-License-Identifier: Apache-2.0
//
// A Replenisher keeps the warm pools of networks full: for each (network, type) so many shadows, refilled as they are taken.
//
// It is the reactive baseline, which needs no forecast. It asks through the same use case as every other predictor: a
// prediction of source "warm_target" for the whole target, with a new id each time, which replaces the one before.
//
// A type begins with its first creation, and ends once none was created for kActive; types that a warm pool names begin at
// once and never end. A change of a warm pool is taken up at a type's next creation or renewal, for named ones in Configured.
//
// Should the engine stall, it takes over: what the reactive formula says of each type is then held as if it were its warm
// target, if it is larger, until the engine is back, or nothing was created of the type for kActive.
//
// Example:
//   Replenisher replenisher(service, &clock, [&] { return predictor.ReactiveTargetsIfStalled(); });
//   service->OnCreation([&](const Service::Creation& creation) { replenisher.Created(creation); });
//   replenisher.Start();
//
// Threads: any; one of its own. Created and Configured never wait for the service.
// Ownership: the service outlives Stop(), the replenisher the service, as creations are told of until that is gone.
// Limits: kMaxKeys types of all networks, then new ones are ignored and counted; kMaxInFlight predictions, one a type.
// Errors: a prediction that fails, or that finds too few free addresses, is tried again after kFirstPause, then twice as
//   long each time up to kLongestPause. It fails no request: shadows give way to creations.
// Cost: Created is a lock and a lookup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "engine/reactive_target.h"
#include "ipam/catalogue.h"
#include "service/service.h"

namespace gnomon {

class Replenisher {
 public:
  static constexpr std::string_view kSource = "warm_target";
  static constexpr size_t kMaxKeys = 10000;
  static constexpr size_t kMaxInFlight = 64;
  static constexpr absl::Duration kHorizon = absl::Hours(1);
  static constexpr absl::Duration kRenewal = absl::Minutes(45);  // after the last prediction, well before its end
  static constexpr absl::Duration kActive = absl::Hours(1);
  static constexpr absl::Duration kMissPause = absl::Seconds(1);
  static constexpr absl::Duration kFirstPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Minutes(1);

  // nullopt while the engine plans; asked several times a second, on the replenisher's thread.
  using Stalled = std::function<std::optional<std::vector<ReactiveTarget>>()>;

  Replenisher(Service* service, const Clock* clock, Stalled stalled);
  ~Replenisher();  // Stop()
  Replenisher(const Replenisher&) = delete;
  Replenisher& operator=(const Replenisher&) = delete;

  // Takes up the types that the warm pools name by now, and begins.
  void Start();
  // Waits for what it has asked for. From then on nothing happens any more.
  void Stop();

  void Created(const Service::Creation& creation);
  // The network's warm pool was set.
  void Configured(const NetworkEntry& network);

  // Types that came when there were kMaxKeys.
  uint64_t ignored() const;

 private:
  struct Key {
    std::string name;  // "network/type"
    std::string network, type;
    absl::Duration created = -absl::InfiniteDuration();  // the last creation
    absl::Duration asked = -absl::InfiniteDuration();    // the last prediction
    absl::Duration due = absl::InfiniteDuration();       // the next one, as in due_; infinite while one is in flight
    absl::Duration pause = absl::ZeroDuration();         // before the next attempt; zero unless the last one failed
    uint32_t target = 0;                                 // of the last prediction
    uint32_t reactive = 0;                               // while the engine has stalled
    bool in_flight = false;
    bool again = false;  // a shadow was taken, or the pool was set, since the prediction in flight was asked for
  };
  // The key, made if there is something to keep and room for it; nullptr if not.
  Key* FindOrAdd(const NetworkEntry& network, const std::string& type, uint32_t target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes over from an engine that has stalled, or gives back to one that goes on.
  void FollowEngine();
  void SetDue(Key* key, absl::Duration due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Erase(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  // The keys that are to be asked for now, all in flight from here on. Empty when it is time to look again.
  std::vector<std::string> WaitForDue();
  void Ask(const std::string& name);
  void Answered(const std::string& name, const absl::StatusOr<std::vector<PredictionView>>& result);

  Service* const service_;
  const Clock* const clock_;
  const Stalled stalled_;
  const std::string id_prefix_;
  bool took_over_ = false;  // the thread's

  mutable absl::Mutex mutex_;
  absl::node_hash_map<std::string, Key> keys_ ABSL_GUARDED_BY(mutex_);  // by "network/type"
  std::set<std::pair<absl::Duration, std::string>> due_ ABSL_GUARDED_BY(mutex_);
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ignored_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;  // something is due earlier than it was
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace gnomon
