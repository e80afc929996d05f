// SPDX-License-Identifier: Apache-2.0
//
// What is asked of the engine: plans, forecasts and their quality, announcements, imports of the past.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "api/name_page.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

// Of one network no two are the same: no name has a slash.
std::string NameOf(const AnnouncementId& id) { return absl::StrCat(id.source, "/", id.id); }

}  // namespace

std::shared_ptr<const NetworkEntry> Api::NetworkOf(const Call& call) const {
  if (parts_.engine == nullptr) {
    call->Fail(404, "PATH_NOT_FOUND", "this server predicts nothing");
    return nullptr;
  }
  std::shared_ptr<const NetworkEntry> network = parts_.service->FindNetwork(call->arguments[0]);
  if (network == nullptr) call->Fail(NetworkNotFound(call->arguments[0]));
  return network;
}

void Api::ListPlans(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  call->Send(200, WritePage(
                      "plans", parts_.engine->Plans(*network), page.value(),
                      [](const TypePlan& plan) { return plan.type; },
                      [this](const TypePlan& plan, JsonWriter* json) { encoder_.Write(plan, json); }));
}

void Api::ListForecasts(Call call, HttpRequest& request) const {
  absl::StatusOr<TypePage> page = DecodeTypePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  parts_.engine->Forecasts(
      *network, page->type, [this, call, page = page->page](absl::StatusOr<std::vector<TypeForecast>> all) {
        if (!all.ok()) return call->Fail(all.status());
        call->Send(200, WritePage(
                            "forecasts", *all, page, [](const TypeForecast& one) { return one.type; },
                            [this](const TypeForecast& one, JsonWriter* json) { encoder_.Write(one, json); }));
      });
}

void Api::ListQuality(Call call, HttpRequest& request) const {
  absl::StatusOr<TypePage> page = DecodeTypePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  parts_.engine->Quality(
      *network, page->type,
      Answering<NetworkQuality>(call, [this, page = page->page](const NetworkQuality& quality, JsonWriter* json) {
        json->BeginObject().Key("network");
        encoder_.Write(quality.network, json);
        WritePageMembers(
            "quality", quality.types, page, [](const TypeQuality& one) { return one.type; },
            [this](const TypeQuality& one, JsonWriter* out) { encoder_.Write(one, out); }, json);
        json->EndObject();
      }));
}

void Api::CreateAnnouncement(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  Announced announced{.id = {.source = call->principal(), .id = call->id()}};
  if (absl::Status decoded = DecodeAnnouncement(*body, &announced); !decoded.ok()) return call->Fail(decoded);
  call->ids.push_back(NameOf(announced.id));
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  parts_.engine->Announce(*network, std::move(announced), [this, call](absl::StatusOr<Announced> view) {
    if (!view.ok()) return call->Fail(view.status());
    std::vector<std::pair<std::string, std::string>> headers;
    if (view->made) {
      headers.emplace_back("Location", absl::StrCat("/v1/networks/", call->arguments[0], "/announcements/", NameOf(view->id)));
    }
    Answer(*call, view->made ? 201 : 200, [&](JsonWriter* json) { encoder_.Write(*view, json); }, std::move(headers));
  });
}

void Api::ListAnnouncements(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  parts_.engine->ListAnnouncements(*network, [this, call, page = *page](absl::StatusOr<std::vector<Announced>> open) {
    if (!open.ok()) return call->Fail(open.status());
    std::sort(open->begin(), open->end(),
              [](const Announced& a, const Announced& b) { return NameOf(a.id) < NameOf(b.id); });
    call->Send(200, WritePage(
                        "announcements", *open, page, [](const Announced& one) { return NameOf(one.id); },
                        [this](const Announced& one, JsonWriter* json) { encoder_.Write(one, json); }));
  });
}

void Api::DeleteAnnouncement(Call call, HttpRequest&) const {
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  const AnnouncementId id{.source = call->arguments[1], .id = call->arguments[2]};
  call->ids.push_back(NameOf(id));
  parts_.engine->Cancel(*network, id, AnsweringNothing(call));
}

void Api::ImportHistory(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::string id = call->id();
  std::vector<PastCreations> past;
  if (absl::Status decoded = DecodeHistory(*body, &id, &past); !decoded.ok()) return call->Fail(decoded);
  call->ids.push_back(id);
  const std::shared_ptr<const NetworkEntry> network = NetworkOf(call);
  if (network == nullptr) return;
  parts_.engine->Import(*network, id, std::move(past), Answering<ImportView>(call, [id](const ImportView& view, JsonWriter* json) {
                          json->BeginObject().Key("id").String(id);
                          json->Key("creations").Int(static_cast<int64_t>(view.creations));
                          json->Key("passed_over").Int(static_cast<int64_t>(view.passed_over)).EndObject();
                        }));
}

}  // namespace gnomon
