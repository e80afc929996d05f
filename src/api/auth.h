// SPDX-License-Identifier: Apache-2.0
//
// A Gate decides who sent a request and whether it may come in at all.
//
// A token is "gnm_<id>.<secret>", sent as "Authorization: Bearer ...". Only a salted SHA-256 of the secret is stored; a
// secret is 256 random bits, so a slow hash would add nothing. Without any token configured, a client on loopback is an
// admin, and so is one on the unix socket always: its file's permissions say who may open it.
//
// No web page may drive the server through a browser on its machine. So on loopback Host must name loopback or the
// address that we listen on (DNS rebinding), Origin, where it is sent, must match Host, and POST, PUT and PATCH must say a
// Content-Type as application/json, which a page cannot do for another origin without asking first.
//
// Threads: any; constant after construction. Cost: one SHA-256 a request with a token, none without.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/http_message.h"
#include "api/listen_address.h"
#include "api/principal.h"

namespace gnomon {

// A token as the configuration holds it.
struct Token {
  std::string id;    // a name without "."
  std::string hash;  // "sha256:<salt>:<digest>", both in hex
  Role role = Role::kViewer;
  std::vector<std::string> networks;  // empty: all
};

// Makes a token: the text to give to the client, which nobody can find out again, and what to store.
struct NewToken {
  std::string text;
  Token token;
};
// INVALID_ARGUMENT "INVALID_TOKEN_ID" if `id` is not a name, or holds a ".".
absl::StatusOr<NewToken> MakeToken(std::string_view id, Role role, std::vector<std::string> networks);
// The lines of the configuration file for `token`.
std::string TokenAsToml(const Token& token);

// OK if the token's parts can be used; else INVALID_ARGUMENT "INVALID_TOKEN".
absl::Status CheckToken(const Token& token);

std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);  // viewer, allocator or admin

class Gate {
 public:
  // The tokens have passed CheckToken.
  Gate(const std::vector<Token>& tokens, std::vector<ListenAddress> listen);

  // Sets request->principal, or says why the request may not come in: UNAUTHENTICATED, PERMISSION_DENIED (FORBIDDEN_HOST,
  // FORBIDDEN_ORIGIN), or INVALID_ARGUMENT UNSUPPORTED_MEDIA_TYPE.
  absl::Status Check(HttpRequest* request) const;
  // As Check, as an answer: 401, 403 or 415.
  std::optional<HttpResponse> Admit(HttpRequest* request) const;

 private:
  absl::Status CheckHost(const HttpRequest& request) const;
  absl::StatusOr<Principal> Recognise(const HttpRequest& request) const;

  absl::flat_hash_map<std::string, Token> tokens_;  // by id
  std::vector<ListenAddress> listen_;
};

}  // namespace gnomon
