// SPDX-License-Identifier: Apache-2.0
#include "api/config_github.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

constexpr std::string_view kKey = "signals.github";

Error Invalid(std::string_view member, std::string_view value, std::string_view message) {
  const std::string field = absl::StrCat(AbslView(kKey), member.empty() ? "" : ".", AbslView(member));
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_SETTING", absl::StrCat(field, " ", AbslView(message)));
  error.Field(field).Value(Excerpt(value));
  return error;
}

absl::Status CheckMembers(const toml::table& table, const std::vector<std::string_view>& known) {
  for (const auto& [name, node] : table) {
    if (std::find(known.begin(), known.end(), name.str()) != known.end()) continue;
    Error error(absl::StatusCode::kInvalidArgument, "UNKNOWN_SETTING",
                absl::StrCat("\"", Excerpt(name.str()), "\" is not a setting of ", AbslView(kKey)));
    return error.Field(Excerpt(name.str())).Hint(SuggestionHint(name.str(), known));
  }
  return absl::OkStatus();
}

std::string TextOf(const toml::table& table, std::string_view member) {
  return table[member].value_or(std::string());
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string secret((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (secret.empty()) {
    return Invalid("secret_file", path, "cannot be read, or is empty").Hint("name a file that this user may read");
  }
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.size() >= kMinSecretBytes) return secret;
  return Invalid("secret_file", path, absl::StrCat("holds a secret of ", secret.size(), " bytes"))
      .Hint(absl::StrCat("use at least ", kMinSecretBytes, " bytes, as of openssl rand -hex 32"));
}

absl::StatusOr<GithubRule> ReadRule(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return Invalid("rule", "", "is not an array of tables");
  GNOMON_RETURN_IF_ERROR(CheckMembers(*table, {"labels", "type"}));
  GithubRule rule{.labels = {}, .type = TextOf(*table, "type")};
  if (!IsName(rule.type)) return Invalid("rule.type", rule.type, "is not the name of a type");
  const toml::array* labels = (*table)["labels"].as_array();
  if (labels == nullptr || labels->empty()) return Invalid("rule.labels", "", "is not an array of the runners' labels");
  for (const toml::node& label : *labels) {
    if (!label.is_string()) return Invalid("rule.labels", "", "holds what is no text");
    rule.labels.push_back(label.as_string()->get());
  }
  return rule;
}

absl::StatusOr<GithubSource> ReadSource(const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return Invalid("", "", "is not an array of tables, [[signals.github]]");
  GNOMON_RETURN_IF_ERROR(CheckMembers(*table, {"network", "secret_file", "expect_after", "rule"}));
  GithubSource source;
  source.network = TextOf(*table, "network");
  if (!IsName(source.network)) return Invalid("network", source.network, "is not the name of a network");
  GNOMON_ASSIGN_OR_RETURN(source.secret, ReadSecret(TextOf(*table, "secret_file")));
  if (table->contains("expect_after")) {
    const absl::StatusOr<absl::Duration> after = ParseDuration("expect_after", TextOf(*table, "expect_after"));
    if (!after.ok() || *after > GithubEvents::kMaxLag) {
      return Invalid("expect_after", TextOf(*table, "expect_after"), "is not a duration up to a day, as \"30s\"");
    }
    source.expect_after = *after;
  }
  const toml::array* rules = (*table)["rule"].as_array();
  if (rules == nullptr || rules->empty() || rules->size() > kMaxGithubRules) {
    return Invalid("rule", absl::StrCat(rules == nullptr ? 0 : rules->size()),
                   absl::StrCat("is not an array of 1 to ", kMaxGithubRules, " tables, [[signals.github.rule]]"));
  }
  for (const toml::node& one : *rules) {
    GNOMON_ASSIGN_OR_RETURN(GithubRule rule, ReadRule(one));
    source.rules.push_back(std::move(rule));
  }
  return source;
}

}  // namespace

absl::Status MergeGithub(const toml::node& node, std::vector<GithubSource>* sources) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return Invalid("", "", "is not an array of tables, [[signals.github]]");
  for (const toml::node& one : *array) {
    GNOMON_ASSIGN_OR_RETURN(GithubSource source, ReadSource(one));
    for (const GithubSource& other : *sources) {
      if (other.network == source.network) return Invalid("network", source.network, "is there twice");
    }
    sources->push_back(std::move(source));
  }
  return absl::OkStatus();
}

}  // namespace gnomon
