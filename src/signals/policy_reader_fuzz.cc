// SPDX-License-Identifier: Apache-2.0
//
// Any text as policies: what is read explains itself, and what would be stored of it reads back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "signals/document_store.h"
#include "signals/policy_book.h"
#include "signals/policy_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  absl::StatusOr<gnomon::PoliciesRead> read = gnomon::ReadPolicies({.text = text, .file = "-", .type = "web"});
  if (!read.ok()) return 0;
  for (const gnomon::ScalingPolicy& policy : read->policies) {
    if (policy.document.size() > gnomon::DocumentStore::kMaxDocumentBytes) continue;  // it would not be stored
    const auto again = gnomon::ReadPolicies({.text = policy.document, .file = "-", .type = policy.type});
    if (!again.ok() || again->policies.front().name != policy.name) std::abort();
  }
  const gnomon::PolicyBook book(std::move(read->policies));
  const gnomon::PolicyBook::At at = {.now_s = 1774742400, .horizon_s = 86400, .instances = 10};
  if (book.Explain("web", at).empty()) std::abort();
  book.OutlookFor("web", at);
  return 0;
}
