// SPDX-License-Identifier: Apache-2.0
#include "signals/signals_toml.h"

#include <algorithm>
#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

absl::Status Invalid(std::string_view key, std::string_view value, std::string_view wanted) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_SETTING",
               absl::StrCat(AbslView(key), " \"", Excerpt(value), "\" is not ", AbslView(wanted)))
      .Field(key)
      .Value(Excerpt(value));
}

absl::Status Unknown(std::string_view key, const std::vector<std::string_view>& known) {
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_SETTING",
               absl::StrCat("\"", Excerpt(key), "\" is not a setting"))
      .Field(Excerpt(key))
      .Value(Excerpt(key))
      .Hint(SuggestionHint(key, known));
}

absl::Status At(std::string_view file, const toml::node& node, const absl::Status& error) {
  if (error.ok()) return error;
  return Error(error).Before(absl::StrCat(AbslView(file), ":", node.source().begin.line));
}

// How the text of one key is taken.
using Take = std::function<absl::Status(const std::string& key, const toml::node& node)>;
using Keys = std::map<std::string_view, Take>;

Take Text(std::string* out) {
  return [out](const std::string& key, const toml::node& node) {
    if (!node.is_string()) return Invalid(key, "", "a text");
    *out = node.as_string()->get();
    return absl::OkStatus();
  };
}

Take Name(std::string* out) {
  return [out](const std::string& key, const toml::node& node) {
    if (!node.is_string() || !IsName(node.as_string()->get())) {
      return Invalid(key, node.is_string() ? node.as_string()->get() : "", "a name of [A-Za-z0-9._~-], at most 128 long");
    }
    *out = node.as_string()->get();
    return absl::OkStatus();
  };
}

Take Seconds(absl::Duration* out, absl::Duration low, absl::Duration high) {
  return [=](const std::string& key, const toml::node& node) {
    const std::string text = node.is_string() ? node.as_string()->get() : "";
    const absl::StatusOr<absl::Duration> read = ParseDuration(key, text);
    if (!read.ok() || *read < low || *read > high || *read != absl::Trunc(*read, absl::Seconds(1))) {
      return Invalid(key, text, absl::StrCat("a duration of whole seconds from \"", absl::FormatDuration(low), "\" to \"",
                                             absl::FormatDuration(high), "\""));
    }
    *out = *read;
    return absl::OkStatus();
  };
}

template <typename Enum>
Take OneOf(Enum* out, std::vector<Enum> all) {
  return [out, all = std::move(all)](const std::string& key, const toml::node& node) {
    const std::string text = node.is_string() ? node.as_string()->get() : "";
    std::string wanted;
    for (const Enum one : all) {
      if (text == NameOf(one)) {
        *out = one;
        return absl::OkStatus();
      }
      absl::StrAppend(&wanted, wanted.empty() ? "" : ", ", AbslView(NameOf(one)));
    }
    return Invalid(key, text, absl::StrCat("one of ", wanted));
  };
}

absl::Status TakeHeaders(const std::string& key, const toml::node& node,
                         std::vector<std::pair<std::string, std::string>>* out) {
  constexpr size_t kMaxHeaders = 32;
  if (!node.is_table() || node.as_table()->size() > kMaxHeaders) return Invalid(key, "", "a table of at most 32 headers");
  for (const auto& [name, value] : *node.as_table()) {
    const std::string header(name.str());
    const std::string text = value.is_string() ? value.as_string()->get() : "";
    const bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' && c < 127; });
    if (!IsName(header) || !value.is_string() || !clean) return Invalid(absl::StrCat(key, ".", Excerpt(header)), text, "a header");
    out->emplace_back(header, text);
  }
  return absl::OkStatus();
}

// Each key of a table, by what knows it.
absl::Status ReadTable(const toml::table& table, const std::string& prefix, std::string_view file, const Keys& keys) {
  std::vector<std::string_view> known;
  for (const auto& [key, take] : keys) known.push_back(key);
  for (const auto& [name, node] : table) {
    const auto found = keys.find(name.str());
    if (found == keys.end()) return At(file, node, Unknown(name.str(), known));
    GNOMON_RETURN_IF_ERROR(At(file, node, found->second(absl::StrCat(prefix, ".", AbslView(name.str())), node)));
  }
  return absl::OkStatus();
}

absl::Status Check(const PrometheusSource& source) {
  const std::string key = "signals.prometheus";
  if (source.name.empty()) return Invalid(key, "", "complete: it has no name");
  if (!source.url.starts_with("http://") && !source.url.starts_with("https://")) {
    return Invalid(key + ".url", source.url, "a URL as \"http://127.0.0.1:9090\"");
  }
  if (source.username.empty() != source.password_file.empty()) {
    return Invalid(key + ".username", source.username, "of use without password_file, nor that without it");
  }
  if (!source.username.empty() && !source.bearer_token_file.empty()) {
    return Invalid(key + ".username", source.username, "of use beside bearer_token_file");
  }
  if (source.cert_file.empty() != source.key_file.empty()) {
    return Invalid(key + ".cert_file", source.cert_file, "of use without key_file, nor that without it");
  }
  return absl::OkStatus();
}

absl::Status Check(const MetricRule& rule, bool says_of) {
  const std::string key = "signals.metric";
  if (rule.network.empty()) return Invalid(key, "", "complete: it has no network");
  if (rule.type.empty()) return Invalid(key, "", "complete: it has no type");
  if (rule.match.has_value() == !rule.query.empty()) return Invalid(key + ".match", rule.query, "alone: give either match, or query and source");
  if (rule.query.empty() != rule.source.empty()) return Invalid(key + ".source", rule.source, "of use without query, nor that without it");
  if (says_of && rule.use != MetricUse::kDemand) return Invalid(key + ".of", NameOf(rule.of), "of use unless as = \"demand\"");
  return absl::OkStatus();
}

absl::Status ReadPrometheus(const toml::table& table, std::string_view file, SignalsConfig* config) {
  PrometheusSource source;
  const Keys keys = {
      {"name", Name(&source.name)},
      {"url", Text(&source.url)},
      {"bearer_token_file", Text(&source.bearer_token_file)},
      {"username", Text(&source.username)},
      {"password_file", Text(&source.password_file)},
      {"ca_file", Text(&source.ca_file)},
      {"cert_file", Text(&source.cert_file)},
      {"key_file", Text(&source.key_file)},
      {"headers", [&](const std::string& key, const toml::node& node) { return TakeHeaders(key, node, &source.headers); }},
      {"interval", Seconds(&source.interval, absl::Seconds(1), absl::Hours(1))},
      {"timeout", Seconds(&source.timeout, absl::Seconds(1), absl::Minutes(10))},
  };
  GNOMON_RETURN_IF_ERROR(ReadTable(table, "signals.prometheus", file, keys));
  GNOMON_RETURN_IF_ERROR(At(file, table, Check(source)));
  for (const PrometheusSource& other : config->prometheus) {
    if (other.name == source.name) return At(file, table, Invalid("signals.prometheus.name", source.name, "the name of one alone"));
  }
  if (config->prometheus.size() == SignalsConfig::kMaxPrometheus) {
    return At(file, table, Invalid("signals.prometheus", source.name, absl::StrCat("one of at most ", SignalsConfig::kMaxPrometheus)));
  }
  config->prometheus.push_back(std::move(source));
  return absl::OkStatus();
}

absl::Status ReadMetric(const toml::table& table, std::string_view file, SignalsConfig* config) {
  MetricRule rule;
  const Keys keys = {
      {"network", Name(&rule.network)},
      {"type", Name(&rule.type)},
      {"as", OneOf<MetricUse>(&rule.use, {MetricUse::kDemand, MetricUse::kDriver, MetricUse::kDesired})},
      {"of", OneOf<MetricCount>(&rule.of, {MetricCount::kInstances, MetricCount::kCreationsTotal})},
      {"combine", OneOf<MetricCombine>(&rule.combine, {MetricCombine::kSum, MetricCombine::kMax, MetricCombine::kMean})},
      {"step", Seconds(&rule.step, absl::Seconds(1), absl::Minutes(5))},
      {"source", Name(&rule.source)},
      {"query", Text(&rule.query)},
      {"match",
       [&](const std::string& key, const toml::node& node) -> absl::Status {
         if (!node.is_string()) return Invalid(key, "", "a text");
         GNOMON_ASSIGN_OR_RETURN(rule.match, MetricSelector::Parse(node.as_string()->get()));
         return absl::OkStatus();
       }},
  };
  GNOMON_RETURN_IF_ERROR(ReadTable(table, "signals.metric", file, keys));
  if (!table.contains("as")) return At(file, table, Invalid("signals.metric.as", "", "demand, driver or desired"));
  GNOMON_RETURN_IF_ERROR(At(file, table, Check(rule, table.contains("of"))));
  if (config->metrics.size() == SignalsConfig::kMaxMetrics) {
    return At(file, table, Invalid("signals.metric", rule.type, absl::StrCat("one of at most ", SignalsConfig::kMaxMetrics)));
  }
  config->metrics.push_back(std::move(rule));
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSignals(std::string_view key, const toml::node& node, std::string_view file, SignalsConfig* config) {
  const auto wrong = [&] { return At(file, node, Invalid(key, "", absl::StrCat("an array of tables, [[", AbslView(key), "]]"))); };
  if (!node.is_array()) return wrong();
  for (const toml::node& item : *node.as_array()) {
    if (!item.is_table()) return wrong();
    const auto read = key == "signals.prometheus" ? &ReadPrometheus : &ReadMetric;
    GNOMON_RETURN_IF_ERROR(read(*item.as_table(), file, config));
  }
  return absl::OkStatus();
}

absl::Status CheckSignals(const SignalsConfig& config) {
  for (const MetricRule& rule : config.metrics) {
    const bool there = rule.source.empty() ||
                       std::any_of(config.prometheus.begin(), config.prometheus.end(),
                                   [&](const PrometheusSource& source) { return source.name == rule.source; });
    if (!there) return Invalid("signals.metric.source", rule.source, "the name of a [[signals.prometheus]]");
  }
  return absl::OkStatus();
}

}  // namespace gnomon
