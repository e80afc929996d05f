// SPDX-License-Identifier: Apache-2.0
#include "signals/github_events.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

std::map<std::string, GithubSource> ByNetwork(std::vector<GithubSource> sources) {
  std::map<std::string, GithubSource> by_network;
  for (GithubSource& source : sources) {
    for (GithubRule& rule : source.rules) std::sort(rule.labels.begin(), rule.labels.end());
    const std::string network = source.network;
    GNOMON_CHECK(by_network.emplace(network, std::move(source)).second);
  }
  return by_network;
}

Error Invalid(const char* code, const char* field, std::string_view value, std::string_view message) {
  Error error(absl::StatusCode::kInvalidArgument, code, message);
  error.Field(field).Value(Excerpt(value));
  return error;
}

const GithubRule* RuleFor(const GithubSource& source, const std::vector<std::string>& labels) {
  for (const GithubRule& rule : source.rules) {
    if (std::includes(rule.labels.begin(), rule.labels.end(), labels.begin(), labels.end())) return &rule;
  }
  return nullptr;
}

}  // namespace

struct GithubEvents::Job {
  std::string action, id;
  std::vector<std::string> labels;  // sorted, each once
  std::optional<absl::Time> created, started;
};

GithubEvents::GithubEvents(std::vector<GithubSource> sources) : sources_(ByNetwork(std::move(sources))) {}

std::string GithubEvents::Sign(std::string_view secret, std::string_view body) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  GNOMON_CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                    reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest, &size) != nullptr);
  return absl::StrCat("sha256=", absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size)));
}

absl::Status GithubEvents::CheckSignature(const std::string& network, std::string_view body,
                                          std::string_view signature) const {
  const auto source = sources_.find(network);
  if (source == sources_.end()) {
    return Error(absl::StatusCode::kPermissionDenied, "RECEIVER_OFF",
                 absl::StrCat("no secret of GitHub's webhooks is configured for the network ", Excerpt(network)))
        .Hint("add [[signals.github]] with its network and secret_file to the configuration");
  }
  if (signature.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "SIGNATURE_MISSING", "the webhook is not signed")
        .Field("X-Hub-Signature-256")
        .Hint("give the webhook the secret that secret_file holds");
  }
  const std::string right = Sign(source->second.secret, body);
  if (signature.size() == right.size() && CRYPTO_memcmp(signature.data(), right.data(), right.size()) == 0) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kUnauthenticated, "SIGNATURE_WRONG", "the webhook is signed with another secret")
      .Field("X-Hub-Signature-256")
      .Value(Excerpt(signature))
      .Hint("give the webhook the secret that secret_file holds");
}

absl::StatusOr<GithubEvents::Job> GithubEvents::ReadJob(const EventJson& body) {
  Job job;
  job.action = body.Text({"action"});
  if (job.action.empty()) return Invalid("MISSING_FIELD", "action", "", "the event has no action");
  const std::optional<int64_t> id = body.Int({"workflow_job", "id"});
  if (!id || *id < 0) return Invalid("MISSING_FIELD", "workflow_job.id", "", "the job has no id, or it is not a number");
  job.id = absl::StrCat(*id);
  const boost::json::value* labels = body.Find({"workflow_job", "labels"});
  if (labels == nullptr || !labels->is_array()) {
    return Invalid("MISSING_FIELD", "workflow_job.labels", "", "the job has no array of labels");
  }
  if (labels->get_array().size() > kMaxLabels) {
    return Invalid("OUT_OF_RANGE", "workflow_job.labels", absl::StrCat(labels->get_array().size()),
                   absl::StrCat("the job has more than ", kMaxLabels, " labels"));
  }
  for (const boost::json::value& label : labels->get_array()) {
    if (!label.is_string()) {
      return Invalid("WRONG_TYPE", "workflow_job.labels", boost::json::serialize(label), "a label is not a string");
    }
    job.labels.emplace_back(label.get_string());
  }
  std::sort(job.labels.begin(), job.labels.end());
  job.labels.erase(std::unique(job.labels.begin(), job.labels.end()), job.labels.end());
  job.created = EventTime(body.Text({"workflow_job", "created_at"}));
  job.started = EventTime(body.Text({"workflow_job", "started_at"}));
  return job;
}

absl::StatusOr<SignalEvent> GithubEvents::Decode(const std::string& network, std::string_view kind, std::string_view body,
                                                 absl::Time now) {
  if (kind == "ping") return SignalEvent::Nothing("a ping");
  if (kind != "workflow_job") {
    return Invalid("UNKNOWN_EVENT", "X-GitHub-Event", kind, absl::StrCat("\"", Excerpt(kind), "\" events tell of no runner"))
        .Hint("let the webhook send workflow jobs alone");
  }
  GNOMON_ASSIGN_OR_RETURN(const EventJson json, EventJson::Parse(body));
  GNOMON_ASSIGN_OR_RETURN(const Job job, ReadJob(json));
  const GithubSource& source = sources_.at(network);
  const GithubRule* rule = RuleFor(source, job.labels);
  if (rule == nullptr) return SignalEvent::Nothing("no rule has all labels of the job");
  SignalEvent event{.id = {std::string(kSource), job.id}, .type = rule->type, .count = 1};
  if (job.action == "queued") {
    event.what = SignalEvent::What::kAnnounce;
    event.at = now + source.expect_after.value_or(LagOf(network, job.labels));
    return event;
  }
  if (job.action == "in_progress") {
    LearnLag({network, job.labels}, job);
    event.what = SignalEvent::What::kStarted;
    return event;
  }
  if (job.action == "completed") {
    event.what = SignalEvent::What::kCancel;
    return event;
  }
  return SignalEvent::Nothing(absl::StrCat("the action \"", Excerpt(job.action), "\""));
}

absl::Duration GithubEvents::LagOf(const std::string& network, const std::vector<std::string>& labels) const {
  absl::MutexLock lock(&mutex_);
  const auto lags = lags_.find({network, labels});
  if (lags == lags_.end()) return absl::ZeroDuration();
  return *std::min_element(lags->second.begin(), lags->second.end());
}

void GithubEvents::LearnLag(const LabelSet& set, const Job& job) {
  if (!job.created || !job.started) return;
  const absl::Duration lag = *job.started - *job.created;
  if (lag < absl::ZeroDuration() || lag > kMaxLag) return;
  absl::MutexLock lock(&mutex_);
  auto lags = lags_.find(set);
  if (lags == lags_.end()) {
    if (lags_.size() >= kMaxLabelSets) return;
    lags = lags_.try_emplace(set).first;
  }
  lags->second.push_back(lag);
  if (lags->second.size() > kLags) lags->second.pop_front();
}

}  // namespace gnomon
