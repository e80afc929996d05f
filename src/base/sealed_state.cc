// SPDX-License-Identifier: Apache-2.0
#include "base/sealed_state.h"

#include "base/bytes.h"

namespace gnomon {
namespace {

constexpr size_t kHeadBytes = 5;

uint32_t Checksum(char version, std::string_view state) {
  return Crc32(Crc32(0, std::string_view(&version, 1)), state);
}

}  // namespace

std::string Seal(char version, std::string_view state) {
  std::string sealed(1, version);
  AppendU32(&sealed, Checksum(version, state));
  return sealed.append(state);
}

Unsealed Unseal(std::string_view sealed) {
  if (sealed.size() < kHeadBytes) return {.damage = "is shorter than its head"};
  const Unsealed unsealed{.version = sealed[0], .state = sealed.substr(kHeadBytes)};
  if (ReadU32(sealed.substr(1)) != Checksum(unsealed.version, unsealed.state)) return {.damage = "has a wrong checksum"};
  return unsealed;
}

}  // namespace gnomon
