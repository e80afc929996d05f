// SPDX-License-Identifier: Apache-2.0
//
// Announcements are the creations of one network that are known before they come, by who announced them.
//
// Shadows for them are due one lead and kMarginS before they are to come. A creation of the type is taken for an announced
// one from kEarlyS before then on; what has not come kLateS after is given up. Of one source all that is due adds up; of
// several the largest counts, as they speak of the same creations, so each creation is taken off every source.
//
// An announcement that is over is still known for kKeptS, so that announcing it again changes nothing.
//
// Who announces may also say which of its announcements have started. Creations are taken off the earliest, so the
// creation of a later one that starts first was taken off an earlier: what is left of the one goes back to the other.
//
// Threads: not thread-safe. Deterministic. Time: whole seconds of 1970 UTC, as told. Types are numbers.
// Limits: kMaxKnown, those that are over too. Cost: of Consume, linear in what it ends; of Due, in what is due of the type;
// of Expire, in all that is known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace gnomon {

struct AnnouncementId {
  std::string source = {}, id = {};
  friend auto operator<=>(const AnnouncementId&, const AnnouncementId&) = default;
};

class Announcements {
 public:
  static constexpr int64_t kMarginS = 2;
  static constexpr int64_t kEarlyS = 60, kLateS = 300, kKeptS = 3600;
  static constexpr size_t kMaxKnown = 10'000;

  struct Known {
    size_t type = 0;
    uint32_t count = 0;
    int64_t at_s = 0;      // when the first is to come
    int64_t told_s = 0;    // when it was announced
    uint32_t left = 0;     // of count, still expected; 0 once it is over
    bool cancelled = false;  // or started: what announced it expects nothing more of it
    int64_t ends_s() const { return (at_s > told_s ? at_s : told_s) + kLateS; }

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.type, self.count, self.at_s, self.told_s, self.left, self.cancelled);
    }
  };

  // nullptr: it is not known, or not any more.
  const Known* Find(const AnnouncementId& id) const;
  const std::map<AnnouncementId, Known>& known() const { return known_; }

  // `id` is not known, and there is room.
  void Announce(const AnnouncementId& id, size_t type, uint32_t count, int64_t at_s, int64_t now_s);
  // It is known.
  void Cancel(const AnnouncementId& id);
  // It is known. What is left of it goes back to those of its source and type that creations were taken off, if they have
  // not started.
  void Start(const AnnouncementId& id);
  // How many of these creations were announced; they are expected no more.
  uint32_t Consume(size_t type, int64_t time_s, uint32_t count);
  // Ends what is given up, and forgets what has been over for long.
  void Expire(int64_t time_s);

  // Shadows of the type that are to be held for announcements, if one takes `lead_s` to make.
  int64_t Due(size_t type, int64_t time_s, int64_t lead_s) const;
  // How many are not over.
  size_t open() const { return open_.size(); }

  // As in base/state.h. All types are below `types`.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self, size_t types) {
    size_t count = self.known_.size();
    archive(count);
    archive.Require(count <= kMaxKnown);
    if constexpr (!Archive::kReads) {
      for (const auto& [id, known] : self.known_) archive(id.source, id.id, known);
    } else {
      for (; archive.ok() && count > 0; --count) {
        AnnouncementId id;
        Known known;
        archive(id.source, id.id, known);
        archive.Require(known.type < types && known.left <= known.count);
        if (archive.ok()) self.Insert(id, known);
      }
    }
  }

 private:
  using Key = std::tuple<size_t, std::string, int64_t, std::string>;  // type, source, at, id
  static Key KeyOf(const AnnouncementId& id, const Known& known) { return {known.type, id.source, known.at_s, id.id}; }
  void Insert(const AnnouncementId& id, const Known& known);
  void End(const AnnouncementId& id, Known* known);
  // Before all keys of the source that follows that of `key`.
  static Key AfterSource(const Key& key);

  std::map<AnnouncementId, Known> known_;
  std::map<Key, Known*> open_;   // those of which some are left
  std::map<Key, Known*> taken_;  // those that creations were taken off, not over by their time or cancelled
};

}  // namespace gnomon
