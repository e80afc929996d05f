// SPDX-License-Identifier: Apache-2.0
//
// A DocumentNode is a value of a YAML or JSON document, with the line that it stands in.
//
// JSON is read as YAML, of which it is a part, so that lines are known for both. The only place that knows yaml-cpp.
//
// Example:
//   absl::StatusOr<std::vector<DocumentNode>> documents = ParseDocuments(text);
//
// Threads: a value type.
// Errors: INVALID_ARGUMENT "INVALID_DOCUMENT", "12: ..." with the line.
// Limits: kMaxTextBytes, kMaxNodes with what aliases repeat, kMaxMembers, kMaxDepth, kMaxKeyBytes, kMaxDocuments.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace gnomon {

struct DocumentNode {
  static constexpr size_t kMaxTextBytes = size_t{1} << 20;
  static constexpr size_t kMaxNodes = 100'000;
  static constexpr size_t kMaxMembers = 2000;  // of a map
  static constexpr size_t kMaxDepth = 40;
  static constexpr size_t kMaxKeyBytes = 160;  // YAML has longer ones only in a form that JSON lacks
  static constexpr size_t kMaxDocuments = 1000;

  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  int line = 0;         // from 1 on
  bool quoted = false;  // a scalar that is text whatever it looks like
  std::string text = {};
  std::vector<DocumentNode> items = {};                            // of a list
  std::vector<std::pair<std::string, DocumentNode>> members = {};  // of a map, in their order; no name twice

  const DocumentNode* Find(std::string_view name) const;  // nullptr: it is not a map, or has none
  // Of nodes, this included; text counts as one more for each kCountedBytes, so that aliases of long text count too.
  static constexpr size_t kCountedBytes = 64;
  size_t Count() const;
};

// Documents that are empty are left out.
absl::StatusOr<std::vector<DocumentNode>> ParseDocuments(std::string_view text);

// Compact JSON that reads back as the same node, but for its lines.
std::string ToJson(const DocumentNode& node);

}  // namespace gnomon
