// SPDX-License-Identifier: Apache-2.0
//
// An HttpConnection serves one client; an HttpWorker is an I/O thread with its connections.
//
// For http_server.cc and http_connection.cc alone: this header brings in Boost.Asio.
//
// Threads: a connection belongs to its worker's thread; only what is marked "any thread" may be called from others.
#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "api/http_parser.h"
#include "api/http_server.h"

namespace gnomon {

namespace asio = boost::asio;
using HttpSocket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;
using HttpAcceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol, asio::io_context::executor_type>;
using SteadyTime = std::chrono::steady_clock::time_point;

// What all workers of a server share. Constant after Start but for the counters.
struct HttpCore {
  HttpServerOptions options;
  HttpServer::Handler handler;
  std::unique_ptr<asio::ssl::context> tls;
  std::string id_prefix;  // of request ids; differs from start to start
  std::atomic<size_t> connections{0};
  std::atomic<unsigned> workers{0};
};

class HttpWorker : public std::enable_shared_from_this<HttpWorker> {
 public:
  explicit HttpWorker(std::shared_ptr<HttpCore> core);

  // Before Run: what this worker accepts for all `peers`, itself among them.
  void Listen(HttpAcceptor acceptor, bool tls, std::vector<std::shared_ptr<HttpWorker>> peers);
  void Run();  // starts the thread
  void Drain(absl::Duration grace);  // any thread
  void Join();

  // An answer, the word that a stream has more to send, or work that will give an answer. Any thread.
  struct Event {
    std::shared_ptr<HttpConnection> connection;
    enum Kind { kAnswer, kStreamHead, kStreamData, kWork } kind = kAnswer;
    HttpResponse response;
    absl::AnyInvocable<void()> work = nullptr;
  };
  void Post(Event event);

  void Add(std::shared_ptr<HttpConnection> connection);
  void Remove(HttpConnection* connection);
  void BeforeSending() const;
  bool OnThread() const;
  bool draining() const { return draining_; }
  SteadyTime now() const { return now_ + tick_; }  // at most a tick ahead, so that no timeout ends early
  asio::io_context& io() { return io_; }
  HttpCore& core() { return *core_; }
  std::string_view NextRequestId();  // lives until the next call
  std::string_view Date();           // the time as the Date header has it; lives until the next call

 private:
  struct Listener {
    HttpAcceptor acceptor;
    bool tls;
    std::vector<std::shared_ptr<HttpWorker>> peers;
    size_t next = 0;
    bool paused = false;  // no descriptor was left; the next tick tries again
    asio::generic::stream_protocol::endpoint remote;
  };

  void Accept(Listener* listener);
  void Accepted(Listener* listener, std::shared_ptr<HttpConnection> connection);
  void Deliver();
  void ScheduleTick();
  void Tick();
  void FinishIfEmpty();

  const std::shared_ptr<HttpCore> core_;
  const std::chrono::milliseconds tick_;

  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::thread thread_;

  // Owned by the thread.
  asio::steady_timer timer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  absl::flat_hash_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections_;
  std::vector<Event> delivering_;
  SteadyTime now_, drain_until_;
  bool draining_ = false;
  const unsigned number_;  // among the server's workers
  uint64_t requests_ = 0;
  std::string request_id_;
  std::time_t date_at_ = -1;  // what date_ says
  std::string date_;

  absl::Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpWorker> worker, bool tls);
  ~HttpConnection();

  HttpSocket& socket() { return socket_; }
  void Start(const asio::generic::stream_protocol::endpoint& remote);
  void Work(HttpWorker::Event* event);  // turns work into the answer that it gives; nothing else is changed
  void Handle(HttpWorker::Event* event);
  void Expire(SteadyTime now);  // cuts it if its deadline has passed
  void Drain();
  void Close();

  // Any thread.
  void Answer(HttpResponse response, HttpWorker::Event::Kind kind);
  void Run(absl::AnyInvocable<void()> work);
  HttpStream::Write StreamWrite(std::string_view data);
  void StreamOnDrain(absl::AnyInvocable<void()> callback);
  bool StreamClosed();
  void StreamEnd(bool whole);

 private:
  // kHandshake, kIdle, kHeader, kBody wait for the client; kHandling for the handler's answer; kWriting for an answer
  // to go out; kStreaming for the stream's end; kLingering for the client to take the last answer and close.
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kHandling, kWriting, kStreaming, kLingering, kClosed };

  void SetPeer(const asio::generic::stream_protocol::endpoint& remote);
  void Enter(Phase phase);
  void Handshake();
  void Read();
  void OnRead(const boost::system::error_code& error, size_t bytes);
  void Process();
  bool Dispatch();
  void Refuse();
  bool Take(HttpWorker::Event* event);
  enum class Framing { kLength, kChunked, kUntilClose };
  void AppendHead(const HttpResponse& response, Framing framing);
  bool WriteOut();
  void WriteRest();
  bool AnswerDone();
  void Linger();
  void FlushStream();
  bool StreamWritten();
  void CloseStream() ABSL_LOCKS_EXCLUDED(mutex_);
  bool FrameStream(std::string_view data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<HttpWorker> worker_;
  HttpSocket socket_;
  std::optional<asio::ssl::stream<HttpSocket&>> tls_;

  // Owned by the worker's thread.
  HttpPeer peer_;
  HttpParser parser_;
  Phase phase_ = Phase::kHandshake;
  SteadyTime deadline_ = SteadyTime::max();
  bool counted_ = true, reading_ = false, eof_ = false, writing_ = false, in_handler_ = false, keep_alive_ = true;
  std::optional<HttpWorker::Event> inline_event_;  // the answer that the handler gave before it returned
  std::string in_;  // [in_begin_, in_end_) has been read and not been parsed
  size_t in_begin_ = 0, in_end_ = 0;
  std::string out_;  // of which out_sent_ bytes are sent
  size_t out_sent_ = 0;

  absl::Mutex mutex_;
  std::string pending_ ABSL_GUARDED_BY(mutex_);   // the stream's, framed, not yet in out_
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;  // the stream's bytes in out_
  absl::AnyInvocable<void()> on_drain_ ABSL_GUARDED_BY(mutex_);
  bool chunked_ ABSL_GUARDED_BY(mutex_) = true;
  bool stream_posted_ ABSL_GUARDED_BY(mutex_) = false;  // an event for pending_ is on its way
  bool stream_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool stream_cut_ ABSL_GUARDED_BY(mutex_) = false;     // ended without its whole body
  bool stream_closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace gnomon
