// SPDX-License-Identifier: Apache-2.0
#include "client/http_client.h"

#include <unistd.h>

#include "base/error.h"
#include "gtest/gtest.h"
#include "testing/scripted_http_server.h"

namespace gnomon {
namespace {

ScriptedAnswer Echo(const ScriptedRequest& request) {
  return {.body = request.method + " " + request.target + " " + request.body};
}

TEST(HttpClient, KeepsOneConnectionForManyRequests) {
  ScriptedHttpServer server(Echo);
  HttpClient http({.server = server.url()});
  for (int i = 0; i < 5; ++i) {
    absl::StatusOr<ClientResponse> answer = http.Send({.method = "POST", .path = "/a?b=1", .body = "{}"});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /a?b=1 {}");
    EXPECT_EQ(answer->content_type, "application/json");
  }
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClient, EachMethodIsSentAsItIs) {
  ScriptedHttpServer server(Echo);
  HttpClient http({.server = server.url() + "/"});
  for (std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE", "GET"}) {
    std::string body = method == "GET" || method == "DELETE" ? "" : "{}";
    absl::StatusOr<ClientResponse> answer = http.Send({.method = method, .path = "/x", .body = body});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->body, method + " /x " + body);
  }
  EXPECT_FALSE(server.requests().back().headers.contains("content-type"));
}

TEST(HttpClient, AnyStatusIsAnAnswer) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.status = 503, .body = "no"}; });
  HttpClient http({.server = server.url()});
  EXPECT_EQ(http.Send({})->status, 503);
  EXPECT_EQ(http.Send({})->body, "no");
}

TEST(HttpClient, UnixSocketIsSpoken) {
  std::string path = testing::TempDir() + "gnomon-" + std::to_string(getpid()) + ".sock";
  ScriptedHttpServer server(Echo, path);
  HttpClient http({.server = server.url()});
  absl::StatusOr<ClientResponse> answer = http.Send({.path = "/livez"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "GET /livez ");
  unlink(path.c_str());
}

TEST(HttpClient, TokenIsSentAsBearer) {
  ScriptedHttpServer server(Echo);
  HttpClient http({.server = server.url(), .token = "id.secret"});
  ASSERT_TRUE(http.Send({}).ok());
  EXPECT_EQ(server.requests()[0].headers.at("authorization"), "Bearer id.secret");
}

TEST(HttpClient, TokenIsNotSentInClearBeyondLoopback) {
  HttpClient http({.server = "http://192.0.2.1:8080", .token = "id.secret"});
  absl::Status refused = http.Send({}).status();
  EXPECT_EQ(CodeOf(refused), "INVALID_SERVER");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
}

TEST(HttpClient, ServerThatIsNoAddressIsRefused) {
  for (std::string server : {"", "localhost:80", "ftp://x", "unix:relative", "http://", "http://user@host"}) {
    HttpClient http({.server = server});
    EXPECT_EQ(CodeOf(http.Send({}).status()), "INVALID_SERVER") << server;
  }
}

TEST(HttpClient, NobodyListeningIsUnavailable) {
  std::string url;
  {
    ScriptedHttpServer server(Echo);
    url = server.url();
  }
  HttpClient http({.server = url});
  absl::Status status = http.Send({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf(status), "SERVER_UNREACHABLE");
}

TEST(HttpClient, HangUpWithoutAnAnswerIsUnavailable) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.hang_up = true}; });
  HttpClient http({.server = server.url()});
  EXPECT_EQ(http.Send({}).status().code(), absl::StatusCode::kUnavailable);
}

TEST(HttpClient, SilenceIsATimeout) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  HttpClient http(
      {.server = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), .timeout = absl::Milliseconds(50)});
  absl::Status status = http.Send({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(CodeOf(status), "SERVER_TIMEOUT");
  close(listener);
}

TEST(HttpClient, StreamedBodyComesInPieces) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.chunks = {"one", "two"}}; });
  HttpClient http({.server = server.url()});
  std::string got;
  absl::StatusOr<ClientResponse> answer = http.Stream({}, [&](std::string_view piece) {
    got += piece;
    return absl::OkStatus();
  });
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(got, "onetwo");
}

TEST(HttpClient, StreamedBodyCutShortIsAnError) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.chunks = {"one"}, .hang_up = true}; });
  HttpClient http({.server = server.url()});
  absl::Status status = http.Stream({}, [](std::string_view) { return absl::OkStatus(); }).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST(HttpClient, SinkEndsTheStream) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.chunks = {"one", "two"}}; });
  HttpClient http({.server = server.url()});
  absl::Status status = http.Stream({}, [](std::string_view) { return absl::CancelledError("enough"); }).status();
  EXPECT_EQ(status, absl::CancelledError("enough"));
}

TEST(HttpClient, DateOfTheServerIsRead) {
  ScriptedHttpServer server(
      [](const ScriptedRequest&) { return ScriptedAnswer{.headers = "Date: Tue, 24 Nov 2026 07:09:34 GMT\r\n"}; });
  HttpClient http({.server = server.url()});
  EXPECT_EQ(http.Send({})->date, absl::FromUnixSeconds(1795504174));
}

TEST(PercentEncode, OnlyUnreservedCharactersStay) {
  EXPECT_EQ(PercentEncode("aZ09._~-"), "aZ09._~-");
  EXPECT_EQ(PercentEncode("a b/c?\xff"), "a%20b%2Fc%3F%FF");
}

}  // namespace
}  // namespace gnomon
