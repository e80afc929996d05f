// SPDX-License-Identifier: Apache-2.0
#include "signals/document_store.h"

#include <memory>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "base/state.h"

namespace gnomon {
namespace {

constexpr char kNoteKind = 'D', kVersion = 1;
constexpr size_t kHeadBytes = 2;

std::string Encode(const Document& document) {
  StateWriter writer;
  writer(document.kind, document.name, document.text);
  return std::string({kNoteKind, kVersion}) + writer.bytes();
}

std::optional<Document> Decode(const std::string& note) {
  if (note.size() < kHeadBytes || note[0] != kNoteKind || note[1] != kVersion) return std::nullopt;
  StateReader reader(std::string_view(note).substr(kHeadBytes));
  Document document;
  reader(document.kind, document.name, document.text);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return document;
}

}  // namespace

void DocumentStore::Load() {
  for (const NetworkEntry& network : service_->ListNetworks()) LoadNetwork(network);
}

void DocumentStore::LoadNetwork(const NetworkEntry& network) {
  Shelf shelf;
  uint64_t from = kFirstNote;
  for (bool more = true; more;) {
    absl::Notification done;
    absl::StatusOr<std::vector<Note>> notes = absl::UnknownError("no reply");
    service_->ReadNotes(network.id, from, [&](absl::StatusOr<std::vector<Note>> result) {
      notes = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    if (!notes.ok()) {
      shelf.lost = notes.status();
      break;
    }
    for (const Note& note : *notes) {
      std::optional<Document> document = Decode(note.text);
      if (!document) {
        shelf.lost = absl::DataLossError(absl::StrCat("note ", note.number, " is no document"));
      } else {
        shelf.documents[{document->kind, document->name}] = {note.number, std::move(document->text)};
      }
      from = note.number + 1;
    }
    more = !notes->empty();
  }
  if (absl::IsNotFound(shelf.lost)) return;  // the network is being deleted
  if (!shelf.lost.ok()) {
    warn_(absl::StrCat("network ", network.name, ": its documents cannot be read, and none is taken: ", shelf.lost.message()));
  }
  absl::MutexLock lock(&mutex_);
  shelves_[network.id] = std::move(shelf);
}

absl::StatusOr<std::vector<NoteChange>> DocumentStore::Plan(const Shelf& shelf, const Changes& changes,
                                                            std::map<Key, Stored>* after) const {
  *after = shelf.documents;
  std::set<uint64_t> used;
  for (const auto& [key, stored] : shelf.documents) used.insert(stored.number);
  std::vector<NoteChange> notes;
  for (const Key& key : changes.erase) {
    const auto found = after->find(key);
    if (found == after->end()) continue;
    notes.push_back(ErasedNote{found->second.number});
    after->erase(found);
  }
  uint64_t next = kFirstNote;
  size_t bytes = 0;
  for (const Document& document : changes.put) {
    if (document.text.size() > kMaxDocumentBytes) {
      return Error(absl::StatusCode::kInvalidArgument, "DOCUMENT_TOO_LARGE",
                   absl::StrCat(document.name, " has ", document.text.size(), " bytes, and at most ", kMaxDocumentBytes, " are kept"))
          .Value(document.name)
          .Hint("leave out what says nothing of instances");
    }
    Stored& stored = (*after)[{document.kind, document.name}];
    if (stored.number != 0 && stored.text == document.text) continue;
    while (stored.number == 0 && !used.insert(next).second) ++next;
    if (stored.number == 0) stored.number = next;
    stored.text = document.text;
    std::string note = Encode(document);
    bytes += note.size();
    notes.push_back(Note{.number = stored.number, .text = std::move(note)});
  }
  if (after->size() > kMaxDocuments) {
    return Error(absl::StatusCode::kResourceExhausted, "DOCUMENTS_FULL",
                 absl::StrCat("the network would have ", after->size(), " documents, and at most ", kMaxDocuments, " are kept"))
        .Hint("delete some");
  }
  if (notes.size() > kMaxChanges || bytes > kMaxChangeBytes) {
    return Error(absl::StatusCode::kInvalidArgument, "DOCUMENT_TOO_LARGE",
                 absl::StrCat(notes.size(), " documents of ", bytes, " bytes change at once, and at most ", kMaxChanges, " of ",
                              kMaxChangeBytes, " may"))
        .Hint("send them in parts");
  }
  return notes;
}

void DocumentStore::Change(NetworkId network, Changes changes, Reply<Done> reply) {
  absl::Status refused;
  {
    absl::MutexLock lock(&mutex_);
    Shelf& shelf = shelves_[network];
    if (!shelf.lost.ok()) {
      refused = Error(absl::StatusCode::kDataLoss, "DOCUMENTS_LOST", "what is stored of this network's documents cannot be read")
                    .Hint("restore a backup; gnomon check says what is damaged");
    } else if (shelf.busy && shelf.waiting.size() == kMaxWaiting) {
      refused = Error(absl::StatusCode::kAborted, "DOCUMENTS_BUSY",
                      absl::StrCat(kMaxWaiting, " changes of this network's documents wait to be stored"))
                    .Hint("try again");
    } else if (shelf.busy) {
      shelf.waiting.push_back({std::move(changes), std::move(reply)});
      return;
    } else {
      shelf.busy = true;
    }
  }
  if (!refused.ok()) return reply(std::move(refused));
  Run(network, {std::move(changes), std::move(reply)});
}

void DocumentStore::Run(NetworkId network, Waiting change) {
  auto after = std::make_shared<std::map<Key, Stored>>();
  absl::StatusOr<std::vector<NoteChange>> notes;
  {
    absl::MutexLock lock(&mutex_);
    notes = Plan(shelves_[network], change.changes, after.get());
  }
  if (!notes.ok() || notes->empty()) {
    notes.ok() ? change.reply(Done()) : change.reply(notes.status());
    return RunNext(network);
  }
  auto stored = [this, network, after, reply = std::move(change.reply)](absl::StatusOr<Done> done) mutable {
    if (done.ok()) {
      absl::MutexLock lock(&mutex_);
      shelves_[network].documents = std::move(*after);
    }
    reply(std::move(done));
    RunNext(network);
  };
  service_->WriteNotes(network, *std::move(notes), std::move(stored));
}

void DocumentStore::RunNext(NetworkId network) {
  std::optional<Waiting> next;
  {
    absl::MutexLock lock(&mutex_);
    Shelf& shelf = shelves_[network];
    if (shelf.waiting.empty()) {
      shelf.busy = false;
      if (shelf.documents.empty() && shelf.lost.ok()) shelves_.erase(network);  // as when the network has gone
    } else {
      next = std::move(shelf.waiting.front());
      shelf.waiting.pop_front();
    }
  }
  if (next) Run(network, *std::move(next));
}

std::vector<Document> DocumentStore::Read(NetworkId network, std::string_view kind) const {
  std::vector<Document> documents;
  absl::MutexLock lock(&mutex_);
  const auto shelf = shelves_.find(network);
  if (shelf == shelves_.end()) return documents;
  for (const auto& [key, stored] : shelf->second.documents) {
    if (key.first == kind) documents.push_back({key.first, key.second, stored.text});
  }
  return documents;
}

}  // namespace gnomon
