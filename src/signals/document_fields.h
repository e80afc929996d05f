// SPDX-License-Identifier: Apache-2.0
//
// DocumentFields reads the members of a map of a document; what nobody asked for is kept as unknown.
//
// Example:
//   DocumentFields spec = document.Map("spec");
//   policy.most = spec.Int("maxReplicas", 1, kMaxCount);
//   spec.Done();
//
// After the first error, which the context has, its functions give nothing.
//
// Threads: not thread-safe. Ownership: the node and the context outlive it.
// Errors: INVALID_ARGUMENT "INVALID_POLICY": "hpa.yaml:14: spec.maxReplicas: "many" is not a whole number", with the path as
//   its field, the value, and what would be right.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "signals/document_tree.h"

namespace gnomon {

struct ReadContext {
  std::string file;                    // of the messages
  absl::Status status;                 // the first error
  std::vector<std::string> unknown = {};  // paths
};

class DocumentFields {
 public:
  static constexpr int64_t kMaxCount = 1'000'000;

  // `path` is empty for a document.
  DocumentFields(const DocumentNode& node, std::string path, ReadContext* context);

  bool Has(std::string_view name) const;  // and is not null
  // A member that is not there is nullopt, an empty map or an empty list.
  std::optional<std::string> Text(std::string_view name);
  std::optional<int64_t> Int(std::string_view name, int64_t low, int64_t high);  // also as text
  // A number or a quantity of Kubernetes, as "500m", "1k" or "10Gi".
  std::optional<double> Number(std::string_view name);
  std::optional<bool> Bool(std::string_view name);  // also as text
  DocumentFields Map(std::string_view name);
  std::vector<DocumentFields> List(std::string_view name);  // of maps
  // What is not needed here, and yet is known.
  void Skip(std::initializer_list<std::string_view> names);
  void SkipRest();

  const DocumentNode& node() const { return *node_; }
  std::string Path(std::string_view name) const;
  // Refuses a member; `why` goes on after its value.
  void Fail(std::string_view name, std::string_view why, std::string_view hint);
  // Refuses a member that is not there.
  void Lacks(std::string_view name, std::string_view hint);
  bool ok() const { return context_->status.ok(); }
  void Done();

 private:
  const DocumentNode* Want(std::string_view name, DocumentNode::Kind kind, std::string_view wanted);
  void Refuse(int line, std::string_view path, std::string_view value, std::string_view why, std::string_view hint);

  const DocumentNode* node_;
  std::string path_;
  ReadContext* context_;
  std::set<std::string, std::less<>> asked_;
};

// "25%" or a whole number as a percentage or a count; nullopt: neither.
struct CountOrPercent {
  bool percent = false;
  int64_t value = 0;
};
std::optional<CountOrPercent> ParseCountOrPercent(std::string_view text);

}  // namespace gnomon
