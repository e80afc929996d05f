// SPDX-License-Identifier: Apache-2.0
#include "apps/daemon_flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

absl::Status Refused(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> left = app.remaining();
  if (left.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE", error.what()).Hint("gnomond --help lists what there is");
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string hint = SuggestionHint(left.front(), {known.begin(), known.end()});
  return Error(absl::StatusCode::kInvalidArgument, "USAGE", absl::StrCat("unknown argument ", Excerpt(left.front())))
      .Hint(hint.empty() ? "gnomond --help lists what there is" : hint);
}

}  // namespace

absl::StatusOr<std::optional<DaemonFlags>> ParseDaemonFlags(int argc, char** argv, const std::string& version) {
  DaemonFlags flags;
  std::vector<std::string> listen;
  std::string data_dir, shards, http_threads, time_scale;
  CLI::App app("gnomond serves addresses: it manages networks, pools and shadows over HTTP.", "gnomond");
  app.set_version_flag("--version", "gnomond " + version);
  app.footer("Settings come from flags, then the environment (GNOMON_DATA_DIR, ...), then the file.");
  app.add_option_function<std::string>(
      "--config", [&flags](const std::string& file) { flags.config_file = file; },
      "A TOML file of settings and tokens");
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
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return Refused(app, error);
  }
  for (const auto& [flag, key, text] :
       {std::tuple<const char*, const char*, std::string>{"--listen", "listen", absl::StrJoin(listen, ",")},
        {"--data-dir", "data_dir", data_dir},
        {"--shards", "shards", shards},
        {"--http-threads", "http_threads", http_threads},
        {"--time-scale", "time_scale", time_scale}}) {
    if (app.get_option(flag)->count() > 0) flags.settings.emplace_back(key, text);
  }
  return flags;
}

absl::StatusOr<Config> MakeConfig(const DaemonFlags& flags) {
  Config config;
  if (flags.config_file) GNOMON_RETURN_IF_ERROR(MergeTomlFile(*flags.config_file, &config));
  GNOMON_RETURN_IF_ERROR(MergeEnvironment(Environment(), &config));
  for (const auto& [key, text] : flags.settings) GNOMON_RETURN_IF_ERROR(SetConfig(key, text, &config));
  GNOMON_RETURN_IF_ERROR(Validate(config));
  return config;
}

}  // namespace gnomon
