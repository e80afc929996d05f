// SPDX-License-Identifier: Apache-2.0
//
// A ScriptedHttpServer answers HTTP requests with what a test's function returns, on loopback or a unix socket.
//
// Example:
//   ScriptedHttpServer server([](const ScriptedRequest& request) { return ScriptedAnswer{.body = "{}"}; });
//   HttpClient http({.server = server.url()});
//
// Threads: one a connection; the function is called from all of them at once.
// Limits: for tests: requests with a Content-Length or no body.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace gnomon {

struct ScriptedRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string Path() const { return target.substr(0, target.find('?')); }
};

struct ScriptedAnswer {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::string headers = {};              // further ones, each ending in \r\n
  std::vector<std::string> chunks = {};  // if any, sent instead of `body`, each as one chunk
  bool hang_up = false;                  // no answer; after `chunks`, no last chunk
};

class ScriptedHttpServer {
 public:
  using Script = std::function<ScriptedAnswer(const ScriptedRequest&)>;

  explicit ScriptedHttpServer(Script script) : script_(std::move(script)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    GNOMON_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    GNOMON_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port));
    Start();
  }

  ScriptedHttpServer(Script script, const std::string& socket_path) : script_(std::move(script)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    GNOMON_CHECK(socket_path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    unlink(socket_path.c_str());
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    GNOMON_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    url_ = "unix:" + socket_path;
    Start();
  }

  ~ScriptedHttpServer() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      for (int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    for (int connection : connections_) close(connection);
    close(listener_);
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  const std::string& url() const { return url_; }

  // All requests so far, in the order in which they were read.
  std::vector<ScriptedRequest> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t connections() const {
    std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  void Start() {
    GNOMON_CHECK(listen(listener_, 128) == 0);
    acceptor_ = std::thread([this] { Accept(); });
  }

  void Accept() {
    while (true) {
      int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::lock_guard lock(mutex_);
      if (connection < 0 || stopping_) {
        if (connection >= 0) close(connection);
        return;
      }
      int on = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] {
        Serve(connection);
        shutdown(connection, SHUT_RDWR);
      });
    }
  }

  void Serve(int connection) {
    std::string buffer;
    ScriptedRequest request;
    while (ReadRequest(connection, &buffer, &request)) {
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      ScriptedAnswer answer = script_(request);
      if (answer.hang_up && answer.chunks.empty()) return;
      std::string head = absl::StrCat("HTTP/1.1 ", answer.status, " Scripted\r\nContent-Type: ", answer.content_type,
                                      "\r\n", answer.headers);
      if (answer.chunks.empty()) {
        bool bodyless = answer.status == 204;
        Write(connection, bodyless
                              ? head + "\r\n"
                              : absl::StrCat(head, "Content-Length: ", answer.body.size(), "\r\n\r\n", answer.body));
        continue;
      }
      Write(connection, head + "Transfer-Encoding: chunked\r\n\r\n");
      for (const std::string& chunk : answer.chunks) {
        Write(connection, absl::StrCat(absl::Hex(chunk.size()), "\r\n", chunk, "\r\n"));
      }
      if (answer.hang_up) return;
      Write(connection, "0\r\n\r\n");
    }
  }

  static bool ReadRequest(int connection, std::string* buffer, ScriptedRequest* request) {
    size_t end;
    while ((end = buffer->find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore(connection, buffer)) return false;
    }
    std::string head = buffer->substr(0, end + 2);
    buffer->erase(0, end + 4);
    *request = {};
    size_t line_end = head.find("\r\n");
    request->method = head.substr(0, head.find(' '));
    size_t target = request->method.size() + 1;
    request->target = head.substr(target, head.find(' ', target) - target);
    for (size_t at = line_end + 2; at < head.size();) {
      size_t stop = head.find("\r\n", at);
      size_t colon = head.find(':', at);
      request->headers[absl::AsciiStrToLower(head.substr(at, colon - at))] =
          std::string(absl::StripAsciiWhitespace(head.substr(colon + 1, stop - colon - 1)));
      at = stop + 2;
    }
    size_t length = std::strtoul(request->headers["content-length"].c_str(), nullptr, 10);
    while (buffer->size() < length) {
      if (!ReadMore(connection, buffer)) return false;
    }
    request->body = buffer->substr(0, length);
    buffer->erase(0, length);
    return true;
  }

  static bool ReadMore(int connection, std::string* buffer) {
    char piece[16384];
    ssize_t got = recv(connection, piece, sizeof(piece), 0);
    if (got <= 0) return false;
    buffer->append(piece, got);
    return true;
  }

  static void Write(int connection, const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      ssize_t now = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += now;
    }
  }

  const Script script_;
  std::string url_;
  int listener_ = -1;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  bool stopping_ = false;             // guarded by mutex_, as all below
  std::vector<std::thread> threads_;  // appended to by the acceptor alone; joined after it
  std::vector<int> connections_;
  std::vector<ScriptedRequest> requests_;
};

}  // namespace gnomon
