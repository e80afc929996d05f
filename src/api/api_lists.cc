// SPDX-License-Identifier: Apache-2.0
//
// Lists of records, single addresses, and watches.
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr uint8_t Bit(AddressState state) { return static_cast<uint8_t>(1u << static_cast<int>(state)); }
constexpr uint8_t kHeldStates = 0xff & ~Bit(AddressState::kFree);

}  // namespace

void Api::ListRecords(Call call, const HttpRequest& request, std::string_view member, ListCall list) const {
  QueryArguments query(request);
  list.network = call->arguments[0];
  list.pool = query.Name("pool");
  list.type = query.Name("type");
  list.zone = query.Name("zone");
  list.host = query.Name("host");
  list.page_size = static_cast<size_t>(query.Int("page_size", 100, 1, Service::kMaxPage));
  list.from = query.Address("page_token").value_or(Ip());
  const std::string state = query.Name("state");
  if (!state.empty()) {
    uint8_t wanted = 0;
    for (int i = 1; i < 6; ++i) {
      if (NameOf(static_cast<AddressState>(i)) == state) wanted = Bit(static_cast<AddressState>(i));
    }
    if (wanted == 0) {
      query.Fail(Error(absl::StatusCode::kInvalidArgument, "INVALID_STATE", absl::StrCat("no records have the state ", state))
                     .Field("state")
                     .Value(state)
                     .Hint("use assigned, shadow, preserved, quarantined or withdrawing"));
    }
    list.states &= wanted;
  }
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  const bool instances = list.instances;
  parts_.service->List(std::move(list), Answering<RecordPage>(call, [this, call, member, instances](
                                                                        const RecordPage& page, JsonWriter* json) {
                         json->BeginObject().Key(member).BeginArray();
                         for (const std::vector<RecordView>& group : page.groups) {
                           if (instances) {
                             encoder_.Write(call->arguments[0],
                                            InstanceView{.addresses = group,
                                                         .hit = group[0].record.from_shadow,
                                                         .revision = group[0].record.revision},
                                            json);
                           } else {
                             encoder_.Write(call->arguments[0], group[0], json);
                           }
                         }
                         json->EndArray().Key("next_page_token").String(page.next ? page.next->ToString() : "");
                         json->Key("revision").String(parts_.service->RevisionText(page.revision)).EndObject();
                       }));
}

void Api::ListInstances(Call call, HttpRequest& request) const {
  ListRecords(std::move(call), request, "instances", {.states = Bit(AddressState::kAssigned), .instances = true});
}

void Api::ListShadows(Call call, HttpRequest& request) const {
  ListRecords(std::move(call), request, "shadows", {.states = Bit(AddressState::kShadow)});
}

void Api::ListAddresses(Call call, HttpRequest& request) const {
  ListRecords(std::move(call), request, "addresses", {.states = kHeldStates});
}

void Api::GetAddress(Call call, HttpRequest&) const {
  absl::StatusOr<Ip> address = Ip::Parse(call->arguments[1]);
  if (!address.ok()) return call->Fail(InField(address.status(), "address"));
  parts_.service->GetAddress(call->arguments[0], *address,
                             Answering<RecordView>(call, [this, call](const RecordView& view, JsonWriter* json) {
                               encoder_.Write(call->arguments[0], view, json);
                             }));
}

void Api::DeleteAddress(Call call, HttpRequest&) const {
  absl::StatusOr<Ip> address = Ip::Parse(call->arguments[1]);
  if (!address.ok()) return call->Fail(InField(address.status(), "address"));
  parts_.service->EndPreserve(call->arguments[0], *address, AnsweringNothing(call));
}

void Api::Watch(Call call, HttpRequest& request) const {
  QueryArguments query(request);
  std::optional<std::string> text = query.Text("revision");
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  const std::string last_event = std::string(request.Header("Last-Event-ID"));
  if (!last_event.empty()) text = last_event;
  std::optional<uint64_t> revision;
  if (text) {
    absl::StatusOr<uint64_t> parsed = parts_.service->ParseRevision(*text);
    if (!parsed.ok()) return call->Fail(InField(parsed.status(), last_event.empty() ? "revision" : "Last-Event-ID"));
    revision = *parsed;
  }
  if (watches_->Full()) {
    return call->Fail(Error(absl::StatusCode::kUnavailable, "TOO_MANY_WATCHES",
                            absl::StrCat("there are ", WatchPump::kMaxWatches, " watches, the most that there can be")));
  }
  const bool sse = request.Header("Accept").find("text/event-stream") != std::string_view::npos;
  auto begin = [this, call, sse](absl::StatusOr<std::vector<PoolView>> pools, WatchView view) {
    if (!pools.ok()) return call->Fail(pools.status());
    WatchPump::Watch watch{.network = call->arguments[0], .view = std::move(view)};
    watch.format = sse ? WatchPump::Format::kSse : WatchPump::Format::kNdjson;
    for (const PoolView& pool : *pools) watch.pools.emplace(pool.config.id, pool.config);
    HttpResponse head;
    head.content_type = sse ? "text/event-stream" : "application/x-ndjson";
    head.headers = {{"Cache-Control", "no-store"}};
    watches_->Add(std::move(watch), call->Stream(std::move(head)));
  };
  parts_.service->Watch(call->arguments[0], revision, [this, call, begin](absl::StatusOr<WatchView> view) {
    if (!view.ok()) return call->Fail(view.status());
    parts_.service->ListPools(call->arguments[0], [begin, view = *view](absl::StatusOr<std::vector<PoolView>> pools) {
      begin(std::move(pools), view);
    });
  });
}

}  // namespace gnomon
