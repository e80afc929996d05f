// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as what a Prometheus answers; the first says by which status.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "signals/prometheus_query.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const int status = bytes[0] == '4' ? 422 : bytes[0] == '5' ? 503 : 200;
  gnomon::DecodeQueryAnswer(status, {reinterpret_cast<const char*>(bytes) + 1, size - 1}).IgnoreError();
  return 0;
}
