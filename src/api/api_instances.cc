// SPDX-License-Identifier: Apache-2.0
//
// Instances and predictions.
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

std::string LocationOf(const std::string& network, std::string_view instance) {
  return absl::StrCat("/v1/networks/", network, "/instances/", AbslView(instance));
}

// An error of one item of a batch names it in the field, as "instances[3].address".
absl::Status InItem(const absl::Status& refused) {
  const ErrorParts parts = PartsOf(refused);
  if (!parts.item) return refused;
  const std::string item = absl::StrCat("instances[", *parts.item, "]");
  return InField(refused,
                 parts.field.empty() || parts.field == "instances" ? item : absl::StrCat(item, ".", parts.field));
}

// A prediction's id, where the caller gives none: that of the request, which is fresh unless the caller sent it.
std::string FreshId(const Exchange& call) { return call.id(); }

absl::StatusOr<std::optional<uint64_t>> Generation(const Service& service, const std::optional<std::string>& text) {
  if (!text) return std::optional<uint64_t>();
  absl::StatusOr<uint64_t> generation = service.ParseRevision(*text);
  if (!generation.ok()) return InField(generation.status(), "generation");
  return std::optional<uint64_t>(*generation);
}

}  // namespace

void Api::ReplyInstance(const Call& call, absl::StatusOr<InstanceView> view, bool may_create) const {
  call->Run([this, call, view = std::move(view), may_create] {
    if (!view.ok()) return call->Fail(view.status());
    const bool created = may_create && view->created;
    std::vector<std::pair<std::string, std::string>> headers;
    if (created) headers.emplace_back("Location", LocationOf(call->arguments[0], view->addresses[0].record.instance));
    Answer(
        *call, created ? 201 : 200, [&](JsonWriter* json) { encoder_.Write(call->arguments[0], *view, json); },
        std::move(headers));
  });
}

void Api::CreateInstance(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  CreateInstanceCall create{.network = call->arguments[0]};
  if (absl::Status decoded = DecodeInstance(*body, &create); !decoded.ok()) return call->Fail(decoded);
  call->ids.push_back(create.request.instance);
  parts_.service->CreateInstance(std::move(create), [this, call](absl::StatusOr<InstanceView> view) {
    ReplyInstance(call, std::move(view), true);
  });
}

void Api::CreateInstances(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::vector<JsonObject> bodies;
  if (absl::Status done = body->Required("instances", &bodies).Done(); !done.ok()) return call->Fail(done);
  std::vector<CreateInstanceCall> creates;
  for (JsonObject& one : bodies) {
    creates.push_back({.network = call->arguments[0]});
    if (absl::Status decoded = DecodeInstance(one, &creates.back()); !decoded.ok()) return call->Fail(decoded);
    if (call->ids.size() < Exchange::kMaxIds) call->ids.push_back(creates.back().request.instance);
  }
  parts_.service->CreateInstances(
      call->arguments[0], std::move(creates), [this, call](absl::StatusOr<std::vector<InstanceView>> views) {
        if (!views.ok()) return call->Fail(InItem(views.status()));
        Answer(*call, 201, [&](JsonWriter* json) {
          json->BeginObject().Key("instances").BeginArray();
          for (const InstanceView& view : *views) encoder_.Write(call->arguments[0], view, json);
          json->EndArray().EndObject();
        });
      });
}

void Api::GetInstance(Call call, HttpRequest&) const {
  parts_.service->GetInstance(call->arguments[0], call->arguments[1], [this, call](absl::StatusOr<InstanceView> view) {
    ReplyInstance(call, std::move(view), false);
  });
}

void Api::PatchInstance(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::optional<std::string> zone, host, generation_text;
  std::optional<std::map<std::string, std::string>> labels;
  body->Optional("zone", &zone).Optional("host", &host).Optional("labels", &labels).Optional("generation", &generation_text);
  for (const auto& [name, text] : {std::pair("zone", zone), std::pair("host", host)}) {
    if (text && !text->empty()) {
      if (absl::Status valid = CheckName(name, *text); !valid.ok()) body->Fail(valid);
    }
  }
  if (absl::Status done = body->Done(); !done.ok()) return call->Fail(done);
  absl::StatusOr<std::optional<uint64_t>> generation = Generation(*parts_.service, generation_text);
  if (!generation.ok()) return call->Fail(generation.status());
  UpdateRequest update{.instance = call->arguments[1], .zone = zone, .host = host, .generation = *generation};
  if (labels) {
    absl::StatusOr<std::string> canonical = CanonicalLabels(*labels);
    if (!canonical.ok()) return call->Fail(canonical.status());
    update.labels = *std::move(canonical);
  }
  parts_.service->UpdateInstance(call->arguments[0], std::move(update), [this, call](absl::StatusOr<InstanceView> view) {
    ReplyInstance(call, std::move(view), false);
  });
}

void Api::DeleteInstance(Call call, HttpRequest& request) const {
  QueryArguments query(request);
  ReleaseRequest release{.instance = call->arguments[1]};
  release.preserve = query.Duration("preserve");
  absl::StatusOr<std::optional<uint64_t>> generation = Generation(*parts_.service, query.Text("generation"));
  if (!generation.ok()) return call->Fail(generation.status());
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  release.generation = *generation;
  parts_.service->ReleaseInstance(
      call->arguments[0], std::move(release),
      Answering<std::vector<RecordView>>(call, [this, call](const auto& views, JsonWriter* json) {
        json->BeginObject().Key("released").BeginArray();
        for (const RecordView& view : views) encoder_.Write(call->arguments[0], view, json);
        json->EndArray().EndObject();
      }));
}

void Api::ReassignInstance(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::string text;
  body->Required("address", &text);
  if (absl::Status done = body->Done(); !done.ok()) return call->Fail(done);
  absl::StatusOr<Ip> address = Ip::Parse(text);
  if (!address.ok()) return call->Fail(InField(address.status(), "address"));
  parts_.service->ReassignInstance(
      call->arguments[0], call->arguments[1], *address,
      [this, call](absl::StatusOr<InstanceView> view) { ReplyInstance(call, std::move(view), false); });
}

void Api::Predict(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  PredictCall predict{.source = call->principal(), .id = FreshId(*call)};
  std::vector<JsonObject> bodies;
  std::optional<std::string> id;
  body->RequiredName("network", &predict.network).OptionalName("source", &predict.source);
  body->Optional("id", &id).Required("predictions", &bodies);
  // An id is often a time, as 2026-11-24T09:00: any short text will do.
  if (id && (id->empty() || id->size() > 128)) {
    body->Fail(Error(absl::StatusCode::kInvalidArgument, "INVALID_ID", "an id has 1 to 128 bytes").Field("id").Value(Excerpt(*id)));
  }
  if (id) predict.id = *id;
  if (absl::Status done = body->Done(); !done.ok()) return call->Fail(done);
  for (JsonObject& one : bodies) {
    predict.predictions.emplace_back();
    if (absl::Status decoded = DecodePrediction(one, &predict.predictions.back()); !decoded.ok()) return call->Fail(decoded);
  }
  call->network = predict.network;
  call->ids.push_back(absl::StrCat(predict.source, "/", predict.id));
  if (!request.principal.MayUse(predict.network)) return call->Fail(NetworkForbidden(predict.network));
  PredictCall head{.network = predict.network, .source = predict.source, .id = predict.id};
  parts_.service->PredictInstances(
      std::move(predict),
      Answering<std::vector<PredictionView>>(call, [this, head = std::move(head)](const auto& views, JsonWriter* json) {
        json->BeginObject().Key("network").String(head.network).Key("source").String(head.source);
        json->Key("id").String(head.id).Key("predictions").BeginArray();
        for (const PredictionView& view : views) encoder_.Write(view, json);
        json->EndArray().EndObject();
      }));
}

void Api::PeekShadow(Call call, HttpRequest& request) const {
  QueryArguments query(request);
  const std::string network = query.RequiredName("network"), type = query.RequiredName("type");
  const Place place{query.Name("zone"), query.Name("host")};
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  if (!request.principal.MayUse(network)) return call->Fail(NetworkForbidden(network));
  parts_.service->PeekShadow(
      network, type, place, Answering<std::optional<RecordView>>(call, [](const auto& shadow, JsonWriter* json) {
        json->BeginObject().Key("available").Bool(shadow.has_value());
        if (!shadow) {
          json->Key("reason")
              .String("no shadow of this type is held for this host, its zone, or any place")
              .EndObject();
          return;
        }
        json->Key("address").String(shadow->record.address.ToString()).Key("prefix_length").Int(shadow->pool_length);
        json->Key("gateway");
        shadow->gateway ? json->String(shadow->gateway->ToString()) : json->Null();
        json->Key("mac").String(shadow->record.mac.ToString()).Key("warmth").String(NameOf(shadow->record.warmth));
        json->Key("until").Time(shadow->record.until).EndObject();
      }));
}

}  // namespace gnomon
