// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string NetworkFlag(const FailedCommand& command) {
  return command.network.empty() ? std::string() : absl::StrCat(" -n ", command.network);
}

// What to look at when an object is not there, or not as the command expects: the list that it would be in.
std::string Listing(const std::string& code, const FailedCommand& command) {
  if (code == "NETWORK_IN_USE") {
    return absl::StrCat("gnomon get instances -n ", command.network.empty() ? "NETWORK" : command.network);
  }
  if (command.network.empty() || code.find("NETWORK") != std::string::npos) return "gnomon get networks";
  if (code.find("POOL") != std::string::npos) return absl::StrCat("gnomon get pools", NetworkFlag(command));
  for (std::string_view kind : {"pool", "host", "address", "network"}) {
    if (command.words.find(kind) == std::string::npos) continue;
    if (kind == "host") return "gnomon get hosts";
    if (kind == "network") return "gnomon get networks";
    return absl::StrCat("gnomon get ", kind == "pool" ? "pools" : "addresses", NetworkFlag(command));
  }
  return absl::StrCat("gnomon get instances", NetworkFlag(command));
}

}  // namespace

int ExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kNotFound:
      return 3;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
      return 4;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return 5;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return 6;
    default:
      return 1;
  }
}

std::string NextCommand(const absl::Status& status, const FailedCommand& command) {
  std::string code = CodeOf(status);
  if (code == "WATCH_TOO_OLD" || code == "WATCH_ENDED") return absl::StrCat("gnomon watch", NetworkFlag(command));
  if (code == "NO_SUCH_FILE" || code == "UNREADABLE_FILE") return absl::StrCat("gnomon ", command.words, " --help");
  switch (ExitCode(status)) {
    case 2:
      return absl::StrCat("gnomon ", command.words.empty() ? "" : command.words + " ", "--help");
    case 3:
    case 4:
      return Listing(code, command);
    default:
      return "gnomon doctor";
  }
}

void PrintFailure(const absl::Status& status, const FailedCommand& command, std::ostream& err) {
  ErrorParts parts = PartsOf(status);
  err << "error: " << std::string(status.message());
  if (!parts.code.empty()) err << " (" << parts.code << ")";
  err << "\n";
  if (!parts.field.empty())
    err << "  field: " << parts.field << (parts.value.empty() ? "" : " = " + parts.value) << "\n";
  std::string separator = "  counts: ";
  for (const auto& [name, value] : parts.numbers) err << std::exchange(separator, ", ") << name << " " << value;
  if (!parts.numbers.empty()) err << "\n";
  if (parts.code == "TOKEN_MISSING") {  // the server's hint is for those who write requests by hand
    parts.hint = "give your token with --token-file FILE or GNOMON_TOKEN_FILE; gnomond --make-token makes one";
  }
  if (!parts.hint.empty()) err << "  hint: " << parts.hint << "\n";
  err << "  next: " << NextCommand(status, command) << "\n";
}

std::string Closest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::min<size_t>(2, word.size() / 2) + 1;
  for (const std::string& candidate : known) {
    size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace gnomon
