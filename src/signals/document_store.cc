// SPDX-License-Identifier: Apache-2.0
#include "signals/document_store.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/state.h"

namespace gnomon {
namespace {

constexpr char kVersion = 1;

std::string Encode(const Document& document) {
  StateWriter writer;
  writer(document.kind, document.name, document.text);
  return std::string(1, kVersion) + writer.bytes();
}

std::optional<Document> Decode(const std::string& text) {
  if (text.empty() || text[0] != kVersion) return std::nullopt;
  StateReader reader(std::string_view(text).substr(1));
  Document document;
  reader(document.kind, document.name, document.text);
  if (!reader.ok() || reader.left() != 0) return std::nullopt;
  return document;
}

absl::Status CheckSizes(const std::vector<Document>& documents) {
  size_t bytes = 0;
  for (const Document& document : documents) {
    bytes += Encode(document).size();
    if (document.text.size() <= DocumentStore::kMaxBytes) continue;
    return Error(absl::StatusCode::kInvalidArgument, "DOCUMENT_TOO_LARGE",
                 absl::StrCat(document.kind, " ", document.name, " has ", document.text.size(), " bytes"))
        .Field("text")
        .Value(document.name)
        .Hint(absl::StrCat("a document may have ", DocumentStore::kMaxBytes, " bytes"));
  }
  if (documents.size() <= DocumentStore::kMaxACall && bytes <= Service::kMaxNoteBytes) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "DOCUMENT_TOO_LARGE",
               absl::StrCat("the call has ", documents.size(), " documents of ", bytes, " bytes together"))
      .Field("text")
      .Hint(absl::StrCat("send at most ", DocumentStore::kMaxACall, " documents of ", Service::kMaxNoteBytes,
                         " bytes together in one call"));
}

}  // namespace

void DocumentStore::Shelf::Leave(const Key& key) {
  if (auto place = places.find(key); !texts.contains(key) && place != places.end() && place->second.storing == 0) {
    places.erase(place);
  }
}

void DocumentStore::Load(const std::function<void(const std::string&)>& warn) {
  for (const NetworkEntry& network : service_->ListNetworks()) {
    Shelf shelf;
    if (absl::Status read = ReadAll(network.id, &shelf); !read.ok()) {
      warn(absl::StrCat("network ", network.name, ": some of its policies and calendars cannot be read: ", read.message(),
                        " (", CodeOf(read), ")"));
    }
    absl::MutexLock lock(&mutex_);
    shelves_[network.id] = std::move(shelf);
  }
}

absl::Status DocumentStore::ReadAll(NetworkId network, Shelf* shelf) const {
  absl::Status damage;
  while (true) {
    absl::StatusOr<std::vector<Note>> notes = absl::UnknownError("no reply");
    absl::Notification done;
    service_->ReadNotes(network, shelf->next, [&](absl::StatusOr<std::vector<Note>> result) {
      notes = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    if (!notes.ok()) return absl::IsNotFound(notes.status()) ? absl::OkStatus() : notes.status();
    if (notes->empty()) return damage;
    for (const Note& note : *notes) {
      shelf->next = note.number + 1;
      std::optional<Document> document = Decode(note.text);
      if (!document) {
        damage = Error(absl::StatusCode::kDataLoss, "DOCUMENT_CORRUPT",
                       absl::StrCat("note ", note.number, " is no document"));
        continue;
      }
      const Key key(document->kind, document->name);
      shelf->places[key].number = note.number;
      shelf->texts[key] = std::move(document->text);
    }
  }
}

void DocumentStore::Put(const NetworkEntry& network, std::vector<Document> documents, Reply<Done> reply) {
  if (absl::Status sizes = CheckSizes(documents); !sizes.ok()) return reply(sizes);
  std::vector<NoteChange> changes;
  {
    absl::MutexLock lock(&mutex_);
    Shelf& shelf = shelves_[network.id];
    size_t fresh = 0;
    for (const Document& document : documents) fresh += shelf.places.contains(Key(document.kind, document.name)) ? 0 : 1;
    if (shelf.places.size() + fresh > kMaxDocuments) {
      return reply(Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_DOCUMENTS",
                         absl::StrCat("network ", network.name, " has ", shelf.places.size(), " policies and calendars"))
                       .Hint(absl::StrCat("it may have ", kMaxDocuments, ": delete some first")));
    }
    for (const Document& document : documents) {
      auto [place, is_new] = shelf.places.try_emplace(Key(document.kind, document.name), Shelf::Place{shelf.next});
      if (is_new) ++shelf.next;
      ++place->second.storing;
      changes.push_back(Note{.number = place->second.number, .text = Encode(document)});
    }
  }
  auto stored = [this, id = network.id, documents = std::move(documents),
                 reply = std::move(reply)](absl::StatusOr<Done> done) mutable {
    {
      absl::MutexLock lock(&mutex_);
      Shelf& shelf = shelves_[id];
      shelf.version += done.ok() ? 1 : 0;
      for (Document& document : documents) {
        const Key key(std::move(document.kind), std::move(document.name));
        --shelf.places[key].storing;
        if (done.ok()) shelf.texts[key] = std::move(document.text);
        if (!done.ok()) shelf.Leave(key);
      }
    }
    reply(std::move(done));
  };
  service_->WriteNotes(network.id, std::move(changes), std::move(stored));
}

void DocumentStore::Erase(const NetworkEntry& network, std::string_view kind, std::string_view name, Reply<Done> reply) {
  const Key key{std::string(kind), std::string(name)};
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    Shelf& shelf = shelves_[network.id];
    if (!shelf.texts.contains(key)) {
      return reply(Error(absl::StatusCode::kNotFound, "DOCUMENT_NOT_FOUND",
                         absl::StrCat("network ", network.name, " has no ", key.first, " ", Excerpt(name)))
                       .Field("name")
                       .Value(Excerpt(name)));
    }
    number = shelf.places[key].number;
  }
  auto erased = [this, id = network.id, key, reply = std::move(reply)](absl::StatusOr<Done> done) mutable {
    if (done.ok()) {
      absl::MutexLock lock(&mutex_);
      Shelf& shelf = shelves_[id];
      ++shelf.version;
      shelf.texts.erase(key);
      shelf.Leave(key);
    }
    reply(std::move(done));
  };
  service_->WriteNotes(network.id, {ErasedNote{number}}, std::move(erased));
}

std::vector<Document> DocumentStore::All(NetworkId network) const {
  std::vector<Document> all;
  absl::MutexLock lock(&mutex_);
  const auto shelf = shelves_.find(network);
  if (shelf == shelves_.end()) return all;
  for (const auto& [key, text] : shelf->second.texts) all.push_back({key.first, key.second, text});
  return all;
}

uint64_t DocumentStore::Version(NetworkId network) const {
  absl::MutexLock lock(&mutex_);
  const auto shelf = shelves_.find(network);
  return shelf == shelves_.end() ? 0 : shelf->second.version;
}

void DocumentStore::Forget(const std::function<bool(NetworkId)>& is_gone) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(shelves_, [&](const auto& shelf) { return is_gone(shelf.first); });
}

}  // namespace gnomon
