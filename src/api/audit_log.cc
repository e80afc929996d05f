// SPDX-License-Identifier: Apache-2.0
#include "api/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

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

AuditLog::~AuditLog() { close(descriptor_); }

void AuditLog::Note(const Exchange& exchange, int status, std::string_view code) {
  if (!exchange.writes) return;
  std::string line;
  line.reserve(512);
  if (torn_.exchange(false, std::memory_order_relaxed)) line.push_back('\n');
  JsonWriter json(&line);
  json.BeginObject().Key("time").Time(clock_->Wall()).Key("principal").String(exchange.principal());
  json.Key("peer").String(exchange.peer()).Key("method").String(exchange.method());
  json.Key("path").String(exchange.target()).Key("route").String(exchange.route);
  json.Key("network").String(exchange.network).Key("ids").BeginArray();
  for (const std::string& id : exchange.ids) json.String(id);
  json.EndArray().Key("status").Int(status).Key("code").String(code).Key("request_id").String(exchange.id()).EndObject();
  line.push_back('\n');
  // One write, so that lines of several threads do not mix: the kernel appends each whole.
  ssize_t written;
  do {
    written = write(descriptor_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return;
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0) torn_.store(true, std::memory_order_relaxed);
  Lose(error);
}

void AuditLog::Lose(int error) {
  const uint64_t lost = lost_.fetch_add(1, std::memory_order_relaxed) + 1;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_->Monotonic();
    if (now < silent_until_) return;
    silent_until_ = now + kBetweenComplaints;
  }
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
