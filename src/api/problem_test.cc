// SPDX-License-Identifier: Apache-2.0
#include "api/problem.h"

#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

TEST(ProblemTest, EachCodeHasItsStatus) {
  const std::pair<absl::StatusCode, int> cases[] = {
      {absl::StatusCode::kInvalidArgument, 400},    {absl::StatusCode::kUnauthenticated, 401},
      {absl::StatusCode::kPermissionDenied, 403},   {absl::StatusCode::kNotFound, 404},
      {absl::StatusCode::kAlreadyExists, 409},      {absl::StatusCode::kFailedPrecondition, 409},
      {absl::StatusCode::kResourceExhausted, 409},  {absl::StatusCode::kAborted, 409},
      {absl::StatusCode::kOutOfRange, 410},         {absl::StatusCode::kUnavailable, 503},
      {absl::StatusCode::kDataLoss, 500},           {absl::StatusCode::kInternal, 500},
  };
  for (const auto& [code, status] : cases) EXPECT_EQ(HttpStatusOf(code), status) << absl::StatusCodeToString(code);
}

TEST(ProblemTest, AllPartsOfAnErrorAreMembers) {
  const absl::Status error = Error(absl::StatusCode::kResourceExhausted, "POOL_EXHAUSTED", "pool \"a\" is full")
                                 .Field("pool")
                                 .Value("a")
                                 .Hint("add a pool")
                                 .Number("free", 0)
                                 .Number("assigned", 254);
  const HttpResponse response = ProblemResponse(error, "r-1");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Conflict","status":409,"detail":"pool \"a\" is full",)"
            R"("code":"POOL_EXHAUSTED","field":"pool","value":"a","hint":"add a pool","free":0,"assigned":254,)"
            R"("request_id":"r-1"})"
            "\n");
}

TEST(ProblemTest, UnavailableSaysWhenToTryAgain) {
  const HttpResponse response = ProblemResponse(absl::UnavailableError("full"), "r");
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>("Retry-After", "1")));
}

}  // namespace
}  // namespace gnomon
