// SPDX-License-Identifier: Apache-2.0
//
// A ListenAddress is where the server listens: an IP address and a port, or the path of a unix socket.
//
// Written "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (127.0.0.1), ":8080" (every IPv4 address) or
// "unix:/run/gnomon.sock". Host names other than localhost are refused: what is bound must not depend on a resolver.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace gnomon {

struct ListenAddress {
  std::string unix_path;  // not empty: a unix socket, and the rest is unused
  std::string ip;         // as text, without brackets
  uint16_t port = 0;      // 0: the kernel chooses
  bool loopback = false;  // of 127.0.0.0/8 or ::1

  // Nobody beyond this machine can reach it.
  bool Local() const { return loopback || !unix_path.empty(); }
  std::string ToString() const;
};

// INVALID_ARGUMENT "INVALID_LISTEN" with the text and a hint.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace gnomon
