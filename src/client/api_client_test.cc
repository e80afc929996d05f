// SPDX-License-Identifier: Apache-2.0
#include "client/api_client.h"

#include "base/error.h"
#include "boost/json/serialize.hpp"
#include "gtest/gtest.h"
#include "testing/scripted_http_server.h"

namespace gnomon {
namespace {

TEST(ApiPath, SegmentsAndValuesAreEncodedAndEmptyOnesLeftOut) {
  EXPECT_EQ(ApiPath({"v1", "networks", "a b"}, {{"type", "x&y"}, {"zone", ""}, {"host", "h"}}),
            "/v1/networks/a%20b?type=x%26y&host=h");
  EXPECT_EQ(ApiPath({"v1", "vm-1:reassign"}), "/v1/vm-1:reassign");
  EXPECT_EQ(ApiPath({"fd00::1"}), "/fd00::1");
}

TEST(ApiClient, ProblemBecomesAnErrorWithAllItsParts) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 409,
                          .body = R"({"type":"about:blank","title":"Conflict","status":409,"detail":"pool a is full",
                             "code":"POOL_EXHAUSTED","field":"pool","value":"a","hint":"add a pool","free":0,"shadow":3})",
                          .content_type = "application/problem+json"};
  });
  ApiClient api({.server = server.url()});
  absl::Status status = api.Call("POST", "/x", JsonObject{{"id", "vm-1"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "pool a is full");
  ErrorParts parts = PartsOf(status);
  EXPECT_EQ(parts.code, "POOL_EXHAUSTED");
  EXPECT_EQ(parts.field, "pool");
  EXPECT_EQ(parts.value, "a");
  EXPECT_EQ(parts.hint, "add a pool");
  EXPECT_EQ(parts.numbers, (std::vector<std::pair<std::string, int64_t>>{{"free", 0}, {"shadow", 3}}));
}

TEST(ApiClient, StatusSaysWhatTheCallerShouldDo) {
  struct Case {
    int status;
    std::string code;
    absl::StatusCode want;
  };
  for (const Case& c : std::vector<Case>{{400, "INVALID_PREFIX", absl::StatusCode::kInvalidArgument},
                                         {401, "NO_TOKEN", absl::StatusCode::kUnauthenticated},
                                         {403, "FORBIDDEN", absl::StatusCode::kPermissionDenied},
                                         {404, "NO_SUCH_POOL", absl::StatusCode::kNotFound},
                                         {405, "METHOD", absl::StatusCode::kUnimplemented},
                                         {409, "NETWORK_IN_USE", absl::StatusCode::kFailedPrecondition},
                                         {409, "NETWORK_EXISTS", absl::StatusCode::kAlreadyExists},
                                         {409, "INSTANCE_DIFFERS", absl::StatusCode::kAlreadyExists},
                                         {410, "WATCH_TOO_OLD", absl::StatusCode::kOutOfRange},
                                         {413, "TOO_LARGE", absl::StatusCode::kInvalidArgument},
                                         {500, "DAMAGED", absl::StatusCode::kInternal},
                                         {503, "QUEUE_FULL", absl::StatusCode::kUnavailable}}) {
    ClientResponse response;
    response.status = c.status;
    response.body = R"({"detail":"d","code":")" + c.code + "\"}";
    absl::Status status = StatusFromProblem(response);
    EXPECT_EQ(status.code(), c.want) << c.status << " " << c.code;
    EXPECT_EQ(CodeOf(status), c.code);
  }
}

TEST(ApiClient, AnswerOfAnotherServerIsStillAnError) {
  ClientResponse response;
  response.status = 502;
  response.body = "<html>bad gateway</html>";
  EXPECT_EQ(CodeOf(StatusFromProblem(response)), "HTTP_502");
  response.body = "[1]";
  EXPECT_EQ(StatusFromProblem(response).code(), absl::StatusCode::kUnavailable);

  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.body = "<html>"}; });
  ApiClient api({.server = server.url()});
  EXPECT_EQ(CodeOf(api.Get("/").status()), "BAD_ANSWER");
}

TEST(ApiClient, NoContentIsNull) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.status = 204}; });
  ApiClient api({.server = server.url()});
  EXPECT_TRUE(api.Delete("/x")->is_null());
}

TEST(ApiClient, ListReadsAllPages) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.target.ends_with("page_token=p2"))
      return ScriptedAnswer{.body = R"({"pools":[3],"next_page_token":""})"};
    return ScriptedAnswer{.body = R"({"pools":[1,2],"next_page_token":"p2","revision":"00-7"})"};
  });
  ApiClient api({.server = server.url()});
  JsonArray got;
  auto take = [&](JsonValue item) {
    got.push_back(std::move(item));
    return absl::OkStatus();
  };
  EXPECT_EQ(api.List({"v1", "pools"}, "pools", {{"zone", "z1"}}, 0, take).value(), "00-7");
  EXPECT_EQ(boost::json::serialize(got), "[1,2,3]");
  EXPECT_EQ(server.requests()[1].target, "/v1/pools?zone=z1&page_size=1000&page_token=p2");
  got.clear();
  EXPECT_TRUE(api.List({"v1", "pools"}, "pools", {}, 2, take).ok());
  EXPECT_EQ(boost::json::serialize(got), "[1,2]");
  EXPECT_EQ(server.requests()[2].target, "/v1/pools?page_size=2");
}

TEST(ApiClient, PageThatNamesItselfEndsTheList) {
  ScriptedHttpServer server(
      [](const ScriptedRequest&) { return ScriptedAnswer{.body = R"({"pools":[],"next_page_token":"p"})"}; });
  ApiClient api({.server = server.url()});
  EXPECT_EQ(CodeOf(api.List({"v1"}, "pools", {}, 0, [](JsonValue) { return absl::OkStatus(); }).status()),
            "BAD_ANSWER");
  EXPECT_EQ(CodeOf(api.List({"v1"}, "hosts", {}, 0, [](JsonValue) { return absl::OkStatus(); }).status()),
            "BAD_ANSWER");
}

TEST(ApiClient, WatchCutsLinesWhereverTheChunksEnd) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.content_type = "application/x-ndjson",
                          .chunks = {"{\"revision\":\"1\"}\n{\"rev", "ision\":\"2\"}\n\n{\"revision\":\"3\"}\n"}};
  });
  ApiClient api({.server = server.url()});
  std::string got;
  absl::Status ended = api.Watch("prod", "00-1", [&](const JsonObject& event) {
    got += TextMember(event, "revision");
    return absl::OkStatus();
  });
  EXPECT_EQ(CodeOf(ended), "WATCH_ENDED");
  EXPECT_EQ(got, "123");
  EXPECT_EQ(server.requests()[0].target, "/v1/networks/prod/watch?revision=00-1");
}

TEST(ApiClient, WatchThatIsTooOldSaysSo) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 410, .body = R"({"detail":"gone","code":"WATCH_TOO_OLD"})"};
  });
  ApiClient api({.server = server.url()});
  absl::Status ended = api.Watch("prod", "00-1", [](const JsonObject&) { return absl::OkStatus(); });
  EXPECT_EQ(CodeOf(ended), "WATCH_TOO_OLD");
}

TEST(ApiClient, AWatchThatTheServerEndsWithAnErrorEndsWithThat) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .content_type = "application/x-ndjson",
        .chunks = {R"({"type":"error","object":{"status":410,"detail":"gone","code":"WATCH_TOO_OLD"}})", "\n"}};
  });
  ApiClient api({.server = server.url()});
  absl::Status ended = api.Watch("prod", "00-1", [](const JsonObject&) { return absl::OkStatus(); });
  EXPECT_EQ(CodeOf(ended), "WATCH_TOO_OLD");
  EXPECT_TRUE(absl::IsOutOfRange(ended));
}

}  // namespace
}  // namespace gnomon
