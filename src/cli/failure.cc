// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

std::string NetworkFlag(const FailedCommand& command) {
  return command.network.empty() ? std::string() : absl::StrCat(" -n ", command.network);
}

// Of codes that say what to look at, whatever the command was; -n is added to what is of a network.
struct Look {
  std::string_view code, at;
  bool in_network = true;
};
constexpr Look kLooks[] = {{"NETWORK_IN_USE", "get instances"},
                           {"NETWORK_NOT_FOUND", "get networks", false},
                           {"NETWORK_EXISTS", "get networks", false},
                           {"NETWORK_FORBIDDEN", "get networks", false},
                           {"VNI_IN_USE", "get networks", false},
                           {"HOST_NOT_FOUND", "get hosts", false},
                           {"NO_POOL", "create pool --help", false},
                           {"POOL_IN_USE", "get addresses"},
                           {"POOL_NOT_FOUND", "get pools"},
                           {"POOL_OVERLAPS", "get pools"},
                           {"POOL_EXHAUSTED", "get pools"},
                           {"POOL_DRAINING", "get pools"},
                           {"ADDRESS_OUTSIDE_POOLS", "get pools"},
                           {"ADDRESS_EXCLUDED", "get pools"},
                           {"ADDRESS_HELD", "get addresses"},
                           {"MAC_IN_USE", "get instances"},
                           {"TOO_MANY_SOURCES", "get shadows"},
                           {"TOO_MANY_PREDICTIONS", "get shadows"},
                           {"WATCH_TOO_OLD", "watch"},
                           {"WATCH_ENDED", "watch"},
                           {"ANNOUNCEMENT_DIFFERS", "get announcements"},
                           {"ANNOUNCEMENT_NOT_FOUND", "get announcements"},
                           {"PREDICTIONS_OFF", "update network --help", false},
                           {"PREDICTIONS_ON", "update network --help", false},
                           {"HISTORY_TOO_LATE", "update network --help", false},
                           {"SERVER_PREDICTS", "update network --help", false},
                           {"STATE_IN_USE", "engine run --help", false}};

// What to look at when an object is not there, or not as the command expects: the list that it would be in.
std::string Listing(const FailedCommand& command) {
  for (std::string_view kind : {"pool", "host", "address", "network"}) {
    if (command.words.find(kind) == std::string::npos) continue;
    if (kind == "host") return "gnomon get hosts";
    if (kind == "network" || command.network.empty()) return "gnomon get networks";
    return absl::StrCat("gnomon get ", kind == "pool" ? "pools" : "addresses", NetworkFlag(command));
  }
  if (command.network.empty()) return "gnomon get networks";
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
  const ErrorParts parts = PartsOf(status);
  const std::string& code = parts.code;
  for (const Look& look : kLooks) {
    if (code != look.code) continue;
    const std::string network = !look.in_network ? "" : command.network.empty() ? " -n NETWORK" : NetworkFlag(command);
    return absl::StrCat("gnomon ", AbslView(look.at), network);
  }
  // The one that is in the way has a name.
  if (code == "ADDRESS_IN_USE") return absl::StrCat("gnomon describe address ", parts.value, NetworkFlag(command));
  if (code == "INSTANCE_DIFFERS" && !command.instance.empty()) {
    return absl::StrCat("gnomon describe instance ", command.instance, NetworkFlag(command));
  }
  if (code == "FOREIGN_REVISION" && command.words == "watch") return absl::StrCat("gnomon watch", NetworkFlag(command));
  for (std::string_view file : {"NO_SUCH_FILE", "UNREADABLE_FILE", "FILE_FAILED", "OUTPUT_FAILED"}) {
    if (code == file) return absl::StrCat("gnomon ", command.words, " --help");
  }
  switch (ExitCode(status)) {
    case 2:
      return absl::StrCat("gnomon ", command.words.empty() ? "" : command.words + " ", "--help");
    case 3:
    case 4:
      return Listing(command);
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
  if (parts.code.starts_with("TOKEN_")) {  // the server's hint is for those who write requests by hand
    parts.hint = "give your token with --token-file FILE or GNOMON_TOKEN_FILE; gnomond --make-token makes one, which the server "
                 "takes when it is in its configuration";
  }
  if (!parts.hint.empty()) err << "  hint: " << parts.hint << "\n";
  err << "  next: " << NextCommand(status, command) << "\n";
}

}  // namespace gnomon
