// SPDX-License-Identifier: Apache-2.0
#include "signals/prometheus_poller.h"

#include <pthread.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Error(absl::StatusCode::kUnavailable, "SECRET_UNREADABLE", absl::StrCat("cannot read ", path))
        .Value(path)
        .Hint("name a file that the server's user may read");
  }
  std::string secret = text.str();
  absl::StripAsciiWhitespace(&secret);
  return secret;
}

// Whether asking the same again could help, or the query itself is at fault.
bool OfServer(const absl::Status& error) { return error.code() != absl::StatusCode::kInvalidArgument; }

}  // namespace

PrometheusPoller::PrometheusPoller(PrometheusSource source, MetricBook* book, const Clock* clock)
    : source_(std::move(source)), book_(book), clock_(clock) {
  for (size_t rule = 0; rule < book_->rules().size(); ++rule) {
    if (book_->rules()[rule].source == source_.name) asked_.push_back({rule, 0});
  }
}

PrometheusPoller::~PrometheusPoller() { Stop(); }

void PrometheusPoller::Start() {
  if (asked_.empty()) return;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "prometheus");
    Run();
  });
}

void PrometheusPoller::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void PrometheusPoller::Run() {
  absl::Duration wait = source_.interval;
  while (!stopping_) {
    wait = Poll() ? source_.interval : std::min(wait * 2, std::max(kMaxWait, source_.interval));
    absl::MutexLock lock(&mutex_);
    const absl::Duration end = clock_->Monotonic() + wait;
    while (!stopping_ && clock_->Monotonic() < end) {
      wake_.WaitWithTimeout(&mutex_, clock_->Real(end - clock_->Monotonic()));
    }
  }
}

bool PrometheusPoller::Poll() {
  for (Asked& asked : asked_) {
    if (stopping_ || !PollRule(asked)) return false;
  }
  return true;
}

bool PrometheusPoller::PollRule(Asked& asked) {
  const MetricRule& rule = book_->rules()[asked.rule];
  const int64_t step_s = absl::ToInt64Seconds(rule.step);
  const int64_t now_s = absl::ToUnixSeconds(clock_->Wall() - kSettle), last = now_s / step_s * step_s;
  const int64_t kept = std::min(absl::ToInt64Seconds(kHistory) / step_s, MetricGrid::kKeptSteps - 1);
  asked.next_s = std::max(asked.next_s, last - kept * step_s);
  if (asked.next_s > last) return true;
  for (const QueryRange& range : ChunksOf({asked.next_s, last}, step_s)) {
    if (stopping_) return false;
    absl::StatusOr<QueryAnswer> answer = Ask(rule, range);
    if (!answer.ok()) {
      if (stopping_) return false;
      book_->PollFailed(asked.rule, answer.status(), !OfServer(answer.status()));
      return !OfServer(answer.status());
    }
    book_->Polled(asked.rule, answer->found);
    asked.next_s = range.end_s + step_s;
  }
  return true;
}

absl::Status PrometheusPoller::Connect() {
  const bool basic = !source_.username.empty();
  const std::string& file = basic ? source_.password_file : source_.bearer_token_file;
  std::string secret;
  if (!file.empty()) {
    GNOMON_ASSIGN_OR_RETURN(secret, ReadSecret(file));
  }
  if (http_ != nullptr && secret == secret_) return absl::OkStatus();
  HttpClientOptions options{.server = source_.url};
  (basic ? options.password : options.token) = secret;
  options.username = source_.username;
  for (const auto& [name, value] : source_.headers) options.headers.push_back(absl::StrCat(name, ": ", value));
  options.ca_file = source_.ca_file;
  options.client_cert_file = source_.cert_file;
  options.client_key_file = source_.key_file;
  options.timeout = source_.timeout;
  options.answer_bytes = kMaxAnswerBytes;
  options.cancelled = &stopping_;
  http_ = std::make_unique<HttpClient>(std::move(options));
  secret_ = std::move(secret);
  return absl::OkStatus();
}

absl::StatusOr<QueryAnswer> PrometheusPoller::Ask(const MetricRule& rule, const QueryRange& range) {
  GNOMON_RETURN_IF_ERROR(Connect());
  const std::string form =
      QueryForm(rule.query, range, absl::ToInt64Seconds(rule.step), absl::ToInt64Seconds(source_.timeout));
  const absl::StatusOr<ClientResponse> answer = http_->Send(
      {.method = "POST", .path = QueryPath(range), .body = form, .content_type = kQueryContentType});
  if (!answer.ok()) {
    // What is wrong with the address or the certificates is the source's fault, not that of one query.
    if (answer.status().code() != absl::StatusCode::kInvalidArgument) return answer.status();
    return Error(absl::StatusCode::kUnavailable, CodeOf(answer.status()),
                 std::string_view(answer.status().message().data(), answer.status().message().size()));
  }
  if (answer->status == 401 || answer->status == 403) {
    return Error(absl::StatusCode::kUnavailable, "QUERY_FORBIDDEN",
                 absl::StrCat(source_.url, " answered ", answer->status, " to ", source_.name))
        .Hint("look at bearer_token_file, or username and password_file");
  }
  return DecodeQueryAnswer(answer->status, answer->body);
}

}  // namespace gnomon
