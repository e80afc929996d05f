// SPDX-License-Identifier: Apache-2.0
//
// An HttpClient sends HTTP/1.1 requests to one server, over TCP, TLS or a unix socket, and keeps the connection.
//
// Example:
//   HttpClient http({.server = "unix:/run/gnomon/gnomon.sock"});
//   absl::StatusOr<ClientResponse> answer = http.Send({.method = "GET", .path = "/livez"});
//
// Threads: not thread-safe; one object a thread.
// Errors: an answer of any status is a success here. UNAVAILABLE (code SERVER_UNREACHABLE) when no answer came,
//   DEADLINE_EXCEEDED (SERVER_TIMEOUT), UNAUTHENTICATED (TLS_FAILED), INVALID_ARGUMENT (INVALID_SERVER), CANCELLED.
// Limits: an answer that is not streamed has at most `answer_bytes`, 64 MiB.
// Cost: about 30 us of processor a request on a kept connection.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

inline constexpr std::string_view kDefaultServer = "http://127.0.0.1:8080";

struct HttpClientOptions {
  std::string server = std::string(kDefaultServer);  // "http://host:port", "https://host:port" or "unix:/path"
  std::string token = {};                            // sent as a bearer token; never in clear beyond loopback
  std::string username = {}, password = {};          // instead of a token: basic authentication, no more in clear
  std::vector<std::string> headers = {};             // further ones of all requests, as "X-Scope-OrgID: acme"
  std::string ca_file = {};                          // PEM; the system's authorities if empty
  std::string client_cert_file = {};                 // PEM
  std::string client_key_file = {};                  // PEM
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration timeout = absl::Seconds(30);  // of a whole request; of silence, for a streamed one
  size_t answer_bytes = 64 << 20;  // the most that an answer may have that is not streamed
  const std::atomic<bool>* cancelled = nullptr;  // once it is true, requests end within about a second: CANCELLED
};

struct ClientRequest {
  std::string_view method = "GET";
  std::string_view path = "/";  // with its query, percent-encoded
  std::string_view body = {};
  std::string_view content_type = "application/json";  // of the body
  std::string_view accept = "application/json";
};

struct ClientResponse {
  int status = 0;
  std::string content_type;
  std::string body;
  std::optional<absl::Time> date;  // of the Date header
};

class HttpClient {
 public:
  // Takes each piece of a streamed body as it comes; anything but OK ends the request and is what Stream() returns.
  using Sink = std::function<absl::Status(std::string_view piece)>;

  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  absl::StatusOr<ClientResponse> Send(const ClientRequest& request);
  // Gives the body of a 2xx answer to `sink`; of any other it is in the response. A body cut short is UNAVAILABLE.
  absl::StatusOr<ClientResponse> Stream(const ClientRequest& request, const Sink& sink);

  const HttpClientOptions& options() const { return options_; }

 private:
  struct Transfer;

  absl::StatusOr<ClientResponse> Perform(const ClientRequest& request, const Sink* sink);
  void Prepare(const ClientRequest& request, bool streamed);
  absl::Status PrepareTarget();

  const HttpClientOptions options_;
  std::string base_url_;     // what precedes a path; set by PrepareTarget()
  std::string socket_path_;  // empty for TCP
  absl::Status target_ok_;   // of PrepareTarget()
  struct Curl;
  std::unique_ptr<Curl> curl_;
};

// `text` as one segment of a path or one value of a query: all but [A-Za-z0-9._~-] is percent-encoded.
std::string PercentEncode(std::string_view text);

}  // namespace gnomon
