// SPDX-License-Identifier: Apache-2.0
//
// A Config is all settings of gnomond: defaults, then a TOML file, then the environment, then flags.
//
// Each setting has one key: "listen", "limits.body_bytes". In the file it is that key, in the environment
// GNOMON_LIMITS_BODY_BYTES, as a flag what apps/ makes of it. docs/OPERATING.md lists them. Tokens and
// signals are in the file alone.
//
// Errors: INVALID_ARGUMENT with codes UNKNOWN_SETTING (with a suggestion), INVALID_SETTING, INVALID_TOML, INSECURE; the
// message begins with the file and line. Threads: a value type.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/auth.h"
#include "api/http_message.h"
#include "api/http_server.h"
#include "api/listen_address.h"
#include "signals/signals_config.h"
#include "signals/github_events.h"

namespace gnomon {

struct Config {
  std::vector<ListenAddress> listen;  // 127.0.0.1:8080 by default
  std::string data_dir = "/var/lib/gnomon";
  int shards = 1;
  int http_threads = 1;
  double time_scale = 1;  // how much faster than the clock time passes
  std::string tls_cert, tls_key, tls_client_ca;
  std::vector<Token> tokens;
  SignalsConfig signals;
  std::vector<GithubSource> github;  // [[signals.github]], in the file alone
  HttpLimits limits;
  std::string log_level = "info";  // debug, info, warn or error
  std::optional<std::string> audit_file;  // unset: in data_dir; empty: no audit log

  Config();
  HttpServerOptions ServerOptions() const;
  std::string AuditFile() const;  // where the audit log is, "<data_dir>/audit.log" by default; empty: there is none
};

// All keys but the tokens', in the order of docs/OPERATING.md.
std::vector<std::string_view> ConfigKeys();

// Sets one key from its text, as flags and the environment do. "listen" takes several addresses, with commas between.
absl::Status SetConfig(std::string_view key, std::string_view text, Config* config);

// Merges the TOML `text` of `file` (its name, for messages) into `config`.
absl::Status MergeToml(std::string_view text, std::string_view file, Config* config);
// The same from a file. NOT_FOUND "NO_CONFIG" if it cannot be read.
absl::Status MergeTomlFile(const std::string& path, Config* config);

// `variables`: name and value of all that there are. A setting's is GNOMON_ and its key in capitals, with '_' for '.':
// GNOMON_DATA_DIR. One that is nearly a setting's is UNKNOWN_SETTING, with a suggestion; all others are left alone, as
// gnomon has some of its own and Kubernetes makes more for a service named gnomon.
absl::Status MergeEnvironment(const std::map<std::string, std::string>& variables, Config* config);

// Whether the whole can be run: nothing but loopback and unix sockets without TLS and tokens, no time_scale but 1 beyond
// this machine, a key for each certificate.
absl::Status Validate(const Config& config);

}  // namespace gnomon
