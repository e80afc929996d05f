// SPDX-License-Identifier: Apache-2.0
#include "engine/notebook.h"

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

// Where notes are stored: each call whole.
class Notes {
 public:
  void Store(const std::vector<NoteChange>& changes) {
    EXPECT_LE(changes.size(), Service::kMaxNotesACall);
    size_t bytes = 0;
    for (const NoteChange& change : changes) {
      if (const auto* note = std::get_if<Note>(&change)) {
        stored_[note->number] = note->text;
        bytes += note->text.size();
      } else {
        stored_.erase(std::get<ErasedNote>(change).number);
      }
    }
    EXPECT_LE(bytes, Service::kMaxNoteBytes);
  }
  Notebook::Reader Read() const {
    Notebook::Reader reader;
    for (std::optional<uint64_t> from = Notebook::Reader::kFirst; from;) {
      std::vector<Note> notes;
      size_t bytes = 0;
      for (auto note = stored_.lower_bound(*from); note != stored_.end() && bytes < 100'000; ++note) {
        notes.push_back({note->first, note->second});
        bytes += note->second.size();
      }
      from = reader.Take(notes);
    }
    return reader;
  }
  std::map<uint64_t, std::string>& stored() { return stored_; }

 private:
  std::map<uint64_t, std::string> stored_;
};

// Writes until there is nothing to write.
void WriteAll(Notebook* notebook, Notes* notes) {
  for (std::vector<NoteChange> changes; !(changes = notebook->Begin()).empty();) {
    notes->Store(changes);
    notebook->End(true);
  }
}

std::string TextOf(const Notes& notes) {
  Notebook::Reader reader = notes.Read();
  auto contents = reader.contents();
  if (!contents.ok()) return absl::StrCat("<", CodeOf(contents.status()), ">");
  return *contents ? absl::StrCat((*contents)->save, (*contents)->journal) : "<none>";
}

TEST(Notebook, WhatIsReadIsTheLastSaveAndAllThatWasAddedSince) {
  Notebook notebook;
  Notes notes;
  EXPECT_EQ(TextOf(notes), "<none>");
  EXPECT_TRUE(notebook.wants_save());
  notebook.Add("lost in ");
  notebook.Save("saved,");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(TextOf(notes), "saved,");
  notebook.Add("a");
  notebook.Add("b");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(notes.stored().size(), 3u) << "note 0, a page, one of the journal";
  notebook.Add("c");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(TextOf(notes), "saved,abc");
  notebook.Save("all,");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(TextOf(notes), "all,");
  EXPECT_EQ(notes.stored().size(), 2u) << "what was before is erased";
}

TEST(Notebook, AJournalIsDurableBeforeALargeSaveIs) {
  Notebook notebook;
  Notes notes;
  notebook.Save("old,");
  WriteAll(&notebook, &notes);
  notebook.Save(std::string(3'000'000, 'x'));
  notes.Store(notebook.Begin());
  notebook.End(true);
  notebook.Add("new");
  const uint64_t ticket = notebook.Ticket();
  EXPECT_FALSE(notebook.Stored(ticket));
  notes.Store(notebook.Begin());
  notebook.End(true);
  EXPECT_TRUE(notebook.Stored(ticket));
  EXPECT_EQ(TextOf(notes), "old,new");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(TextOf(notes), std::string(3'000'000, 'x') + "new");
}

TEST(Notebook, AJournalThatIsTooLongIsDroppedAndAllIsSavedAnew) {
  Notebook notebook;
  Notes notes;
  notebook.Save("old,");
  WriteAll(&notebook, &notes);
  notebook.Add(std::string(Notebook::kMaxJournalBytes, 'x'));
  notebook.Add("and more");
  const uint64_t ticket = notebook.Ticket();
  EXPECT_TRUE(notebook.wants_save());
  EXPECT_TRUE(notebook.Begin().empty()) << "the rest of it means nothing";
  notebook.Save("all,");
  EXPECT_FALSE(notebook.Stored(ticket));
  WriteAll(&notebook, &notes);
  EXPECT_TRUE(notebook.Stored(ticket));
  EXPECT_EQ(TextOf(notes), "all,");
}

TEST(Notebook, ClearErasesAllAndItMayBeginAnew) {
  Notebook notebook;
  Notes notes;
  notebook.Save(std::string(3'000'000, 'x'));
  for (int i = 0; i < 300; ++i) {
    notebook.Add("j");
    WriteAll(&notebook, &notes);
  }
  notebook.Clear();
  WriteAll(&notebook, &notes);
  EXPECT_TRUE(notebook.done());
  EXPECT_TRUE(notes.stored().empty());
  notebook.Save("anew");
  WriteAll(&notebook, &notes);
  EXPECT_EQ(TextOf(notes), "anew");
}

// Adds, saves, writes that fail or are cut short by a crash: what is read is always all up to some moment, and never less
// than what was said to be stored.
TEST(Notebook, WhateverFailsOrEndsNothingStoredIsLost) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    Notes notes;
    Notebook notebook;
    std::string all;
    std::map<uint64_t, size_t> sizes;  // of all, by ticket
    for (int step = 0; step < 200; ++step) {
      const uint32_t what = random() % 10;
      if (what < 5) {
        const std::string more(1 + random() % (random() % 20 == 0 ? 300'000 : 10), static_cast<char>('a' + random() % 26));
        all += more;
        notebook.Add(more);
        sizes[notebook.Ticket()] = all.size();
      }
      if (!notebook.writing() && (notebook.wants_save() || what == 5)) notebook.Save(all);
      if (std::vector<NoteChange> changes = notebook.Begin(); !changes.empty()) {
        const bool stored = random() % 4 != 0;
        if (stored || random() % 2 == 0) notes.Store(changes);
        if (random() % 3 != 0) notebook.End(stored);
      } else if (notebook.writing() && what == 6) {
        notebook.End(false);
      }
      size_t least = 0;
      for (const auto& [ticket, size] : sizes) {
        if (notebook.Stored(ticket)) least = size;
      }
      const std::string read = TextOf(notes);
      if (read == "<none>") {
        ASSERT_EQ(least, 0u);
        continue;
      }
      ASSERT_TRUE(all.starts_with(read)) << "seed " << seed << " step " << step;
      ASSERT_GE(read.size(), least) << "seed " << seed << " step " << step;
      if (what != 7) continue;  // a crash
      notebook = notes.Read().notebook();
      all = read;
      sizes.clear();
    }
  }
}

TEST(Notebook, DamageIsToldAndGivenUp) {
  Notes notes;
  Notebook notebook;
  notebook.Save(std::string(600'000, 'x'));
  notebook.Add("j");
  WriteAll(&notebook, &notes);
  for (const auto& [number, text] : std::map(notes.stored())) {
    Notes damaged = notes;
    damaged.stored()[number] = "?";
    EXPECT_EQ(TextOf(damaged), "<ENGINE_STATE_CORRUPT>") << number;
    if (number + 2 < notes.stored().size()) {
      damaged.stored().erase(number);
      EXPECT_EQ(TextOf(damaged), number == 0 ? "<none>" : "<ENGINE_STATE_CORRUPT>") << number;
    }
    Notebook anew = damaged.Read().notebook();
    EXPECT_TRUE(anew.wants_save());
    anew.Save("anew");
    WriteAll(&anew, &damaged);
    EXPECT_EQ(TextOf(damaged), "anew");
    EXPECT_EQ(damaged.stored().size(), 2u) << number;
  }
}

}  // namespace
}  // namespace gnomon
