// SPDX-License-Identifier: Apache-2.0
#include "apps/daemon_flags.h"

#include <CLI/CLI.hpp>

#include <cstdlib>

#include "absl/strings/str_join.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr int kUsage = 2;

std::optional<std::string> Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::variant<DaemonFlags, int> ParseDaemonFlags(int argc, char** argv, const std::string& version) {
  DaemonFlags flags;
  std::vector<std::string> listen;
  std::string data_dir, shards, http_threads, time_scale;
  CLI::App app("gnomond serves addresses: it manages networks, pools and shadows over HTTP.", "gnomond");
  app.set_version_flag("--version", "gnomond " + version);
  app.footer("Settings come from flags, then the environment (GNOMON_DATA_DIR, ...), then the file.");
  app.add_option("--config", flags.config_file, "A TOML file of settings and tokens");
  app.add_option("--listen", listen, "Where to listen: 127.0.0.1:8080, [::1]:8080, unix:/run/gnomon.sock; repeatable")
      ->allow_extra_args(false);
  app.add_option("--data-dir", data_dir, "The folder of the store");
  app.add_option("--shards", shards, "Threads that run networks");
  app.add_option("--http-threads", http_threads, "Threads that serve connections");
  app.add_option("--time-scale", time_scale, "Run this many times as fast as the clock; for demonstrations, on loopback");
  CLI::Option* check = app.add_flag("--check-store", flags.check_store, "Read all of the store, report damage, and exit");
  CLI::Option* restore =
      app.add_option("--restore", flags.restore_file, "Make a new store of this backup, and exit")->excludes(check);
  CLI::Option* token = app.add_option("--make-token", flags.token_id, "Make a token of this name, and exit")
                           ->excludes(check)
                           ->excludes(restore);
  app.add_option("--role", flags.token_role, "Its role: viewer (default), allocator or admin")->needs(token);
  app.add_option("--network", flags.token_networks, "A network that it may use; repeatable; none: all")
      ->needs(token)
      ->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const std::pair<const char*, std::string> settings[] = {{"listen", absl::StrJoin(listen, ",")},
                                                          {"data_dir", data_dir},
                                                          {"shards", shards},
                                                          {"http_threads", http_threads},
                                                          {"time_scale", time_scale}};
  for (const auto& [key, text] : settings) {
    if (!text.empty()) flags.settings.emplace_back(key, text);
  }
  return flags;
}

absl::StatusOr<Config> MakeConfig(const DaemonFlags& flags) {
  Config config;
  if (!flags.config_file.empty()) GNOMON_RETURN_IF_ERROR(MergeTomlFile(flags.config_file, &config));
  GNOMON_RETURN_IF_ERROR(MergeEnvironment(Environment, &config));
  for (const auto& [key, text] : flags.settings) GNOMON_RETURN_IF_ERROR(SetConfig(key, text, &config));
  GNOMON_RETURN_IF_ERROR(Validate(config));
  return config;
}

}  // namespace gnomon
