// SPDX-License-Identifier: Apache-2.0
//
// An HttpServer answers HTTP/1.1 requests on TCP and unix sockets, with TLS if asked.
//
// Example:
//   HttpServer server(options, [](HttpRequest& request, HttpResponder responder) {
//     responder.Send(HttpResponse{.status = 200, .body = "{}"});
//   });
//   GNOMON_RETURN_IF_ERROR(server.Start());
//   ...
//   server.Stop(absl::Seconds(10));
//
// The handler is called on an I/O thread and must not block. It answers through the HttpResponder: at once, or later
// from any thread. Until then the request and all its views live, and nothing more is read from that connection.
//
// Threads: Start and Stop from one thread. The handler is called from all I/O threads at once.
// Limits: HttpLimits; a client that is slower than its timeouts is cut.
// Cost: an answer is one write; answers from other threads wake an I/O thread once, however many it finds then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/http_message.h"
#include "api/listen_address.h"

namespace gnomon {

class HttpConnection;
struct HttpCore;
class HttpWorker;

// An HttpStream is a response whose body is written piece by piece, as NDJSON, SSE or a file.
//
// The client sees the end of the body only after Finish(); a stream that is destroyed before cuts the connection, so
// that a part is never taken for the whole. When the server stops, it ends the streams as Finish() would.
// Threads: any, one at a time.
class HttpStream {
 public:
  enum class Write { kAccepted, kFull, kClosed };

  explicit HttpStream(std::shared_ptr<HttpConnection> connection) : connection_(std::move(connection)) {}
  HttpStream(HttpStream&&) = default;
  HttpStream& operator=(HttpStream&&) = delete;
  ~HttpStream();

  // kFull: `data` was not taken, as the reader is stream_bytes behind; call again after OnDrain. A piece larger than
  // stream_bytes is taken when nothing else is waiting. kClosed: the reader is gone or the server stops.
  Write Send(std::string_view data);
  // `callback` is called once, on an I/O thread: when at least half the buffer is free, or the stream is closed (then
  // also at once, from here). A second call before that replaces the first. The callback may call
  // any function of the stream.
  void OnDrain(absl::AnyInvocable<void()> callback);
  bool closed() const;
  void Finish();

 private:
  std::shared_ptr<HttpConnection> connection_;  // null after Finish or a move
};

// An HttpResponder is the duty to answer one request, exactly once; one that is destroyed without an answer sends 500.
// Threads: any.
class HttpResponder {
 public:
  explicit HttpResponder(std::shared_ptr<HttpConnection> connection) : connection_(std::move(connection)) {}
  HttpResponder(HttpResponder&&) = default;
  HttpResponder& operator=(HttpResponder&&) = delete;
  ~HttpResponder();

  // The request's views dangle from here on.
  void Send(HttpResponse response);
  // Runs what makes the answer on the connection's own thread, to spare the thread that has its content; at once if that is
  // this thread, or if the server has stopped. Before Send or Stream.
  void Run(absl::AnyInvocable<void()> work);
  // Sends `head` (its body is ignored) and leaves the connection to the stream.
  HttpStream Stream(HttpResponse head);

 private:
  std::shared_ptr<HttpConnection> connection_;  // null after the answer or a move
};

struct HttpServerOptions {
  std::vector<ListenAddress> listen;
  int threads = 1;
  HttpLimits limits;
  // PEM files. With a certificate every TCP address speaks TLS (1.2 or later); unix sockets never do.
  std::string tls_certificate, tls_key;
  // Authorities of client certificates: one that a client sends must be signed by them; sending none is allowed.
  std::string tls_client_ca;
  // Called on an I/O thread after answers were given and before they are sent, once for several that came together:
  // what is to be kept of each before its client sees it can be kept for all at once. Must be short.
  std::function<void()> before_sending = nullptr;
};

class HttpServer {
 public:
  using Handler = absl::AnyInvocable<void(HttpRequest&, HttpResponder) const>;

  HttpServer(HttpServerOptions options, Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // Stop(absl::ZeroDuration())

  // Whether Start() could bind all addresses and use the files of TLS now: its errors. Leaves nothing behind.
  static absl::Status CheckListen(const HttpServerOptions& options);
  // Binds all addresses, then serves. UNAVAILABLE "LISTEN_FAILED" if one cannot be bound, INVALID_ARGUMENT
  // "INVALID_TLS" if a file of TLS cannot be used; then nothing runs. A stale unix socket is replaced, a live one is not.
  absl::Status Start();
  // What was bound, with the ports that the kernel chose; in the order of options.listen.
  const std::vector<ListenAddress>& addresses() const { return addresses_; }

  // Accepts no more, closes idle connections, ends streams, lets requests in progress be answered for at most `grace`,
  // then cuts what is left and joins the threads. Later answers are dropped. May be called again, then does nothing.
  void Stop(absl::Duration grace);

  size_t connections() const;  // open now; any thread

 private:
  std::shared_ptr<HttpCore> core_;
  std::vector<ListenAddress> addresses_;
  std::vector<std::shared_ptr<HttpWorker>> workers_;
};

}  // namespace gnomon
