// SPDX-License-Identifier: Apache-2.0
#include "api/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "api/json.h"
#include "base/error.h"

namespace gnomon {

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path, const Clock* clock, Complain complain) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error(absl::StatusCode::kUnavailable, "AUDIT_FAILED",
                 absl::StrCat("cannot open the audit log ", path, ": ", std::strerror(errno)))
        .Field("audit.file")
        .Value(path)
        .Hint("name a file that this user may write to, or none (audit.file = \"\")");
  }
  return std::unique_ptr<AuditLog>(new AuditLog(path, descriptor, clock, std::move(complain)));
}

AuditLog::~AuditLog() {
  Flush();
  close(descriptor_);
}

void AuditLog::Note(const Exchange& exchange, int status, std::string_view code) {
  if (!exchange.writes) return;
  absl::MutexLock lock(&mutex_);
  if (torn_ && gathered_.empty()) gathered_.push_back('\n');
  JsonWriter json(&gathered_);
  json.BeginObject().Key("time").Time(clock_->Wall()).Key("principal").String(exchange.principal());
  json.Key("peer").String(exchange.peer()).Key("method").String(exchange.method());
  json.Key("path").String(exchange.target()).Key("route").String(exchange.route);
  json.Key("network").String(exchange.network).Key("ids").BeginArray();
  for (const std::string& id : exchange.ids) json.String(id);
  json.EndArray().Key("status").Int(status).Key("code").String(code).Key("request_id").String(exchange.id()).EndObject();
  gathered_.push_back('\n');
  ++lines_;
  waiting_.store(true, std::memory_order_release);
  if (gathered_.size() >= kMaxGathered) Write();
}

// Whoever sees that nothing waits may answer: so `waiting_` falls only when all is written.
void AuditLog::Flush() {
  if (!waiting_.load(std::memory_order_acquire)) return;
  absl::MutexLock lock(&mutex_);
  Write();
}

void AuditLog::Write() {
  std::string_view rest = gathered_;
  int error = 0;
  while (!rest.empty() && error == 0) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      error = written == 0 ? ENOSPC : errno;
    }
  }
  if (error != 0) {
    const std::string_view written = std::string_view(gathered_).substr(0, gathered_.size() - rest.size());
    const auto ends = static_cast<uint64_t>(std::count(written.begin(), written.end(), '\n'));
    const bool ended_a_torn_one = torn_ && !written.empty();
    if (!written.empty()) torn_ = written.back() != '\n';
    Lose(lines_ - (ends - (ended_a_torn_one ? 1 : 0)), error);
  } else if (!gathered_.empty()) {
    torn_ = false;
  }
  gathered_.clear();
  lines_ = 0;
  waiting_.store(false, std::memory_order_release);
}

void AuditLog::Lose(uint64_t lines, int error) {
  const uint64_t lost = lost_.fetch_add(lines, std::memory_order_relaxed) + lines;
  const absl::Duration now = clock_->Monotonic();
  if (now < silent_until_) return;
  silent_until_ = now + kBetweenComplaints;
  if (complain_) {
    complain_(absl::StrCat("cannot write the audit log ", path_, ": ", std::strerror(error), "; ", lost, " lines are lost"));
  }
}

std::string AuditLog::MetricsText() const {
  return absl::StrCat(
      "# HELP gnomon_audit_lines_lost_total Lines of the audit log that could not be written.\n"
      "# TYPE gnomon_audit_lines_lost_total counter\n"
      "gnomon_audit_lines_lost_total ",
      lost(), "\n");
}

}  // namespace gnomon
