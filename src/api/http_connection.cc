// SPDX-License-Identifier: Apache-2.0
#include "api/http_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/problem.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/text.h"

namespace gnomon {
namespace {

using boost::system::error_code;

constexpr size_t kReadBytes = 4096;         // room for at least so much before each read
constexpr size_t kKeptBytes = 64 << 10;     // a larger output buffer is given back after its answer
constexpr absl::Duration kLinger = absl::Seconds(2);

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    default: return TitleOf(status);
  }
}

void AppendNumber(uint64_t number, int base, std::string* out) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), number, base);
  out->append(text, end);
}

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpWorker> worker, bool tls)
    : worker_(std::move(worker)), socket_(worker_->io()), parser_(worker_->core().options.limits) {
  if (tls) tls_.emplace(socket_, *worker_->core().tls);
  worker_->core().connections.fetch_add(1, std::memory_order_relaxed);
}

HttpConnection::~HttpConnection() {
  if (counted_) worker_->core().connections.fetch_sub(1, std::memory_order_relaxed);
}

void HttpConnection::Start(const asio::generic::stream_protocol::endpoint& remote) {
  SetPeer(remote);
  Enter(Phase::kHandshake);
  if (tls_) return Handshake();
  Read();
}

void HttpConnection::SetPeer(const asio::generic::stream_protocol::endpoint& remote) {
  peer_.tls = tls_.has_value();
  const sockaddr* address = remote.data();
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    peer_.address = absl::StrCat(text, ":", ntohs(v4->sin_port));
    peer_.loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    peer_.address = absl::StrCat("[", text, "]:", ntohs(v6->sin6_port));
    peer_.loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  } else {
    peer_.address = "unix";
    peer_.unix_socket = true;
    return;
  }
  const int on = 1;
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// Each phase has its deadline; the worker's tick cuts the connection when it has passed.
void HttpConnection::Enter(Phase phase) {
  phase_ = phase;
  const HttpLimits& limits = worker_->core().options.limits;
  absl::Duration allowed = absl::InfiniteDuration();
  switch (phase) {
    case Phase::kHandshake:
    case Phase::kHeader: allowed = limits.header_timeout; break;
    case Phase::kIdle: allowed = limits.idle_timeout; break;
    case Phase::kBody: allowed = limits.body_timeout; break;
    case Phase::kWriting: allowed = limits.write_timeout; break;
    case Phase::kLingering: allowed = std::min(kLinger, limits.write_timeout); break;
    case Phase::kHandling:
    case Phase::kStreaming:
    case Phase::kClosed: break;
  }
  deadline_ = allowed == absl::InfiniteDuration() ? SteadyTime::max()
                                                  : worker_->now() + absl::ToChronoMilliseconds(allowed);
}

void HttpConnection::Handshake() {
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](const error_code& error) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->Close();
    if (X509* certificate = SSL_get1_peer_certificate(self->tls_->native_handle())) {
      char name[256] = "";
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
      self->peer_.certificate = name;
      X509_free(certificate);
    }
    self->Read();
  });
}

// Reads once, unless a read is under way. While a stream runs, this is how we learn that its reader went away.
void HttpConnection::Read() {
  if (reading_ || phase_ == Phase::kClosed) return;
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  if (in_.size() - in_end_ < kReadBytes) {
    in_.erase(0, in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
    if (in_.size() - in_end_ < kReadBytes) in_.resize(in_end_ + kReadBytes);
  }
  reading_ = true;
  const auto done = [self = shared_from_this()](const error_code& error, size_t bytes) { self->OnRead(error, bytes); };
  const asio::mutable_buffer room(in_.data() + in_end_, in_.size() - in_end_);
  if (tls_) {
    tls_->async_read_some(room, done);
  } else {
    socket_.async_read_some(room, done);
  }
}

void HttpConnection::OnRead(const error_code& error, size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (error) {
    eof_ = true;
    // A client that has only closed its writing side still gets the answer to its request.
    if (phase_ != Phase::kHandling && phase_ != Phase::kWriting) Close();
    return;
  }
  if (phase_ == Phase::kLingering) return Read();
  in_end_ += bytes;
  if (phase_ == Phase::kHandling || phase_ == Phase::kWriting) return;
  if (phase_ == Phase::kStreaming) {
    if (in_end_ - in_begin_ < worker_->core().options.limits.header_bytes) Read();
    return;
  }
  Process();
}

// Takes the requests that have been read, one after the other, until one must wait for its answer or for more bytes.
void HttpConnection::Process() {
  while (phase_ != Phase::kClosed && phase_ != Phase::kLingering) {
    if (in_begin_ == in_end_) return eof_ ? Close() : Read();
    if (phase_ == Phase::kIdle || phase_ == Phase::kHandshake) Enter(Phase::kHeader);
    size_t taken = 0;
    const HttpParser::Result result =
        parser_.Feed(std::string_view(in_).substr(in_begin_, in_end_ - in_begin_), &taken);
    in_begin_ += taken;
    if (result == HttpParser::Result::kBad) return Refuse();
    if (result == HttpParser::Result::kNeedMore) {
      if (phase_ == Phase::kHeader && parser_.header_done()) {
        Enter(Phase::kBody);
        if (parser_.expects_continue()) {
          out_.append("HTTP/1.1 100 Continue\r\n\r\n");
          if (!WriteOut()) return;
        }
      }
      return eof_ ? Close() : Read();
    }
    if (!Dispatch()) return;
  }
}

// Calls the handler. True if it has answered and the answer is sent, so that the next request may be taken.
bool HttpConnection::Dispatch() {
  Enter(Phase::kHandling);
  keep_alive_ = parser_.keep_alive();
  HttpRequest& request = parser_.request();
  request.peer = &peer_;
  const std::string_view sent_id = request.Header("X-Request-Id");
  request.id = IsName(sent_id) ? sent_id : worker_->NextRequestId();
  in_handler_ = true;
  worker_->core().handler(request, HttpResponder(shared_from_this()));
  in_handler_ = false;
  if (!inline_event_) return false;
  HttpWorker::Event event = *std::move(inline_event_);
  inline_event_.reset();
  worker_->BeforeSending();
  return Take(&event);
}

// Answers what is not a request that the handler could get, then closes: what follows cannot be understood.
void HttpConnection::Refuse() {
  Enter(Phase::kHandling);
  keep_alive_ = false;
  parser_.request().id = worker_->NextRequestId();
  HttpWorker::Event event;
  event.response =
      ProblemResponse(parser_.error_status(), parser_.error_code(), parser_.error_detail(), parser_.request().id);
  Take(&event);
}

void HttpConnection::Work(HttpWorker::Event* event) {
  if (event->kind != HttpWorker::Event::kWork) return;
  auto work = std::move(event->work);
  in_handler_ = true;
  work();
  in_handler_ = false;
  if (!inline_event_) return;
  event->kind = inline_event_->kind;
  event->response = std::move(inline_event_->response);
  inline_event_.reset();
}

// An event that came through the worker, after Work.
void HttpConnection::Handle(HttpWorker::Event* event) {
  if (phase_ == Phase::kClosed || event->kind == HttpWorker::Event::kWork) return;
  if (event->kind == HttpWorker::Event::kStreamData) return FlushStream();
  if (Take(event)) Process();
}

bool HttpConnection::Take(HttpWorker::Event* event) {
  if (worker_->draining()) keep_alive_ = false;
  if (event->kind == HttpWorker::Event::kStreamHead) {
    if (parser_.http_1_0()) keep_alive_ = false;
    AppendHead(event->response, parser_.http_1_0() ? Framing::kUntilClose : Framing::kChunked);
    Enter(Phase::kStreaming);
    if (worker_->draining()) CloseStream();
    Read();
    FlushStream();
    return false;
  }
  AppendHead(event->response, Framing::kLength);
  if (parser_.request().method != HttpMethod::kHead) out_.append(event->response.body);
  Enter(Phase::kWriting);
  return WriteOut() && AnswerDone();
}

void HttpConnection::AppendHead(const HttpResponse& response, Framing framing) {
  out_.append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(response.status), 10, &out_);
  out_.push_back(' ');
  out_.append(ReasonOf(response.status));
  if (!response.content_type.empty() && response.status != 204) {
    out_.append("\r\nContent-Type: ").append(response.content_type);
  }
  if (framing == Framing::kChunked) {
    out_.append("\r\nTransfer-Encoding: chunked");
  } else if (framing == Framing::kLength && response.status != 204) {
    out_.append("\r\nContent-Length: ");
    AppendNumber(response.body.size(), 10, &out_);
  }
  out_.append("\r\nDate: ").append(worker_->Date());
  out_.append("\r\nX-Request-Id: ").append(parser_.request().id);
  for (const auto& [name, value] : response.headers) out_.append("\r\n").append(name).append(": ").append(value);
  if (!keep_alive_) {
    out_.append("\r\nConnection: close");
  } else if (parser_.http_1_0()) {
    out_.append("\r\nConnection: keep-alive");
  }
  out_.append("\r\n\r\n");
}

// Sends out_, at once if the kernel takes it. False: it goes on by itself, or the connection is closed.
bool HttpConnection::WriteOut() {
  if (!tls_) {
    const ssize_t sent = send(socket_.native_handle(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      Close();
      return false;
    }
    out_sent_ = sent < 0 ? 0 : static_cast<size_t>(sent);
    if (out_sent_ == out_.size()) {
      out_.clear();
      out_sent_ = 0;
      return true;
    }
  }
  writing_ = true;
  WriteRest();
  return false;
}

void HttpConnection::WriteRest() {
  const auto done = [self = shared_from_this()](const error_code& error, size_t bytes) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->Close();
    self->out_sent_ += bytes;
    if (self->phase_ == Phase::kStreaming) self->deadline_ = SteadyTime::max();
    if (self->out_sent_ < self->out_.size()) return self->WriteRest();
    self->writing_ = false;
    self->out_sent_ = 0;
    self->out_.clear();
    if (self->phase_ == Phase::kStreaming) {
      if (self->StreamWritten()) self->FlushStream();
      return;
    }
    if (self->phase_ == Phase::kBody) return self->Read();  // what went out was "100 Continue"
    if (self->AnswerDone()) self->Process();
  };
  if (phase_ == Phase::kStreaming) {
    deadline_ = worker_->now() + absl::ToChronoMilliseconds(worker_->core().options.limits.write_timeout);
  }
  const asio::const_buffer rest(out_.data() + out_sent_, out_.size() - out_sent_);
  if (tls_) {
    tls_->async_write_some(rest, done);
  } else {
    socket_.async_write_some(rest, done);
  }
}

// True: the connection is ready for its next request.
bool HttpConnection::AnswerDone() {
  if (out_.capacity() > kKeptBytes) out_ = std::string();
  if (!keep_alive_ || worker_->draining()) {
    Linger();
    return false;
  }
  parser_.Reset();
  Enter(Phase::kIdle);
  return true;
}

// Closing with unread bytes would reset the connection and could take the answer from the client; so we say that
// nothing more comes, and read what it still sends for a while.
void HttpConnection::Linger() {
  if (eof_) return Close();
  Enter(Phase::kLingering);
  in_begin_ = in_end_ = 0;
  if (tls_) {
    tls_->async_shutdown([self = shared_from_this()](const error_code&) { self->Close(); });
    return;
  }
  error_code ignored;
  socket_.shutdown(HttpSocket::shutdown_send, ignored);
  Read();
}

void HttpConnection::Expire(SteadyTime now) {
  if (now >= deadline_) Close();
}

void HttpConnection::Drain() {
  keep_alive_ = false;
  if (phase_ == Phase::kIdle || phase_ == Phase::kHandshake) return Close();
  if (phase_ != Phase::kStreaming) return;
  CloseStream();
  FlushStream();
}

void HttpConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  Enter(Phase::kClosed);
  error_code ignored;
  socket_.close(ignored);
  counted_ = false;
  worker_->core().connections.fetch_sub(1, std::memory_order_relaxed);
  CloseStream();
  worker_->Remove(this);
}

void HttpConnection::Answer(HttpResponse response, HttpWorker::Event::Kind kind) {
  if (kind == HttpWorker::Event::kStreamHead) {
    absl::MutexLock lock(&mutex_);
    stream_posted_ = stream_ended_ = stream_cut_ = stream_closed_ = false;
    chunked_ = !parser_.http_1_0();  // the parser rests until the request is answered
    pending_.clear();
    on_drain_ = nullptr;
  }
  HttpWorker::Event event{nullptr, kind, std::move(response)};
  if (worker_->OnThread() && in_handler_) {
    inline_event_ = std::move(event);
    return;
  }
  event.connection = shared_from_this();
  worker_->Post(std::move(event));
}

void HttpConnection::Run(absl::AnyInvocable<void()> work) {
  if (worker_->OnThread()) return work();
  worker_->Post({shared_from_this(), HttpWorker::Event::kWork, {}, std::move(work)});
}

}  // namespace gnomon
