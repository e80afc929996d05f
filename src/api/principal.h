// SPDX-License-Identifier: Apache-2.0
//
// A Principal is who sends a request and what they may do.
//
// Threads: a value type.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

// Each role may do all that the ones before it may. A viewer reads; an allocator also writes instances, addresses and
// predictions; an admin also networks, pools, hosts and backups.
enum class Role : uint8_t { kNone, kViewer, kAllocator, kAdmin };

struct Principal {
  std::string id;  // the token's id, "loopback" or "unix" without one; empty while nobody has been recognised
  Role role = Role::kNone;
  std::vector<std::string> networks;  // empty: all

  bool MayUse(std::string_view network) const {
    return networks.empty() || std::find(networks.begin(), networks.end(), network) != networks.end();
  }
};

}  // namespace gnomon
