// SPDX-License-Identifier: Apache-2.0
//
// An HttpRequest is what a client asked; an HttpResponse is the answer to it.
//
// Threads: value types. Ownership: all views in a request live until it is answered, then they dangle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "api/principal.h"
#include "base/absl_view.h"

namespace gnomon {

enum class HttpMethod : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };

// The other end of a connection.
struct HttpPeer {
  std::string address;      // "127.0.0.1:4711", "[::1]:4711" or "unix"
  bool loopback = false;    // 127.0.0.0/8 or ::1
  bool unix_socket = false;
  bool tls = false;
  std::string certificate;  // the subject's common name of a verified client certificate; empty without one
};

struct HttpRequest {
  HttpMethod method = HttpMethod::kOther;
  std::string_view method_name;
  std::string_view target;  // as sent, "/v1/networks/a%20b?x=1"
  std::string_view path;    // as sent, without the query; the router splits it, then decodes each segment
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in the order sent
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  const HttpPeer* peer = nullptr;
  Principal principal;  // nobody, until the authorizer has recognised one
  std::string id;       // X-Request-Id as sent if it is a name, or else one of ours

  // The first header of that name, whatever its case; empty if there is none.
  std::string_view Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (absl::EqualsIgnoreCase(AbslView(key), AbslView(name))) return value;
    }
    return {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // of static life; empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers;
};

// What the server allows a client. A breach is answered where it can be (431, 413, 408) and ends the connection.
struct HttpLimits {
  size_t body_bytes = 1 << 20;
  size_t header_bytes = 16 << 10;  // of the request line and all headers
  size_t connections = 10000;      // one more is closed as soon as it is accepted
  size_t stream_bytes = 1 << 20;   // buffered for one stream's reader
  absl::Duration header_timeout = absl::Seconds(10);  // from the first byte, or from the connection, to the last header
  absl::Duration body_timeout = absl::Seconds(30);    // from the last header to the end of the body
  absl::Duration idle_timeout = absl::Seconds(75);    // between requests
  absl::Duration write_timeout = absl::Seconds(30);   // for an answer; for a stream, without any progress
};

// "application/json" of "Application/JSON; charset=utf-8".
std::string MediaTypeOf(std::string_view content_type);

// Undoes percent-encoding; with `plus`, as in a query, "+" is a space. False if a % is not followed by two hex digits.
bool PercentDecode(std::string_view text, bool plus, std::string* out);

// Splits "a=1&b=x%20y" into decoded pairs, in place of what `out` held. False if it is malformed.
bool ParseQuery(std::string_view text, std::vector<std::pair<std::string, std::string>>* out);

}  // namespace gnomon
