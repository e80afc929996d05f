// SPDX-License-Identifier: Apache-2.0
//
// See scripts/fuzz.
#include <string>

#include "signals/cloud_events.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gnomon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)DecodeCloudEvents(text);
  (void)DecodeBinaryCloudEvent({"1.0", std::string(text.substr(0, 40)), "1", ""}, text);
  return 0;
}
