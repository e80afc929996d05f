// SPDX-License-Identifier: Apache-2.0
#include "client/api_client.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"

namespace gnomon {
namespace {

constexpr size_t kMaxPageSize = 1000;
constexpr size_t kMaxLineBytes = 16 << 20;

const JsonValue kNull = nullptr;

absl::StatusOr<JsonValue> ParseAnswer(std::string_view text, std::string_view path) {
  boost::system::error_code failed;
  JsonValue value = boost::json::parse(boost::json::string_view(text.data(), text.size()), failed);
  if (failed) {
    return Error(absl::StatusCode::kInternal, "BAD_ANSWER",
                 absl::StrCat("the answer to ", AbslView(path), " is not JSON: ", failed.message()))
        .Hint("is this address gnomond's?");
  }
  return value;
}

absl::StatusCode CodeOfConflict(std::string_view code) {
  if (code.ends_with("_EXHAUSTED")) return absl::StatusCode::kResourceExhausted;
  if (code.ends_with("_EXISTS") || code.ends_with("_DIFFERS")) return absl::StatusCode::kAlreadyExists;
  return absl::StatusCode::kFailedPrecondition;
}

absl::StatusCode CodeOfHttp(int status, std::string_view code) {
  switch (status) {
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 405:
    case 501:
      return absl::StatusCode::kUnimplemented;
    case 409:
    case 412:
      return CodeOfConflict(code);
    case 410:
      return absl::StatusCode::kOutOfRange;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return status < 500 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kInternal;
  }
}

// Cuts a stream into lines.
class LineCutter {
 public:
  explicit LineCutter(std::function<absl::Status(std::string_view)> on_line) : on_line_(std::move(on_line)) {}

  absl::Status Add(std::string_view piece) {
    for (size_t end; (end = piece.find('\n')) != std::string_view::npos; piece.remove_prefix(end + 1)) {
      pending_.append(piece.substr(0, end));
      std::string line = std::exchange(pending_, {});
      if (!line.empty() && line != "\r") GNOMON_RETURN_IF_ERROR(on_line_(line));
    }
    pending_.append(piece);
    if (pending_.size() <= kMaxLineBytes) return absl::OkStatus();
    return Error(absl::StatusCode::kInternal, "BAD_ANSWER",
                 absl::StrCat("a line of more than ", kMaxLineBytes, " bytes"));
  }

 private:
  const std::function<absl::Status(std::string_view)> on_line_;
  std::string pending_;
};

}  // namespace

std::string ApiPath(const std::vector<std::string_view>& segments, const Query& query) {
  std::string path;
  for (std::string_view segment : segments) {
    path += '/';
    for (std::string_view rest = segment; !rest.empty();) {  // "vm-1:reassign", "fd00::1"
      size_t colon = std::min(rest.find(':'), rest.size());
      path += PercentEncode(rest.substr(0, colon));
      if (colon < rest.size()) path += ':';
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    absl::StrAppend(&path, std::string(1, separator), name, "=", PercentEncode(value));
    separator = '&';
  }
  return path;
}

absl::Status StatusFromProblem(const ClientResponse& response) {
  boost::system::error_code failed;
  JsonValue problem = boost::json::parse(response.body, failed);
  if (failed || !problem.is_object()) {
    std::string code = absl::StrCat("HTTP_", response.status);
    return Error(CodeOfHttp(response.status, code), code,
                 absl::StrCat("the server answered ", response.status, " ", Excerpt(response.body)));
  }
  std::string code = TextMember(problem, "code");
  if (code.empty()) code = absl::StrCat("HTTP_", response.status);
  std::string message = TextMember(problem, "detail");
  if (message.empty()) message = TextMember(problem, "title");
  Error error(CodeOfHttp(response.status, code), code, message);
  for (const auto& [name, value] : problem.get_object()) {
    std::string_view key(name.data(), name.size());
    if (value.is_string()) {
      std::string_view text(value.get_string().data(), value.get_string().size());
      if (key == "field") error.Field(text);
      if (key == "value") error.Value(text);
      if (key == "hint") error.Hint(text);
    } else if (value.is_int64() && key != "status" && key.find('\n') == std::string_view::npos) {
      error.Number(key, value.get_int64());
    }
  }
  return error;
}

absl::StatusOr<JsonValue> ApiClient::Call(std::string_view method, std::string_view path, const JsonValue& body) {
  std::string text = body.is_null() ? std::string() : boost::json::serialize(body);
  GNOMON_ASSIGN_OR_RETURN(ClientResponse response, http_.Send({.method = method, .path = path, .body = text}));
  if (response.status >= 400) return StatusFromProblem(response);
  if (response.body.empty()) return JsonValue(nullptr);
  return ParseAnswer(response.body, path);
}

absl::StatusOr<std::string> ApiClient::List(const std::vector<std::string_view>& segments, std::string_view member,
                                            Query query, size_t limit, const OnItem& on_item) {
  const size_t page_size = limit == 0 ? kMaxPageSize : std::min(limit, kMaxPageSize);
  query.emplace_back("page_size", absl::StrCat(page_size));
  query.emplace_back("page_token", "");
  std::string revision;
  size_t taken = 0;
  for (bool first = true;; first = false) {
    GNOMON_ASSIGN_OR_RETURN(JsonValue page, Get(ApiPath(segments, query)));
    if (!Member(page, member).is_array()) {
      return Error(absl::StatusCode::kInternal, "BAD_ANSWER", absl::StrCat("the page has no list ", AbslView(member)));
    }
    if (first) revision = TextMember(page, "revision");
    std::string next = TextMember(page, "next_page_token");
    for (JsonValue& item : page.get_object()[boost::json::string_view(member.data(), member.size())].get_array()) {
      GNOMON_RETURN_IF_ERROR(on_item(std::move(item)));
      if (++taken == limit) return revision;
    }
    if (next.empty()) return revision;
    if (next == query.back().second) {
      return Error(absl::StatusCode::kInternal, "BAD_ANSWER", "the list goes round: a page names itself as the next");
    }
    query.back().second = std::move(next);
  }
}

absl::StatusOr<std::string> ApiClient::GetText(std::string_view path, int* status) {
  GNOMON_ASSIGN_OR_RETURN(ClientResponse response, http_.Send({.path = path, .accept = "text/plain, */*"}));
  if (status != nullptr) {
    *status = response.status;
  } else if (response.status >= 400) {
    return StatusFromProblem(response);
  }
  return std::move(response.body);
}

absl::Status ApiClient::Watch(std::string_view network, std::string_view revision, const OnEvent& on_event) {
  std::string path = ApiPath({"v1", "networks", network, "watch"}, {{"revision", std::string(revision)}});
  LineCutter cutter([&](std::string_view line) -> absl::Status {
    GNOMON_ASSIGN_OR_RETURN(JsonValue event, ParseAnswer(line, path));
    if (!event.is_object()) return Error(absl::StatusCode::kInternal, "BAD_ANSWER", "an event is not an object");
    if (TextMember(event, "type") == "error") {
      const JsonValue& problem = Member(event, "object");
      return StatusFromProblem({.status = static_cast<int>(NumberMember(problem, "status")),
                                .content_type = "application/problem+json",
                                .body = boost::json::serialize(problem),
                                .date = std::nullopt});
    }
    return on_event(event.get_object());
  });
  GNOMON_ASSIGN_OR_RETURN(ClientResponse response,
                          http_.Stream({.path = path, .accept = "application/x-ndjson"},
                                       [&](std::string_view piece) { return cutter.Add(piece); }));
  if (response.status >= 400) return StatusFromProblem(response);
  return Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the server ended the watch");
}

absl::Status ApiClient::Backup(const HttpClient::Sink& sink) {
  GNOMON_ASSIGN_OR_RETURN(
      ClientResponse response,
      http_.Stream({.method = "POST", .path = "/v1/backup", .accept = "application/octet-stream"}, sink));
  return response.status >= 400 ? StatusFromProblem(response) : absl::OkStatus();
}

const JsonValue& Member(const JsonObject& object, std::string_view name) {
  const JsonValue* found = object.if_contains(boost::json::string_view(name.data(), name.size()));
  return found == nullptr ? kNull : *found;
}

const JsonValue& Member(const JsonValue& object, std::string_view name) {
  return object.is_object() ? Member(object.get_object(), name) : kNull;
}

std::string TextMember(const JsonValue& object, std::string_view name) {
  const JsonValue& value = Member(object, name);
  return value.is_string() ? std::string(value.get_string().data(), value.get_string().size()) : std::string();
}

std::optional<absl::Time> TimeMember(const JsonValue& object, std::string_view name) {
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, TextMember(object, name), &time, &ignored)) return std::nullopt;
  return time;
}

int64_t NumberMember(const JsonValue& object, std::string_view name) {
  const JsonValue& value = Member(object, name);
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return static_cast<int64_t>(std::min<uint64_t>(value.get_uint64(), INT64_MAX));
  return value.is_double() ? static_cast<int64_t>(value.get_double()) : 0;
}

}  // namespace gnomon
