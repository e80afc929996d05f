// SPDX-License-Identifier: Apache-2.0
//
// See scripts/fuzz.
#include <string>

#include "signals/alertmanager.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gnomon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)DecodeAlerts(text, absl::FromUnixSeconds(1800000000));
  return 0;
}
