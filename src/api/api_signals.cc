// SPDX-License-Identifier: Apache-2.0
//
// Samples that are pushed to us, and what there is to say of all signals.
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "base/absl_view.h"
#include "signals/otlp_metrics.h"
#include "signals/remote_write.h"

namespace gnomon {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kRemoteWrite = "remote_write", kOtlp = "otlp";

// A token that is for some networks reaches the rules of these.
auto MayUse(const Principal& principal) {
  return [&principal](std::string_view network) { return principal.MayUse(network); };
}

absl::Status Unsupported(std::string_view header, std::string_view value, std::string_view wanted) {
  return Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_MEDIA_TYPE",
               absl::StrCat(AbslView(header), " \"", Excerpt(value), "\" is not ", AbslView(wanted)))
      .Field(header)
      .Value(Excerpt(value))
      .Hint(absl::StrCat("send ", AbslView(wanted)));
}

// What a remote-write sender understands: 415, try 1.0; 413 and 400, this will never do; 429, later; 503, later.
void FailPush(Exchange& call, const absl::Status& error) {
  const std::string code = CodeOf(error);
  if (code == "UNSUPPORTED_MEDIA_TYPE") return call.FailAs(415, error);
  if (absl::IsOutOfRange(error)) return call.FailAs(413, error);
  if (code != "SAMPLE_RATE") return call.Fail(error);
  int64_t seconds = 1;
  for (const auto& [name, value] : PartsOf(error).numbers) {
    if (name == "retry_after_seconds") seconds = value;
  }
  call.FailAs(429, error, {{"Retry-After", absl::StrCat(seconds)}});
}

absl::Status CheckRemoteWrite(const HttpRequest& request) {
  const std::string_view type = request.Header("Content-Type"), encoding = request.Header("Content-Encoding");
  const std::string lower = absl::AsciiStrToLower(AbslView(type));
  // 2.0 says so by a parameter: proto=io.prometheus.write.v2.Request. Without one it is 1.0.
  const bool other_proto = absl::StrContains(lower, "proto=") && !absl::StrContains(lower, "proto=prometheus.writerequest");
  if (MediaTypeOf(type) != kProtobuf || other_proto) {
    return Unsupported("Content-Type", type, "application/x-protobuf of remote write 1.0");
  }
  if (!absl::EqualsIgnoreCase(AbslView(encoding), "snappy")) return Unsupported("Content-Encoding", encoding, "snappy");
  return absl::OkStatus();
}

absl::StatusOr<OtlpEncoding> OtlpEncodingOf(const HttpRequest& request) {
  const std::string type = MediaTypeOf(request.Header("Content-Type"));
  const std::string encoding = absl::AsciiStrToLower(AbslView(request.Header("Content-Encoding")));
  if (type != kProtobuf && type != "application/json") {
    return Unsupported("Content-Type", type, "application/x-protobuf or application/json");
  }
  if (encoding != "gzip" && encoding != "identity" && !encoding.empty()) {
    return Unsupported("Content-Encoding", encoding, "gzip, or none");
  }
  return OtlpEncoding{.json = type != kProtobuf, .gzip = encoding == "gzip"};
}

void WriteTime(std::string_view key, std::optional<int64_t> time_ms, JsonWriter* json) {
  json->Key(key);
  time_ms.has_value() ? json->Time(absl::FromUnixMillis(*time_ms)) : json->Null();
}

// Whether the token's owner may know of the source: its own, or one that feeds a rule that it may see.
bool MaySee(const Principal& principal, const SourceStatus& source, const std::vector<MetricRule>& rules) {
  if (principal.networks.empty()) return true;
  if (!source.sender.empty()) return source.sender == principal.id;
  return std::any_of(rules.begin(), rules.end(), [&](const MetricRule& rule) {
    return absl::StrCat("prometheus/", rule.source) == source.name && principal.MayUse(rule.network);
  });
}

void WriteSource(const SourceStatus& source, JsonWriter* json) {
  json->BeginObject().Key("name").String(source.name).Key("kind").String(source.kind);
  WriteTime("last_contact", source.last_contact_ms, json);
  WriteTime("last_sample", source.last_sample_ms, json);
  json->Key("samples").Int(static_cast<int64_t>(source.samples));
  json->Key("errors").BeginObject();
  for (const auto& [reason, count] : source.errors) json->Key(reason).Int(static_cast<int64_t>(count));
  json->EndObject();
  json->Key("last_error").String(source.last_error);
  json->Key("bound").Int(static_cast<int64_t>(source.bound));
  json->Key("unbound").Int(static_cast<int64_t>(source.unbound));
  json->Key("unbound_names").BeginArray();
  for (const std::string& name : source.unbound_names) json->String(name);
  json->EndArray().EndObject();
}

struct RuleView {
  const MetricRule& rule;
  MetricStatus status;
  std::vector<MetricPoint> points;
};

void WriteRule(const RuleView& view, absl::Time now, JsonWriter* json) {
  const MetricRule& rule = view.rule;
  json->BeginObject().Key("network").String(rule.network).Key("type").String(rule.type);
  json->Key("as").String(NameOf(rule.use));
  if (rule.use == MetricUse::kDemand) json->Key("of").String(NameOf(rule.of));
  json->Key("combine").String(NameOf(rule.combine)).Key("step_seconds").Int(absl::ToInt64Seconds(rule.step));
  if (rule.match.has_value()) {
    json->Key("match").String(rule.match->text());
  } else {
    json->Key("source").String(absl::StrCat("prometheus/", rule.source)).Key("query").String(rule.query);
  }
  json->Key("series").Int(static_cast<int64_t>(view.status.series));
  WriteTime("last_sample", view.status.last_sample_ms, json);
  json->Key("lag_seconds");
  if (view.status.last_sample_ms.has_value()) {
    json->Double(absl::ToDoubleSeconds(now - absl::FromUnixMillis(*view.status.last_sample_ms)));
  } else {
    json->Null();
  }
  json->Key("value");
  view.status.latest.has_value() ? json->Double(view.status.latest->value) : json->Null();
  json->Key("last_error").String(view.status.last_error);
  json->Key("points").BeginArray();
  for (const MetricPoint& point : view.points) {
    json->BeginObject();
    WriteTime("time", point.time_s * 1000, json);
    json->Key("value").Double(point.value).EndObject();
  }
  json->EndArray().EndObject();
}

}  // namespace

void Api::WriteSamples(Call call, HttpRequest& request) const {
  if (parts_.metric_book == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server takes no samples");
  const MetricBook::Pusher pusher{std::string(kRemoteWrite), request.principal.id};
  if (absl::Status wrong = CheckRemoteWrite(request); !wrong.ok()) return FailPush(*call, wrong);
  const absl::StatusOr<MetricPush> push = DecodeRemoteWrite(request.body);
  if (!push.ok()) {
    parts_.metric_book->PushFailed(pusher, push.status());
    return FailPush(*call, push.status());
  }
  const auto outcome = parts_.metric_book->Push(pusher, *push, MayUse(request.principal));
  if (!outcome.ok()) return FailPush(*call, outcome.status());
  if (outcome->faulty == 0) return call->Send(204, "");
  call->Fail(Error(absl::StatusCode::kInvalidArgument, "INVALID_SAMPLE",
                   absl::StrCat(outcome->first_fault, "; ", outcome->faulty, " samples were refused, and ",
                                outcome->taken + outcome->unbound, " kept or passed over"))
                 .Number("refused", static_cast<int64_t>(outcome->faulty))
                 .Number("taken", static_cast<int64_t>(outcome->taken))
                 .Number("unbound", static_cast<int64_t>(outcome->unbound)));
}

void Api::ExportMetrics(Call call, HttpRequest& request) const {
  if (parts_.metric_book == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server takes no samples");
  const MetricBook::Pusher pusher{std::string(kOtlp), request.principal.id};
  const absl::StatusOr<OtlpEncoding> encoding = OtlpEncodingOf(request);
  if (!encoding.ok()) return FailPush(*call, encoding.status());
  const absl::StatusOr<MetricPush> push = DecodeOtlpMetrics(request.body, *encoding);
  if (!push.ok()) {
    parts_.metric_book->PushFailed(pusher, push.status());
    return FailPush(*call, push.status());
  }
  const auto outcome = parts_.metric_book->Push(pusher, *push, MayUse(request.principal));
  if (!outcome.ok()) return FailPush(*call, outcome.status());
  call->SendAs(encoding->json ? "application/json" : kProtobuf,
               OtlpAnswer(encoding->json, outcome->faulty, outcome->first_fault));
}

void Api::ListSignals(Call call, HttpRequest& request) const {
  constexpr int64_t kMaxPoints = 1000;
  if (parts_.metric_book == nullptr) return call->Fail(404, "PATH_NOT_FOUND", "this server takes no samples");
  QueryArguments query(request);
  const int64_t points = query.Int("points", 0, 0, kMaxPoints);
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  const MetricBook& book = *parts_.metric_book;
  const absl::Time now = book.Now();
  Answer(*call, 200, [&](JsonWriter* json) {
    json->BeginObject().Key("sources").BeginArray();
    for (const SourceStatus& source : book.Sources()) {
      if (MaySee(request.principal, source, book.rules())) WriteSource(source, json);
    }
    json->EndArray().Key("rules").BeginArray();
    for (size_t i = 0; i < book.rules().size(); ++i) {
      const MetricRule& rule = book.rules()[i];
      if (!request.principal.MayUse(rule.network)) continue;
      RuleView view{rule, book.StatusOf(i), {}};
      if (points > 0) view.points = book.PointsOf(i, absl::ToUnixSeconds(now - points * rule.step));
      WriteRule(view, now, json);
    }
    json->EndArray().EndObject();
  });
}

}  // namespace gnomon
