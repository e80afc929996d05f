// SPDX-License-Identifier: Apache-2.0
#include "engine/notebook.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "base/state.h"

namespace gnomon {
namespace {

constexpr uint64_t kAnchor = 0;  // note 0
constexpr char kAnchorKind = 'A', kJournalKind = 'J', kPageKind = 'P';
constexpr char kVersion = 1;
constexpr size_t kHeadBytes = 2;

std::string Head(char kind) { return {kind, kVersion}; }

bool IsKind(const std::string& text, char kind) { return text.starts_with(Head(kind)); }

}  // namespace

void Notebook::Add(std::string_view journal) {
  if (journal.empty()) return;
  // A note that is being written, or that a save comes after, is not added to.
  const bool goes_on = journal_.size() > writing_journal_ && journal_.back().number + 1 == next_ &&
                       journal_.back().text.size() + journal.size() <= kPageBytes;
  if (!goes_on) {
    journal_.push_back({.number = next_++, .text = Head(kJournalKind)});
    ++journal_notes_;
  }
  // What is longer than a page is cut: the notes in a row are the journal, whatever stands in which.
  const std::string_view now = journal.substr(0, kPageBytes);
  journal_.back().text.append(now);
  journal_bytes_ += now.size();
  if (journal_bytes_ > kMaxJournalBytes || journal_notes_ > kMaxJournalNotes) wants_save_ = true;
  size_t waiting = 0;
  for (const Note& note : journal_) waiting += note.text.size();
  if (waiting > kMaxJournalBytes) Restart();
  Add(journal.substr(now.size()));
}

void Notebook::Restart() {
  journal_.erase(journal_.begin() + static_cast<std::ptrdiff_t>(writing_journal_), journal_.end());
  dropped_ = true;
  wants_save_ = true;
}

void Notebook::Save(std::string_view saved) {
  GNOMON_CHECK(!writing_);
  pages_before_journal_ |= std::exchange(dropped_, false);
  if (pages_before_journal_) journal_.clear();
  clear_ = false;
  pages_.clear();
  pages_first_ = next_;
  const uint64_t count = std::max<uint64_t>(1, (saved.size() + kPageBytes - 1) / kPageBytes);
  for (uint64_t page = 0; page < count; ++page) {
    StateWriter head;
    head(count);
    pages_.push_back({.number = next_++,
                      .text = Head(kPageKind) + head.bytes() + std::string(saved.substr(page * kPageBytes, kPageBytes))});
  }
  wants_save_ = false;
  journal_notes_ = 0;
  journal_bytes_ = 0;
}

void Notebook::Clear() {
  GNOMON_CHECK(!writing_);
  journal_.clear();
  pages_.clear();
  erasing_.push_back({oldest_, next_});
  oldest_ = next_;
  clear_ = true;
  pages_before_journal_ = true;
  wants_save_ = true;
}

std::vector<NoteChange> Notebook::Begin() {
  std::vector<NoteChange> changes;
  if (writing_) return changes;
  size_t bytes = 0;
  // Returns how many of them there is room for; note 0 always has some.
  auto take = [&](const std::deque<Note>& notes) {
    constexpr size_t kAnchorBytes = 64;
    size_t taken = 0;
    for (; taken < notes.size() && changes.size() + 1 < Service::kMaxNotesACall; ++taken) {
      bytes += notes[taken].text.size();
      if (bytes > Service::kMaxNoteBytes - kAnchorBytes) break;
      changes.push_back(notes[taken]);
    }
    return taken;
  };
  if (!pages_before_journal_ && !dropped_) writing_journal_ = take(journal_);
  writing_pages_ = take(pages_);
  const bool whole = !pages_.empty() && writing_pages_ == pages_.size();
  if (pages_before_journal_ && whole) writing_journal_ = take(journal_);
  if (whole) {
    StateWriter anchor;
    anchor(pages_first_, oldest_);
    changes.push_back(Note{.number = kAnchor, .text = Head(kAnchorKind) + anchor.bytes()});
  }
  if (changes.empty()) AddErasures(&changes);
  writing_ = !changes.empty();
  return changes;
}

// Note 0 goes first: without it the others mean nothing, so that half of them is no damage.
void Notebook::AddErasures(std::vector<NoteChange>* changes) {
  if (clear_) changes->push_back(ErasedNote{kAnchor});
  if (erasing_.empty()) return;
  const auto [from, to] = erasing_.front();
  for (uint64_t number = from; number < to && changes->size() < Service::kMaxNotesACall; ++number) {
    changes->push_back(ErasedNote{number});
    ++writing_erasures_;
  }
}

void Notebook::End(bool stored) {
  writing_ = false;
  const size_t journal = std::exchange(writing_journal_, 0), pages = std::exchange(writing_pages_, 0);
  const uint64_t erasures = std::exchange(writing_erasures_, 0);
  if (!stored) return;
  journal_.erase(journal_.begin(), journal_.begin() + static_cast<std::ptrdiff_t>(journal));
  pages_.erase(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(pages));
  if (journal == 0 && pages == 0) clear_ = false;
  if (pages > 0 && pages_.empty()) {
    pages_before_journal_ = false;
    erasing_.push_back({oldest_, pages_first_});
    oldest_ = pages_first_;
  }
  if (erasing_.empty()) return;
  erasing_.front().first += erasures;
  if (erasing_.front().first >= erasing_.front().second) erasing_.pop_front();
}

std::optional<uint64_t> Notebook::Reader::Take(const std::vector<Note>& notes) {
  if (notes.empty()) return std::nullopt;
  const bool first = notebook_.next_ == 1 && !anchored_;
  if (first && notes.front().number == kAnchor) {
    TakeAnchor(notes.front().text);
    return anchored_ ? first_ : 1;
  }
  for (const Note& note : notes) {
    if (note.number >= kEnd) return std::nullopt;
    TakeNote(note);
  }
  return notebook_.next_;
}

void Notebook::Reader::TakeAnchor(const std::string& text) {
  StateReader reader(std::string_view(text).substr(std::min(kHeadBytes, text.size())));
  uint64_t oldest = 0;
  reader(first_, oldest);
  Require(IsKind(text, kAnchorKind) && reader.ok() && reader.left() == 0 && oldest <= first_ && oldest > 0 &&
          first_ < kEnd);
  if (!lost_.ok()) return;
  anchored_ = true;
  notebook_.oldest_ = oldest;
  notebook_.next_ = first_;
}

void Notebook::Reader::TakeNote(const Note& note) {
  const std::string_view text(note.text);
  notebook_.next_ = note.number + 1;
  if (!anchored_) return;  // of a save that never was whole
  if (note.number < first_ + std::max<uint64_t>(pages_, 1)) {
    StateReader reader(text.substr(std::min(kHeadBytes, text.size())));
    uint64_t pages = 0;
    reader(pages);
    Require(IsKind(note.text, kPageKind) && reader.ok() && note.number == first_ + pages_read_);
    Require(pages_read_ == 0 || pages == pages_);
    pages_ = pages;
    ++pages_read_;
    contents_.save.append(text.substr(text.size() - reader.left()));
  } else if (IsKind(note.text, kJournalKind)) {
    ++notebook_.journal_notes_;
    notebook_.journal_bytes_ += text.size();
    contents_.journal.append(text.substr(kHeadBytes));
  } else {
    Require(IsKind(note.text, kPageKind));  // pages are of a save that never was whole
  }
}

void Notebook::Reader::Require(bool holds) {
  if (holds || !lost_.ok()) return;
  lost_ = Error(absl::StatusCode::kDataLoss, "ENGINE_STATE_CORRUPT", "the notes of what was learnt are damaged")
              .Hint("nothing is to be done: it is learnt anew");
}

// Up to so many unread notes may follow what was read.
void Notebook::Reader::Lose(uint64_t unused, absl::Status why) {
  lost_ = std::move(why);
  constexpr uint64_t kMostThatFollow = 2 * kMaxJournalNotes;
  notebook_.erasing_.push_back({notebook_.oldest_, notebook_.next_ + kMostThatFollow});
  notebook_.next_ = anchored_ ? notebook_.next_ + kMostThatFollow : unused;
  notebook_.oldest_ = notebook_.next_;
}

Notebook Notebook::Reader::notebook() {
  const absl::StatusOr<std::optional<Contents>> read = contents();
  const bool whole = read.ok() && read->has_value();
  Notebook notebook = notebook_;
  notebook.wants_save_ = !whole;
  notebook.pages_before_journal_ = !whole;
  return notebook;
}

absl::StatusOr<std::optional<Notebook::Reader::Contents>> Notebook::Reader::contents() {
  if (anchored_) Require(pages_read_ > 0 && pages_read_ == pages_);
  if (!lost_.ok()) return lost_;
  return anchored_ ? std::optional(contents_) : std::nullopt;
}

}  // namespace gnomon
