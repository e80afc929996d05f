// SPDX-License-Identifier: Apache-2.0
#include "api/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "api/config_github.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "signals/signals_toml.h"

namespace gnomon {
namespace {

constexpr int kMaxShards = 256;
constexpr int kMaxThreads = 256;

Error Invalid(std::string_view key, std::string_view text, std::string_view wanted) {
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_SETTING",
              absl::StrCat(AbslView(key), " \"", Excerpt(text), "\" is not ", AbslView(wanted)));
  error.Field(key).Value(Excerpt(text));
  return error;
}

template <typename Number>
absl::Status SetNumber(std::string_view key, std::string_view text, int64_t low, int64_t high, Number* out) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(AbslView(text), &number) || number < low || number > high) {
    return Invalid(key, text, absl::StrCat("a number from ", low, " to ", high));
  }
  *out = static_cast<Number>(number);
  return absl::OkStatus();
}

absl::Status SetTimeout(std::string_view key, std::string_view text, absl::Duration* out) {
  const auto duration = ParseDuration(key, text);
  if (!duration.ok() || *duration < absl::Milliseconds(1)) return Invalid(key, text, "a duration as \"30s\"");
  *out = *duration;
  return absl::OkStatus();
}

absl::Status SetListen(std::string_view text, Config* config) {
  std::vector<ListenAddress> listen;
  for (const absl::string_view part : absl::StrSplit(AbslView(text), ',', absl::SkipWhitespace())) {
    auto address = ParseListenAddress(StdView(absl::StripAsciiWhitespace(part)));
    if (!address.ok()) return address.status();
    listen.push_back(*std::move(address));
  }
  if (listen.empty()) return Invalid("listen", text, "an address");
  config->listen = std::move(listen);
  return absl::OkStatus();
}

absl::Status SetScale(std::string_view text, Config* config) {
  double scale = 0;
  if (!absl::SimpleAtod(AbslView(text), &scale) || !(scale >= 1) || !(scale <= 100000)) {
    return Invalid("time_scale", text, "a number from 1 to 100000");
  }
  config->time_scale = scale;
  return absl::OkStatus();
}

absl::Status SetLevel(std::string_view text, Config* config) {
  static constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  if (std::find(std::begin(kLevels), std::end(kLevels), text) == std::end(kLevels)) {
    return Invalid("log.level", text, "debug, info, warn or error");
  }
  config->log_level = text;
  return absl::OkStatus();
}

absl::Status SetText(std::string_view text, std::string* out) {
  *out = text;
  return absl::OkStatus();
}

absl::Status SetDataDir(std::string_view text, Config* config) {
  if (text.empty()) return Invalid("data_dir", text, "the path of a folder");
  return SetText(text, &config->data_dir);
}

struct Setting {
  std::string_view key;
  absl::Status (*set)(std::string_view text, Config* config);
};

using Text = std::string_view;
constexpr Setting kSettings[] = {
    {"listen", SetListen},
    {"data_dir", SetDataDir},
    {"shards", [](Text text, Config* c) { return SetNumber("shards", text, 1, kMaxShards, &c->shards); }},
    {"http_threads",
     [](Text text, Config* c) { return SetNumber("http_threads", text, 1, kMaxThreads, &c->http_threads); }},
    {"time_scale", SetScale},
    {"tls.cert", [](Text text, Config* c) { return SetText(text, &c->tls_cert); }},
    {"tls.key", [](Text text, Config* c) { return SetText(text, &c->tls_key); }},
    {"tls.client_ca", [](Text text, Config* c) { return SetText(text, &c->tls_client_ca); }},
    {"limits.body_bytes",
     [](Text text, Config* c) { return SetNumber("limits.body_bytes", text, 1024, 64 << 20, &c->limits.body_bytes); }},
    {"limits.header_bytes",
     [](Text text, Config* c) {
       return SetNumber("limits.header_bytes", text, 1024, 1 << 20, &c->limits.header_bytes);
     }},
    {"limits.connections",
     [](Text text, Config* c) { return SetNumber("limits.connections", text, 1, 1000000, &c->limits.connections); }},
    {"limits.stream_bytes",
     [](Text text, Config* c) {
       return SetNumber("limits.stream_bytes", text, 4096, 64 << 20, &c->limits.stream_bytes);
     }},
    {"limits.header_timeout",
     [](Text text, Config* c) { return SetTimeout("limits.header_timeout", text, &c->limits.header_timeout); }},
    {"limits.body_timeout",
     [](Text text, Config* c) { return SetTimeout("limits.body_timeout", text, &c->limits.body_timeout); }},
    {"limits.idle_timeout",
     [](Text text, Config* c) { return SetTimeout("limits.idle_timeout", text, &c->limits.idle_timeout); }},
    {"limits.write_timeout",
     [](Text text, Config* c) { return SetTimeout("limits.write_timeout", text, &c->limits.write_timeout); }},
    {"log.level", SetLevel},
    {"audit.file", [](Text text, Config* c) { return SetText(text, &c->audit_file.emplace()); }},
};

Error Unknown(std::string_view key, std::vector<std::string_view> known) {
  Error error(absl::StatusCode::kInvalidArgument, "UNKNOWN_SETTING",
              absl::StrCat("\"", Excerpt(key), "\" is not a setting"));
  error.Field(Excerpt(key)).Value(Excerpt(key));
  error.Hint(SuggestionHint(key, known));
  return error;
}

// Merges one parsed file.
class TomlMerger {
 public:
  TomlMerger(std::string_view file, Config* config) : file_(file), config_(*config) {}

  absl::Status Table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      absl::Status merged;
      if (prefix.empty() && key == "tokens") {
        merged = Tokens(node);
      } else if (key == "signals.prometheus" || key == "signals.metric") {
        GNOMON_RETURN_IF_ERROR(ReadSignals(key, node, file_, &config_.signals));  // has its place already
      } else if (key == "signals.github") {
        merged = MergeGithub(node, &config_.github);
      } else if (node.is_table() && (IsSection(key) || key == "signals")) {
        GNOMON_RETURN_IF_ERROR(Table(*node.as_table(), key + "."));  // has its place already
      } else {
        merged = Value(key, node);
      }
      if (!merged.ok()) return Error(merged).Before(Place(node));
    }
    return absl::OkStatus();
  }

 private:
  std::string Place(const toml::node& node) const { return absl::StrCat(file_, ":", node.source().begin.line); }

  static bool IsSection(const std::string& key) {
    return std::any_of(std::begin(kSettings), std::end(kSettings), [&](const Setting& setting) {
      return setting.key.substr(0, key.size() + 1) == key + ".";
    });
  }

  static std::optional<std::string> TextOf(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return absl::StrCat(number->get());
    if (const auto* number = node.as_floating_point()) return absl::StrCat(number->get());
    return std::nullopt;
  }

  absl::Status Value(const std::string& key, const toml::node& node) {
    if (key == "listen" && node.is_array()) {
      std::string all;
      for (const toml::node& item : *node.as_array()) {
        if (!item.is_string()) return Invalid(key, "", "an address, or an array of them");
        absl::StrAppend(&all, all.empty() ? "" : ",", item.as_string()->get());
      }
      return SetConfig(key, all, &config_);
    }
    const std::optional<std::string> text = TextOf(node);
    if (!text.has_value()) {
      const auto keys = ConfigKeys();
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) return Unknown(key, keys);
      return Invalid(key, "", "a text or a number");
    }
    return SetConfig(key, *text, &config_);
  }

  absl::Status Tokens(const toml::node& node) {
    const toml::array* tokens = node.as_array();
    if (tokens == nullptr) return Invalid("tokens", "", "an array of tables, [[tokens]]");
    for (const toml::node& item : *tokens) {
      if (!item.is_table()) return Invalid("tokens", "", "an array of tables, [[tokens]]");
      Token token;
      for (const auto& [name, value] : *item.as_table()) {
        if (absl::Status set = TokenMember(name.str(), value, &token); !set.ok()) return set;
      }
      GNOMON_RETURN_IF_ERROR(CheckToken(token));
      for (const Token& other : config_.tokens) {
        if (other.id == token.id) return Invalid("tokens", token.id, "the id of one token only");
      }
      config_.tokens.push_back(std::move(token));
    }
    return absl::OkStatus();
  }

  absl::Status TokenMember(std::string_view name, const toml::node& value, Token* token) {
    if (name == "networks" && value.is_array()) {
      for (const toml::node& network : *value.as_array()) {
        if (!network.is_string()) return Invalid("tokens.networks", "", "an array of names");
        token->networks.push_back(network.as_string()->get());
      }
      return absl::OkStatus();
    }
    if (name != "id" && name != "hash" && name != "role" && name != "networks") {
      return Unknown(name, {"id", "hash", "role", "networks"});
    }
    if (!value.is_string() || name == "networks") return Invalid(absl::StrCat("tokens.", AbslView(name)), "", "right");
    const std::string& text = value.as_string()->get();
    if (name == "id") token->id = text;
    if (name == "hash") token->hash = text;
    if (name != "role") return absl::OkStatus();
    const auto role = ParseRole(text);
    if (!role.has_value()) return Invalid("tokens.role", text, "viewer, allocator or admin");
    token->role = *role;
    return absl::OkStatus();
  }

  const std::string file_;
  Config& config_;
};

Error Insecure(std::string_view message, std::string_view hint) {
  Error error(absl::StatusCode::kInvalidArgument, "INSECURE", message);
  error.Field("listen").Hint(hint);
  return error;
}

}  // namespace

Config::Config() { listen.push_back(ListenAddress{"", "127.0.0.1", 8080, true}); }

HttpServerOptions Config::ServerOptions() const {
  HttpServerOptions options;
  options.listen = listen;
  options.threads = http_threads;
  options.limits = limits;
  options.tls_certificate = tls_cert;
  options.tls_key = tls_key;
  options.tls_client_ca = tls_client_ca;
  return options;
}

std::string Config::AuditFile() const { return audit_file.value_or(data_dir + "/audit.log"); }

std::vector<std::string_view> ConfigKeys() {
  std::vector<std::string_view> keys;
  for (const Setting& setting : kSettings) keys.push_back(setting.key);
  return keys;
}

absl::Status SetConfig(std::string_view key, std::string_view text, Config* config) {
  for (const Setting& setting : kSettings) {
    if (setting.key == key) return setting.set(text, config);
  }
  return Unknown(key, ConfigKeys());
}

absl::Status MergeToml(std::string_view text, std::string_view file, Config* config) {
  try {
    const toml::table table = toml::parse(text, file);
    return TomlMerger(file, config).Table(table, "");
  } catch (const toml::parse_error& error) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_TOML",
                 absl::StrCat(AbslView(file), ":", error.source().begin.line, ": ", AbslView(error.description())));
  }
}

absl::Status MergeTomlFile(const std::string& path, Config* config) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Error(absl::StatusCode::kNotFound, "NO_CONFIG", absl::StrCat("cannot read the configuration \"", path, "\""))
        .Field("config")
        .Value(path)
        .Hint("name a TOML file that this user may read");
  }
  return MergeToml(text.str(), path, config);
}

absl::Status MergeEnvironment(const std::map<std::string, std::string>& variables, Config* config) {
  constexpr std::string_view kPrefix = "GNOMON_";
  std::vector<std::string> names;
  for (const Setting& setting : kSettings) {
    names.push_back(absl::AsciiStrToUpper(absl::StrReplaceAll(AbslView(setting.key), {{".", "_"}})));
    const auto variable = variables.find(std::string(kPrefix) + names.back());
    if (variable == variables.end()) continue;
    if (absl::Status set = setting.set(variable->second, config); !set.ok()) return Error(set).Before(variable->first);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [name, value] : variables) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string_view asked = std::string_view(name).substr(kPrefix.size());
    const std::string_view meant = Suggest(asked, known);
    if (meant.empty() || meant == asked) continue;
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_SETTING",
                 absl::StrCat("the variable ", Excerpt(name), " is not a setting"))
        .Field(Excerpt(name))
        .Value(Excerpt(value))
        .Hint(absl::StrCat("did you mean ", AbslView(kPrefix), AbslView(meant), "?"));
  }
  return absl::OkStatus();
}

absl::Status Validate(const Config& config) {
  GNOMON_RETURN_IF_ERROR(CheckSignals(config.signals));
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return Invalid(config.tls_cert.empty() ? "tls.cert" : "tls.key", "", "set, but its other half is");
  }
  if (!config.tls_client_ca.empty() && config.tls_cert.empty()) {
    return Invalid("tls.client_ca", config.tls_client_ca, "of use without tls.cert and tls.key");
  }
  for (const ListenAddress& address : config.listen) {
    if (address.Local()) continue;
    const std::string text = address.ToString();
    if (config.tls_cert.empty() || config.tokens.empty()) {
      return Insecure(absl::StrCat(text, " can be reached from other machines, and ",
                                   config.tls_cert.empty() ? "TLS is not set up" : "there are no tokens"),
                      "listen on 127.0.0.1 or a unix socket, or set tls.cert, tls.key and [[tokens]] (gnomond --make-token)");
    }
    if (config.time_scale != 1) {
      return Insecure(absl::StrCat("time_scale ", config.time_scale, " is for demonstrations, and ", text,
                                   " can be reached from other machines"),
                      "listen on 127.0.0.1 or a unix socket alone");
    }
  }
  return absl::OkStatus();
}

}  // namespace gnomon
