// SPDX-License-Identifier: Apache-2.0
#include "sim/network_client.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "client/api_client.h"

namespace gnomon {
namespace {

absl::Time TimeMember(const JsonValue& json, std::string_view name, absl::Time otherwise) {
  const std::string text = TextMember(json, name);
  absl::Time time = otherwise;
  std::string error;
  if (!text.empty() && !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return otherwise;
  return time;
}

SeenRecord RecordOf(const JsonValue& json) {
  SeenRecord record;
  record.address = Ip::Parse(TextMember(json, "address")).value_or(Ip());
  record.state = TextMember(json, "state");
  record.instance = TextMember(json, "instance");
  record.mac = TextMember(json, "mac");
  record.pool = TextMember(json, "pool");
  record.generation = RevisionNumber(TextMember(json, "generation"));
  record.revision = RevisionNumber(TextMember(json, "revision"));
  record.since = TimeMember(json, "since", absl::InfinitePast());
  record.until = TimeMember(json, "until", absl::InfiniteFuture());
  return record;
}

SeenInstance InstanceOf(const JsonValue& json) {
  SeenInstance instance;
  instance.id = TextMember(json, "id");
  instance.mac = TextMember(json, "mac");
  instance.generation = RevisionNumber(TextMember(json, "generation"));
  instance.revision = RevisionNumber(TextMember(json, "revision"));
  instance.record = RecordOf(Member(json, "record"));
  if (const JsonValue& addresses = Member(json, "addresses"); addresses.is_array()) {
    for (const JsonValue& one : addresses.as_array()) {
      instance.addresses.push_back(Ip::Parse(TextMember(one, "address")).value_or(Ip()));
    }
  }
  return instance;
}

JsonObject BodyOf(const Wish& wish) {
  JsonObject body{{"id", wish.id}, {"type", wish.type}};
  JsonArray families;
  if (wish.families != 6) families.push_back("ipv4");
  if (wish.families != 4) families.push_back("ipv6");
  body["families"] = families;
  if (wish.address) body["address"] = wish.address->ToString();
  return body;
}

// Every item of a list of lists' JSON.
template <typename T, typename Read>
std::vector<T> ItemsOf(const JsonValue& json, std::string_view member, Read read) {
  std::vector<T> items;
  const JsonValue& found = Member(json, member);
  if (!found.is_array()) return items;
  for (const JsonValue& one : found.as_array()) items.push_back(read(one));
  return items;
}

SeenPool PoolOf(const JsonValue& json) {
  const JsonValue& counts = Member(json, "counts");
  return {TextMember(json, "name"),          NumberMember(counts, "capacity"), NumberMember(counts, "free"),
          NumberMember(counts, "shadow"),    NumberMember(counts, "held"),
          RevisionNumber(TextMember(json, "revision"))};
}

absl::Status FineIfThere(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

}  // namespace

uint64_t RevisionNumber(const std::string& text) {
  uint64_t number = 0;
  const size_t dash = text.find('-');
  if (dash != std::string::npos && !absl::SimpleAtoi(text.substr(dash + 1), &number)) return 0;
  return number;
}

std::string SeenRecord::ToString() const {
  return absl::StrCat(address.ToString(), " ", state, " instance=", instance, " mac=", mac, " generation=", generation,
                      " revision=", revision, " since=", absl::FormatTime(since, absl::UTCTimeZone()),
                      " until=", absl::FormatTime(until, absl::UTCTimeZone()));
}

NetworkClient::NetworkClient(const std::string& server, std::string network)
    : api_(std::make_unique<ApiClient>(HttpClientOptions{.server = server, .timeout = absl::Seconds(20)})),
      network_(std::move(network)) {}

NetworkClient::~NetworkClient() = default;

std::string NetworkClient::Path(std::string_view list, std::string_view name, std::string_view verb) const {
  std::string path = ApiPath({"v1", "networks", network_, list});
  if (!name.empty()) absl::StrAppend(&path, "/", PercentEncode(name));
  return absl::StrCat(path, AbslView(verb));
}

absl::StatusOr<SeenInstance> NetworkClient::Create(const Wish& wish) {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Call("POST", Path("instances"), BodyOf(wish)));
  return InstanceOf(answer);
}

absl::StatusOr<std::vector<SeenInstance>> NetworkClient::CreateBatch(const std::vector<Wish>& wishes) {
  JsonArray bodies;
  for (const Wish& wish : wishes) bodies.push_back(BodyOf(wish));
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer,
                          api_->Call("POST", Path("instances:batch"), JsonObject{{"instances", std::move(bodies)}}));
  return ItemsOf<SeenInstance>(answer, "instances", InstanceOf);
}

absl::StatusOr<SeenInstance> NetworkClient::Get(const std::string& id) {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Get(Path("instances", id)));
  return InstanceOf(answer);
}

absl::StatusOr<std::vector<SeenRecord>> NetworkClient::Release(const std::string& id, bool preserve) {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Delete(Path("instances", id, preserve ? "?preserve=1h" : "")));
  return ItemsOf<SeenRecord>(answer, "released", RecordOf);
}

absl::StatusOr<SeenInstance> NetworkClient::Reassign(const std::string& id, Ip address) {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Call("POST", Path("instances", id, ":reassign"),
                                                      JsonObject{{"address", address.ToString()}}));
  return InstanceOf(answer);
}

absl::Status NetworkClient::EndPreserve(Ip address) {
  return api_->Delete(Path("addresses", address.ToString())).status();
}

absl::Status NetworkClient::Predict(const std::string& type, int count, const std::string& id) {
  const JsonArray predictions{JsonObject{{"type", type}, {"count", count}, {"horizon", "1h"}}};
  return api_
      ->Call("POST", "/predict_instances",
            JsonObject{{"network", network_}, {"source", "crash"}, {"id", id}, {"predictions", predictions}})
      .status();
}

absl::StatusOr<SeenList> NetworkClient::List() {
  SeenList list;
  const auto keep = [&](JsonValue item) {
    list.records.push_back(RecordOf(item));
    return absl::OkStatus();
  };
  GNOMON_ASSIGN_OR_RETURN(std::string revision,
                          api_->List({"v1", "networks", network_, "addresses"}, "addresses", {}, 0, keep));
  list.revision = RevisionNumber(revision);
  return list;
}

absl::StatusOr<SeenList> NetworkClient::ListPage() {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Get(Path("addresses")));
  return SeenList{ItemsOf<SeenRecord>(answer, "addresses", RecordOf), RevisionNumber(TextMember(answer, "revision"))};
}

absl::StatusOr<std::vector<SeenPool>> NetworkClient::Pools() {
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api_->Get(Path("pools")));
  return ItemsOf<SeenPool>(answer, "pools", PoolOf);
}

absl::Status NetworkClient::MakeNetwork() {
  return FineIfThere(api_->Call("POST", "/v1/networks", JsonObject{{"name", network_}, {"account", "acme"}}).status());
}

absl::Status NetworkClient::MakePool(const std::string& name, const std::string& prefix, absl::Duration quarantine) {
  const JsonObject body{{"name", name}, {"prefix", prefix}, {"quarantine", absl::FormatDuration(quarantine)}};
  return FineIfThere(api_->Call("POST", Path("pools"), body).status());
}

absl::Status NetworkClient::SetWarmTarget(const std::string& type, int count) {
  const JsonObject body{{"warm_targets", JsonObject{{type, count}}}};
  return api_->Call("PATCH", ApiPath({"v1", "networks", network_}), body).status();
}

}  // namespace gnomon
