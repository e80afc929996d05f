// SPDX-License-Identifier: Apache-2.0
//
// A PolicyShelf holds the policies of all networks: applied, durable, and as a PolicyBook of each network.
//
// What is stored of a policy is its document, which is read anew at each start.
//
// Example:
//   shelf.Apply(network, {.text = text, .file = "hpa.yaml"}, false, [](absl::StatusOr<PolicyShelf::Applied> applied) { ... });
//   shelf.BookOf(network.id)->OutlookFor("web", {.now_s = now, .horizon_s = 900});
//
// Threads: call from any; replies as those of DocumentStore.
// Ownership: the document store outlives it.
// Errors: those of ReadPolicies and of DocumentStore::Change; POLICY_NOT_FOUND.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "signals/document_store.h"
#include "signals/policy_book.h"
#include "signals/policy_reader.h"

namespace gnomon {

class PolicyShelf {
 public:
  explicit PolicyShelf(DocumentStore* documents) : documents_(documents) {}
  PolicyShelf(const PolicyShelf&) = delete;
  PolicyShelf& operator=(const PolicyShelf&) = delete;

  // Makes the books of what is stored: once, after DocumentStore::Load. Returns what can be read no more, to be told of.
  std::vector<std::string> Load(const std::vector<NetworkEntry>& networks);

  enum class Change { kMade, kChanged, kNone };
  struct Applied {
    struct One {
      ScalingPolicy policy = {};
      Change change = Change::kNone;
    };
    std::vector<One> policies = {};
    std::vector<std::string> passed_over = {};
  };
  // All of the text's policies or none. `dry_run`: nothing is stored, and the reply says what would be.
  void Apply(const NetworkEntry& network, const PolicyText& text, bool dry_run, Reply<Applied> reply);
  void Delete(const NetworkEntry& network, const std::string& name, Reply<Done> reply);

  // Never nullptr; it stays as it is while the shelf goes on.
  std::shared_ptr<const PolicyBook> BookOf(NetworkId network) const;

 private:
  std::vector<std::string> Rebuild(NetworkId network);

  DocumentStore* const documents_;
  mutable absl::Mutex mutex_;
  std::map<NetworkId, std::shared_ptr<const PolicyBook>> books_ ABSL_GUARDED_BY(mutex_);
};

// POLICY_NOT_FOUND.
absl::Status PolicyNotFound(const std::string& network, const std::string& name);

}  // namespace gnomon
