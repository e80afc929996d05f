// SPDX-License-Identifier: Apache-2.0
//
// A DocumentStore keeps texts beside networks: autoscaling policies and calendars, as they were applied.
//
// Each is a note of its network (service/service.h), numbered from kFirstNumber on: it goes with the network, and stands
// in its backups. What it is stored as: a version, then kind, name and text as base/state.h writes them.
//
// Example:
//   DocumentStore documents(service);
//   documents.Put(network, {{.kind = "policy", .name = "hpa.web", .text = yaml}}, [](absl::StatusOr<Done> done) { ... });
//   std::vector<Document> all = documents.All(network.id);
//
// Threads: any. A reply runs on the store's thread, once it is durable; All shows it from then on.
// Errors: TOO_MANY_DOCUMENTS (RESOURCE_EXHAUSTED), DOCUMENT_TOO_LARGE (INVALID_ARGUMENT), and those of writing notes;
//   DOCUMENT_NOT_FOUND (NOT_FOUND). Of a call all is stored or nothing.
// Limits: kMaxDocuments a network; kMaxBytes each, kMaxACall a call, and Service::kMaxNoteBytes of them together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/notebook.h"
#include "service/service.h"

namespace gnomon {

struct Document {
  std::string kind = {}, name = {}, text = {};
};

class DocumentStore {
 public:
  static constexpr uint64_t kFirstNumber = Notebook::kEnd;
  static constexpr size_t kMaxDocuments = 1000;
  static constexpr size_t kMaxBytes = size_t{128} << 10;
  static constexpr size_t kMaxACall = 64;

  // The service outlives it, and all replies.
  explicit DocumentStore(Service* service) : service_(service) {}
  DocumentStore(const DocumentStore&) = delete;
  DocumentStore& operator=(const DocumentStore&) = delete;

  // Reads what is stored of all networks. What cannot be read is told to `warn` and left as it is. Waits for the service.
  void Load(const std::function<void(const std::string&)>& warn);

  // In place of those of the same kinds and names.
  void Put(const NetworkEntry& network, std::vector<Document> documents, Reply<Done> reply);
  void Erase(const NetworkEntry& network, std::string_view kind, std::string_view name, Reply<Done> reply);
  // By kind and name.
  std::vector<Document> All(NetworkId network) const;
  // Rises with each change of the network's documents.
  uint64_t Version(NetworkId network) const;
  // Of networks that are gone nothing is kept.
  void Forget(const std::function<bool(NetworkId)>& is_gone);

 private:
  using Key = std::pair<std::string, std::string>;  // kind, name
  struct Shelf {
    // Of documents that are there or being stored. One keeps its number while it is being stored, whatever is erased.
    struct Place {
      uint64_t number = 0;
      int storing = 0;
    };
    void Leave(const Key& key);  // its place, unless it is in use

    std::map<Key, Place> places;
    std::map<Key, std::string> texts;
    uint64_t next = kFirstNumber;
    uint64_t version = 0;
  };

  absl::Status ReadAll(NetworkId network, Shelf* shelf) const;

  Service* const service_;
  mutable absl::Mutex mutex_;
  std::map<NetworkId, Shelf> shelves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
