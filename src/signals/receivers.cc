// SPDX-License-Identifier: Apache-2.0
#include "signals/receivers.h"

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {

absl::Status Receivers::Admit(const std::string& network, std::string_view receiver) {
  // The scale of time is for what is predicted; senders send in real time.
  const absl::Duration now = clock_->Real(clock_->Monotonic());
  absl::MutexLock lock(&mutex_);
  RateBudget& budget = budgets_.try_emplace({network, std::string(receiver)}, kBudget).first->second;
  if (budget.Take(now)) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "RECEIVER_BUSY",
               absl::StrCat("more than ", kBudget.a_second, " requests a second to ", AbslView(receiver), " of network ", network))
      .Hint("send it again later; the same event twice counts once");
}

void Receivers::Count(const std::string& network, std::string_view receiver, std::string_view outcome, uint64_t events) {
  absl::MutexLock lock(&mutex_);
  const Counted key{network, receiver, outcome};
  auto found = events_.find(key);
  if (found == events_.end() && events_.size() < kMaxCounted) found = events_.try_emplace(key).first;
  if (found != events_.end()) found->second += events;
}

std::string Receivers::MetricsText() const {
  std::string text =
      "# HELP gnomon_receiver_events_total Events of other systems, by network, receiver and what became of them.\n"
      "# TYPE gnomon_receiver_events_total counter\n";
  absl::MutexLock lock(&mutex_);
  for (const auto& [key, count] : events_) {
    const auto& [network, receiver, outcome] = key;
    absl::StrAppend(&text, "gnomon_receiver_events_total{network=\"", network, "\",receiver=\"", receiver, "\",outcome=\"",
                    outcome, "\"} ", count, "\n");
  }
  return text;
}

}  // namespace gnomon
