// SPDX-License-Identifier: Apache-2.0
//
// An Advisor tells the engine, every kTick, what metrics and policies say of the creations to come.
//
// Of each network that is predicted it looks at the types that a metric is bound to, a policy is for, or a calendar
// names: how many instances there are, what the metrics are, what the policies will do, what begins. From that come
// advice (signals/type_signals.h) and announcements (signals/known_creations.h, signals/calendar_watch.h). A network that
// is not predicted yet is told its past, if a metric counts a type's demand: once, at most 14 days of it.
//
// Example:
//   Advisor advisor({.service = ..., .predictor = ..., .clock = ..., .metrics = ..., .policies = ...});
//   service->OnCreation([&](const Service::Creation& creation) { advisor.Created(creation); ... });
//   advisor.Start();
//
// Threads: any; one of its own, on which all looking is done. Created never waits.
// Time: the wall clock for what others timed; the engine's is as far away as the two clocks are.
// Ownership: all Parts outlive Stop(); the advisor outlives the service, as creations are told of until that is gone.
// Errors: an announcement that is refused is counted, and never made again; nothing fails for it. Limits: those of the
//   parts; creations are counted of kMaxTypes types a network.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "engine/predictor.h"
#include "service/service.h"
#include "signals/calendar_watch.h"
#include "signals/document_store.h"
#include "signals/known_creations.h"
#include "signals/metric_book.h"
#include "signals/policy_shelf.h"
#include "signals/type_signals.h"

namespace gnomon {

class Advisor {
 public:
  static constexpr absl::Duration kTick = absl::Seconds(5);
  static constexpr size_t kMaxTypes = 1000;
  static constexpr absl::Duration kLookahead = absl::Seconds(60);  // of what policies reach, and of their schedules

  struct Parts {
    Service* service = nullptr;
    Predictor* predictor = nullptr;
    const Clock* clock = nullptr;
    const MetricBook* metrics = nullptr;
    const PolicyShelf* policies = nullptr;
    const DocumentStore* documents = nullptr;  // calendars
  };

  explicit Advisor(const Parts& parts) : parts_(parts) {}
  ~Advisor();  // Stop()
  Advisor(const Advisor&) = delete;
  Advisor& operator=(const Advisor&) = delete;

  // Begins a thread that steps. Without it the caller does, one step at a time.
  void Start();
  void Stop();
  void Step();

  void Created(const Service::Creation& creation);

  uint64_t refused() const;  // announcements
  std::string MetricsText() const;

 private:
  using CreatedTypes = std::map<std::string, uint64_t>;  // how many of each since the advisor began
  using TypeKey = std::pair<NetworkId, std::string>;

  struct TypeView {
    std::string type = {};
    uint32_t instances = 0;
    std::vector<size_t> rules = {};  // of metrics that are bound to it
    std::shared_ptr<const PolicyBook> policies = {};  // never nullptr
    PolicyOutlook outlook = {};
  };
  struct Calendars {
    std::vector<Document> documents = {};  // as they were read
    CalendarWatch watch = {};
  };
  static constexpr const char* kCalendarSource = "calendar";
  static constexpr const char* kRolloutSource = "rollout";

  void LookAt(const NetworkEntry& network, int64_t now_s);
  // And what is known by counts, into `known`.
  Advice AdviceOn(const NetworkEntry& network, const TypeView& seen, const CreatedTypes& created, int64_t now_s,
                  KnownCreations::View* known);
  // Of the metrics that are bound to the type: into `view`, and what they say of desired counts into `known` and `advice`.
  void AddMetrics(const TypeView& seen, TypeSignals* signals, bool is_new, TypeSignals::View* view,
                  KnownCreations::View* known, Advice* advice) const;
  void AddTargets(const TypeView& seen, TypeSignals::View* view) const;
  // What a changed workload adds while it rolls out.
  void AddRollout(const NetworkEntry& network, const TypeView& seen, int64_t now_s, KnownCreations::Changes* changes);
  void LookAtCalendars(const NetworkEntry& network, const CreatedTypes& created, int64_t now_s,
                       std::vector<Advice>* advices, KnownCreations::Changes* changes);
  // Its type's, which may be added.
  static Advice& AdviceOf(const std::string& type, std::vector<Advice>* advices);
  void Announce(const NetworkEntry& network, const KnownCreations::Changes& changes);
  void ImportPast(const NetworkEntry& network, int64_t now_s);
  std::map<std::string, uint32_t> CountsOf(const NetworkEntry& network, const std::set<std::string>& types) const;
  CreatedTypes CreatedIn(NetworkId network) const;

  const Parts parts_;
  // Owned by who steps.
  std::map<TypeKey, TypeSignals> signals_;
  std::map<NetworkId, KnownCreations> known_;
  std::map<NetworkId, Calendars> calendars_;
  std::set<NetworkId> imported_;
  std::map<TypeKey, uint64_t> looked_at_;  // creations at the last look
  std::map<std::pair<NetworkId, std::string>, std::string> workloads_;  // documents by the policy's name

  mutable absl::Mutex mutex_;
  std::map<NetworkId, CreatedTypes> created_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gnomon
