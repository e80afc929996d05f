// SPDX-License-Identifier: Apache-2.0
//
// A Receivers is what takes events from other systems: their decoders, what they have learnt, and their budgets.
//
// Each receiver of each network has a budget of its own, so that one sender that floods keeps no other away. A request over
// it is told to come again: what was announced already is not announced twice.
//
// Threads: any.
// Limits: kBudget; kMaxCounted series of its metrics. Errors: UNAVAILABLE "RECEIVER_BUSY".
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "signals/github_events.h"
#include "signals/rate_budget.h"

namespace gnomon {

class Receivers {
 public:
  static constexpr RateBudget::Limits kBudget{.a_second = 100, .at_once = 1000};  // requests, of real time
  static constexpr size_t kMaxCounted = 1000;

  // The clock outlives it.
  Receivers(const Clock* clock, std::vector<GithubSource> github) : clock_(clock), github_(std::move(github)) {}

  GithubEvents& github() { return github_; }
  absl::Time Now() const { return clock_->Wall(); }

  // Before a request's events are used; its sender has been recognised and the network exists.
  absl::Status Admit(const std::string& network, std::string_view receiver);

  // What has become of an event: "announced", "cancelled", "unchanged", "ignored" or "refused".
  void Count(const std::string& network, std::string_view receiver, std::string_view outcome, uint64_t events);
  // gnomon_receiver_events_total, in the text format of Prometheus.
  std::string MetricsText() const;

 private:
  using Counted = std::tuple<std::string, std::string, std::string>;  // network, receiver, outcome

  const Clock* const clock_;
  GithubEvents github_;
  mutable absl::Mutex mutex_;
  std::map<std::pair<std::string, std::string>, RateBudget> budgets_ ABSL_GUARDED_BY(mutex_);  // by network, receiver
  std::map<Counted, uint64_t> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
