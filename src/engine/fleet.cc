// SPDX-License-Identifier: Apache-2.0
//
// A journal is entries, each the fields of Entry; a save is, sealed, the number of parts and each part's name and bytes, as
// base/state.h writes them.
#include "engine/fleet.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "base/sealed_state.h"

namespace gnomon {
namespace {

constexpr int64_t kDayS = 86400;
// Of a save and of a journal: another one for every change of any Fields of the engine's. Kinds and parts that are added
// need none, as what was stored without them is read.
constexpr char kVersion = 1;
constexpr const char* kTypesPart = "types";
constexpr const char* kPlannerPart = "planner";
constexpr const char* kForecasterPart = "forecaster";
constexpr const char* kQualityPart = "quality";
constexpr const char* kOutlooksPart = "outlooks";
constexpr char kQualityVersion = 1, kOutlooksVersion = 1;  // of those parts

Error Corrupt(std::string_view why) {
  return Error(absl::StatusCode::kDataLoss, "ENGINE_STATE_CORRUPT",
               absl::StrCat("what was learnt of the network ", std::string(why)))
      .Hint("nothing is to be done: it is learnt anew");
}

// Whose first steps begin then: what came before was not seen.
std::unique_ptr<HorizonForecaster> ForecasterFrom(double time_s) {
  auto forecaster = std::make_unique<HorizonForecaster>();
  forecaster->Review(time_s);
  return forecaster;
}

}  // namespace

struct Fleet::Entry {
  What what{};
  int64_t time_s = 0;
  size_t type = 0;
  uint32_t count = 0;
  int64_t at_s = 0;
  std::string name = {}, id = {};
  Outlook outlook = {};

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    uint8_t what = static_cast<uint8_t>(self.what);
    archive(what);
    archive.Require(what <= static_cast<uint8_t>(What::kLast));
    if constexpr (Archive::kReads) self.what = static_cast<What>(archive.ok() ? what : 0);
    archive(self.time_s, self.type, self.count);
    if (self.what == What::kCreated || self.what == What::kReview || self.what == What::kAsked) return;
    if (self.what == What::kImport || self.what == What::kImportReview) return;
    if (self.what == What::kHit || self.what == What::kHold || self.what == What::kExpectNothing) return;
    if (self.what == What::kExpect) return archive(self.outlook);
    archive(self.at_s, self.name, self.id);
  }
};

Fleet::Fleet(int64_t now_s, const PlannerOptions& options)
    : options_(options),
      midnight_s_(now_s / kDayS * kDayS),
      last_s_(now_s),
      reviewed_s_(now_s),
      planner_(std::make_unique<Planner>(options)),
      forecaster_(ForecasterFrom(PlannerTime())) {}

std::optional<size_t> Fleet::TypeOf(const std::string& type) {
  if (auto known = numbers_.find(type); known != numbers_.end()) return known->second;
  if (types_.size() >= kMaxTypes) return std::nullopt;
  Tell({.what = What::kType, .time_s = last_s_, .name = type});
  return types_.size() - 1;
}

void Fleet::Created(size_t type, int64_t time_s, uint32_t count) {
  Tell({.what = What::kCreated, .time_s = time_s, .type = type, .count = count});
}

void Fleet::Hit(size_t type, int64_t time_s, uint32_t count) {
  Tell({.what = What::kHit, .time_s = time_s, .type = type, .count = count});
}

void Fleet::Hold(size_t type, int64_t time_s, uint32_t held) {
  Tell({.what = What::kHold, .time_s = time_s, .type = type, .count = held});
}

void Fleet::Review(int64_t time_s) { Tell({.what = What::kReview, .time_s = time_s}); }

void Fleet::Asked(size_t type, uint32_t count) {
  Tell({.what = What::kAsked, .time_s = last_s_, .type = type, .count = count});
}

void Fleet::Announce(const AnnouncementId& id, size_t type, uint32_t count, int64_t at_s, int64_t now_s) {
  Tell({.what = What::kAnnounce, .time_s = now_s, .type = type, .count = count, .at_s = at_s, .name = id.source,
        .id = id.id});
}

void Fleet::Cancel(const AnnouncementId& id) {
  Tell({.what = What::kCancel, .time_s = last_s_, .name = id.source, .id = id.id});
}

void Fleet::Start(const AnnouncementId& id) {
  Tell({.what = What::kStart, .time_s = last_s_, .name = id.source, .id = id.id});
}

void Fleet::Expect(size_t type, int64_t time_s, const Outlook& outlook) {
  Tell({.what = What::kExpect, .time_s = time_s, .type = type, .outlook = outlook});
}

void Fleet::ExpectNothing(size_t type, int64_t time_s) {
  Tell({.what = What::kExpectNothing, .time_s = time_s, .type = type});
}

uint64_t Fleet::Import(const std::string& id, const std::vector<PastCreations>& past) {
  uint64_t passed_over = 0;
  const int64_t review_s = static_cast<int64_t>(options_.review_s);
  for (const PastCreations& one : past) {
    const std::optional<size_t> type = TypeOf(one.type);
    if (!type) {
      passed_over += one.count;
      continue;
    }
    int64_t at_s = std::max(last_s_ / review_s, (one.time_s - kReviewedGapS) / review_s) * review_s + review_s;
    for (; at_s <= one.time_s; at_s += review_s) Tell({.what = What::kImportReview, .time_s = at_s});
    Tell({.what = What::kImport, .time_s = one.time_s, .type = *type, .count = one.count});
  }
  Tell({.what = What::kImported, .time_s = last_s_, .id = id});
  return passed_over;
}

bool Fleet::Imported(const std::string& id) const {
  return std::find(imports_.begin(), imports_.end(), id) != imports_.end();
}

Plan Fleet::PlanFor(size_t type, double hit_rate, int64_t now_s, int64_t lead_s) const {
  Plan plan = planner_->PlanFor(type, hit_rate);
  plan.announced = announcements_.Due(type, now_s, lead_s);
  plan.level.low += plan.announced;
  plan.level.fill += plan.announced;
  plan.level.keep += plan.announced;
  if (const OutlookPools* outlooks = OutlooksOf(type); outlooks != nullptr && outlooks->live()) {
    const OutlookPools::Held held = outlooks->For(hit_rate);
    plan.expected = held.level;
    plan.chance = held.chance;
    plan.follows_signal = outlooks->followed();
    plan.level = outlooks->Choose(plan.level, plan.announced, hit_rate);
    plan.kept = static_cast<double>(plan.level.keep - plan.level.fill);
  }
  return plan;
}

TypeForecast Fleet::ForecastOf(size_t type) const {
  const KeyForecast key = forecaster_->ForecastOf(type);
  TypeForecast forecast{.type = types_[type].name, .steps = key.steps};
  if (key.steps == 0) {
    forecast.missing = absl::StrCat("its first ", HorizonForecaster::kStepS / 60, " minutes have not ended");
    return forecast;
  }
  forecast.as_of = absl::FromUnixSeconds(midnight_s_ + std::llround(key.as_of_s));
  for (size_t h = 0; h < forecast.horizons.size(); ++h) {
    forecast.horizons[h] = {absl::Seconds(key.horizons[h].horizon_s), key.horizons[h].quantiles};
  }
  for (double count : key.recent) forecast.recent.push_back(std::llround(count));
  return forecast;
}

std::array<JudgedHorizon, ForecastJudge::kHorizons> Fleet::Judged() const {
  std::array<JudgedHorizon, ForecastJudge::kHorizons> all{};
  for (const QualityRecord& record : quality_) {
    for (size_t h = 0; h < all.size(); ++h) all[h].Add(record.judge.horizons()[h]);
  }
  return all;
}

std::string Fleet::TakeJournal() { return std::exchange(journal_, StateWriter()).bytes(); }

bool Fleet::Fits(const Entry& entry) const {
  const bool typed = entry.what == What::kCreated || entry.what == What::kAsked || entry.what == What::kAnnounce ||
                     entry.what == What::kImport || entry.what == What::kHit || entry.what == What::kHold ||
                     entry.what == What::kExpect || entry.what == What::kExpectNothing;
  if (typed && entry.type >= types_.size()) return false;
  const bool known = announcements_.Find({entry.name, entry.id}) != nullptr;
  switch (entry.what) {
    case What::kType:
      return types_.size() < kMaxTypes && !numbers_.contains(entry.name);
    case What::kAnnounce:
      return !known && announcements_.known().size() < Announcements::kMaxKnown && entry.count > 0;
    case What::kCancel:
    case What::kStart:
      return known;
    default:
      return true;
  }
}

void Fleet::Tell(const Entry& entry) {
  GNOMON_CHECK(Fits(entry));
  journal_(entry);
  Apply(entry);
}

void Fleet::Apply(const Entry& entry) {
  last_s_ = std::max(last_s_, entry.time_s);
  switch (entry.what) {
    case What::kType:
      numbers_[entry.name] = planner_->AddKey();
      forecaster_->AddKey();
      quality_.emplace_back();
      outlooks_.emplace_back();
      types_.push_back({.name = entry.name});
      return;
    case What::kCreated: {
      live_ = true;
      Type& type = types_[entry.type];
      type.left -= std::min(type.left, entry.count);
      type.created += entry.count;
      const uint32_t known = announcements_.Consume(entry.type, last_s_, entry.count);
      if (entry.count > known) planner_->Created(entry.type, PlannerTime(), entry.count - known);
      forecaster_->Created(entry.type, PlannerTime(), entry.count);
      quality_[entry.type].judge.Look(*forecaster_, entry.type);
      quality_[entry.type].served.Created(last_s_, entry.count);
      if (outlooks_[entry.type] != nullptr) outlooks_[entry.type]->Created(last_s_, entry.count);
      return;
    }
    case What::kHit:
      quality_[entry.type].served.Hit(last_s_, entry.count);
      return;
    case What::kHold:
      quality_[entry.type].served.Pass(last_s_);
      quality_[entry.type].served.Hold(entry.count);
      return;
    case What::kImport:
      types_[entry.type].created += entry.count;
      planner_->Created(entry.type, PlannerTime(), entry.count);
      forecaster_->Created(entry.type, PlannerTime(), entry.count);
      quality_[entry.type].judge.Look(*forecaster_, entry.type);
      return;
    case What::kImportReview:
      ReviewAll(false);
      return;
    case What::kReview:
      live_ = true;
      announcements_.Expire(last_s_);
      ReviewAll(true);
      return;
    case What::kAsked:
      types_[entry.type].left = entry.count;
      return;
    case What::kAnnounce:
      live_ = true;
      announcements_.Announce({entry.name, entry.id}, entry.type, entry.count, entry.at_s, last_s_);
      return;
    case What::kCancel:
    case What::kStart:
      (announcements_.*(entry.what == What::kCancel ? &Announcements::Cancel : &Announcements::Start))({entry.name, entry.id});
      return;
    case What::kExpect: {
      const Level without = planner_->PlanFor(entry.type, OutlookPools::kJudged).level;
      OutlooksFor(entry.type).Expect(last_s_, entry.outlook, static_cast<uint32_t>(without.fill));
      return;
    }
    case What::kExpectNothing:
      OutlooksFor(entry.type).End(last_s_);
      return;
    case What::kImported:
      imports_.push_back(entry.id);
      if (imports_.size() > kMaxImports) imports_.pop_front();
      return;
  }
}

OutlookPools& Fleet::OutlooksFor(size_t type) {
  if (outlooks_[type] == nullptr) {
    outlooks_[type] = std::make_unique<OutlookPools>(std::max<int64_t>(1, std::llround(options_.lead_s)));
  }
  return *outlooks_[type];
}

void Fleet::ReviewAll(bool live) {
  ReviewRates();
  planner_->Review(PlannerTime());
  forecaster_->Review(PlannerTime());
  for (size_t type = 0; type < types_.size(); ++type) {
    quality_[type].judge.Look(*forecaster_, type);
    if (live) quality_[type].served.Pass(last_s_);
  }
}

void Fleet::ReviewRates() {
  const double minutes = static_cast<double>(last_s_ - reviewed_s_) / 60;
  if (minutes <= 0) return;
  const double weight = 1 - std::exp(-minutes / kRateMinutes);
  for (Type& type : types_) {
    type.rate += weight * (static_cast<double>(std::exchange(type.created, 0)) / minutes - type.rate);
  }
  reviewed_s_ = last_s_;
}

template <class Archive, class Self>
void Fleet::Fields(Archive& archive, Self& self) {
  archive(self.midnight_s_, self.last_s_, self.reviewed_s_, self.live_, self.types_);
  archive.Require(self.types_.size() <= kMaxTypes);
  Announcements::Fields(archive, self.announcements_, self.types_.size());
  archive(self.imports_);
  archive.Require(self.imports_.size() <= kMaxImports);
}

std::string Fleet::Save() const {
  StateWriter types, quality, parts;
  Fields(types, *this);
  quality(quality_);
  parts(size_t{5}, std::string(kTypesPart), types.bytes(), std::string(kPlannerPart), planner_->Save(),
        std::string(kForecasterPart), forecaster_->Save(), std::string(kQualityPart),
        Seal(kQualityVersion, quality.bytes()), std::string(kOutlooksPart), SaveOutlooks());
  return Seal(kVersion, parts.bytes());
}

absl::StatusOr<Fleet::Restored> Fleet::Restore(std::string_view saved, const PlannerOptions& options) {
  const Unsealed unsealed = Unseal(saved);
  if (unsealed.damage != nullptr) return Corrupt(unsealed.damage);
  if (unsealed.version != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "ENGINE_STATE_DIFFERS",
                 absl::StrCat("what was learnt of the network has version ", int{unsealed.version}, ", not ", int{kVersion}))
        .Hint("nothing is to be done: it is learnt anew");
  }
  StateReader reader(unsealed.state);
  absl::flat_hash_map<std::string, std::string> parts;
  size_t count = 0;
  for (reader(count); reader.ok() && count > 0; --count) {
    std::string name, part;
    reader(name, part);
    parts[name] = std::move(part);
  }
  if (!reader.ok() || reader.left() != 0 || !parts.contains(kTypesPart)) return Corrupt("is no list of parts");
  Restored restored;
  restored.fleet = std::make_unique<Fleet>(0, options);
  Fleet& fleet = *restored.fleet;
  StateReader types(parts[kTypesPart]);
  Fields(types, fleet);
  for (const Type& type : fleet.types_) {
    if (!fleet.numbers_.emplace(type.name, fleet.numbers_.size()).second) types.Require(false);
  }
  if (!types.ok() || types.left() != 0) return Corrupt("has a damaged list of types");
  auto restore = [&](const char* name, absl::Status (Fleet::*part)(const std::string&)) {
    const bool stored = parts.contains(name);  // else it is of before there was that part
    absl::Status status = (fleet.*part)(parts[name]);
    if (stored && restored.lost_part.ok()) restored.lost_part = std::move(status);
  };
  restore(kPlannerPart, &Fleet::RestorePlanner);
  restore(kForecasterPart, &Fleet::RestoreForecaster);
  restore(kQualityPart, &Fleet::RestoreQuality);
  restore(kOutlooksPart, &Fleet::RestoreOutlooks);
  return restored;
}

absl::Status Fleet::RestorePlanner(const std::string& part) {
  absl::StatusOr<std::unique_ptr<Planner>> planner = Planner::Restore(options_, part);
  if (planner.ok() && (*planner)->size() == types_.size()) {
    planner_ = *std::move(planner);
    return absl::OkStatus();
  }
  for (size_t type = 0; type < types_.size(); ++type) planner_->AddKey();
  return planner.ok() ? absl::Status(Corrupt("has a planner for other types")) : planner.status();
}

absl::Status Fleet::RestoreForecaster(const std::string& part) {
  absl::StatusOr<std::unique_ptr<HorizonForecaster>> forecaster = HorizonForecaster::Restore(part);
  if (forecaster.ok() && (*forecaster)->keys() == types_.size()) {
    forecaster_ = *std::move(forecaster);
    return absl::OkStatus();
  }
  forecaster_ = ForecasterFrom(PlannerTime());
  for (size_t type = 0; type < types_.size(); ++type) forecaster_->AddKey();
  return forecaster.ok() ? absl::Status(Corrupt("has forecasts for other types")) : forecaster.status();
}

absl::Status Fleet::RestoreQuality(const std::string& part) {
  const Unsealed unsealed = Unseal(part);
  StateReader reader(unsealed.state);
  reader(quality_);
  const bool whole = unsealed.damage == nullptr && unsealed.version == kQualityVersion && reader.ok() &&
                     reader.left() == 0 && quality_.size() == types_.size();
  if (whole) return absl::OkStatus();
  quality_.assign(types_.size(), {});
  return Corrupt("has damaged records of its quality");
}

// How many types have some, and of each its number and state.
std::string Fleet::SaveOutlooks() const {
  StateWriter writer;
  writer(static_cast<size_t>(std::count_if(outlooks_.begin(), outlooks_.end(), [](const auto& one) { return one != nullptr; })));
  for (size_t type = 0; type < outlooks_.size(); ++type) {
    if (outlooks_[type] != nullptr) writer(type, *outlooks_[type]);
  }
  return Seal(kOutlooksVersion, writer.bytes());
}

absl::Status Fleet::RestoreOutlooks(const std::string& part) {
  outlooks_.resize(types_.size());
  const Unsealed unsealed = Unseal(part);
  StateReader reader(unsealed.state);
  size_t count = 0;
  for (reader(count); reader.ok() && count > 0; --count) {
    size_t type = 0;
    reader(type);
    reader.Require(type < types_.size());
    if (reader.ok()) reader(OutlooksFor(type));
  }
  if (unsealed.damage == nullptr && unsealed.version == kOutlooksVersion && reader.ok() && reader.left() == 0) {
    return absl::OkStatus();
  }
  for (std::unique_ptr<OutlookPools>& outlooks : outlooks_) outlooks = nullptr;
  return Corrupt("has damaged records of what signals expect");
}

absl::Status Fleet::Replay(std::string_view journal) {
  StateReader reader(journal);
  while (reader.left() > 0) {
    Entry entry;
    reader(entry);
    if (!reader.ok() || !Fits(entry)) return Corrupt("has a damaged journal");
    Apply(entry);
  }
  return absl::OkStatus();
}

}  // namespace gnomon
