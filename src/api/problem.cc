// SPDX-License-Identifier: Apache-2.0
#include "api/problem.h"

#include "api/json.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

std::string Body(int status, const ErrorParts& parts, std::string_view detail, std::string_view request_id) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key("type").String("about:blank");
  json.Key("title").String(TitleOf(status));
  json.Key("status").Int(status);
  json.Key("detail").String(detail);
  json.Key("code").String(parts.code);
  if (!parts.field.empty()) json.Key("field").String(parts.field);
  if (!parts.value.empty()) json.Key("value").String(parts.value);
  if (!parts.hint.empty()) json.Key("hint").String(parts.hint);
  for (const auto& [name, value] : parts.numbers) json.Key(name).Int(value);
  if (!request_id.empty()) json.Key("request_id").String(request_id);
  json.EndObject();
  body.push_back('\n');
  return body;
}

HttpResponse Respond(int status, const ErrorParts& parts, std::string_view detail, std::string_view request_id) {
  HttpResponse response;
  response.status = status;
  response.body = Body(status, parts, detail, request_id);
  response.content_type = "application/problem+json";
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk: return 200;
    case absl::StatusCode::kInvalidArgument: return 400;
    case absl::StatusCode::kUnauthenticated: return 401;
    case absl::StatusCode::kPermissionDenied: return 403;
    case absl::StatusCode::kNotFound: return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted: return 409;
    case absl::StatusCode::kOutOfRange: return 410;
    case absl::StatusCode::kUnavailable: return 503;
    default: return 500;
  }
}

std::string_view TitleOf(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

HttpResponse ProblemResponse(const absl::Status& error, std::string_view request_id) {
  return ProblemResponse(HttpStatusOf(error.code()), error, request_id);
}

HttpResponse ProblemResponse(int status, const absl::Status& error, std::string_view request_id) {
  GNOMON_CHECK(!error.ok());
  ErrorParts parts = PartsOf(error);
  if (parts.code.empty()) parts.code = absl::StatusCodeToString(error.code());
  return Respond(status, parts, StdView(error.message()), request_id);
}

HttpResponse ProblemResponse(int status, std::string_view code, std::string_view detail, std::string_view request_id) {
  ErrorParts parts;
  parts.code = code;
  return Respond(status, parts, detail, request_id);
}

}  // namespace gnomon
