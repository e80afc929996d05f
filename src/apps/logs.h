// SPDX-License-Identifier: Apache-2.0
//
// The daemon's logs: its own on stderr, and the audit log of what clients did.
//
// Threads: any, after SetUpLog.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/exchange.h"
#include "base/clock.h"

namespace spdlog {
class logger;
}

namespace gnomon {

// spdlog's default logger from here on: lines for people if stderr is a terminal, else a JSON object a line. `level`:
// debug, info, warn or error.
void SetUpLog(const std::string& level);

// An AuditLog keeps one line of JSON for each request that may change something: who, what, when, and the outcome.
//
// Durability: lines are written within a second, and when the log is closed; what a crash takes with it, the store still has.
class AuditLog {
 public:
  // Appends to `path`. UNAVAILABLE AUDIT_FAILED if it cannot be opened.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& path, const Clock* clock);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // `code`: the error's; empty if it went well.
  void Note(const Exchange& exchange, int status, std::string_view code);

 private:
  AuditLog(std::shared_ptr<spdlog::logger> file, const Clock* clock) : file_(std::move(file)), clock_(clock) {}

  const std::shared_ptr<spdlog::logger> file_;
  const Clock* const clock_;
};

}  // namespace gnomon
