// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr size_t kMaxTokenBytes = 4096;

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(file)), {});
  token = std::string(absl::StripAsciiWhitespace(token));
  bool one_word = token.find_first_of(" \t\r\n") == std::string::npos;
  if (file.bad() || token.empty() || token.size() > kMaxTokenBytes || !one_word) {
    return Error(absl::StatusCode::kUnauthenticated, "BAD_TOKEN_FILE", absl::StrCat(path, " does not hold one token"))
        .Field("token-file")
        .Value(Excerpt(path))
        .Hint("the file holds the token alone, on one line, and is readable by you");
  }
  return token;
}

}  // namespace

bool Session::colored() const {
  const char* no_color = std::getenv("NO_COLOR");
  return console_.out_is_terminal && (no_color == nullptr || *no_color == '\0');
}

absl::StatusOr<HttpClientOptions> Session::ClientOptions() const {
  HttpClientOptions options;
  options.server = flags_.server;
  options.ca_file = flags_.ca_file;
  options.client_cert_file = flags_.client_cert_file;
  options.client_key_file = flags_.client_key_file;
  if (!absl::ParseDuration(flags_.timeout, &options.timeout) || options.timeout <= absl::ZeroDuration()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_TIMEOUT",
                 absl::StrCat("timeout ", Excerpt(flags_.timeout), " is not a duration"))
        .Field("timeout")
        .Value(Excerpt(flags_.timeout))
        .Hint("use a number with a unit, as 30s or 2m");
  }
  if (!flags_.token_file.empty()) {
    GNOMON_ASSIGN_OR_RETURN(options.token, ReadToken(flags_.token_file));
  }
  return options;
}

absl::StatusOr<ApiClient*> Session::Api() {
  if (api_ == nullptr) {
    GNOMON_ASSIGN_OR_RETURN(HttpClientOptions options, ClientOptions());
    api_ = std::make_unique<ApiClient>(std::move(options));
  }
  return api_.get();
}

}  // namespace gnomon
