// SPDX-License-Identifier: Apache-2.0
#include "cli/replay.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"

namespace gnomon {
namespace {

uint32_t Microseconds(absl::Duration time) {
  return static_cast<uint32_t>(std::clamp<int64_t>(absl::ToInt64Microseconds(time), 0, UINT32_MAX));
}

std::string FailureName(const absl::Status& status) {
  std::string code = CodeOf(status);
  return code.empty() ? absl::StatusCodeToString(status.code()) : code;
}

}  // namespace

Replay::Replay(ReplayOptions options, std::vector<TraceRow> rows, const Clock& clock)
    : options_(std::move(options)),
      rows_(std::move(rows)),
      clock_(clock),
      path_(ApiPath({"v1", "networks", options_.network, "instances"})) {
  for (const TraceRow& row : rows_) creations_due_ += row.count;
  if (!rows_.empty()) next_creation_.due = Due(rows_[0].time);
}

ReplayReport Replay::Run(absl::Duration interval, const std::function<void()>& on_progress) {
  std::vector<Measured> measured(options_.connections);
  std::vector<std::thread> threads;
  start_ = clock_.Monotonic();
  {
    absl::MutexLock lock(&mutex_);
    working_ = options_.connections;
  }
  for (Measured& mine : measured) threads.emplace_back([this, &mine] { Work(&mine); });
  while (!finished_.WaitForNotificationWithTimeout(interval)) on_progress();
  for (std::thread& thread : threads) thread.join();
  on_progress();
  return Merge(measured);
}

void Replay::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  leader_wakes_.SignalAll();
  followers_wake_.SignalAll();
}

void Replay::Work(Measured* measured) {
  ApiClient api(options_.client);
  Event event;
  while (Take(&event, measured)) event.release ? Release(api, event, measured) : Create(api, event, measured);
  absl::MutexLock lock(&mutex_);
  if (--working_ == 0) finished_.Notify();
}

const absl::Duration* Replay::NextDue() const {
  const absl::Duration* next = next_creation_.row < rows_.size() ? &next_creation_.due : nullptr;
  if (!releases_.empty() && (next == nullptr || releases_.top().due <= *next)) next = &releases_.top().due;
  return next;
}

Replay::Event Replay::Pop() {
  Event event;
  if (!releases_.empty() && NextDue() == &releases_.top().due) {
    event = releases_.top();
    releases_.pop();
    return event;
  }
  event = next_creation_;
  ++unanswered_;
  if (++next_creation_.number == rows_[next_creation_.row].count) {
    next_creation_.number = 0;
    if (++next_creation_.row < rows_.size()) next_creation_.due = Due(rows_[next_creation_.row].time);
  }
  return event;
}

bool Replay::Take(Event* event, Measured* measured) {
  absl::MutexLock lock(&mutex_);
  while (!stopped_) {
    const absl::Duration* due = NextDue();
    if (due == nullptr && unanswered_ == 0) break;
    if (due == nullptr || leading_) {
      followers_wake_.Wait(&mutex_);
      continue;
    }
    absl::Duration early = *due - Now();
    if (early > absl::ZeroDuration()) {
      leading_ = true;
      leader_wakes_.WaitWithTimeout(&mutex_, early);
      leading_ = false;
      continue;
    }
    *event = Pop();
    measured->lag_us.push_back(Microseconds(-early));
    followers_wake_.Signal();  // takes this thread's place
    return true;
  }
  followers_wake_.SignalAll();
  leader_wakes_.SignalAll();
  return false;
}

std::string Replay::Id(const Event& event) const {
  return absl::StrCat(options_.id_prefix, "-", rows_[event.row].line, "-", event.number);
}

void Replay::Create(ApiClient& api, const Event& event, Measured* measured) {
  JsonObject body = {{"id", Id(event)}, {"type", rows_[event.row].type}};
  absl::Duration sent = clock_.Monotonic();
  absl::StatusOr<JsonValue> instance = api.Call("POST", path_, body);
  uint32_t latency_us = Microseconds(clock_.Monotonic() - sent);
  if (!instance.ok()) {
    ++measured->creation_failures[FailureName(instance.status())];
  } else if (TextMember(*instance, "source") == "shadow") {
    measured->hit_us.push_back(latency_us);
    ++hits_done_;
  } else {
    measured->miss_us.push_back(latency_us);
  }
  ++creations_done_;
  Answered(event, instance.ok());
}

void Replay::Answered(const Event& event, bool created) {
  const TraceRow& row = rows_[event.row];
  absl::MutexLock lock(&mutex_);
  --unanswered_;
  if (created && row.lifetime && row.time + *row.lifetime < options_.window.to) {
    releases_.push({Due(row.time + *row.lifetime), event.row, event.number, true});
    leader_wakes_.Signal();  // it may be due before what the leader waits for
  }
  if (!leading_) followers_wake_.Signal();
}

void Replay::Release(ApiClient& api, const Event& event, Measured* measured) {
  absl::Status released = api.Delete(absl::StrCat(path_, "/", PercentEncode(Id(event)))).status();
  if (released.ok()) {
    ++measured->releases;
  } else {
    ++measured->release_failures[FailureName(released)];
  }
}

ReplayReport Replay::Merge(const std::vector<Measured>& all) {
  ReplayReport report;
  std::vector<uint32_t> hit_us, miss_us, lag_us;
  for (const Measured& one : all) {
    report.releases += one.releases;
    for (const auto& [code, count] : one.creation_failures) report.creation_failures[code] += count;
    for (const auto& [code, count] : one.release_failures) report.release_failures[code] += count;
    hit_us.insert(hit_us.end(), one.hit_us.begin(), one.hit_us.end());
    miss_us.insert(miss_us.end(), one.miss_us.begin(), one.miss_us.end());
    lag_us.insert(lag_us.end(), one.lag_us.begin(), one.lag_us.end());
  }
  report.creations = creations_done_;
  report.hits = static_cast<int64_t>(hit_us.size());
  report.misses = static_cast<int64_t>(miss_us.size());
  report.left = report.hits + report.misses - report.releases;
  report.hit_latency = PercentilesOf(std::move(hit_us));
  report.miss_latency = PercentilesOf(std::move(miss_us));
  report.lag = PercentilesOf(std::move(lag_us));
  report.took = Now();
  return report;
}

Percentiles PercentilesOf(std::vector<uint32_t> samples_us) {
  if (samples_us.empty()) return {};
  std::sort(samples_us.begin(), samples_us.end());
  auto at = [&](double share) {
    auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(samples_us.size())));
    return absl::Microseconds(samples_us[std::max<size_t>(rank, 1) - 1]);
  };
  return {at(0.5), at(0.99), at(0.999), at(1)};
}

double SumOfCounter(const std::string& exposition, const std::string& name, const std::string& network) {
  double sum = 0;
  const std::string label = absl::StrCat("network=\"", network, "\"");
  for (absl::string_view line : absl::StrSplit(exposition, '\n', absl::SkipEmpty())) {
    if (!absl::ConsumePrefix(&line, name) || line.empty() || (line[0] != '{' && line[0] != ' ')) continue;
    size_t close = line[0] == '{' ? line.rfind('}') : 0;
    if (close == absl::string_view::npos) continue;
    absl::string_view labels = line.substr(0, close);
    if (absl::StrContains(labels, "network=\"") && !absl::StrContains(labels, label)) continue;
    std::vector<absl::string_view> rest =
        absl::StrSplit(line.substr(close == 0 ? 0 : close + 1), ' ', absl::SkipEmpty());
    double value = 0;
    if (!rest.empty() && absl::SimpleAtod(rest[0], &value)) sum += value;
  }
  return sum;
}

}  // namespace gnomon
