// SPDX-License-Identifier: Apache-2.0
#include "apps/logs.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "api/json.h"
#include "base/error.h"

namespace gnomon {
namespace {

// {"time":"2026-11-24T09:00:00.123Z","level":"info","message":"..."}
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    std::string line;
    const auto level = spdlog::level::to_string_view(message.level);
    JsonWriter(&line)
        .BeginObject()
        .Key("time").Time(absl::FromChrono(message.time))
        .Key("level").String({level.data(), level.size()})
        .Key("message").String({message.payload.data(), message.payload.size()})
        .EndObject();
    line.push_back('\n');
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

void SetUpLog(const std::string& level) {
  std::shared_ptr<spdlog::logger> log;
  if (isatty(STDERR_FILENO) == 1) {
    log = std::make_shared<spdlog::logger>("gnomond", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    log->set_pattern("%H:%M:%S.%e %^%l%$ %v");
  } else {
    log = std::make_shared<spdlog::logger>("gnomond", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    log->set_formatter(std::make_unique<JsonFormatter>());
  }
  log->set_level(spdlog::level::from_str(level));
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(const std::string& path, const Clock* clock) {
  try {
    auto file = std::make_shared<spdlog::logger>("audit", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
    file->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    spdlog::register_logger(file);  // flush_every knows only these
    spdlog::flush_every(std::chrono::seconds(1));
    return std::unique_ptr<AuditLog>(new AuditLog(std::move(file), clock));
  } catch (const spdlog::spdlog_ex& error) {
    return Error(absl::StatusCode::kUnavailable, "AUDIT_FAILED", absl::StrCat("cannot write the audit log: ", error.what()))
        .Field("audit.file")
        .Value(path);
  }
}

AuditLog::~AuditLog() {
  file_->flush();
  spdlog::drop("audit");
}

void AuditLog::Note(const Exchange& exchange, int status, std::string_view code) {
  if (!exchange.writes) return;
  std::string line;
  JsonWriter(&line)
      .BeginObject()
      .Key("time").Time(clock_->Wall())
      .Key("principal").String(exchange.principal())
      .Key("peer").String(exchange.peer())
      .Key("method").String(exchange.method())
      .Key("target").String(exchange.target())
      .Key("status").Int(status)
      .Key("code").String(code)
      .Key("request_id").String(exchange.id())
      .EndObject();
  file_->info("{}", line);
}

}  // namespace gnomon
