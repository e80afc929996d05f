// SPDX-License-Identifier: Apache-2.0
#include "client/http_client.h"

#include <curl/curl.h>

#include <array>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

void InitializeCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] { GNOMON_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

// The host of "http://host:port/...", without the brackets of an IPv6 address.
std::string_view HostOf(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find_first_of(":/"));
}

bool IsLoopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

absl::Status BadServer(std::string_view server, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_SERVER",
               absl::StrCat("server ", Excerpt(server), " ", AbslView(why)))
      .Field("server")
      .Value(Excerpt(server))
      .Hint("use http://127.0.0.1:8080, https://host:port or unix:/path");
}

// The one place where libcurl's errors become ours.
absl::Status FromCurl(CURLcode code, const char* detail, long system_error, const HttpClientOptions& options) {
  std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
  // There it names a host and a port, which a socket has not.
  if (options.server.starts_with("unix:") && code == CURLE_COULDNT_CONNECT) {
    why = system_error != 0 ? std::strerror(static_cast<int>(system_error)) : "nothing listens on this socket";
  }
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError(absl::StrCat("the request to ", options.server, " was given up"));
    case CURLE_OPERATION_TIMEDOUT:
      return Error(absl::StatusCode::kDeadlineExceeded, "SERVER_TIMEOUT",
                   absl::StrCat(options.server, " did not answer in time: ", why))
          .Hint(
              "the server may be overloaded; a request that was sent may have been carried out, and may be sent again");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return BadServer(options.server, "is not a usable address");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Error(absl::StatusCode::kUnauthenticated, "TLS_FAILED", absl::StrCat(options.server, ": ", why))
          .Hint(why.find("wrong version number") == std::string::npos
                    ? "give the authority that signed the server's certificate with --ca-file"
                    : "the server speaks no TLS there: use http://");
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                   absl::StrCat("cannot reach ", options.server, ": ", why))
          .Hint("start gnomond, or name its address with --server or GNOMON_SERVER");
    default:
      return Error(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                   absl::StrCat("no whole answer from ", options.server, ": ", why));
  }
}

// libcurl asks several times a request, and about once a second while nothing comes.
int OnProgress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(cancelled) ? 1 : 0;
}

// Of "Date: Tue, 24 Nov 2026 07:09:34 GMT"; curl_getdate knows all the forms of RFC 9110.
std::optional<absl::Time> ParseDate(const std::string& text) {
  time_t seconds = curl_getdate(text.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return absl::FromTimeT(seconds);
}

}  // namespace

struct HttpClient::Curl {
  Curl() {
    InitializeCurlOnce();
    easy = curl_easy_init();
    GNOMON_CHECK(easy != nullptr);
  }
  ~Curl() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::array<char, CURL_ERROR_SIZE> error = {};
};

// What libcurl's callbacks of one request share.
struct HttpClient::Transfer {
  CURL* easy;
  const Sink* sink;  // null: all goes to the response
  size_t most;       // bytes of a response
  ClientResponse response;
  absl::Status failed;

  static size_t OnBody(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string_view piece(bytes, size * count);
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer.sink != nullptr && status >= 200 && status < 300) {
      transfer.failed = (*transfer.sink)(piece);
      return transfer.failed.ok() ? piece.size() : CURL_WRITEFUNC_ERROR;
    }
    if (transfer.response.body.size() + piece.size() > transfer.most) {
      transfer.failed = Error(absl::StatusCode::kResourceExhausted, "ANSWER_TOO_LARGE",
                              absl::StrCat("the answer has more than ", transfer.most, " bytes"));
      return CURL_WRITEFUNC_ERROR;
    }
    transfer.response.body.append(piece);
    return piece.size();
  }

  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    std::string_view line(bytes, size * count);
    if (size_t colon = line.find(':'); colon != std::string_view::npos) {
      std::string value(StdView(absl::StripAsciiWhitespace(AbslView(line.substr(colon + 1)))));
      if (absl::EqualsIgnoreCase(AbslView(line.substr(0, colon)), "date")) transfer.response.date = ParseDate(value);
    }
    return line.size();
  }
};

HttpClient::HttpClient(HttpClientOptions options) : options_(std::move(options)), curl_(std::make_unique<Curl>()) {
  target_ok_ = PrepareTarget();
}

HttpClient::~HttpClient() = default;

absl::Status HttpClient::PrepareTarget() {
  std::string_view server = options_.server;
  if (server.starts_with("unix:")) {
    socket_path_ = server.substr(5);
    if (socket_path_.starts_with("//")) socket_path_.erase(0, 2);
    if (!socket_path_.starts_with('/')) return BadServer(server, "has no absolute path");
    base_url_ = "http://localhost";
    return absl::OkStatus();
  }
  bool secure = server.starts_with("https://");
  if (!secure && !server.starts_with("http://")) return BadServer(server, "is neither a URL nor a unix socket");
  std::string_view host = HostOf(server);
  if (host.empty() || server.find('@') != std::string_view::npos) return BadServer(server, "names no host");
  if (!secure && !(options_.token.empty() && options_.password.empty()) && !IsLoopback(host)) {
    return BadServer(server, absl::StrCat("would get the ", options_.token.empty() ? "password" : "token", " in clear: use https"));
  }
  base_url_ = server;
  while (base_url_.ends_with('/')) base_url_.pop_back();
  return absl::OkStatus();
}

absl::StatusOr<ClientResponse> HttpClient::Send(const ClientRequest& request) { return Perform(request, nullptr); }

absl::StatusOr<ClientResponse> HttpClient::Stream(const ClientRequest& request, const Sink& sink) {
  return Perform(request, &sink);
}

void HttpClient::Prepare(const ClientRequest& request, bool streamed) {
  CURL* easy = curl_->easy;
  curl_easy_reset(easy);  // keeps the connections
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_->error.data());
  curl_easy_setopt(easy, CURLOPT_URL, absl::StrCat(base_url_, AbslView(request.path)).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  if (!socket_path_.empty()) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket_path_.c_str());
  if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.client_cert_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, options_.client_cert_file.c_str());
  if (!options_.client_key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, options_.client_key_file.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
  if (streamed) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(absl::ToInt64Seconds(options_.timeout)));
  } else {
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
  }
  if (request.method != "GET") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, std::string(request.method).c_str());
  if (options_.cancelled != nullptr) {
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &OnProgress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(options_.cancelled));
  }
  curl_slist_free_all(curl_->headers);
  curl_->headers = curl_slist_append(nullptr, absl::StrCat("Accept: ", AbslView(request.accept)).c_str());
  if (!options_.token.empty()) {
    curl_->headers = curl_slist_append(curl_->headers, absl::StrCat("Authorization: Bearer ", options_.token).c_str());
  }
  for (const std::string& header : options_.headers) curl_->headers = curl_slist_append(curl_->headers, header.c_str());
  if (!options_.username.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(easy, CURLOPT_USERNAME, options_.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options_.password.c_str());
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data() != nullptr ? request.body.data() : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_->headers = curl_slist_append(curl_->headers,
                                       absl::StrCat("Content-Type: ", AbslView(request.content_type)).c_str());
    curl_->headers = curl_slist_append(curl_->headers, "Expect:");  // no wait for a 100 Continue
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, curl_->headers);
}

absl::StatusOr<ClientResponse> HttpClient::Perform(const ClientRequest& request, const Sink* sink) {
  GNOMON_RETURN_IF_ERROR(target_ok_);
  Prepare(request, sink != nullptr);
  CURL* easy = curl_->easy;
  curl_->error[0] = '\0';
  Transfer transfer{easy, sink, options_.answer_bytes, {}, {}};
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  CURLcode code = curl_easy_perform(easy);
  if (!transfer.failed.ok()) return transfer.failed;
  if (code != CURLE_OK) {
    long system_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
    return FromCurl(code, curl_->error.data(), system_error, options_);
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  char* content_type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
  if (content_type != nullptr) transfer.response.content_type = content_type;
  return std::move(transfer.response);
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '.' || c == '_' || c == '~' || c == '-') {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace gnomon
