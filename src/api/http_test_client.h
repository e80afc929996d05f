// SPDX-License-Identifier: Apache-2.0
//
// A TestSocket is a plain blocking client socket, for the tests of the HTTP server.
//
// Threads: one. Limits: every wait ends after ten seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "api/listen_address.h"

namespace gnomon {

class TestSocket {
 public:
  explicit TestSocket(const ListenAddress& address, int receive_buffer = 0) {
    const bool unix_socket = !address.unix_path.empty();
    fd_ = socket(unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    if (unix_socket) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      address.unix_path.copy(name.sun_path, sizeof(name.sun_path) - 1);
      connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(address.port);
      inet_pton(AF_INET, address.ip.c_str(), &name.sin_addr);
      connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
    }
  }
  TestSocket(TestSocket&& other) noexcept : fd_(other.fd_), connected_(other.connected_), read_(other.read_) {
    other.fd_ = -1;
  }
  TestSocket& operator=(TestSocket&&) = delete;
  ~TestSocket() {
    if (fd_ >= 0) close(fd_);
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void FinishWriting() { shutdown(fd_, SHUT_WR); }

  bool Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // All that comes until the server closes.
  std::string ReadAll() {
    std::string all = std::move(read_);
    read_.clear();
    char buffer[65536];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof(buffer), 0)) > 0;) all.append(buffer, static_cast<size_t>(got));
    return all;
  }

  // What comes up to and with `end`; what is there when the server closes before.
  std::string ReadUntil(std::string_view end) {
    size_t found;
    char buffer[4096];
    while ((found = read_.find(end)) == std::string::npos) {
      const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
      if (got <= 0) return std::exchange(read_, "");
      read_.append(buffer, static_cast<size_t>(got));
    }
    std::string head = read_.substr(0, found + end.size());
    read_.erase(0, found + end.size());
    return head;
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
  std::string read_;
};

}  // namespace gnomon
