// SPDX-License-Identifier: Apache-2.0
//
// A DocumentStore keeps the texts that were applied to networks: policies, calendars.
//
// A document is a note of its network (service/service.h) with a number from kFirstNote on, which are none of the engine's
// (engine/notebook.h). So they go with the network, and stand in backups. A note is 'D', a version, then the document's
// kind, name and text as in base/state.h.
//
// Example:
//   store.Change(network.id, {.put = {{"policy", "hpa.web", text}}}, [](absl::StatusOr<Done> done) { ... });
//   for (const Document& document : store.Read(network.id, "policy")) ...
//
// Threads: call from any. Replies run once, on the store's thread or inside the call.
// Ownership: the service outlives it, and every change is answered before it is gone.
// Durability: a change is durable, whole, before its reply, and is not read before.
// Errors: DOCUMENTS_FULL, DOCUMENT_TOO_LARGE, DOCUMENTS_BUSY (kMaxWaiting changes of the network wait: try again), DOCUMENTS_LOST (what
//   is stored could not be read at the start); those of Service::WriteNotes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/notebook.h"
#include "service/service.h"

namespace gnomon {

struct Document {
  std::string kind = {}, name = {}, text = {};
  friend bool operator==(const Document&, const Document&) = default;
};

class DocumentStore {
 public:
  static constexpr uint64_t kFirstNote = Notebook::kEnd;
  static constexpr size_t kMaxDocuments = 1000;                        // a network
  static constexpr size_t kMaxDocumentBytes = size_t{128} << 10;       // each
  static constexpr size_t kMaxChanges = Service::kMaxNotesACall;       // at once
  static constexpr size_t kMaxChangeBytes = Service::kMaxNoteBytes;    // of all that one change puts, with names

  static constexpr size_t kMaxWaiting = 100;  // changes of one network, which are stored one after the other

  using Warn = absl::AnyInvocable<void(const std::string&) const>;

  DocumentStore(Service* service, Warn warn) : service_(service), warn_(std::move(warn)) {}
  DocumentStore(const DocumentStore&) = delete;
  DocumentStore& operator=(const DocumentStore&) = delete;

  // Reads all networks' documents; blocks. Before the first change. What is damaged is told of, and its network takes no more.
  void Load();

  struct Changes {
    std::vector<Document> put = {};  // a document of the same kind and name is replaced
    std::vector<std::pair<std::string, std::string>> erase = {};  // kinds and names; one that is not there is no error
  };
  // All or none. What is as it was costs nothing.
  void Change(NetworkId network, Changes changes, Reply<Done> reply);

  // Of that kind, by name.
  std::vector<Document> Read(NetworkId network, std::string_view kind) const;

 private:
  struct Stored {
    uint64_t number = 0;
    std::string text = {};
  };
  using Key = std::pair<std::string, std::string>;
  struct Waiting {
    Changes changes = {};
    Reply<Done> reply;
  };
  struct Shelf {
    std::map<Key, Stored> documents = {};
    bool busy = false;  // a change is being stored
    std::deque<Waiting> waiting = {};
    absl::Status lost = {};
  };

  void LoadNetwork(const NetworkEntry& network);
  // Stores a change whose turn it is, and then the one that has waited longest.
  void Run(NetworkId network, Waiting change);
  void RunNext(NetworkId network);
  absl::StatusOr<std::vector<NoteChange>> Plan(const Shelf& shelf, const Changes& changes, std::map<Key, Stored>* after) const;

  Service* const service_;
  const Warn warn_;
  mutable absl::Mutex mutex_;
  std::map<NetworkId, Shelf> shelves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
