// SPDX-License-Identifier: Apache-2.0
//
// A GithubEvents reads GitHub's "workflow_job" webhooks: a queued job is a runner that will be created.
//
// A job may run on any runner that has all of the job's labels, so a rule stands for it if the job's labels are a subset
// of the rule's; the first such rule gives the type. How long jobs wait from queued to in progress is learnt for each set of
// labels, and a job is expected as early as the earliest of the last kLags: a runner that is ready too soon waits, one that
// is late was not predicted.
//
// The format is that of docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_job: "action" queued, in_progress,
// completed or waiting; of "workflow_job" the id, labels, created_at and started_at.
//
// Example:
//   GNOMON_RETURN_IF_ERROR(github.CheckSignature("prod", body, header));
//   GNOMON_ASSIGN_OR_RETURN(SignalEvent event, github.Decode("prod", "workflow_job", body, now));
//
// Threads: any. Time: told.
// Limits: kMaxLabels of a job, kMaxLabelSets whose lags are known. Cost of CheckSignature: an HMAC of the body.
// Errors: PERMISSION_DENIED "RECEIVER_OFF" for a network that is not configured; UNAUTHENTICATED "SIGNATURE_MISSING",
//   "SIGNATURE_WRONG"; INVALID_ARGUMENT INVALID_JSON, MISSING_FIELD, WRONG_TYPE, OUT_OF_RANGE, UNKNOWN_EVENT.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "signals/event.h"
#include "signals/event_json.h"

namespace gnomon {

struct GithubRule {
  std::vector<std::string> labels;  // of the runners
  std::string type;
};

// The webhook of one network.
struct GithubSource {
  std::string network;
  std::string secret;
  std::vector<GithubRule> rules;
  std::optional<absl::Duration> expect_after;  // from queued until the runner asks; unset: learnt
};

class GithubEvents {
 public:
  static constexpr std::string_view kSource = "github";
  static constexpr size_t kMaxLabels = 100;
  static constexpr size_t kMaxLabelSets = 1000;
  static constexpr size_t kLags = 100;
  static constexpr absl::Duration kMaxLag = absl::Hours(24);  // GitHub gives a queued job up after as long

  // Each network once.
  explicit GithubEvents(std::vector<GithubSource> sources);

  // "sha256=<hex>" of the raw body, compared in constant time.
  absl::Status CheckSignature(const std::string& network, std::string_view body, std::string_view signature) const;
  // `kind` is X-GitHub-Event. The network is configured.
  absl::StatusOr<SignalEvent> Decode(const std::string& network, std::string_view kind, std::string_view body,
                                     absl::Time now);

  // What a job with these labels (sorted) is expected after.
  absl::Duration LagOf(const std::string& network, const std::vector<std::string>& labels) const;

  // "sha256=<hex>", as GitHub makes it.
  static std::string Sign(std::string_view secret, std::string_view body);

 private:
  struct Job;
  using LabelSet = std::pair<std::string, std::vector<std::string>>;  // network, labels

  static absl::StatusOr<Job> ReadJob(const EventJson& body);
  void LearnLag(const LabelSet& set, const Job& job);

  const std::map<std::string, GithubSource> sources_;  // by network
  mutable absl::Mutex mutex_;
  std::map<LabelSet, std::deque<absl::Duration>> lags_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
