// SPDX-License-Identifier: Apache-2.0
//
// See scripts/fuzz.
#include <string>

#include "signals/github_events.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gnomon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  GithubEvents github({{.network = "n",
                        .secret = "a secret of a test",
                        .rules = {{{"linux", "self-hosted"}, "runner"}},
                        .expect_after = {}}});
  (void)github.Decode("n", "workflow_job", text, absl::FromUnixSeconds(1800000000));
  return 0;
}
