// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the body of an export of metrics: the first says which encoding they are in.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "signals/otlp_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const gnomon::OtlpEncoding encoding{.json = (bytes[0] & 1) != 0, .gzip = (bytes[0] & 2) != 0};
  gnomon::DecodeOtlpMetrics({reinterpret_cast<const char*>(bytes) + 1, size - 1}, encoding).IgnoreError();
  return 0;
}
