// SPDX-License-Identifier: Apache-2.0
//
// A RemoteEngine is the prediction engine as a process of its own: it predicts one network of a server through the API
// alone.
//
// It follows the network's watch for creations, which its Fleet learns from, plans as the engine in the server does
// (engine/predictor.h), and asks for what it plans by predict_instances, under a source of its own, for Pace::kHorizon
// at a time: the shadows of an engine that has stopped end by themselves. Hit rate and bounds are the network's
// settings. What it has learnt, and the revision that it has seen, is on disk after each step (cli/state_folder.h).
//
// Example:
//   RemoteEngine engine({.client = options, .network = "prod", .state_dir = "state"}, &clock, std::cerr);
//   absl::Status ended = engine.Run(&stop);   // OK: it was told to stop
//
// Threads: Run() once; one more follows the watch. `*stop` is set from any thread, or by a signal.
// Time: the clock's, for reviews; the server's, for creations, but none later than now. The two clocks should agree
// within
//   seconds.
// Errors: a server that is away is waited for, and said. What ends it: NETWORK_NOT_FOUND; a token that is refused;
//   SERVER_PREDICTS (FAILED_PRECONDITION): the server itself reserves for this network; STATE_IN_USE and
//   FILE_FAILED of its folder. State that is damaged or of another version is said, set aside, and learnt anew. A revision that is too old, or another store's, is said, and it goes on from now: what came between is not
//   learnt from.
// Limits: the first Fleet::kMaxTypes types; kMaxQueued creations between two steps, then the watch waits. A
// reassignment
//   counts as a creation, as on the watch they are alike.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "cli/state_folder.h"
#include "client/api_client.h"
#include "engine/bounded_plan.h"
#include "engine/fleet.h"

namespace gnomon {

struct RemoteEngineOptions {
  HttpClientOptions client;
  std::string network, source, state_dir;
};

class RemoteEngine {
 public:
  static constexpr size_t kMaxQueued = 100'000;
  static constexpr size_t kMaxPredictionsACall = 100;  // the API's
  static constexpr absl::Duration kFirstPause = absl::Seconds(1),
                                  kLongestPause = absl::Seconds(30);  // before it calls again

  // What it does and meets is told to `messages`, a line each.
  RemoteEngine(RemoteEngineOptions options, const Clock* clock, std::ostream& messages);
  RemoteEngine(const RemoteEngine&) = delete;
  RemoteEngine& operator=(const RemoteEngine&) = delete;

  absl::Status Run(const std::atomic<bool>* stop);

 private:
  struct Creations {
    std::string type;
    int64_t time_s = 0;
    uint32_t count = 0;
  };
  struct Settings {
    PlanBounds all;
    std::vector<std::pair<std::string, PlanBounds>> types;  // those that differ
  };

  absl::Status Open();
  absl::Status Loop(const std::atomic<bool>* stop);
  // One step. An error ends the engine.
  absl::Status Step();
  void Learn(const std::vector<Creations>& creations);
  absl::Status Review(int64_t now_s);
  // Reads the network's settings, and its revision. SERVER_PREDICTS.
  absl::StatusOr<std::string> ReadNetwork();
  void KnowFloors();
  // An error that ends the engine.
  absl::Status AskFor();
  void Keep(int64_t now_s);
  const PlanBounds& BoundsOf(const std::string& type) const;
  int64_t Now() const;

  // What the folder has: the fleet, and the revision at which it goes on; none if nothing was kept.
  absl::StatusOr<std::string> RestoreFleet();

  // The thread that watches.
  void Follow();
  void See(const JsonObject& event);
  // Whether to go on watching after it has ended thus.
  bool GoOn(const absl::Status& ended, ApiClient& api, absl::Duration* pause);
  void Say(std::string_view message);

  const RemoteEngineOptions options_;
  const Clock* const clock_;
  const absl::Time wall_;  // at start_; later steps of the wall clock are passed over
  const absl::Duration start_;
  const std::string id_prefix_;

  std::unique_ptr<ApiClient> api_;
  std::unique_ptr<StateFolder> folder_;
  std::unique_ptr<Fleet> fleet_;
  Settings settings_;
  std::vector<bool> wanted_;  // by type: is to be asked for
  std::string kept_revision_;
  int64_t reviewed_s_ = 0, saved_s_ = 0;
  uint64_t last_id_ = 0;
  bool asks_fail_ = false, keeping_fails_ = false, passes_over_ = false;  // has been said

  std::string last_instance_;  // whose creation was seen; the watching thread's
  std::atomic<bool> ending_ = false;
  absl::Mutex mutex_;
  std::vector<Creations> seen_ ABSL_GUARDED_BY(mutex_);
  std::string revision_ ABSL_GUARDED_BY(mutex_);  // up to which all is in seen_ or was taken from it
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);    // why the watch cannot go on

  absl::Mutex messages_mutex_;
  std::ostream& messages_ ABSL_GUARDED_BY(messages_mutex_);
};

}  // namespace gnomon
