// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace {

constexpr size_t kMaxTokenBytes = 4096;

Error BadTokenFile(const std::string& path, std::string_view why) {
  Error error(absl::StatusCode::kUnauthenticated, "BAD_TOKEN_FILE",
              absl::StrCat("the token file ", Excerpt(path), " ", AbslView(why)));
  error.Field("--token-file").Value(Excerpt(path));
  return error;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return BadTokenFile(path, absl::StrCat("cannot be read: ", std::strerror(errno)))
        .Hint("name a file that you may read with --token-file or GNOMON_TOKEN_FILE");
  }
  std::string token((std::istreambuf_iterator<char>(file)), {});
  token = std::string(absl::StripAsciiWhitespace(token));
  bool one_word = token.find_first_of(" \t\r\n") == std::string::npos;
  if (file.bad() || token.empty() || token.size() > kMaxTokenBytes || !one_word) {
    return BadTokenFile(path, "does not hold one token").Hint("the file holds the token alone, on one line");
  }
  return token;
}

}  // namespace

absl::Status FlushOutput(std::ostream& out) {
  if (out.flush()) return absl::OkStatus();
  return Error(absl::StatusCode::kUnknown, "OUTPUT_FAILED", "not all of the output could be written")
      .Hint("the disk may be full, or the program that reads it has ended");
}

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
  GNOMON_ASSIGN_OR_RETURN(options.timeout, ParseDuration("timeout", flags_.timeout));
  if (options.timeout == absl::ZeroDuration()) {
    return Error(absl::StatusCode::kInvalidArgument, "BAD_TIMEOUT", "the timeout is zero")
        .Field("timeout")
        .Value(flags_.timeout)
        .Hint("use as much as an answer may take, as 30s or 2m");
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
