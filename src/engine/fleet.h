// SPDX-License-Identifier: Apache-2.0
//
// A Fleet is all that the engine has learnt of one network: its planner, its forecasts, what is announced, what was
// imported.
//
// It changes only by what it is told, and each telling is added to a journal. A fleet restored from a Save and told the
// journal since then is equal in every bit, and so are its plans.
//
// Example:
//   Fleet fleet(now_s, lead_s, review_s);
//   fleet.Created("web", now_s, 3);
//   fleet.Review(now_s);
//   std::string saved = fleet.Save();
//   fleet.TakeJournal();                    // of what `saved` holds already
//   fleet.Created("web", now_s + 1, 1);
//   Fleet::Restored again = Fleet::Restore(saved, options).value();
//   again.fleet->Replay(fleet.TakeJournal());   // equals `fleet`
//
// The planner learns from what was created beyond what was announced: what is announced is held anyway. The forecasts
// of 5, 15 and 30 minutes learn from every creation, as they are for people, who compare them with all that came.
//
// Threads: not thread-safe. Deterministic. Time: whole seconds of 1970 UTC; one earlier than the last is taken for that.
// Limits: kMaxTypes, Announcements::kMaxKnown, kMaxImports.
// Cost: the planner's (plan/planner.h) and the forecaster's (forecast/horizon_forecaster.h): 35 us a type and review, and
// 0.1 s more of one review in two hours. Memory: 15 kB a type beside the planner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/state.h"
#include "engine/announcements.h"
#include "engine/quality.h"
#include "engine/type_forecast.h"
#include "forecast/horizon_forecaster.h"
#include "plan/outlook.h"
#include "plan/outlook_pools.h"
#include "plan/planner.h"

namespace gnomon {

// Past creations of one type.
struct PastCreations {
  std::string type = {};
  int64_t time_s = 0;
  uint32_t count = 0;
};

class Fleet {
 public:
  static constexpr size_t kMaxTypes = 1000;
  static constexpr size_t kMaxImports = 1000;  // whose ids are known
  // Of a gap in what is imported, so much is reviewed minute by minute.
  static constexpr int64_t kReviewedGapS = 86400;
  static constexpr double kRateMinutes = 60;

  // Its planner's time begins at the midnight before `now_s`.
  Fleet(int64_t now_s, const PlannerOptions& options);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // The number of the type, which it gets here. nullopt: there are kMaxTypes others.
  std::optional<size_t> TypeOf(const std::string& type);
  // What was created, less what was announced, is learnt from.
  void Created(size_t type, int64_t time_s, uint32_t count);
  // So many of those found a shadow.
  void Hit(size_t type, int64_t time_s, uint32_t count);
  // So many shadows of the type are held.
  void Hold(size_t type, int64_t time_s, uint32_t held);
  void Review(int64_t time_s);
  // So many shadows were asked for.
  void Asked(size_t type, uint32_t count);
  // The id is not known, there is room, and the type has a number.
  void Announce(const AnnouncementId& id, size_t type, uint32_t count, int64_t at_s, int64_t now_s);
  void Cancel(const AnnouncementId& id);
  // What was announced as `id` has started (engine/announcements.h).
  void Start(const AnnouncementId& id);
  // What a signal expects of the type now, until the next one; kLead of its planner is covered.
  void Expect(size_t type, int64_t time_s, const Outlook& outlook);
  // The signal is silent.
  void ExpectNothing(size_t type, int64_t time_s);
  // Learns from what was created before all that was told. `past` is in order, none before last_s().
  // Creations of types beyond kMaxTypes are passed over; returns how many.
  uint64_t Import(const std::string& id, const std::vector<PastCreations>& past);

  // As of the last review, with what is due at `now_s` if a shadow takes `lead_s` to make.
  Plan PlanFor(size_t type, double hit_rate, int64_t now_s, int64_t lead_s) const;

  // Of the type; nullptr: no signal has ever told of it.
  const OutlookPools* OutlooksOf(size_t type) const { return outlooks_[type].get(); }

  // As of the type's last step, which ended at most HorizonForecaster::kStepS before the last review.
  TypeForecast ForecastOf(size_t type) const;
  // How a type was served and its forecasts came true, as of last_s(); imports count for the forecasts alone.
  TypeQuality QualityOf(size_t type) const { return QualityOfType(types_[type].name, quality_[type], last_s_); }
  // How the forecasts of all types came true.
  std::array<JudgedHorizon, ForecastJudge::kHorizons> Judged() const;
  TypeQuality QualityOfNetwork() const { return QualityOfAll(quality_, last_s_); }

  size_t size() const { return types_.size(); }
  const std::string& NameOf(size_t type) const { return types_[type].name; }
  // Of what was last asked for of the type, not created since.
  uint32_t LeftOf(size_t type) const { return types_[type].left; }
  // Shadows, by the last Hold, less the hits since.
  uint32_t HeldOf(size_t type) const { return quality_[type].served.held(); }
  const Announcements& announcements() const { return announcements_; }
  // Creations a minute, of the last hour or so before the last review.
  double RateOf(size_t type) const { return types_[type].rate; }
  bool live() const { return live_; }  // it was told of more than imports
  int64_t last_s() const { return last_s_; }  // the latest time that it was told
  bool Imported(const std::string& id) const;

  // What it was told since the last call. Equal to nothing that is kept: who does not store it loses it.
  std::string TakeJournal();
  // All of it, as parts with names: a version, a checksum, each part with a format of its own.
  std::string Save() const;

  struct Restored {
    std::unique_ptr<Fleet> fleet = {};
    absl::Status lost_part = {};  // why a part was not restored and learns anew; OK: none. The first, of several
  };
  // Errors: DATA_LOSS (ENGINE_STATE_CORRUPT) for what Save did not make, FAILED_PRECONDITION (ENGINE_STATE_DIFFERS) for
  // another version's.
  static absl::StatusOr<Restored> Restore(std::string_view saved, const PlannerOptions& options);
  // DATA_LOSS (ENGINE_STATE_CORRUPT) if it is no journal; what came before the damage has been told.
  absl::Status Replay(std::string_view journal);

 private:
  // Of the journal, by number: add to the end.
  enum class What : uint8_t {
    kType,
    kCreated,
    kReview,
    kAsked,
    kAnnounce,
    kCancel,
    kImport,
    kImportReview,
    kImported,
    kHit,
    kHold,
    kExpect,
    kExpectNothing,
    kStart,
    kLast = kStart
  };
  struct Entry;
  struct Type {
    std::string name = {};
    uint32_t left = 0;
    uint64_t created = 0;  // since the last review
    double rate = 0;       // a minute, averaged over kRateMinutes

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.name, self.left, self.created, self.rate);
    }
  };
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self);
  double PlannerTime() const { return static_cast<double>(last_s_ - midnight_s_); }
  bool Fits(const Entry& entry) const;
  void Tell(const Entry& entry);
  void Apply(const Entry& entry);
  void ReviewRates();
  void ReviewAll(bool live);
  absl::Status RestorePlanner(const std::string& part);
  absl::Status RestoreForecaster(const std::string& part);
  absl::Status RestoreQuality(const std::string& part);
  absl::Status RestoreOutlooks(const std::string& part);
  std::string SaveOutlooks() const;
  OutlookPools& OutlooksFor(size_t type);

  const PlannerOptions options_;
  int64_t midnight_s_;
  int64_t last_s_;
  int64_t reviewed_s_;
  bool live_ = false;
  std::vector<Type> types_;
  absl::flat_hash_map<std::string, size_t> numbers_;
  Announcements announcements_;
  std::deque<std::string> imports_;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<HorizonForecaster> forecaster_;
  std::vector<QualityRecord> quality_;  // by type
  std::vector<std::unique_ptr<OutlookPools>> outlooks_;  // by type
  StateWriter journal_;
};

}  // namespace gnomon
