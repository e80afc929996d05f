// SPDX-License-Identifier: Apache-2.0
#include "cli/failure.h"

#include <sstream>

#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(ExitCode, SaysWhatKindOfFailureItWas) {
  struct Case {
    absl::StatusCode code;
    int want;
  };
  for (const Case& c : std::vector<Case>{{absl::StatusCode::kOk, 0},
                                         {absl::StatusCode::kInternal, 1},
                                         {absl::StatusCode::kDataLoss, 1},
                                         {absl::StatusCode::kInvalidArgument, 2},
                                         {absl::StatusCode::kNotFound, 3},
                                         {absl::StatusCode::kAlreadyExists, 4},
                                         {absl::StatusCode::kFailedPrecondition, 4},
                                         {absl::StatusCode::kResourceExhausted, 4},
                                         {absl::StatusCode::kUnauthenticated, 5},
                                         {absl::StatusCode::kPermissionDenied, 5},
                                         {absl::StatusCode::kUnavailable, 6},
                                         {absl::StatusCode::kDeadlineExceeded, 6}}) {
    EXPECT_EQ(ExitCode(absl::Status(c.code, "x")), c.want) << absl::StatusCodeToString(c.code);
  }
}

TEST(PrintFailure, ShowsEverythingAndEndsWithTheNextCommand) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, "POOL_EXHAUSTED", "pool a is full")
                            .Field("pool")
                            .Value("a")
                            .Hint("add a pool")
                            .Number("free", 0)
                            .Number("assigned", 254);
  std::ostringstream err;
  PrintFailure(status, {.words = "allocate", .network = "prod"}, err);
  EXPECT_EQ(err.str(),
            "error: pool a is full (POOL_EXHAUSTED)\n"
            "  field: pool = a\n"
            "  counts: free 0, assigned 254\n"
            "  hint: add a pool\n"
            "  next: gnomon get pools -n prod\n");
}

TEST(PrintFailure, ToldOfAMissingOrUnknownTokenNamesTheFlagNotTheHeader) {
  for (const char* code : {"TOKEN_MISSING", "TOKEN_UNKNOWN", "TOKEN_MALFORMED"}) {
    std::ostringstream err;
    PrintFailure(Error(absl::StatusCode::kUnauthenticated, code, "no token").Hint("send \"Authorization\""),
                 {.words = "get pools", .network = "prod"}, err);
    EXPECT_NE(err.str().find("--token-file"), std::string::npos) << err.str();
    EXPECT_EQ(err.str().find("Authorization"), std::string::npos) << err.str();
  }
}

TEST(NextCommand, LooksWhereTheFailureIs) {
  struct Case {
    absl::StatusCode status;
    std::string code, words, network, want;
  };
  for (const Case& c : std::vector<Case>{
           {absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND", "allocate", "prod", "gnomon get networks"},
           {absl::StatusCode::kFailedPrecondition, "NETWORK_IN_USE", "delete network", "prod",
            "gnomon get instances -n prod"},
           {absl::StatusCode::kFailedPrecondition, "NETWORK_IN_USE", "delete network", "",
            "gnomon get instances -n NETWORK"},
           {absl::StatusCode::kAlreadyExists, "NETWORK_EXISTS", "create network", "", "gnomon get networks"},
           {absl::StatusCode::kPermissionDenied, "NETWORK_FORBIDDEN", "get pools", "prod", "gnomon get networks"},
           {absl::StatusCode::kNotFound, "HOST_NOT_FOUND", "delete host", "", "gnomon get hosts"},
           {absl::StatusCode::kFailedPrecondition, "NO_POOL", "allocate", "prod", "gnomon create pool --help"},
           {absl::StatusCode::kFailedPrecondition, "POOL_IN_USE", "delete pool", "prod",
            "gnomon get addresses -n prod"},
           {absl::StatusCode::kAlreadyExists, "MAC_IN_USE", "allocate", "prod", "gnomon get instances -n prod"},
           {absl::StatusCode::kResourceExhausted, "TOO_MANY_SOURCES", "predict", "prod", "gnomon get shadows -n prod"},
           {absl::StatusCode::kInvalidArgument, "ADDRESS_OUTSIDE_POOLS", "allocate", "prod",
            "gnomon get pools -n prod"},
           {absl::StatusCode::kAlreadyExists, "ADDRESS_IN_USE", "allocate", "prod",
            "gnomon describe address it -n prod"},
           {absl::StatusCode::kAlreadyExists, "INSTANCE_DIFFERS", "allocate", "prod",
            "gnomon describe instance vm-1 -n prod"},
           {absl::StatusCode::kInvalidArgument, "INVALID_PREDICTION", "predict", "prod", "gnomon predict --help"},
           {absl::StatusCode::kOutOfRange, "FOREIGN_REVISION", "watch", "prod", "gnomon watch -n prod"},
           {absl::StatusCode::kOutOfRange, "FOREIGN_REVISION", "release", "prod", "gnomon get instances -n prod"},
           {absl::StatusCode::kUnknown, "FILE_FAILED", "backup", "", "gnomon backup --help"},
           {absl::StatusCode::kNotFound, "INSTANCE_NOT_FOUND", "describe instance", "prod",
            "gnomon get instances -n prod"},
           {absl::StatusCode::kNotFound, "NO_SUCH", "describe address", "prod", "gnomon get addresses -n prod"},
           {absl::StatusCode::kFailedPrecondition, "POOL_OVERLAPS", "create pool", "prod", "gnomon get pools -n prod"},
           {absl::StatusCode::kOutOfRange, "WATCH_TOO_OLD", "watch", "prod", "gnomon watch -n prod"},
           {absl::StatusCode::kInvalidArgument, "INVALID_PREFIX", "create pool", "prod", "gnomon create pool --help"},
           {absl::StatusCode::kInvalidArgument, "USAGE", "", "", "gnomon --help"},
           {absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE", "get pools", "prod", "gnomon doctor"},
           {absl::StatusCode::kUnauthenticated, "NO_TOKEN", "get pools", "prod", "gnomon doctor"}}) {
    EXPECT_EQ(NextCommand(Error(c.status, c.code, "x").Value("it"), {c.words, c.network, "vm-1"}), c.want)
        << c.code << " " << c.words;
  }
}

}  // namespace
}  // namespace gnomon
