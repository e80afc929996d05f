// SPDX-License-Identifier: Apache-2.0
//
// Policies of autoscalers: applied, listed, explained.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "api/name_page.h"
#include "ipam/refusals.h"
#include "signals/policy_shelf.h"

namespace gnomon {
namespace {

constexpr int64_t kExplainedS = 86400;  // the steps of so long are shown

void WriteTexts(const std::vector<std::string>& texts, JsonWriter* json) {
  json->BeginArray();
  for (const std::string& text : texts) json->String(text);
  json->EndArray();
}

void WritePolicy(const ScalingPolicy& policy, JsonWriter* json) {
  json->BeginObject().Key("name").String(policy.name).Key("rule").String(policy.title).Key("type").String(policy.type);
  json->Key("unknown");
  WriteTexts(policy.unknown, json);
  json->Key("document").Raw(policy.document).EndObject();
}

void WriteApplied(const PolicyShelf::Applied& applied, JsonWriter* json) {
  json->BeginObject().Key("policies").BeginArray();
  for (const PolicyShelf::Applied::One& one : applied.policies) {
    const bool none = one.change == PolicyShelf::Change::kNone, made = one.change == PolicyShelf::Change::kMade;
    json->BeginObject().Key("name").String(one.policy.name).Key("type").String(one.policy.type);
    json->Key("change").String(none ? "none" : made ? "made" : "changed").Key("unknown");
    WriteTexts(one.policy.unknown, json);
    json->EndObject();
  }
  json->EndArray().Key("passed_over");
  WriteTexts(applied.passed_over, json);
  json->EndObject();
}

void WriteLimit(std::string_view name, const std::optional<PolicyLimit>& limit, JsonWriter* json) {
  if (!limit) return;
  json->Key(name).BeginObject().Key("count").Int(limit->count).Key("rule").String(limit->rule).EndObject();
}

void WriteExplanation(const PolicyBook& book, const std::string& type, const PolicyBook::At& at, JsonWriter* json) {
  json->BeginObject().Key("type").String(type).Key("at").Time(absl::FromUnixSeconds(at.now_s)).Key("rules").BeginArray();
  for (const RuleEffect& line : book.Explain(type, at)) {
    json->BeginObject().Key("rule").String(line.rule).Key("effect").String(line.effect).EndObject();
  }
  json->EndArray();
  const PolicyOutlook outlook = book.OutlookFor(type, at);
  WriteLimit("least", outlook.least, json);
  WriteLimit("most", outlook.most, json);
  WriteLimit("surge", outlook.surge, json);
  json->Key("steps").BeginArray();
  for (const PolicyStep& step : outlook.steps) {
    json->BeginObject().Key("at").Time(absl::FromUnixSeconds(step.at_s)).Key("count").Int(step.count);
    json->Key("at_least").Bool(step.at_least).Key("rule").String(step.rule).EndObject();
  }
  json->EndArray().EndObject();
}

absl::StatusOr<int64_t> ParseAt(const std::string& text) {
  absl::Time time;
  std::string ignored;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
    const int64_t at = absl::ToUnixSeconds(time);
    if (at >= CronSchedule::kFirstS && at <= CronSchedule::kLastS) return at;
  }
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_TIME", absl::StrCat("\"", Excerpt(text), "\" is no time"))
      .Field("at")
      .Value(Excerpt(text))
      .Hint("use one as 2026-03-02T08:00:00Z");
}

}  // namespace

std::shared_ptr<const NetworkEntry> Api::PoliciesOf(const Call& call) const {
  if (parts_.policies == nullptr) {
    call->Fail(404, "PATH_NOT_FOUND", "this server keeps no policies");
    return nullptr;
  }
  std::shared_ptr<const NetworkEntry> network = parts_.service->FindNetwork(call->arguments[0]);
  if (network == nullptr) call->Fail(NetworkNotFound(call->arguments[0]));
  return network;
}

void Api::ApplyPolicies(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::string text, file = "-", type;
  bool dry_run = false;
  body->Required("text", &text).Optional("file", &file).OptionalName("type", &type).Optional("dry_run", &dry_run);
  if (absl::Status decoded = body->Done(); !decoded.ok()) return call->Fail(decoded);
  const std::shared_ptr<const NetworkEntry> network = PoliciesOf(call);
  if (network == nullptr) return;
  parts_.policies->Apply(*network, {.text = text, .file = Excerpt(file), .type = type}, dry_run,
                         [call](absl::StatusOr<PolicyShelf::Applied> applied) {
                           if (!applied.ok()) return call->Fail(applied.status());
                           for (const auto& one : applied->policies) {
                             if (call->ids.size() < Exchange::kMaxIds) call->ids.push_back(one.policy.name);
                           }
                           Answer(*call, 200, [&](JsonWriter* json) { WriteApplied(*applied, json); });
                         });
}

void Api::ListPolicies(Call call, HttpRequest& request) const {
  absl::StatusOr<TypePage> page = DecodeTypePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = PoliciesOf(call);
  if (network == nullptr) return;
  const std::shared_ptr<const PolicyBook> book = parts_.policies->BookOf(network->id);
  std::vector<const ScalingPolicy*> policies;
  for (const ScalingPolicy& policy : book->policies()) {
    if (!page->type || policy.type == *page->type) policies.push_back(&policy);
  }
  call->Send(200, WritePage(
                      "policies", policies, page->page, [](const ScalingPolicy* one) { return one->name; },
                      [](const ScalingPolicy* one, JsonWriter* json) { WritePolicy(*one, json); }));
}

void Api::GetPolicy(Call call, HttpRequest&) const {
  const std::shared_ptr<const NetworkEntry> network = PoliciesOf(call);
  if (network == nullptr) return;
  const std::shared_ptr<const PolicyBook> book = parts_.policies->BookOf(network->id);
  const ScalingPolicy* const policy = book->Find(call->arguments[1]);
  if (policy == nullptr) return call->Fail(PolicyNotFound(network->name, call->arguments[1]));
  Answer(*call, 200, [&](JsonWriter* json) { WritePolicy(*policy, json); });
}

void Api::DeletePolicy(Call call, HttpRequest&) const {
  const std::shared_ptr<const NetworkEntry> network = PoliciesOf(call);
  if (network == nullptr) return;
  call->ids.push_back(call->arguments[1]);
  parts_.policies->Delete(*network, call->arguments[1], AnsweringNothing(call));
}

void Api::ExplainPolicies(Call call, HttpRequest& request) const {
  QueryArguments query(request);
  const std::string type = query.RequiredName("type");
  const std::optional<std::string> at_text = query.Text("at");
  if (absl::Status decoded = query.Done(); !decoded.ok()) return call->Fail(decoded);
  PolicyBook::At at{.now_s = parts_.clock == nullptr ? 0 : absl::ToUnixSeconds(parts_.clock->Wall()), .horizon_s = kExplainedS};
  if (at_text) {
    absl::StatusOr<int64_t> parsed = ParseAt(*at_text);
    if (!parsed.ok()) return call->Fail(parsed.status());
    at.now_s = *parsed;
  }
  const std::shared_ptr<const NetworkEntry> network = PoliciesOf(call);
  if (network == nullptr) return;
  const std::shared_ptr<const PolicyBook> book = parts_.policies->BookOf(network->id);
  parts_.service->CountInstances(network->name, {type}, [call, book, type, at](absl::StatusOr<std::vector<uint32_t>> counts) mutable {
    if (!counts.ok()) return call->Fail(counts.status());
    at.instances = counts->front();
    Answer(*call, 200, [&](JsonWriter* json) { WriteExplanation(*book, type, at, json); });
  });
}

}  // namespace gnomon
