// SPDX-License-Identifier: Apache-2.0
//
// Sealed state is bytes that say of which version they are and whether they are whole: u8 version, u32 CRC-32 of the
// version and what follows, then the state.
//
// Threads: free functions. Errors: Unseal tells them; their owner makes its own refusal of them.
#pragma once

#include <string>
#include <string_view>

namespace gnomon {

std::string Seal(char version, std::string_view state);

struct Unsealed {
  char version = 0;
  std::string_view state = {};  // inside the sealed bytes
  const char* damage = nullptr;  // what is wrong with them, as "has a wrong checksum"; null: nothing
};

Unsealed Unseal(std::string_view sealed);

}  // namespace gnomon
