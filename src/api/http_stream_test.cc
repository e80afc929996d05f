// SPDX-License-Identifier: Apache-2.0
// Label: real time (sockets)
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "api/http_server.h"
#include "api/http_test_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpStreamTest : public ::testing::Test {
 protected:
  void Serve(HttpLimits limits = {}) {
    HttpServerOptions options;
    options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
    options.limits = limits;
    server_ = std::make_unique<HttpServer>(options, [this](HttpRequest& request, HttpResponder responder) {
      if (request.path == "/plain") return responder.Send(HttpResponse{200, "plain", "text/plain", {}});
      HttpResponse head;
      head.content_type = "application/x-ndjson";
      stream_ = std::make_unique<HttpStream>(responder.Stream(std::move(head)));
      begun_.Notify();
    });
    ASSERT_TRUE(server_->Start().ok());
  }
  std::unique_ptr<TestSocket> Open(std::string_view text = "GET /s HTTP/1.1\r\nHost: a\r\n\r\n", int buffer = 0) {
    auto socket = std::make_unique<TestSocket>(server_->addresses().front(), buffer);
    socket->Send(text);
    begun_.WaitForNotification();
    return socket;
  }

  absl::Notification begun_;
  std::unique_ptr<HttpStream> stream_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpStreamTest, PiecesArriveAtOnceAndTheConnectionLivesOn) {
  Serve();
  auto socket = Open();
  EXPECT_THAT(socket->ReadUntil("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_EQ(stream_->Send("{\"a\":1}\n"), HttpStream::Write::kAccepted);
  EXPECT_EQ(socket->ReadUntil("}\n\r\n"), "8\r\n{\"a\":1}\n\r\n");
  EXPECT_EQ(stream_->Send("x"), HttpStream::Write::kAccepted);
  EXPECT_EQ(socket->ReadUntil("x\r\n"), "1\r\nx\r\n");
  stream_->Finish();
  EXPECT_EQ(socket->ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
  socket->Send("GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(socket->ReadAll(), EndsWith("plain"));
}

TEST_F(HttpStreamTest, ASlowReaderFillsTheBufferAndNoMore) {
  HttpLimits limits;
  limits.stream_bytes = 64 << 10;
  Serve(limits);
  auto socket = Open("GET /s HTTP/1.1\r\nHost: a\r\n\r\n", 4096);
  const std::string piece(1 << 10, 'y');
  size_t accepted = 0;
  absl::Notification drained;
  // The kernel's buffers take some megabytes; then ours, 64 KiB; then nothing.
  HttpStream::Write wrote = HttpStream::Write::kAccepted;
  int full = 0;
  while (full < 100 && accepted < (size_t{64} << 20)) {
    wrote = stream_->Send(piece);
    if (wrote == HttpStream::Write::kAccepted) accepted += piece.size(), full = 0;
    if (wrote == HttpStream::Write::kFull) ++full, absl::SleepFor(absl::Milliseconds(1));
    ASSERT_NE(wrote, HttpStream::Write::kClosed);
  }
  EXPECT_EQ(wrote, HttpStream::Write::kFull);
  EXPECT_LT(accepted, size_t{16} << 20);
  stream_->OnDrain([&] { drained.Notify(); });
  std::thread reader([&] { socket->ReadUntil("\r\n0\r\n\r\n"); });
  EXPECT_TRUE(drained.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(stream_->Send(piece), HttpStream::Write::kAccepted);
  stream_->Finish();
  reader.join();
}

TEST_F(HttpStreamTest, AReaderThatStopsReadingIsCutAfterTheWriteTimeout) {
  HttpLimits limits;
  limits.write_timeout = absl::Milliseconds(200);
  Serve(limits);
  auto socket = Open("GET /s HTTP/1.1\r\nHost: a\r\n\r\n", 4096);
  const std::string piece(1 << 16, 'y');
  for (int i = 0; i < 2000 && !stream_->closed(); ++i) {
    if (stream_->Send(piece) == HttpStream::Write::kFull) absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_TRUE(stream_->closed());
  EXPECT_EQ(stream_->Send(piece), HttpStream::Write::kClosed);
}

TEST_F(HttpStreamTest, AReaderThatGoesAwayClosesAnIdleStream) {
  Serve();
  auto socket = Open();
  const std::string big((1 << 20) + 1, 'z');
  ASSERT_EQ(stream_->Send(big), HttpStream::Write::kAccepted);
  absl::Notification closed;
  socket.reset();
  while (!stream_->closed()) absl::SleepFor(absl::Milliseconds(5));
  stream_->OnDrain([&] { closed.Notify(); });
  EXPECT_TRUE(closed.HasBeenNotified());
}

TEST_F(HttpStreamTest, AStreamThatIsDroppedIsNotTakenForWhole) {
  Serve();
  auto socket = Open();
  stream_->Send("part");
  stream_.reset();
  const std::string all = socket->ReadAll();
  EXPECT_EQ(all.find("0\r\n\r\n"), std::string::npos);
}

TEST_F(HttpStreamTest, StopEndsAStreamWhole) {
  Serve();
  auto socket = Open();
  stream_->Send("last");
  server_->Stop(absl::Seconds(10));
  EXPECT_TRUE(stream_->closed());
  EXPECT_THAT(socket->ReadAll(), EndsWith("4\r\nlast\r\n0\r\n\r\n"));
}

TEST_F(HttpStreamTest, AnOldClientGetsAStreamThatEndsWithItsConnection) {
  Serve();
  auto socket = Open("GET /s HTTP/1.0\r\n\r\n");
  stream_->Send("abc");
  stream_->Finish();
  const std::string all = socket->ReadAll();
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  EXPECT_THAT(all, EndsWith("\r\n\r\nabc"));
}

TEST_F(HttpStreamTest, TenThousandPiecesArriveInOrder) {
  Serve();
  auto socket = Open();
  std::thread writer([&] {
    for (int i = 0; i < 10000;) {
      if (stream_->Send(absl::StrCat(i, "\n")) == HttpStream::Write::kAccepted) {
        ++i;
      } else {
        absl::Notification room;
        stream_->OnDrain([&] { room.Notify(); });
        room.WaitForNotification();
      }
    }
    stream_->Finish();
  });
  socket->ReadUntil("\r\n\r\n");
  for (int i = 0; i < 10000; ++i) {
    const std::string line = absl::StrCat(i, "\n");
    ASSERT_EQ(socket->ReadUntil("\n\r\n"), absl::StrCat(absl::Hex(line.size()), "\r\n", line, "\r\n"));
  }
  writer.join();
  EXPECT_EQ(socket->ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
}

}  // namespace
}  // namespace gnomon
