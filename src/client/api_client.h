// SPDX-License-Identifier: Apache-2.0
//
// An ApiClient speaks Gnomon's HTTP API: JSON in and out, lists read to their end, refusals as Errors.
//
// Example:
//   ApiClient api({.server = "http://127.0.0.1:8080"});
//   absl::StatusOr<JsonValue> made = api.Call("POST", "/v1/networks/prod/instances", JsonObject{{"id", "vm-1"}, ...});
//
// Threads: not thread-safe; one object a thread.
// Errors: HttpClient's, and what the server refused, with its own code, field, value, hint and numbers (base/error.h).
//   An answer that is not what the API promises is INTERNAL (BAD_ANSWER).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"
#include "client/http_client.h"

namespace gnomon {

using JsonValue = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

// A query in the order given; pairs without a value are left out.
using Query = std::vector<std::pair<std::string, std::string>>;

// A path from its segments, each percent-encoded but for its ':', and a query: ApiPath({"v1", "networks", name}).
std::string ApiPath(const std::vector<std::string_view>& segments, const Query& query = {});

class ApiClient {
 public:
  // One item of a list; anything but OK ends the listing.
  using OnItem = std::function<absl::Status(JsonValue item)>;
  // One line of a watch, parsed; anything but OK ends the watch and is what Watch() returns.
  using OnEvent = std::function<absl::Status(const JsonObject& event)>;

  explicit ApiClient(HttpClientOptions options) : http_(std::move(options)) {}

  absl::StatusOr<JsonValue> Get(std::string_view path) { return Call("GET", path, nullptr); }
  absl::StatusOr<JsonValue> Delete(std::string_view path) { return Call("DELETE", path, nullptr); }
  // A null `body` sends none. An empty answer is null.
  absl::StatusOr<JsonValue> Call(std::string_view method, std::string_view path, const JsonValue& body);

  // All pages of the list at `segments` of a path, whose items are in the member `member`. At most `limit` items;
  // 0 is all of them. Returns the first page's revision, empty if it has none.
  absl::StatusOr<std::string> List(const std::vector<std::string_view>& segments, std::string_view member, Query query,
                                   size_t limit, const OnItem& on_item);

  // Text, as of /metrics and /readyz. `status` gets the HTTP status; with it given, no status is an error.
  absl::StatusOr<std::string> GetText(std::string_view path, int* status = nullptr);

  // Ends with UNAVAILABLE (WATCH_ENDED) when the server ends it, or with the error that it gave before.
  absl::Status Watch(std::string_view network, std::string_view revision, const OnEvent& on_event);

  absl::Status Backup(const HttpClient::Sink& sink);

  HttpClient& http() { return http_; }

 private:
  HttpClient http_;
};

// The Error that an answer of a status from 400 on means.
absl::Status StatusFromProblem(const ClientResponse& response);

// What the answers hold, read without fear of what the server sent: a default where a member is missing or of another
// type.
const JsonValue& Member(const JsonValue& object, std::string_view name);  // null if there is none
const JsonValue& Member(const JsonObject& object, std::string_view name);
std::string TextMember(const JsonValue& object, std::string_view name);
// An RFC 3339 time; nullopt if it is none.
std::optional<absl::Time> TimeMember(const JsonValue& object, std::string_view name);
int64_t NumberMember(const JsonValue& object, std::string_view name);

}  // namespace gnomon
