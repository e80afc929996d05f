// SPDX-License-Identifier: Apache-2.0
//
// gnomon_load: sends requests to a server on loopback, each connection its next as soon as the last is answered, and
// prints what came back as one line of JSON. See scripts/bench.
//
//   gnomon_load livez  --port P [--connections N] [--seconds S]
//   gnomon_load create --port P --token T --network N --type T [--types 4] ...     POST .../instances
//   gnomon_load batch  ... --batch 32                                              POST .../instances:batch
//   gnomon_load sync   --file F [--seconds S]      no server: writes 4 KiB to a file that is there, and syncs it
//
// One thread, no pipelining. --requests ends it earlier. Ids are 36 bytes and new in every run; type t with --types n
// means t0 to t(n-1) in turn. What is sent in the first --warmup seconds is not measured.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "latency.h"

namespace gnomon {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Time = SteadyClock::time_point;

constexpr size_t kBlockBytes = 4096;
constexpr off_t kSyncFileBytes = 64 << 20;
constexpr int kDrainMs = 10000;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "gnomon_load: %s\n", what.c_str());
  std::exit(1);
}
[[noreturn]] void DieOfErrno(const std::string& what) { Die(what + ": " + std::strerror(errno)); }

class Flags {
 public:
  Flags(int argc, char** argv) {
    if (argc < 2) Die("say what to send: livez, create, batch or sync");
    mode_ = argv[1];
    for (int i = 2; i < argc; i += 2) {
      const std::string_view name = argv[i];
      if (!name.starts_with("--") || i + 1 == argc) Die("flags come as --name value");
      values_[std::string(name.substr(2))] = argv[i + 1];
    }
  }
  const std::string& mode() const { return mode_; }
  std::string Text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  double Number(const std::string& name, double otherwise) const {
    const std::string text = Text(name);
    return text.empty() ? otherwise : std::strtod(text.c_str(), nullptr);
  }

 private:
  std::string mode_;
  std::map<std::string, std::string> values_;
};

std::chrono::nanoseconds Seconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
}

struct Outcome {
  double seconds = 0;
  uint64_t addresses = 0, hits = 0, errors = 0;
  Latency latency;
};

void Print(const Flags& flags, const Outcome& outcome) {
  const double requests = static_cast<double>(outcome.latency.count());
  std::printf(
      "{\"mode\":\"%s\",\"connections\":%.0f,\"seconds\":%.3f,\"requests\":%.0f,\"addresses\":%llu,\"hits\":%llu,"
      "\"errors\":%llu,\"per_second\":%.1f,\"addresses_per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
      "\"p999_us\":%.1f}\n",
      flags.mode().c_str(), flags.Number("connections", 1), outcome.seconds, requests,
      static_cast<unsigned long long>(outcome.addresses), static_cast<unsigned long long>(outcome.hits),
      static_cast<unsigned long long>(outcome.errors), requests / outcome.seconds,
      static_cast<double>(outcome.addresses) / outcome.seconds, outcome.latency.PercentileUs(0.5),
      outcome.latency.PercentileUs(0.99), outcome.latency.PercentileUs(0.999));
}

// Makes the requests: all of one length, so that only ids and types change from one to the next.
class Requests {
 public:
  explicit Requests(const Flags& flags) : types_(static_cast<int>(flags.Number("types", 0))) {
    std::random_device random;
    seed_ = (uint64_t{random()} << 32) | random();
    const std::string common = "Host: 127.0.0.1\r\n" + Authorization(flags.Text("token"));
    if (flags.mode() == "livez") {
      text_ = "GET /livez HTTP/1.1\r\n" + common + "\r\n";
      return;
    }
    const bool batch = flags.mode() == "batch";
    addresses_ = batch ? static_cast<int>(flags.Number("batch", 32)) : 1;
    std::string body = batch ? "{\"instances\":[" : "";
    for (int i = 0; i < addresses_; ++i) body += (i > 0 ? "," : "") + Instance(flags.Text("type", "web"));
    if (batch) body += "]}";
    text_ = "POST /v1/networks/" + flags.Text("network", "bench") + "/instances" + (batch ? ":batch" : "") +
            " HTTP/1.1\r\n" + common + "Content-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body;
    constexpr std::string_view kId = "\"id\":\"", kType = "\"type\":\"";
    for (size_t at = text_.find(kId); at != std::string::npos; at = text_.find(kId, at + 1)) {
      ids_.push_back(at + kId.size());
    }
    for (size_t at = text_.find(kType); at != std::string::npos; at = text_.find(kType, at + 1)) {
      type_ends_.push_back(text_.find('"', at + kType.size()) - 1);
    }
  }

  // Stands until the next call.
  const std::string& Next() {
    for (size_t at : ids_) WriteId(text_.data() + at);
    if (types_ > 0) {
      const char digit = static_cast<char>('0' + made_++ % static_cast<uint64_t>(types_));
      for (size_t at : type_ends_) text_[at] = digit;
    }
    return text_;
  }
  int addresses() const { return addresses_; }  // that each asks for

 private:
  static std::string Authorization(const std::string& token) {
    return token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
  }
  std::string Instance(const std::string& type) const {
    return "{\"id\":\"" + std::string(36, '0') + "\",\"type\":\"" + type + (types_ > 0 ? "0" : "") +
           "\",\"zone\":\"z1\",\"host\":\"h0007\"}";
  }

  uint64_t Random() {  // splitmix64
    uint64_t z = seed_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // As f81d4fae-7dec-11d0-a765-00a0c91e6bf6.
  void WriteId(char* out) {
    static constexpr char kDigits[] = "0123456789abcdef";
    uint64_t bits = 0;
    int left = 0;
    for (int i = 0; i < 36; ++i) {
      if (i == 8 || i == 13 || i == 18 || i == 23) {
        out[i] = '-';
        continue;
      }
      if (left == 0) {
        bits = Random();
        left = 16;
      }
      out[i] = kDigits[bits & 15];
      bits >>= 4;
      --left;
    }
  }

  const int types_;
  int addresses_ = 0;
  uint64_t seed_ = 0, made_ = 0;
  std::string text_;
  std::vector<size_t> ids_, type_ends_;  // where in text_
};

struct Connection {
  int fd = -1;
  std::string in;
  Time sent;
  bool busy = false;
};

size_t Count(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

// The length of the whole answer in `in`; 0 while it is not all there.
size_t AnswerBytes(std::string_view in) {
  const size_t head = in.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const size_t at = in.substr(0, head).find(kLength);
  if (at == std::string_view::npos) Die("an answer without Content-Length");
  size_t body = 0;
  std::from_chars(in.data() + at + kLength.size(), in.data() + head, body);
  const size_t all = head + 4 + body;
  return in.size() < all ? 0 : all;
}

class Load {
 public:
  explicit Load(const Flags& flags)
      : flags_(flags), requests_(flags), most_(static_cast<uint64_t>(flags.Number("requests", 1e18))) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) DieOfErrno("epoll");
    connections_.resize(static_cast<size_t>(std::max(1.0, flags.Number("connections", 1))));
    for (Connection& connection : connections_) Connect(&connection);
  }
  ~Load() {
    for (const Connection& connection : connections_) close(connection.fd);
    close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Outcome Run() {
    const double warmup = flags_.Number("warmup", 0);
    begin_ = SteadyClock::now() + Seconds(warmup);
    end_ = begin_ + Seconds(flags_.Number("seconds", 10));
    for (Connection& connection : connections_) SendNext(&connection, SteadyClock::now());
    epoll_event events[256];
    while (busy_ > 0) {
      const int ready = epoll_wait(epoll_, events, std::size(events), kDrainMs);
      if (ready < 0 && errno != EINTR) DieOfErrno("epoll_wait");
      if (ready == 0) Die("no answer for 10 seconds");
      for (int i = 0; i < ready; ++i) Receive(static_cast<Connection*>(events[i].data.ptr));
    }
    // What is in flight at the end is measured too, and so is the time that it takes.
    outcome_.seconds = std::chrono::duration<double>(last_ - begin_).count();
    return std::move(outcome_);
  }

 private:
  void Connect(Connection* connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(flags_.Number("port", 8080)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection->fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) DieOfErrno("connect");
    const int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.ptr = connection;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd, &event) != 0) DieOfErrno("epoll_ctl");
  }

  void SendNext(Connection* connection, Time now) {
    if (sent_ == most_ || now >= end_) return;
    ++sent_;
    ++busy_;
    connection->busy = true;
    std::string_view rest = requests_.Next();
    connection->sent = SteadyClock::now();
    while (!rest.empty()) {
      const ssize_t wrote = send(connection->fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (wrote < 0 && errno == EAGAIN) {
        pollfd writable{connection->fd, POLLOUT, 0};
        poll(&writable, 1, kDrainMs);
      } else if (wrote < 0) {
        DieOfErrno("send");
      } else {
        rest.remove_prefix(static_cast<size_t>(wrote));
      }
    }
  }

  void Receive(Connection* connection) {
    char buffer[64 << 10];
    const ssize_t got = recv(connection->fd, buffer, sizeof(buffer), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) Die("the server closed a connection");
    std::string_view answer(buffer, static_cast<size_t>(got));
    if (!connection->in.empty()) {
      connection->in.append(answer);
      answer = connection->in;
    }
    const size_t bytes = AnswerBytes(answer);
    if (bytes == 0) {
      if (connection->in.empty()) connection->in.assign(answer);
      return;
    }
    if (bytes != answer.size() || !connection->busy) Die("more came back than was asked for");
    const Time now = SteadyClock::now();
    Note(*connection, answer, now);
    connection->in.clear();
    connection->busy = false;
    --busy_;
    SendNext(connection, now);
  }

  void Note(const Connection& connection, std::string_view answer, Time now) {
    last_ = now;
    if (now < begin_) return;
    outcome_.latency.Add(now - connection.sent);
    constexpr size_t kStatus = sizeof("HTTP/1.1 ") - 1;
    if (answer[kStatus] != '2') {
      if (outcome_.errors++ == 0) std::fprintf(stderr, "gnomon_load: %.*s\n", static_cast<int>(answer.size()), answer.data());
      return;
    }
    if (requests_.addresses() == 0) return;
    // The instance and its record both name the source.
    outcome_.addresses += static_cast<uint64_t>(requests_.addresses());
    outcome_.hits += Count(answer, "\"source\":\"shadow\"") / 2;
  }

  const Flags& flags_;
  Requests requests_;
  const uint64_t most_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  uint64_t sent_ = 0;
  size_t busy_ = 0;
  Time begin_, end_, last_;
  Outcome outcome_;
};

// Over and over the same 64 MiB, allocated and written before.
Outcome SyncedWrites(const Flags& flags) {
  const std::string path = flags.Text("file");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) DieOfErrno(path);
  const std::vector<char> block(kBlockBytes, 'g');
  for (off_t at = 0; at < kSyncFileBytes; at += kBlockBytes) {
    if (pwrite(fd, block.data(), block.size(), at) != static_cast<ssize_t>(block.size())) DieOfErrno(path);
  }
  if (fsync(fd) != 0) DieOfErrno(path);
  Outcome outcome;
  const Time begin = SteadyClock::now(), end = begin + Seconds(flags.Number("seconds", 10));
  Time now = begin;
  for (off_t at = 0; now < end; at = (at + kBlockBytes) % kSyncFileBytes) {
    if (pwrite(fd, block.data(), block.size(), at) != static_cast<ssize_t>(block.size())) DieOfErrno(path);
    if (fdatasync(fd) != 0) DieOfErrno(path);
    const Time done = SteadyClock::now();
    outcome.latency.Add(done - now);
    now = done;
  }
  outcome.seconds = std::chrono::duration<double>(now - begin).count();
  close(fd);
  return outcome;
}

int Main(int argc, char** argv) {
  const Flags flags(argc, argv);
  Print(flags, flags.mode() == "sync" ? SyncedWrites(flags) : Load(flags).Run());
  return 0;
}

}  // namespace
}  // namespace gnomon

int main(int argc, char** argv) { return gnomon::Main(argc, argv); }
