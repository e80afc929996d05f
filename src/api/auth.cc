// SPDX-License-Identifier: Apache-2.0
#include "api/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "api/problem.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

constexpr std::string_view kPrefix = "gnm_";
constexpr std::string_view kScheme = "sha256";
constexpr size_t kSaltBytes = 16;
constexpr size_t kSecretBytes = 32;
constexpr size_t kHexDigest = 2 * SHA256_DIGEST_LENGTH;

std::string RandomHex(size_t bytes) {
  std::string raw(bytes, '\0');
  GNOMON_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes)) == 1);
  return absl::BytesToHexString(raw);
}

std::string Digest(std::string_view salt, std::string_view secret) {
  const std::string text = absl::StrCat(AbslView(salt), ":", AbslView(secret));
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // SHA256() would look it up each time
  unsigned char digest[SHA256_DIGEST_LENGTH];
  GNOMON_CHECK(EVP_Digest(text.data(), text.size(), digest, nullptr, kSha256, nullptr) == 1);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

std::pair<std::string_view, std::string_view> SaltAndDigest(const Token& token) {
  const std::string_view rest = std::string_view(token.hash).substr(kScheme.size() + 1);
  return {rest.substr(0, 2 * kSaltBytes), rest.substr(2 * kSaltBytes + 1)};
}

// "host:port" and "[::1]:port" without the port and the brackets; empty if the brackets are wrong.
std::string HostWithoutPort(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const size_t end = host.find(']');
    const bool closed = end != std::string_view::npos && (end + 1 == host.size() || host[end + 1] == ':');
    return closed ? std::string(host.substr(1, end - 1)) : std::string();
  }
  return std::string(host.substr(0, host.find(':')));
}

bool IsLoopbackName(const std::string& host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  const bool v6 = host.find(':') != std::string::npos;
  const auto parsed = ParseListenAddress(v6 ? absl::StrCat("[", host, "]:0") : absl::StrCat(host, ":0"));
  return !host.empty() && parsed.ok() && parsed->loopback;
}

// Origin is "scheme://host[:port]".
bool SameOrigin(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && absl::EqualsIgnoreCase(AbslView(origin.substr(scheme + 3)), AbslView(host));
}

// Types that are read here, and that no web page can send to another origin without asking first.
// Which of them a route takes, Api says.
constexpr const char* kBodyTypes[] = {"application/json", "application/x-protobuf", "application/cloudevents+json",
                                      "application/cloudevents-batch+json", "text/calendar"};

bool IsBodyType(std::string_view content_type) {
  const std::string type = MediaTypeOf(content_type);
  return std::any_of(std::begin(kBodyTypes), std::end(kBodyTypes),
                     [&](const char* known) { return absl::EqualsIgnoreCase(type, known); });
}

Error Unauthenticated(std::string_view code, std::string_view message) {
  Error error(absl::StatusCode::kUnauthenticated, code, message);
  error.Hint("send \"Authorization: Bearer gnm_<id>.<secret>\"; gnomond --make-token makes one");
  return error;
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kViewer: return "viewer";
    case Role::kAllocator: return "allocator";
    case Role::kAdmin: return "admin";
    case Role::kNone: break;
  }
  return "none";
}

std::optional<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kViewer, Role::kAllocator, Role::kAdmin}) {
    if (name == RoleName(role)) return role;
  }
  return std::nullopt;
}

absl::StatusOr<NewToken> MakeToken(std::string_view id, Role role, std::vector<std::string> networks) {
  if (!IsName(id) || id.find('.') != std::string_view::npos) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_TOKEN_ID",
                 absl::StrCat("token id \"", Excerpt(id), "\" is not a name without dots"))
        .Field("id")
        .Value(Excerpt(id));
  }
  const std::string salt = RandomHex(kSaltBytes), secret = RandomHex(kSecretBytes);
  NewToken made;
  made.text = absl::StrCat(AbslView(kPrefix), AbslView(id), ".", secret);
  made.token = {std::string(id), absl::StrCat(AbslView(kScheme), ":", salt, ":", Digest(salt, secret)), role,
                std::move(networks)};
  return made;
}

std::string TokenAsToml(const Token& token) {
  std::string text = absl::StrCat("[[tokens]]\nid = \"", token.id, "\"\nhash = \"", token.hash, "\"\nrole = \"",
                                  AbslView(RoleName(token.role)), "\"\n");
  if (!token.networks.empty()) absl::StrAppend(&text, "networks = [\"", absl::StrJoin(token.networks, "\", \""), "\"]\n");
  return text;
}

absl::Status CheckToken(const Token& token) {
  const std::vector<std::string> parts = absl::StrSplit(token.hash, ':');
  std::string_view wrong;
  if (!IsName(token.id) || token.id.find('.') != std::string::npos) wrong = "its id is not a name without dots";
  if (parts.size() != 3 || parts[0] != kScheme || parts[1].size() != 2 * kSaltBytes || parts[2].size() != kHexDigest ||
      !IsHex(parts[1]) || !IsHex(parts[2])) {
    wrong = "its hash is not \"sha256:<salt>:<digest>\"";
  }
  if (token.role == Role::kNone) wrong = "it has no role";
  for (const std::string& network : token.networks) {
    if (!IsName(network)) wrong = "one of its networks is not a name";
  }
  if (wrong.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_TOKEN",
               absl::StrCat("token \"", Excerpt(token.id), "\" cannot be used: ", AbslView(wrong)))
      .Field("tokens")
      .Hint("make one with gnomond --make-token");
}

Gate::Gate(const std::vector<Token>& tokens, std::vector<ListenAddress> listen) : listen_(std::move(listen)) {
  for (const Token& token : tokens) {
    GNOMON_CHECK(CheckToken(token).ok());
    tokens_.emplace(token.id, token);
  }
}

absl::Status Gate::CheckHost(const HttpRequest& request) const {
  const std::string_view host = request.Header("Host");
  if (request.peer->loopback) {
    const std::string name = HostWithoutPort(host);
    const bool ours = std::any_of(listen_.begin(), listen_.end(),
                                  [&](const auto& address) { return !address.ip.empty() && address.ip == name; }) ||
                      IsLoopbackName(name);
    if (!ours) {
      return Error(absl::StatusCode::kPermissionDenied, "FORBIDDEN_HOST",
                   absl::StrCat("Host \"", Excerpt(host), "\" is not this server"))
          .Field("Host")
          .Value(Excerpt(host))
          .Hint("use localhost, a loopback address or the address that the server listens on");
    }
  }
  const std::string_view origin = request.Header("Origin");
  if (!origin.empty() && !SameOrigin(origin, host)) {
    return Error(absl::StatusCode::kPermissionDenied, "FORBIDDEN_ORIGIN",
                 absl::StrCat("Origin \"", Excerpt(origin), "\" is not this server"))
        .Field("Origin")
        .Value(Excerpt(origin))
        .Hint("web pages of other sites may not use this server");
  }
  return absl::OkStatus();
}

absl::StatusOr<Principal> Gate::Recognise(const HttpRequest& request) const {
  std::string_view sent = request.Header("Authorization");
  if (sent.empty()) {
    if (request.peer->unix_socket) return Principal{"unix", Role::kAdmin, {}};
    if (request.peer->loopback && tokens_.empty()) return Principal{"loopback", Role::kAdmin, {}};
    return Unauthenticated("TOKEN_MISSING", "the request carries no token");
  }
  const std::string_view bearer = "Bearer ";
  if (!absl::StartsWithIgnoreCase(AbslView(sent), AbslView(bearer))) {
    return Unauthenticated("TOKEN_MALFORMED", "Authorization is not a Bearer token");
  }
  sent.remove_prefix(bearer.size());
  const size_t dot = sent.find('.');
  if (sent.substr(0, kPrefix.size()) != kPrefix || dot == std::string_view::npos) {
    return Unauthenticated("TOKEN_MALFORMED", "the token is not gnm_<id>.<secret>");
  }
  const std::string_view id = sent.substr(kPrefix.size(), dot - kPrefix.size());
  // An unknown id takes as long as a wrong secret does.
  static const Token kNobody{"", absl::StrCat(AbslView(kScheme), ":", std::string(2 * kSaltBytes, '0'), ":",
                                              std::string(kHexDigest, '0')), Role::kNone, {}};
  const auto found = tokens_.find(AbslView(id));
  const Token& token = found == tokens_.end() ? kNobody : found->second;
  const auto [salt, digest] = SaltAndDigest(token);
  const bool equal = CRYPTO_memcmp(Digest(salt, sent.substr(dot + 1)).data(),
                                   absl::AsciiStrToLower(AbslView(digest)).data(), kHexDigest) == 0;
  if (!equal || token.role == Role::kNone) return Unauthenticated("TOKEN_UNKNOWN", "the token is not known");
  return Principal{token.id, token.role, token.networks};
}

absl::Status Gate::Check(HttpRequest* request) const {
  GNOMON_RETURN_IF_ERROR(CheckHost(*request));
  const HttpMethod method = request->method;
  if ((method == HttpMethod::kPost || method == HttpMethod::kPut || method == HttpMethod::kPatch) &&
      !IsBodyType(request->Header("Content-Type"))) {
    return Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_MEDIA_TYPE",
                 "POST, PUT and PATCH need Content-Type: application/json")
        .Field("Content-Type")
        .Value(Excerpt(request->Header("Content-Type")))
        .Hint("send \"Content-Type: application/json\"");
  }
  GNOMON_ASSIGN_OR_RETURN(request->principal, Recognise(*request));
  return absl::OkStatus();
}

std::optional<HttpResponse> Gate::Admit(HttpRequest* request) const {
  const absl::Status refusal = Check(request);
  if (refusal.ok()) return std::nullopt;
  if (CodeOf(refusal) == "UNSUPPORTED_MEDIA_TYPE") return ProblemResponse(415, refusal, request->id);
  return ProblemResponse(refusal, request->id);
}

}  // namespace gnomon
