// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the body of a remote write, as they are and as what a snappy block holds.
#include <snappy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "signals/remote_write.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  gnomon::DecodeRemoteWrite(body).IgnoreError();
  std::string block;
  snappy::Compress(body.data(), body.size(), &block);
  gnomon::DecodeRemoteWrite(block).IgnoreError();
  return 0;
}
