// SPDX-License-Identifier: Apache-2.0
//
// A Notebook keeps a fleet's saves and journal durable, as notes of its network (service/service.h).
//
// A save is pages with numbers in a row. Notes of the journal follow, and go on while the next save is written, which
// counts once its last page and note 0, which says where it begins, are durable, together; then what was before is erased.
// So a reader always finds a whole save, and all that was written since.
//
// A note is a kind, 'J', 'P' or, of note 0, 'A', a version, then: the journal's bytes; how many pages the save has and a
// page of it; the number of its first page, and from which number on there may be notes. Numbers are as in base/state.h.
//
// Example:
//   notebook.Add(fleet.TakeJournal());
//   if (std::vector<NoteChange> changes = notebook.Begin(); !changes.empty()) {
//     service->WriteNotes(network, changes, ...);   // and when that has answered:
//     notebook.End(done.ok());
//   }
//
// Threads: not thread-safe. Cost: copies.
// Limits: kMaxJournalBytes that wait to be stored; beyond them the journal is dropped, and a new save is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/service.h"

namespace gnomon {

class Notebook {
 public:
  static constexpr size_t kPageBytes = size_t{250} << 10;
  static constexpr uint64_t kEnd = uint64_t{1} << 62;  // notes from here on are others', and are neither read nor erased
  static constexpr size_t kMaxJournalBytes = size_t{8} << 20;  // of one save, too
  static constexpr uint64_t kMaxJournalNotes = 4096;           // of one save

  // What is stored of a network, as it is read: a page of notes at a time, in the order of their numbers.
  class Reader;

  Notebook() = default;  // of which nothing is stored

  // The journal goes on by these bytes.
  void Add(std::string_view journal);
  // There is no save yet, or its journal is long, or a part of that was dropped.
  bool wants_save() const { return wants_save_; }
  // `saved` holds all that was added. Nothing is being written.
  void Save(std::string_view saved);
  // What was added is of no use for what comes: it begins anew, with the next save.
  void Restart();
  // All that is stored goes, and nothing more is. Nothing is being written.
  void Clear();
  // Whether there is nothing to be stored or erased.
  bool done() const { return journal_.empty() && pages_.empty() && erasing_.empty() && !clear_; }

  // What was added up to now, to ask later whether it is durable.
  uint64_t Ticket() const { return next_ - 1; }
  bool Stored(uint64_t ticket) const {
    return !dropped_ && !pages_before_journal_ && (journal_.empty() || journal_.front().number > ticket);
  }
  bool writing() const { return writing_; }
  // What to store next, whole, in one call; empty: nothing, or the call before has not ended.
  std::vector<NoteChange> Begin();
  // What Begin gave is stored, or is to be given again.
  void End(bool stored);

 private:
  void AddErasures(std::vector<NoteChange>* changes);

  uint64_t next_ = 1;    // the number of the next note
  uint64_t oldest_ = 1;  // the first that may be stored
  bool wants_save_ = true;
  uint64_t journal_notes_ = 0;  // since the last Save
  size_t journal_bytes_ = 0;

  std::deque<Note> journal_;  // to be written
  std::deque<Note> pages_;    // of a save, to be written
  uint64_t pages_first_ = 0;
  bool pages_before_journal_ = true;  // without them the journal means nothing
  bool dropped_ = false;              // some of the journal: what follows it waits for a save
  bool clear_ = false;                // note 0 is to be erased
  std::deque<std::pair<uint64_t, uint64_t>> erasing_;  // numbers from the first up to before the second

  bool writing_ = false;
  size_t writing_journal_ = 0, writing_pages_ = 0;  // so many of the first
  uint64_t writing_erasures_ = 0;                   // of the first of erasing_
};

class Notebook::Reader {
 public:
  // Where to begin.
  static constexpr uint64_t kFirst = 0;

  // Takes the notes from the number that was asked for on; none: there are no more. Returns from which to go on, nullopt
  // when all is read. Those from kEnd on are passed over.
  std::optional<uint64_t> Take(const std::vector<Note>& notes);
  // They cannot be read, and `why`. What is there is given up; `unused`: a number above all that may be stored.
  void Lose(uint64_t unused, absl::Status why);

  struct Contents {
    std::string save = {}, journal = {};
  };
  // nullopt: nothing is stored. The reason of Lose or GiveUp; DATA_LOSS (ENGINE_STATE_CORRUPT) if it is not what a
  // notebook stores.
  absl::StatusOr<std::optional<Contents>> contents();
  // The contents are of no use: the notebook begins anew after them.
  void GiveUp(absl::Status why) { lost_ = std::move(why); }
  // Goes on where what is stored ends.
  Notebook notebook();

 private:
  void TakeAnchor(const std::string& text);
  void TakeNote(const Note& note);
  void Require(bool holds);

  Notebook notebook_;
  bool anchored_ = false;
  absl::Status lost_;  // why it is of no use
  uint64_t first_ = 0, pages_ = 0, pages_read_ = 0;
  Contents contents_;
};

}  // namespace gnomon
