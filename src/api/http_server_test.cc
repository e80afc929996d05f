// SPDX-License-Identifier: Apache-2.0
// Label: real time (sockets and their timeouts)
#include "api/http_server.h"

#include <sys/resource.h>

#include <atomic>
#include <deque>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/http_test_client.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kLastGet = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

void Echo(HttpRequest& request, HttpResponder responder) {
  HttpResponse response;
  response.body = absl::StrCat("[", AbslView(request.method_name), " ", AbslView(request.path), " ",
                               AbslView(request.body), "]");
  responder.Send(std::move(response));
}

class Running {
 public:
  explicit Running(HttpServer::Handler handler, HttpLimits limits = {}, int threads = 1) {
    HttpServerOptions options;
    options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
    options.limits = limits;
    options.threads = threads;
    server = std::make_unique<HttpServer>(options, std::move(handler));
    const absl::Status started = server->Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  TestSocket Connect(int receive_buffer = 0) { return TestSocket(server->addresses().front(), receive_buffer); }
  std::string Ask(std::string_view text) {
    TestSocket socket = Connect();
    socket.Send(text);
    return socket.ReadAll();
  }
  // Whether all clients are gone within five seconds.
  bool Emptied() {
    for (int i = 0; i < 500 && server->connections() > 0; ++i) absl::SleepFor(absl::Milliseconds(10));
    return server->connections() == 0;
  }

  std::unique_ptr<HttpServer> server;
};


TEST(HttpServerTest, AnswersOneRequestWithLengthAndRequestId) {
  Running running(Echo);
  const std::string answer =
      running.Ask("POST /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 12\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Request-Id: r-1\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n[POST /a hi]"));
}

TEST(HttpServerTest, AnswersAreDated) {
  Running running(Echo);
  const std::string answer = running.Ask(kLastGet);
  const size_t at = answer.find("\r\nDate: ");
  ASSERT_NE(at, std::string::npos) << answer;
  absl::Time date;
  std::string error;
  ASSERT_TRUE(absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", answer.substr(at + 8, 29), &date, &error)) << error << answer;
  EXPECT_LE(absl::AbsDuration(absl::Now() - date), absl::Minutes(1));
}

TEST(HttpServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  Running running(Echo);
  std::string text;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&text, "GET /", i, " HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = running.Ask(text + std::string(kLastGet));
  size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    at = answer.find(absl::StrCat("[GET /", i, " ]"), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST(HttpServerTest, RequestsInSingleBytesAndChunkedBodiesAreUnderstood) {
  Running running(Echo);
  TestSocket socket = running.Connect();
  const std::string text =
      "POST /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
  for (const char c : text) ASSERT_TRUE(socket.Send(std::string_view(&c, 1)));
  EXPECT_THAT(socket.ReadAll(), EndsWith("[POST /c abcde]"));
}

TEST(HttpServerTest, AClientThatWaitsForContinueGetsIt) {
  Running running(Echo);
  TestSocket socket = running.Connect();
  socket.Send("POST /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(socket.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.Send("hi");
  EXPECT_THAT(socket.ReadAll(), EndsWith("[POST /c hi]"));
}

TEST(HttpServerTest, HeadHasTheLengthButNoBody) {
  Running running(Echo);
  const std::string answer = running.Ask("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(HttpServerTest, MalformedRequestsAreRefusedAndCut) {
  struct Case {
    std::string name, text, status, code;
  };
  const std::string big(20000, 'a');
  const Case cases[] = {
      {"garbage", "hello\r\n\r\n", "400", "MALFORMED_REQUEST"},
      {"a TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), "400", "MALFORMED_REQUEST"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400", "INVALID_HOST"},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", "INVALID_HOST"},
      {"bad query", "GET /?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400", "INVALID_QUERY"},
      {"proxy request", "GET http://x/ HTTP/1.1\r\nHost: a\r\n\r\n", "400", "INVALID_TARGET"},
      {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400", "MALFORMED"},
      {"length and chunked",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", "MALFORMED"},
      {"another encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501", "UNSUPPORTED_TRANSFER"},
      {"long header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + big + "\r\n\r\n", "431", "HEADERS_TOO_LARGE"},
      {"long header without end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + big, "431", "HEADERS_TOO_LARGE"},
      {"long target", "GET /" + big + " HTTP/1.1\r\nHost: a\r\n\r\n", "431", "HEADERS_TOO_LARGE"},
      {"announced body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", "413", "BODY_TOO_LARGE"},
      {"chunked body", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", "413", "BODY_TOO_LARGE"},
  };
  Running running(Echo);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string answer = running.Ask(test.text);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + test.status));
    EXPECT_THAT(answer, HasSubstr(test.code));
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
}

TEST(HttpServerTest, ABodyOfExactlyTheLimitIsTakenAndALongerOneSentWholeIsAnswered413) {
  Running running([](HttpRequest& request, HttpResponder responder) {
    HttpResponse response;
    response.body = absl::StrCat(request.body.size());
    responder.Send(std::move(response));
  });
  const std::string body(1 << 20, 'x');
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
  EXPECT_THAT(running.Ask(absl::StrCat(head, body.size(), "\r\n\r\n", body)), EndsWith("\r\n1048576"));
  EXPECT_THAT(running.Ask(absl::StrCat(head, 2 * body.size(), "\r\n\r\n", body, body)), StartsWith("HTTP/1.1 413"));
}

TEST(HttpServerTest, SlowAndSilentClientsAreCut) {
  HttpLimits limits;
  limits.header_timeout = limits.body_timeout = limits.idle_timeout = absl::Milliseconds(200);
  Running running(Echo, limits);
  TestSocket silent = running.Connect(), slow_header = running.Connect(), slow_body = running.Connect();
  TestSocket idle = running.Connect();
  slow_header.Send("GET / HTTP/1.1\r\nHos");
  slow_body.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  idle.Send(kGet);
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(slow_header.ReadAll(), "");
  EXPECT_EQ(slow_body.ReadAll(), "");
  EXPECT_THAT(idle.ReadAll(), EndsWith("[GET /x ]"));
  EXPECT_TRUE(running.Emptied());
}

TEST(HttpServerTest, AClientThatClosedItsHalfStillGetsItsAnswer) {
  absl::Notification asked;
  std::thread later;
  Running running([&](HttpRequest&, HttpResponder responder) {
    later = std::thread([&, responder = std::move(responder)]() mutable {
      asked.WaitForNotification();
      responder.Send(HttpResponse{200, "late", "text/plain", {}});
    });
  });
  TestSocket socket = running.Connect();
  socket.Send(kGet);
  socket.FinishWriting();
  asked.Notify();
  EXPECT_THAT(socket.ReadAll(), EndsWith("late"));
  later.join();
  EXPECT_TRUE(running.Emptied());
}

TEST(HttpServerTest, ADroppedResponderAnswers500) {
  Running running([](HttpRequest&, HttpResponder) {});
  const std::string answer = running.Ask(kLastGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, HasSubstr("NOT_ANSWERED"));
}

TEST(HttpServerTest, AnswersOfAnotherThreadReachAThousandConnections) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &files);
  absl::Mutex mutex;
  std::deque<HttpResponder> waiting;
  Running running(
      [&](HttpRequest&, HttpResponder responder) {
        absl::MutexLock lock(&mutex);
        waiting.push_back(std::move(responder));
      },
      {}, 2);
  std::vector<TestSocket> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(running.Connect());
    ASSERT_TRUE(clients.back().connected()) << i;
    clients.back().Send(kLastGet);
  }
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(+[](std::deque<HttpResponder>* all) { return all->size() == 1000; }, &waiting));
    for (HttpResponder& responder : waiting) responder.Send(HttpResponse{200, "done", "text/plain", {}});
    waiting.clear();
  }
  for (TestSocket& client : clients) ASSERT_THAT(client.ReadAll(), EndsWith("done"));
  EXPECT_TRUE(running.Emptied());
}

TEST(HttpServerTest, ConnectionsBeyondTheLimitAreClosedAndRoomIsUsedAgain) {
  HttpLimits limits;
  limits.connections = 2;
  Running running(Echo, limits);
  {
    TestSocket first = running.Connect(), second = running.Connect();
    first.Send(kGet);
    second.Send(kGet);
    EXPECT_THAT(first.ReadUntil("]"), EndsWith("[GET /x ]"));
    EXPECT_THAT(second.ReadUntil("]"), EndsWith("[GET /x ]"));
    EXPECT_EQ(running.Ask(kLastGet), "");
  }
  EXPECT_TRUE(running.Emptied());
  EXPECT_THAT(running.Ask(kLastGet), EndsWith("[GET /x ]"));
}

TEST(HttpServerTest, UnixSocketsServeAndAStaleOneIsReplaced) {
  const std::string path = absl::StrCat(::testing::TempDir(), "gnomon_http_", getpid(), ".sock");
  HttpServerOptions options;
  options.listen.push_back(ParseListenAddress("unix:" + path).value());
  {  // a socket file that nobody listens on
    const int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof(name.sun_path) - 1);
    ASSERT_EQ(bind(stale, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
    close(stale);
  }
  HttpServer server(options, [](HttpRequest& request, HttpResponder responder) {
    responder.Send(HttpResponse{200, request.peer->unix_socket ? "by unix" : "by tcp", "text/plain", {}});
  });
  ASSERT_TRUE(server.Start().ok());
  HttpServer second(options, Echo);
  EXPECT_EQ(CodeOf(second.Start()), "LISTEN_FAILED");
  TestSocket socket(server.addresses().front());
  socket.Send(kLastGet);
  EXPECT_THAT(socket.ReadAll(), EndsWith("by unix"));
  server.Stop(absl::ZeroDuration());
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(HttpServerTest, StopWaitsForAnswersInProgressAndClosesTheIdle) {
  absl::Notification asked;
  std::unique_ptr<HttpResponder> kept;
  Running running([&](HttpRequest& request, HttpResponder responder) {
    if (request.path == "/x") return Echo(request, std::move(responder));
    kept = std::make_unique<HttpResponder>(std::move(responder));
    asked.Notify();
  });
  TestSocket idle = running.Connect(), busy = running.Connect();
  idle.Send(kGet);
  EXPECT_THAT(idle.ReadUntil("]"), EndsWith("[GET /x ]"));
  busy.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  asked.WaitForNotification();
  std::thread stop([&] { running.server->Stop(absl::Seconds(10)); });
  EXPECT_EQ(idle.ReadAll(), "");
  kept->Send(HttpResponse{200, "in time", "text/plain", {}});
  const std::string answer = busy.ReadAll();
  EXPECT_THAT(answer, EndsWith("in time"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  stop.join();
}

TEST(HttpServerTest, StopCutsWhatIsNotAnsweredAndALaterAnswerIsDropped) {
  absl::Notification asked;
  std::unique_ptr<HttpResponder> kept;
  Running running([&](HttpRequest&, HttpResponder responder) {
    kept = std::make_unique<HttpResponder>(std::move(responder));
    asked.Notify();
  });
  TestSocket busy = running.Connect();
  busy.Send(kGet);
  asked.WaitForNotification();
  running.server->Stop(absl::Milliseconds(50));
  EXPECT_EQ(busy.ReadAll(), "");
  running.server.reset();
  kept->Send(HttpResponse());
}

}  // namespace
}  // namespace gnomon
