// SPDX-License-Identifier: Apache-2.0
//
// A problem is an error as HTTP tells it: RFC 9457 application/problem+json with our code, field, value and hint.
//
// The status of each absl code: INVALID_ARGUMENT 400, UNAUTHENTICATED 401, PERMISSION_DENIED 403, NOT_FOUND 404,
// ALREADY_EXISTS, FAILED_PRECONDITION, RESOURCE_EXHAUSTED and ABORTED 409, OUT_OF_RANGE 410, UNAVAILABLE 503 with
// Retry-After: 1, all others 500. Errors of HTTP itself (405, 413, 415, 431) are made by their status.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/http_message.h"

namespace gnomon {

int HttpStatusOf(absl::StatusCode code);

// The reason phrase of an error's status: "Not Found".
std::string_view TitleOf(int status);

// What `error`, which is not OK, answers. The detail of an error of ours (500) is given too: it names no secret.
HttpResponse ProblemResponse(const absl::Status& error, std::string_view request_id);

// An error of HTTP itself, as 405 "METHOD_NOT_ALLOWED". An empty `request_id` is left out.
HttpResponse ProblemResponse(int status, std::string_view code, std::string_view detail, std::string_view request_id);
// As `error`, with another status than its code's: 415 for a refused Content-Type.
HttpResponse ProblemResponse(int status, const absl::Status& error, std::string_view request_id);

}  // namespace gnomon
