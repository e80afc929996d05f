// SPDX-License-Identifier: Apache-2.0
#include "api/http_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "api/http_connection.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

using boost::system::error_code;
using Endpoint = asio::generic::stream_protocol::endpoint;

constexpr int kBacklog = 4096;
constexpr size_t kAnswersAGroup = 32;  // made before the first of them is sent: more would let their clients wait idly

thread_local const HttpWorker* current_worker = nullptr;

// How often deadlines are looked at: a quarter of the shortest.
std::chrono::milliseconds TickOf(const HttpLimits& limits) {
  const absl::Duration shortest =
      std::min({limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout});
  return absl::ToChronoMilliseconds(std::clamp(shortest / 4, absl::Milliseconds(10), absl::Seconds(1)));
}

absl::Status ListenFailed(const ListenAddress& address, std::string_view why) {
  return Error(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
               absl::StrCat("cannot listen on ", address.ToString(), ": ", AbslView(why)))
      .Field("listen")
      .Value(address.ToString())
      .Hint("stop what listens there, or choose another address");
}

// Removes the socket file of a server that is gone. A live one is left, so that binding fails.
void RemoveStale(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool refused =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno == ECONNREFUSED;
  close(probe);
  if (refused) unlink(path.c_str());
}

// Binds. On success `address` holds the port that was bound.
absl::StatusOr<HttpAcceptor> Bind(asio::io_context& io, ListenAddress* address) {
  Endpoint endpoint;
  if (!address->unix_path.empty()) {
    RemoveStale(address->unix_path);
    endpoint = asio::local::stream_protocol::endpoint(address->unix_path);
  } else {
    error_code error;
    const auto ip = asio::ip::make_address(address->ip, error);
    if (error) return ListenFailed(*address, error.message());
    endpoint = asio::ip::tcp::endpoint(ip, address->port);
  }
  HttpAcceptor acceptor(io);
  error_code error;
  const bool tcp = address->unix_path.empty();
  acceptor.open(asio::generic::stream_protocol(endpoint.protocol().family(), tcp ? IPPROTO_TCP : 0), error);
  if (!error && tcp) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error) return ListenFailed(*address, error.message());
  if (tcp) {
    const Endpoint bound = acceptor.local_endpoint(error);
    const auto* name = bound.data();
    address->port = ntohs(name->sa_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(name)->sin6_port
                                                      : reinterpret_cast<const sockaddr_in*>(name)->sin_port);
  }
  return acceptor;
}

absl::StatusOr<HttpAcceptor> BindAndListen(asio::io_context& io, ListenAddress* address) {
  absl::StatusOr<HttpAcceptor> acceptor = Bind(io, address);
  error_code error;
  if (acceptor.ok()) acceptor->listen(kBacklog, error);
  return error ? ListenFailed(*address, error.message()) : std::move(acceptor);
}

absl::StatusOr<std::unique_ptr<asio::ssl::context>> LoadTls(const HttpServerOptions& options) {
  const auto invalid = [](std::string_view field, const std::string& file, const error_code& error) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_TLS",
                 absl::StrCat("cannot use ", file, " for TLS: ", error.message()))
        .Field(field)
        .Value(file)
        .Hint("name a PEM file that this user may read");
  };
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code error;
  context->use_certificate_chain_file(options.tls_certificate, error);
  if (error) return invalid("tls.cert", options.tls_certificate, error);
  context->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error) return invalid("tls.key", options.tls_key, error);
  if (!options.tls_client_ca.empty()) {
    context->load_verify_file(options.tls_client_ca, error);
    if (!error) context->set_verify_mode(asio::ssl::verify_peer, error);
    if (error) return invalid("tls.client_ca", options.tls_client_ca, error);
    static constexpr unsigned char kSessionContext[] = "gnomon";
    SSL_CTX_set_session_id_context(context->native_handle(), kSessionContext, sizeof(kSessionContext) - 1);
  }
  return context;
}

}  // namespace

HttpWorker::HttpWorker(std::shared_ptr<HttpCore> core)
    : core_(std::move(core)), tick_(TickOf(core_->options.limits)), work_(io_.get_executor()), timer_(io_),
      number_(core_->workers.fetch_add(1, std::memory_order_relaxed)) {
  now_ = std::chrono::steady_clock::now();
}

void HttpWorker::Listen(HttpAcceptor acceptor, bool tls, std::vector<std::shared_ptr<HttpWorker>> peers) {
  listeners_.push_back(std::make_unique<Listener>(Listener{std::move(acceptor), tls, std::move(peers), 0, false, {}}));
}

void HttpWorker::Run() {
  for (const auto& listener : listeners_) Accept(listener.get());
  ScheduleTick();
  thread_ = std::thread([self = shared_from_this()] {
    current_worker = self.get();
    self->io_.run();
  });
}

void HttpWorker::BeforeSending() const {
  if (core_->options.before_sending) core_->options.before_sending();
}

bool HttpWorker::OnThread() const { return current_worker == this; }

void HttpWorker::Join() {
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
}

void HttpWorker::Accept(Listener* listener) {
  const auto& peer = listener->peers[listener->next++ % listener->peers.size()];
  auto connection = std::make_shared<HttpConnection>(peer, listener->tls);
  HttpSocket& socket = connection->socket();
  listener->acceptor.async_accept(
      socket, listener->remote,
      [self = shared_from_this(), listener, connection = std::move(connection)](const error_code& error) mutable {
        if (self->draining_) return;
        if (!error) {
          self->Accepted(listener, std::move(connection));
        } else if (error == asio::error::no_descriptors || error == asio::error::no_memory) {
          listener->paused = true;
          return;
        }
        self->Accept(listener);
      });
}

void HttpWorker::Accepted(Listener* listener, std::shared_ptr<HttpConnection> connection) {
  // This one is counted already, as is the one that each other listener keeps ready.
  if (core_->connections.load(std::memory_order_relaxed) > core_->options.limits.connections) return;
  const auto& peer = listener->peers[(listener->next - 1) % listener->peers.size()];
  const auto remote = listener->remote;
  auto start = [peer = peer, connection = std::move(connection), remote] {
    if (peer->draining_) return;
    peer->Add(connection);
    connection->Start(remote);
  };
  if (peer.get() == this) return start();
  asio::post(peer->io_, std::move(start));
}

void HttpWorker::Add(std::shared_ptr<HttpConnection> connection) {
  HttpConnection* key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void HttpWorker::Remove(HttpConnection* connection) {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  const auto keep = std::move(found->second);  // its destructor must not run inside the erase
  connections_.erase(found);
  FinishIfEmpty();
}

std::string_view HttpWorker::NextRequestId() {
  request_id_.clear();
  absl::StrAppend(&request_id_, core_->id_prefix, "-", absl::Hex(number_), "-", absl::Hex(++requests_));
  return request_id_;
}

std::string_view HttpWorker::Date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_at_) {
    date_at_ = now;
    date_ = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::FromTimeT(now), absl::UTCTimeZone());
  }
  return date_;
}

// Only the first event wakes the thread; it delivers all that it finds then.
void HttpWorker::Post(Event event) {
  bool stopped = false;
  {
    absl::MutexLock lock(&mutex_);
    stopped = stopped_;
    if (!stopped) {
      events_.push_back(std::move(event));
      if (scheduled_) return;
      scheduled_ = true;
    }
  }
  if (stopped) {
    if (event.kind == Event::kWork) event.work();  // also what nobody hears of is noted
    return;
  }
  asio::post(io_, [self = shared_from_this()] { self->Deliver(); });
}

void HttpWorker::Deliver() {
  std::vector<Event> events = std::move(delivering_);  // for its capacity; a nested delivery finds another
  {
    absl::MutexLock lock(&mutex_);
    events.swap(events_);
    scheduled_ = false;
  }
  for (size_t begin = 0; begin < events.size(); begin += kAnswersAGroup) {
    const absl::Span<Event> group = absl::MakeSpan(events).subspan(begin, kAnswersAGroup);
    for (Event& event : group) event.connection->Work(&event);
    BeforeSending();
    for (Event& event : group) event.connection->Handle(&event);
  }
  events.clear();
  delivering_ = std::move(events);
}

void HttpWorker::ScheduleTick() {
  timer_.expires_after(tick_);
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->Tick();
  });
}

void HttpWorker::Tick() {
  now_ = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<HttpConnection>> open;
  open.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) open.push_back(connection);
  const bool cut_all = draining_ && now_ >= drain_until_;
  for (const auto& connection : open) {
    if (cut_all) {
      connection->Close();
    } else {
      connection->Expire(now_);
    }
  }
  for (const auto& listener : listeners_) {
    if (std::exchange(listener->paused, false) && !draining_) Accept(listener.get());
  }
  if (work_) ScheduleTick();
}

void HttpWorker::Drain(absl::Duration grace) {
  asio::post(io_, [self = shared_from_this(), grace] {
    if (self->draining_) return;
    self->draining_ = true;
    self->drain_until_ = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(grace);
    error_code ignored;
    for (const auto& listener : self->listeners_) listener->acceptor.close(ignored);
    std::vector<std::shared_ptr<HttpConnection>> open;
    for (const auto& [key, connection] : self->connections_) open.push_back(connection);
    for (const auto& connection : open) connection->Drain();
    self->FinishIfEmpty();
  });
}

// With the guard and the timer gone, io_.run() returns when the last cancelled operation has been told.
void HttpWorker::FinishIfEmpty() {
  if (!draining_ || !connections_.empty() || !work_) return;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  timer_.cancel();
  work_.reset();
}

HttpServer::HttpServer(HttpServerOptions options, Handler handler) : core_(std::make_shared<HttpCore>()) {
  core_->options = std::move(options);
  core_->handler = std::move(handler);
  std::random_device random;
  core_->id_prefix = absl::StrCat(absl::Hex(random(), absl::kZeroPad8));
}

HttpServer::~HttpServer() { Stop(absl::ZeroDuration()); }

absl::Status HttpServer::CheckListen(const HttpServerOptions& options) {
  if (!options.tls_certificate.empty()) GNOMON_RETURN_IF_ERROR(LoadTls(options).status());
  asio::io_context io;
  for (ListenAddress address : options.listen) {
    GNOMON_RETURN_IF_ERROR(Bind(io, &address).status());
    if (!address.unix_path.empty()) unlink(address.unix_path.c_str());
  }
  return absl::OkStatus();
}

absl::Status HttpServer::Start() {
  if (!core_->options.tls_certificate.empty()) {
    auto tls = LoadTls(core_->options);
    if (!tls.ok()) return tls.status();
    core_->tls = *std::move(tls);
  }
  std::vector<std::shared_ptr<HttpWorker>> workers;
  for (int i = 0; i < std::max(1, core_->options.threads); ++i) workers.push_back(std::make_shared<HttpWorker>(core_));
  for (ListenAddress address : core_->options.listen) {
    auto acceptor = BindAndListen(workers.front()->io(), &address);
    if (!acceptor.ok()) {
      for (const auto& worker : workers) worker->Join();  // lets go of each other
      addresses_.clear();
      return acceptor.status();
    }
    workers.front()->Listen(*std::move(acceptor), core_->tls != nullptr && address.unix_path.empty(), workers);
    addresses_.push_back(address);
  }
  workers_ = std::move(workers);
  for (const auto& worker : workers_) worker->Run();
  return absl::OkStatus();
}

void HttpServer::Stop(absl::Duration grace) {
  for (const auto& worker : workers_) worker->Drain(grace);
  for (const auto& worker : workers_) worker->Join();
  if (workers_.empty()) return;
  workers_.clear();
  for (const ListenAddress& address : addresses_) {
    if (!address.unix_path.empty()) unlink(address.unix_path.c_str());
  }
}

size_t HttpServer::connections() const {
  const size_t waiting = workers_.empty() ? 0 : addresses_.size();  // each address has one ready for the next client
  const size_t all = core_->connections.load(std::memory_order_relaxed);
  return all > waiting ? all - waiting : 0;
}

}  // namespace gnomon
