// SPDX-License-Identifier: Apache-2.0
#include "api/decode.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/encode.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

Error Invalid(std::string_view code, std::string_view field, std::string_view value, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, code, message).Field(field).Value(value);
}

// Reads an optional member that is text and means a T.
template <typename T, typename Parse>
void Parsed(JsonObject& body, std::string_view name, Parse parse, std::optional<T>* out) {
  std::optional<std::string> text;
  body.Optional(name, &text);
  if (!text) return;
  absl::StatusOr<T> value = parse(*text);
  if (!value.ok()) return body.Fail(InField(value.status(), body.Path(name)));
  *out = *value;
}

absl::StatusOr<Families> ParseFamilies(const std::vector<std::string>& names) {
  Families families = kNoFamilies;
  for (const std::string& name : names) {
    const Families bit = name == "ipv4" ? kOnlyIpv4 : name == "ipv6" ? kOnlyIpv6 : kNoFamilies;
    if (bit == kNoFamilies || (families & bit) != 0) {
      return Error(Invalid("INVALID_FAMILIES", "families", name, absl::StrCat("\"", name, "\" is no family, or twice")))
          .Hint("use [\"ipv4\"], [\"ipv6\"] or [\"ipv4\",\"ipv6\"]");
    }
    families |= bit;
  }
  return families;
}

absl::StatusOr<Strategy> ParseStrategy(const std::string& name) {
  for (Strategy strategy : {Strategy::kLongestIdle, Strategy::kLowestFirst, Strategy::kRandom}) {
    if (NameOf(strategy) == name) return strategy;
  }
  return Error(Invalid("INVALID_STRATEGY", "strategy", name, absl::StrCat("\"", Excerpt(name), "\" is no strategy")))
      .Hint("use longest_idle, lowest_first or random");
}

absl::StatusOr<PredictionMode> ParseMode(const std::string& name) {
  for (PredictionMode mode : {PredictionMode::kOff, PredictionMode::kObserve, PredictionMode::kReserve}) {
    if (NameOf(mode) == name) return mode;
  }
  return Error(Invalid("INVALID_MODE", "prediction_mode", name, absl::StrCat("\"", Excerpt(name), "\" is no mode")))
      .Hint("use off, observe or reserve");
}

}  // namespace

std::optional<std::string> QueryArguments::Text(std::string_view name) {
  known_.push_back(name);
  std::optional<std::string> found;
  for (const auto& [key, value] : query_) {
    if (key != name) continue;
    if (found) Fail(Invalid("DUPLICATE_ARGUMENT", name, value, absl::StrCat(AbslView(name), " was sent twice")));
    found = value;
  }
  return found;
}

std::string QueryArguments::Name(std::string_view name) {
  std::optional<std::string> text = Text(name);
  if (!text || text->empty()) return "";
  Fail(CheckName(name, *text));
  return *text;
}

std::string QueryArguments::RequiredName(std::string_view name) {
  std::string text = Name(name);
  if (text.empty()) Fail(Invalid("MISSING_ARGUMENT", name, "", absl::StrCat("the query needs ", AbslView(name))));
  return text;
}

std::optional<absl::Duration> QueryArguments::Duration(std::string_view name) {
  std::optional<std::string> text = Text(name);
  if (!text) return std::nullopt;
  absl::StatusOr<absl::Duration> duration = ParseDuration(name, *text);
  Fail(duration.status());
  return duration.ok() ? std::optional(*duration) : std::nullopt;
}

int64_t QueryArguments::Int(std::string_view name, int64_t otherwise, int64_t low, int64_t high) {
  std::optional<std::string> text = Text(name);
  if (!text) return otherwise;
  int64_t number = 0;
  if (absl::SimpleAtoi(*text, &number) && number >= low && number <= high) return number;
  Fail(Error(Invalid("OUT_OF_RANGE", name, *text, absl::StrCat(AbslView(name), " is out of range")))
           .Hint(absl::StrCat("use a number from ", low, " to ", high)));
  return otherwise;
}

std::optional<Ip> QueryArguments::Address(std::string_view name) {
  std::optional<std::string> text = Text(name);
  if (!text || text->empty()) return std::nullopt;
  absl::StatusOr<Ip> ip = Ip::Parse(*text);
  if (ip.ok()) return *ip;
  Fail(InField(ip.status(), name));
  return std::nullopt;
}

void QueryArguments::Fail(absl::Status error) {
  if (status_.ok()) status_ = std::move(error);
}

absl::Status QueryArguments::Done() {
  for (const auto& [key, value] : query_) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    Fail(Error(Invalid("UNKNOWN_ARGUMENT", Excerpt(key), Excerpt(value),
                       absl::StrCat("the query has an unknown argument \"", Excerpt(key), "\"")))
             .Hint(SuggestionHint(key, known_)));
  }
  return status_;
}

absl::Status InField(const absl::Status& status, std::string_view field) { return Error(status).Field(field); }

absl::Status NetworkForbidden(std::string_view network) {
  return Error(absl::StatusCode::kPermissionDenied, "NETWORK_FORBIDDEN",
               absl::StrCat("this token is not for network ", Excerpt(network)))
      .Field("network")
      .Value(Excerpt(network));
}

absl::StatusOr<std::string> CanonicalLabels(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    if (value.find('\n') != std::string::npos) {
      return Invalid("INVALID_LABEL", "labels", key, absl::StrCat("the value of label ", key, " has a line break"));
    }
    absl::StrAppend(&text, key, "=", value, "\n");
  }
  if (text.size() > Network::kMaxLabelsBytes) {
    return Error(Invalid("INVALID_LABEL", "labels", absl::StrCat(text.size()),
                         absl::StrCat("the labels have ", text.size(), " bytes")))
        .Hint(absl::StrCat("all keys and values, with two bytes more for each, have at most ", Network::kMaxLabelsBytes, " bytes"));
  }
  return text;
}

absl::StatusOr<IpRange> ParseRange(std::string_view text) {
  const size_t dash = text.find('-');
  absl::StatusOr<Ip> first = Ip::Parse(text.substr(0, dash));
  if (!first.ok()) return first.status();
  if (dash == std::string_view::npos) return IpRange{*first, *first};
  absl::StatusOr<Ip> last = Ip::Parse(text.substr(dash + 1));
  if (!last.ok()) return last.status();
  return IpRange{*first, *last};
}

absl::Status DecodeInstance(JsonObject& body, CreateInstanceCall* call) {
  CreateRequest& request = call->request;
  std::map<std::string, std::string> labels;
  std::optional<std::vector<std::string>> families;
  std::optional<int64_t> block_length;
  body.RequiredName("id", &request.instance)
      .RequiredName("type", &request.type)
      .OptionalName("zone", &request.place.zone)
      .OptionalName("host", &request.place.host)
      .OptionalName("pool", &request.pool)
      .OptionalName("account", &call->account)
      .Optional("labels", &labels)
      .Optional("families", &families)
      .Optional("block_length", &block_length)
      .Range("block_length", block_length, 1, 127);
  Parsed<Mac>(body, "mac", [](const std::string& text) { return Mac::Parse(text); }, &request.mac);
  Parsed<Ip>(body, "address", [](const std::string& text) { return Ip::Parse(text); }, &request.address);
  if (families) {
    absl::StatusOr<Families> parsed = ParseFamilies(*families);
    if (!parsed.ok()) {
      body.Fail(InField(parsed.status(), body.Path("families")));
    } else {
      request.families = *parsed;
    }
  }
  absl::StatusOr<std::string> canonical = CanonicalLabels(labels);
  if (!canonical.ok()) body.Fail(InField(canonical.status(), body.Path("labels")));
  GNOMON_RETURN_IF_ERROR(body.Done());
  request.labels = *std::move(canonical);
  request.block_length = static_cast<int>(block_length.value_or(0));
  return absl::OkStatus();
}

absl::Status DecodePoolMembers(JsonObject& body, PoolConfig* config) {
  std::optional<std::vector<std::string>> exclude;
  std::optional<Strategy> strategy;
  body.Optional("exclude", &exclude)
      .Optional("quarantine", &config->quarantine)
      .Optional("headroom", &config->headroom)
      .Optional("draining", &config->draining);
  if (body.IsNull("gateway")) config->gateway.reset();
  Parsed<Ip>(body, "gateway", [](const std::string& text) { return Ip::Parse(text); }, &config->gateway);
  Parsed<Strategy>(body, "strategy", ParseStrategy, &strategy);
  if (strategy) config->strategy = *strategy;
  if (exclude) {
    config->exclude.clear();
    for (size_t i = 0; i < exclude->size(); ++i) {
      absl::StatusOr<IpRange> range = ParseRange(exclude->at(i));
      if (!range.ok()) {
        body.Fail(InField(range.status(), absl::StrCat(body.Path("exclude"), "[", i, "]")));
        break;
      }
      config->exclude.push_back(*range);
    }
  }
  return body.Done();
}

absl::Status DecodePrediction(JsonObject& body, Prediction* prediction) {
  std::optional<int64_t> count;
  std::optional<JsonObject> resources;
  int64_t wanted = 0;
  // First, as what it does not know is told before what is missing.
  if (body.Optional("resources", &resources); resources) {
    resources->Optional("vcpu", &prediction->resources.vcpu).Optional("memory_gb", &prediction->resources.memory_gb);
    if (absl::Status done = resources->Done(); !done.ok()) body.Fail(done);
  }
  body.RequiredName("type", &prediction->type)
      .OptionalName("zone", &prediction->scope.zone)
      .OptionalName("host", &prediction->scope.host)
      .Required("count", &wanted)
      .Range("count", wanted, 0, Network::kMaxPredicted)
      .Required("horizon", &prediction->horizon)
      .Optional("additive", &prediction->additive);
  GNOMON_RETURN_IF_ERROR(body.Done());
  prediction->count = static_cast<uint32_t>(wanted);
  // A host implies its zone, and a shadow's scope is one of the two.
  if (!prediction->scope.host.empty()) prediction->scope.zone.clear();
  // The service checks it too; here the field is named by its place in the body.
  const absl::Status possible = Network::Validate({.key = {"", prediction->type, prediction->scope},
                                                   .count = prediction->count,
                                                   .horizon = prediction->horizon});
  return possible.ok() ? possible : InField(possible, body.Path(PartsOf(possible).field));
}

absl::Status DecodeWarmPool(JsonObject& body, WarmPool* warm) {
  std::optional<int64_t> target;
  std::optional<std::map<std::string, int64_t>> targets;
  std::optional<PredictionMode> mode;
  body.Optional("warm_target", &target)
      .Range("warm_target", target, 0, Catalogue::kMaxWarmTarget)
      .Optional("warm_targets", &targets)
      .Optional("target_hit_rate", &warm->hit_rate);
  Parsed<PredictionMode>(body, "prediction_mode", ParseMode, &mode);
  if (mode) warm->mode = *mode;
  if (target) warm->target = static_cast<uint32_t>(*target);
  if (!targets) return body.Done();
  warm->by_type.clear();
  for (const auto& [type, number] : *targets) {
    const std::string path = absl::StrCat("warm_targets.", Excerpt(type));
    if (absl::Status named = CheckName(path, type); !named.ok()) body.Fail(named);
    body.Range(path, number, 0, Catalogue::kMaxWarmTarget);
    warm->by_type[type] = static_cast<uint32_t>(number);
  }
  return body.Done();
}

}  // namespace gnomon
