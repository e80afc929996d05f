// SPDX-License-Identifier: Apache-2.0
//
// A Predictor is the Address Prediction Engine: it learns what is created, plans, and asks for the shadows planned.
//
// Each network with a prediction mode has a Fleet of its own, from its first creation on. Every kReview all plans are
// made anew. Of a network that reserves, each type's plan is then asked for, and again after creations of the type,
// which use it up, and when an announcement falls due: through the same use case as every predictor, as source
// "engine", with a new id each time. What is asked for ends after kHorizon, so that the shadows of an engine that has
// stopped end by themselves; warm targets go on without it.
//
// What is learnt is kept in notes of the network (engine/notebook.h): a journal at each step, all of it each kSave. The
// first step reads it, for the networks that are predicted by then.
//
// Example:
//   Predictor predictor(service, &clock, [](const std::string& message) { spdlog::warn("{}", message); });
//   service->OnCreation([&](const Service::Creation& creation) { predictor.Created(creation); });
//   predictor.Start();
//
// Threads: any; one of its own, on which all planning is done. Created never waits for the service or for planning.
//   Replies run on that thread, or in Stop: they must be short.
// Time: the clock's, in whole seconds; days begin at midnight UTC.
// Ownership: the service outlives Stop(), the predictor the service, as creations are told of until that is gone.
// Limits: kMaxNetworks networks, the first Fleet::kMaxTypes types of each, kMaxQueued creations between two steps: what
// is beyond them is not learnt from, and counted. One call a network is in flight, of Service::kMaxPredictionsACall
// types at most. Durability: a reply to Announce, Cancel and Import waits until the store has what it tells of. What
// was learnt of creations since the last step may be lost. Errors: a prediction that fails is counted, and made again
// at the next review. It fails no request. State that cannot be read is told to `warn`, counted, and learnt anew. Cost:
// Created is a lock and a copy of two names. Memory: 32 kB a type and up to 25 MB a network (plan/planner.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "engine/advice.h"
#include "engine/announced.h"
#include "engine/bounded_plan.h"
#include "engine/fleet.h"
#include "engine/lead_times.h"
#include "engine/notebook.h"
#include "engine/reactive_target.h"
#include "engine/type_forecast.h"
#include "engine/type_plan.h"
#include "engine/type_quality.h"
#include "ipam/catalogue.h"
#include "service/service.h"

namespace gnomon {

// What an import has come to.
struct ImportView {
  uint64_t creations = 0;    // learnt from
  uint64_t passed_over = 0;  // of types beyond the most
};

class Predictor {
 public:
  static constexpr std::string_view kSource = "engine";
  static constexpr absl::Duration kReview = Pace::kReview;
  static constexpr absl::Duration kStep = Pace::kStep;  // between looking at what was created
  static constexpr absl::Duration kLead = Pace::kLead;  // that is planned for: a step, and the store
  static constexpr absl::Duration kHorizon = Pace::kHorizon;
  static constexpr absl::Duration kSave = Pace::kSave;
  static constexpr absl::Duration kMaxAhead = absl::Hours(24 * 7);  // that an announcement may be
  static constexpr uint32_t kMaxAnnounced = 100'000;                // creations of one
  static constexpr size_t kMaxPast = 1000;                         // rows of an import
  static constexpr absl::Duration kMaxPastSpan = absl::Hours(24);   // between its first and its last
  static constexpr int kStalledRounds = 3;
  static constexpr size_t kMaxNetworks = 100;
  static constexpr size_t kMaxQueued = 100'000;

  Predictor(Service* service, const Clock* clock, std::function<void(const std::string&)> warn);
  ~Predictor();  // Stop()
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  // Begins a thread that steps. Without it the caller does, one step at a time.
  void Start();
  // Waits for what it has asked for, and stores what it has learnt. From then on nothing happens any more.
  void Stop();
  // Learns from what was created, reviews if that is due, asks for what is wanted, and stores what it was told.
  void Step();

  void Created(const Service::Creation& creation);

  // Announcements. Errors: PREDICTIONS_OFF (FAILED_PRECONDITION), SHUTTING_DOWN, and those of writing notes.
  // The same one again is the same answer, also when it is over. INVALID_ANNOUNCEMENT: a count, a time out of range;
  // ANNOUNCEMENT_DIFFERS (ALREADY_EXISTS): another one has the id; TOO_MANY_ANNOUNCEMENTS, TOO_MANY_TYPES
  // (RESOURCE_EXHAUSTED).
  void Announce(const NetworkEntry& network, Announced announced, Reply<Announced> reply);
  // ANNOUNCEMENT_NOT_FOUND (NOT_FOUND).
  void Cancel(const NetworkEntry& network, AnnouncementId id, Reply<Done> reply);
  // What was announced has started, whatever created it (engine/announcements.h). ANNOUNCEMENT_NOT_FOUND (NOT_FOUND).
  void Begun(const NetworkEntry& network, AnnouncementId id, Reply<Done> reply);
  // Those of which some are expected, by source and id. None for a network that is not predicted.
  void ListAnnouncements(const NetworkEntry& network, Reply<std::vector<Announced>> reply);

  // Learns from what was created before predictions are switched on. The same id again changes nothing. Errors: PREDICTIONS_ON
  // (FAILED_PRECONDITION); INVALID_HISTORY: the order, a time, a count or a limit; HISTORY_TOO_LATE
  // (FAILED_PRECONDITION): before what was imported already; TOO_MANY_NETWORKS.
  void Import(const NetworkEntry& network, std::string id, std::vector<PastCreations> past, Reply<ImportView> reply);

  // Takes up what signals say of some types of a network that is predicted; of any other it is passed over, and so are
  // types beyond Fleet::kMaxTypes.
  void Advise(const NetworkEntry& network, std::vector<Advice> advices);

  // As of the last review, by type; empty before the first, and for a network without predictions.
  std::vector<TypePlan> Plans(const NetworkEntry& network) const;

  // The forecasts of 5, 15 and 30 minutes, by type, or of `type` alone, which may be unknown. Waits until what they
  // come from is stored: the same again after a crash. None for a network that is not predicted. Errors: SHUTTING_DOWN,
  // TOO_MANY_NETWORKS, and those of writing notes.
  void Forecasts(const NetworkEntry& network, std::optional<std::string> type, Reply<std::vector<TypeForecast>> reply);

  // How the types were served, all of them or `type` alone, and the whole network; the rest as of Forecasts.
  void Quality(const NetworkEntry& network, std::optional<std::string> type, Reply<NetworkQuality> reply);

  // What the reactive formula holds, by the rates of the last review, of the networks that reserve. nullopt: the engine has
  // not stalled.
  std::optional<std::vector<ReactiveTarget>> ReactiveTargetsIfStalled() const;

  uint64_t rounds() const;   // reviews that have ended
  bool stalled() const;      // none has for kStalledRounds times kReview
  uint64_t ignored() const;  // creations beyond the limits
  uint64_t failed() const;   // calls
  uint64_t lost() const;     // states that could not be read
  // These, how long shadows take, and what was not stored, in the text format of Prometheus.
  std::string MetricsText() const;

 private:
  struct Event {
    NetworkId network{};
    std::string name, type;
    int64_t time_s = 0;
    bool hit = false;
  };
  struct Answer {
    NetworkId network{};
    std::vector<size_t> types;
    absl::Duration lead;
    absl::StatusOr<std::vector<PredictionView>> views;
  };
  struct Written {
    NetworkId network{};
    absl::Status status;
  };
  // Runs on the thread that steps, as soon as it can.
  using Request = absl::AnyInvocable<void(const absl::Status& refused)>;
  // Runs when what is told up to a ticket of its notebook is durable, or is not known to be.
  struct Waiter {
    uint64_t ticket;
    absl::AnyInvocable<void(const absl::Status&)> run;
  };
  // Of a type, beside what is learnt.
  struct Ask {
    int64_t due = 0;      // of announcements, when it was last looked at
    bool wanted = false;  // is to be asked for
    Advice advice = {};   // of the type
    int64_t advised_s = 0;  // when; 0: there is none
  };
  struct Member {
    std::string network;
    PredictionMode mode = PredictionMode::kOff;  // the most for any type
    std::shared_ptr<const NetworkEntry> entry = {};  // as it was last followed
    std::unique_ptr<Fleet> fleet;  // nullptr: what it had learnt is being erased
    Notebook notebook;
    int64_t saved_s = 0;
    std::vector<Ask> asks;  // by type
    LeadTimes leads;
    bool in_flight = false;
    std::vector<Waiter> waiters;
  };

  // Whole seconds of 1970 UTC; never going back.
  int64_t Now() const;
  static int64_t LeadSeconds(const Member& member);
  // Within the floor and the ceiling of its settings.
  struct Bounded : BoundedPlan {
    PlanSettings settings;
  };
  Bounded PlanFor(const Member& member, size_t type) const;

  // predictor.cc: the step.
  uint64_t Learn(std::vector<Event> events);
  void Take(const Answer& answer);
  void SetHeld(Member* member, size_t type, uint32_t held) const;
  void Review(int64_t now_s);
  // Takes up the network's mode. False if it is gone or not predicted any more.
  bool Follow(NetworkId id, Member* member) const;
  void LookAtAnnouncements(NetworkId id, Member* member, int64_t now_s);
  // Advice that is void by now.
  void DropOldAdvice(NetworkId id, Member* member, int64_t now_s);
  void Publish(NetworkId id, const Member& member);
  // The part of MetricsText about forecasts.
  std::string JudgedText() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskFor(NetworkId id, Member* member);

  // predictor_notes.cc: what is stored.
  void OpenAll();
  // With what is stored of it. nullptr: there are kMaxNetworks, the network is gone, or the predictor stops.
  Member* Open(NetworkId id, const std::string& network);
  // UNAVAILABLE: the predictor stops.
  absl::StatusOr<Notebook::Reader> Read(NetworkId id);
  void Restore(Member* member, Notebook::Reader* reader);
  void Warn(const std::string& network, const absl::Status& why);
  void Write(NetworkId id, Member* member, int64_t now_s);
  void TakeWritten(const Written& written);
  // Answers those whose part is durable, or all with an error.
  static void AnswerWaiters(Member* member, const absl::Status& status);
  void Flush();

  // predictor_requests.cc.
  static absl::Status ShuttingDown();
  void Submit(Request request);
  // Replies what `of(fleet)` gives, when all that the fleet was told is stored. The network is predicted.
  template <typename T>
  void AskFleet(const NetworkEntry& network, std::function<T(const Fleet&)> of, Reply<T> reply);
  template <typename T>
  void WhenStored(Member* member, T answer, Reply<T> reply);
  void End(const NetworkEntry& network, AnnouncementId id, void (Fleet::*how)(const AnnouncementId& id), Reply<Done> reply);
  absl::StatusOr<Announced> TryAnnounce(NetworkId id, Member* member, Announced announced);
  absl::StatusOr<ImportView> TryImport(Member* member, const std::string& id, const std::vector<PastCreations>& past);

  Service* const service_;
  const Clock* const clock_;
  const std::function<void(const std::string&)> warn_;
  const absl::Time wall_;  // when the clock's monotonic time was start_
  const absl::Duration start_;
  const std::string id_prefix_;

  // Owned by who steps.
  std::map<NetworkId, Member> members_;
  uint64_t last_id_ = 0;
  bool opened_ = false;  // what was stored is read

  mutable absl::Mutex mutex_;
  std::vector<Event> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Written> written_ ABSL_GUARDED_BY(mutex_);
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::map<NetworkId, std::vector<TypePlan>> plans_ ABSL_GUARDED_BY(mutex_);
  std::map<NetworkId, std::vector<ReactiveTarget>> reactive_ ABSL_GUARDED_BY(mutex_);  // should the engine stall
  std::map<std::string, double> leads_s_ ABSL_GUARDED_BY(mutex_);  // by network
  using Judged = std::array<JudgedHorizon, ForecastJudge::kHorizons>;
  std::map<std::string, Judged> judged_ ABSL_GUARDED_BY(mutex_);  // by network
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;                   // calls
  bool waited_for_ ABSL_GUARDED_BY(mutex_) = false;  // somebody waits for what is being written
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;       // the next step is to be made at once
  int64_t reviewed_s_ ABSL_GUARDED_BY(mutex_);
  uint64_t rounds_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t ignored_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_writes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace gnomon
