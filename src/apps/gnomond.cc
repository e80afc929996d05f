// SPDX-License-Identifier: Apache-2.0
//
// gnomond, the address manager: parses, builds, connects, runs.
#include <spdlog/spdlog.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/auth.h"
#include "apps/daemon.h"
#include "apps/daemon_flags.h"
#include "apps/logs.h"
#include "apps/process.h"
#include "base/error.h"
#include "base/text.h"
#include "store/backup.h"

namespace gnomon {
namespace {

constexpr int kFailed = 1, kUsage = 2;

int Report(const absl::Status& error, int exit_code) {
  const ErrorParts parts = PartsOf(error);
  std::cerr << "gnomond: " << error.message();
  if (!parts.code.empty()) std::cerr << " (" << parts.code << ")";
  std::cerr << "\n";
  if (!parts.hint.empty()) std::cerr << "  hint: " << parts.hint << "\n";
  return exit_code;
}

// The exit code of what has printed its result: a token or a report that nobody got is a failure.
int Printed(int exit_code) {
  if (exit_code != 0 || std::cout.flush()) return exit_code;
  return Report(Error(absl::StatusCode::kUnknown, "OUTPUT_FAILED", "not all of the output could be written")
                    .Hint("the disk may be full, or the program that reads it has ended"),
                kFailed);
}

int PrintToken(const DaemonFlags& flags) {
  const std::optional<Role> role = ParseRole(flags.token_role);
  if (!role) {
    return Report(Error(absl::StatusCode::kInvalidArgument, "INVALID_ROLE",
                        absl::StrCat("\"", flags.token_role, "\" is not a role"))
                      .Hint("use viewer, allocator or admin"),
                  kUsage);
  }
  absl::StatusOr<NewToken> made = MakeToken(flags.token_id, *role, flags.token_networks);
  if (!made.ok()) return Report(made.status(), kUsage);
  std::cout << "# Give this to the client; it is not shown again:\n# " << made->text
            << "\n# Add this to the server's configuration file:\n"
            << TokenAsToml(made->token);
  return 0;
}

int CheckTheStore(const Config& config) {
  if (std::error_code ignored; !std::filesystem::is_directory(StoreOptions(config).dir, ignored)) {
    return Report(Error(absl::StatusCode::kNotFound, "NO_STORE", absl::StrCat("there is no store in ", config.data_dir))
                      .Hint("name the folder that gnomond serves from, with --data-dir"),
                  kFailed);
  }
  absl::StatusOr<CheckReport> report = CheckStore(StoreOptions(config));
  if (!report.ok()) return Report(report.status(), kFailed);
  for (const BadRecord& bad : report->records) std::cout << bad.key << ": " << bad.reason << "\n";
  std::cout << Counted(report->good, "record is", "records are") << " whole, " << Counted(report->bad, "is", "are")
            << " damaged\n";
  return report->bad == 0 ? 0 : kFailed;
}

// The first of the folders down to `folder` that is not there; empty if all are.
std::filesystem::path FirstMissing(const std::filesystem::path& folder) {
  std::filesystem::path so_far;
  for (const std::filesystem::path& name : folder) {
    so_far /= name;
    if (std::error_code ignored; !std::filesystem::exists(so_far, ignored)) return so_far;
  }
  return {};
}

int Restore(const Config& config, const std::string& file) {
  const std::filesystem::path missing = FirstMissing(config.data_dir);
  if (absl::Status made = MakeDataDir(config); !made.ok()) return Report(made, kFailed);
  absl::StatusOr<BackupSummary> restored = RestoreBackup(file, StoreOptions(config));
  if (!restored.ok()) {
    std::error_code ignored;
    if (!missing.empty()) std::filesystem::remove_all(missing, ignored);  // what was made for nothing
    return Report(restored.status(), kFailed);
  }
  std::cout << "restored " << Counted(restored->records, "record", "records") << " into " << config.data_dir << "\n";
  return 0;
}

int Serve(const Config& config) {
#ifdef NDEBUG
  // Debian builds Abseil without NDEBUG: each Lock() would keep a graph of all locks, under one lock of its own.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  SetUpLog(config.log_level);
  RaiseFileLimit();
  HoldSignals();
  std::error_code ignored;
  spdlog::info("gnomond {}: the data folder is {}", GNOMON_VERSION,
               std::filesystem::absolute(config.data_dir, ignored).string());
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config, GNOMON_VERSION);
  if (!daemon.ok()) return Report(daemon.status(), kFailed);
  for (const std::string& url : (*daemon)->urls()) std::cout << "listening on " << url << std::endl;
  spdlog::info("serving");
  if (config.time_scale != 1) spdlog::warn("time runs {} times as fast as the clock", config.time_scale);
  Notify("READY=1");
  const int signal = AwaitSignal();
  Notify("STOPPING=1");
  spdlog::info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
  *daemon = nullptr;
  spdlog::info("stopped");
  return 0;
}

int Main(int argc, char** argv) {
  const absl::StatusOr<std::optional<DaemonFlags>> parsed = ParseDaemonFlags(argc, argv, GNOMON_VERSION);
  if (!parsed.ok()) return Report(parsed.status(), kUsage);
  if (!parsed->has_value()) return Printed(0);
  const DaemonFlags& flags = **parsed;
  if (!flags.token_id.empty()) return Printed(PrintToken(flags));
  absl::StatusOr<Config> config = MakeConfig(flags);
  if (!config.ok()) return Report(config.status(), kUsage);
  if (flags.check_store) return Printed(CheckTheStore(*config));
  if (!flags.restore_file.empty()) return Printed(Restore(*config, flags.restore_file));
  return Serve(*config);
}

}  // namespace
}  // namespace gnomon

int main(int argc, char** argv) { return gnomon::Main(argc, argv); }
