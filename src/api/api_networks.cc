// SPDX-License-Identifier: Apache-2.0
//
// Networks, pools and hosts.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

// What lists by name have in common: at most `page_size` of those after the token, which is a name.
struct NamePage {
  size_t page_size = 0;
  std::string after;
};

absl::StatusOr<NamePage> DecodePage(const HttpRequest& request) {
  QueryArguments query(request);
  NamePage page;
  page.page_size = static_cast<size_t>(query.Int("page_size", 100, 1, Service::kMaxPage));
  page.after = query.Name("page_token");
  GNOMON_RETURN_IF_ERROR(query.Done());
  return page;
}

// The members of a page of things with a name; `write` writes one.
template <typename T, typename NameOf, typename Write>
std::string WritePage(std::string_view member, const std::vector<T>& all, const NamePage& page, NameOf name_of, Write write,
                      const std::string& revision = "") {
  std::string answer, next;
  JsonWriter json(&answer);
  json.BeginObject().Key(member).BeginArray();
  size_t count = 0;
  std::string last;
  for (const T& one : all) {
    if (name_of(one) <= page.after) continue;
    if (count == page.page_size) {
      next = last;
      break;
    }
    write(one, &json);
    last = name_of(one);
    ++count;
  }
  json.EndArray().Key("next_page_token").String(next);
  if (!revision.empty()) json.Key("revision").String(revision);
  json.EndObject();
  return answer;
}

// What a PATCH changes: what is not sent stays as it is when its turn comes. So the body is decoded twice: here, to
// refuse it at once, and then on the present value.
template <typename T>
absl::StatusOr<absl::AnyInvocable<absl::Status(T*)>> ChangeOf(const HttpRequest& request,
                                                              absl::Status (*decode)(JsonObject&, T*)) {
  auto change = [text = std::string(request.body), decode](T* value) -> absl::Status {
    JsonDocument document;
    absl::StatusOr<JsonObject> members = document.Parse(text);
    if (!members.ok()) return members.status();
    return decode(*members, value);
  };
  T unused;
  if (absl::Status decoded = change(&unused); !decoded.ok()) return decoded;
  return change;
}

// A creation that asks for `wanted` found the network. An error that names the first member in which the two differ, as far
// as it was sent.
struct WantedNetwork {
  std::string account;
  std::optional<int64_t> vni;
  std::optional<uint32_t> warm_target;
  std::optional<std::map<std::string, uint32_t>> warm_targets;
  std::optional<PredictionMode> prediction_mode;
  std::optional<double> target_hit_rate;
};

absl::Status Compare(const WantedNetwork& wanted, const NetworkEntry& has) {
  auto differs = [&](std::string_view field, const std::string& value, std::string_view hint) {
    return Error(absl::StatusCode::kAlreadyExists, "NETWORK_EXISTS",
                 absl::StrCat("network ", has.name, " exists with another ", AbslView(field)))
        .Field(field)
        .Value(value)
        .Hint(hint);
  };
  const std::string_view fixed = "it stays as it was made: use another name, or leave it out to get what is there";
  const std::string_view changed = "update the network to change it, or leave it out";
  if (wanted.account != has.account) {
    return differs("account", wanted.account, "a network belongs to one account: use another name");
  }
  if (wanted.vni && *wanted.vni != has.vni) return differs("vni", absl::StrCat(*wanted.vni), fixed);
  if (wanted.warm_target && *wanted.warm_target != has.warm.target) {
    return differs("warm_target", absl::StrCat(*wanted.warm_target), changed);
  }
  if (wanted.warm_targets && *wanted.warm_targets != has.warm.by_type) return differs("warm_targets", "", changed);
  if (wanted.prediction_mode && *wanted.prediction_mode != has.warm.mode) {
    return differs("prediction_mode", std::string(NameOf(*wanted.prediction_mode)), changed);
  }
  if (wanted.target_hit_rate && *wanted.target_hit_rate != has.warm.hit_rate) {
    return differs("target_hit_rate", absl::StrCat(*wanted.target_hit_rate), changed);
  }
  return absl::OkStatus();
}

}  // namespace

void Api::CreateNetwork(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::string name;
  WantedNetwork wanted;
  WarmPool warm;
  body->RequiredName("name", &name).RequiredName("account", &wanted.account).Optional("vni", &wanted.vni);
  body->Range("vni", wanted.vni, 1, Catalogue::kMaxVni);
  if (absl::Status decoded = DecodeWarmPool(*body, &warm); !decoded.ok()) return call->Fail(decoded);
  if (body->Has("warm_target")) wanted.warm_target = warm.target;
  if (body->Has("warm_targets")) wanted.warm_targets = warm.by_type;
  if (body->Has("prediction_mode")) wanted.prediction_mode = warm.mode;
  if (body->Has("target_hit_rate")) wanted.target_hit_rate = warm.hit_rate;
  call->network = name;
  if (!request.principal.MayUse(name)) return call->Fail(NetworkForbidden(name));
  auto reply = [this, call, wanted](absl::StatusOr<std::pair<NetworkView, bool>> made) {
    if (CodeOf(made.status()) == "NETWORK_EXISTS") {  // which does not name the member
      const auto there = parts_.service->FindNetwork(call->network);
      const absl::Status differs = there == nullptr || there->deleting ? absl::OkStatus() : Compare(wanted, *there);
      return call->Fail(differs.ok() ? made.status() : differs);
    }
    if (!made.ok()) return call->Fail(made.status());
    if (!made->second) {
      if (absl::Status differs = Compare(wanted, made->first.entry); !differs.ok()) return call->Fail(differs);
    }
    if (parts_.configured) parts_.configured(made->first.entry);
    std::vector<std::pair<std::string, std::string>> headers;
    if (made->second) headers.emplace_back("Location", absl::StrCat("/v1/networks/", made->first.entry.name));
    Answer(
        *call, made->second ? 201 : 200, [&](JsonWriter* json) { encoder_.Write(made->first, json); },
        std::move(headers));
  };
  std::optional<uint32_t> vni;
  if (wanted.vni) vni = static_cast<uint32_t>(*wanted.vni);
  parts_.service->CreateNetwork(name, wanted.account, vni, warm, std::move(reply));
}

void Api::ListNetworks(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  std::vector<NetworkEntry> all = parts_.service->ListNetworks();
  std::erase_if(all, [&](const NetworkEntry& entry) { return !request.principal.MayUse(entry.name); });
  call->Send(200, WritePage("networks", all, *page, [](const NetworkEntry& entry) { return entry.name; },
                            [this](const NetworkEntry& entry, JsonWriter* json) { encoder_.Write(entry, json); }));
}

void Api::GetNetwork(Call call, HttpRequest&) const {
  parts_.service->GetNetwork(
      call->arguments[0],
      Answering<NetworkView>(call, [this](const NetworkView& view, JsonWriter* json) { encoder_.Write(view, json); }));
}

void Api::PatchNetwork(Call call, HttpRequest& request) const {
  auto change = ChangeOf<WarmPool>(request, &DecodeWarmPool);
  if (!change.ok()) return call->Fail(change.status());
  parts_.service->UpdateWarmPool(call->arguments[0], *std::move(change),
                                 Answering<NetworkView>(call, [this](const NetworkView& view, JsonWriter* json) {
                                   if (parts_.configured) parts_.configured(view.entry);
                                   encoder_.Write(view, json);
                                 }));
}

void Api::DeleteNetwork(Call call, HttpRequest&) const {
  parts_.service->DeleteNetwork(call->arguments[0], AnsweringNothing(call));
}

void Api::ListPlans(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  parts_.service->GetNetwork(call->arguments[0], [this, call, page = *page](absl::StatusOr<NetworkView> view) {
    if (!view.ok()) return call->Fail(view.status());
    const std::vector<TypePlan> plans = parts_.plans ? parts_.plans(view->entry) : std::vector<TypePlan>();
    call->Send(200, WritePage(
                        "plans", plans, page, [](const TypePlan& plan) { return plan.type; },
                        [this](const TypePlan& plan, JsonWriter* json) { encoder_.Write(plan, json); }));
  });
}

void Api::CreatePool(Call call, HttpRequest& request) const {
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  PoolConfig config;
  std::string prefix_text;
  body->RequiredName("name", &config.name).Required("prefix", &prefix_text);
  absl::StatusOr<Prefix> prefix = Prefix::Parse(prefix_text);
  if (!prefix.ok()) {
    body->Fail(InField(prefix.status(), "prefix"));
  } else {
    config.prefix = *prefix;
  }
  if (absl::Status decoded = DecodePoolMembers(*body, &config); !decoded.ok()) return call->Fail(decoded);
  const std::string location = absl::StrCat("/v1/networks/", call->arguments[0], "/pools/", config.name);
  parts_.service->CreatePool(call->arguments[0], std::move(config), [this, call, location](absl::StatusOr<PoolView> view) {
    if (!view.ok()) return call->Fail(view.status());
    Answer(*call, 201, [&](JsonWriter* json) { encoder_.Write(*view, json); }, {{"Location", location}});
  });
}

void Api::ListPools(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  auto write = [this, call, page = *page](absl::StatusOr<std::vector<PoolView>> views, uint64_t revision) {
    if (!views.ok()) return call->Fail(views.status());
    std::sort(views->begin(), views->end(),
              [](const PoolView& a, const PoolView& b) { return a.config.name < b.config.name; });
    call->Send(200, WritePage("pools", *views, page, [](const PoolView& view) { return view.config.name; },
                              [this](const PoolView& view, JsonWriter* json) { encoder_.Write(view, json); },
                              parts_.service->RevisionText(revision)));
  };
  // The revision first: what changes before the list is read comes again in a watch from there, and does no harm.
  parts_.service->GetNetwork(call->arguments[0], [this, call, write](absl::StatusOr<NetworkView> network) {
    if (!network.ok()) return call->Fail(network.status());
    parts_.service->ListPools(call->arguments[0], [write, revision = network->revision](auto views) {
      write(std::move(views), revision);
    });
  });
}

void Api::GetPool(Call call, HttpRequest&) const {
  parts_.service->ListPools(call->arguments[0], [this, call](absl::StatusOr<std::vector<PoolView>> views) {
    if (!views.ok()) return call->Fail(views.status());
    for (const PoolView& view : *views) {
      if (view.config.name != call->arguments[1]) continue;
      return Answer(*call, 200, [&](JsonWriter* json) { encoder_.Write(view, json); });
    }
    call->Fail(PoolNotFound(call->arguments[1]));
  });
}

void Api::PatchPool(Call call, HttpRequest& request) const {
  auto change = ChangeOf<PoolConfig>(request, &DecodePoolMembers);
  if (!change.ok()) return call->Fail(change.status());
  parts_.service->UpdatePool(
      call->arguments[0], call->arguments[1], *std::move(change),
      Answering<PoolView>(call, [this](const PoolView& view, JsonWriter* json) { encoder_.Write(view, json); }));
}

void Api::DeletePool(Call call, HttpRequest&) const {
  parts_.service->DeletePool(call->arguments[0], call->arguments[1], AnsweringNothing(call));
}

void Api::PutHost(Call call, HttpRequest& request) const {
  if (absl::Status valid = CheckName("host", call->arguments[0]); !valid.ok()) return call->Fail(valid);
  JsonDocument document;
  absl::StatusOr<JsonObject> body = document.Parse(request.body);
  if (!body.ok()) return call->Fail(body.status());
  std::string text;
  body->Required("physical_address", &text);
  if (absl::Status done = body->Done(); !done.ok()) return call->Fail(done);
  absl::StatusOr<Ip> address = Ip::Parse(text);
  if (!address.ok()) return call->Fail(InField(address.status(), "physical_address"));
  parts_.service->SetHost(
      call->arguments[0], *address,
      Answering<HostEntry>(call, [this](const HostEntry& host, JsonWriter* json) { encoder_.Write(host, json); }));
}

void Api::ListHosts(Call call, HttpRequest& request) const {
  absl::StatusOr<NamePage> page = DecodePage(request);
  if (!page.ok()) return call->Fail(page.status());
  call->Send(200, WritePage("hosts", parts_.service->ListHosts(), *page, [](const HostEntry& host) { return host.name; },
                            [this](const HostEntry& host, JsonWriter* json) { encoder_.Write(host, json); }));
}

void Api::GetHost(Call call, HttpRequest&) const {
  for (const HostEntry& host : parts_.service->ListHosts()) {
    if (host.name != call->arguments[0]) continue;
    return Answer(*call, 200, [&](JsonWriter* json) { encoder_.Write(host, json); });
  }
  call->Fail(HostNotFound(call->arguments[0]));
}

void Api::DeleteHost(Call call, HttpRequest&) const {
  parts_.service->DeleteHost(call->arguments[0], AnsweringNothing(call));
}

}  // namespace gnomon
