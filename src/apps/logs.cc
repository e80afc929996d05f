// SPDX-License-Identifier: Apache-2.0
#include "apps/logs.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "api/json.h"

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

}  // namespace gnomon
