// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet.h"

#include <bit>

#include "base/bytes.h"
#include "base/error.h"
#include "base/sealed_state.h"
#include "base/state.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

constexpr int64_t kStartS = 1'800'000'123;
const PlannerOptions kOptions{.lead_s = 5, .review_s = 60};

// The minute from `now_s` on: single creations, bursts, announcements that are kept, cancelled or come to nothing.
void TellMinute(Fleet* fleet, int64_t now_s) {
  const uint32_t noise = static_cast<uint32_t>(now_s / 60) * 2654435761u;
  const std::string name = std::to_string(now_s);
  fleet->Review(now_s);
  fleet->Created(*fleet->TypeOf("web"), now_s + 7, 1 + (noise >> 28));
  fleet->Hit(0, now_s + 7, 1);
  if (noise % 4 == 0) fleet->Hold(0, now_s + 8, noise >> 28);
  if (now_s / 60 % 60 == 30) fleet->Created(*fleet->TypeOf("db"), now_s + 31, 40);
  fleet->Asked(0, noise >> 29);
  if (noise % 8 == 0) {
    Outlook outlook;
    for (size_t i = 0; i < kChances; ++i) outlook[i] = static_cast<uint32_t>(i) * (noise >> 30);
    fleet->Expect(0, now_s + 30, outlook);
  } else if (noise % 8 == 1) {
    fleet->ExpectNothing(0, now_s + 30);
  }
  if (noise % 16 != 0) return;
  fleet->Announce({"ci", name}, *fleet->TypeOf("job"), 9, now_s + 50, now_s + 40);
  fleet->Created(*fleet->TypeOf("job"), now_s + 52, 5);
  if (noise % 32 == 0) fleet->Cancel({"ci", name});
}

bool SamePlans(const Fleet& a, const Fleet& b, int64_t now_s) {
  if (a.size() != b.size()) return false;
  for (size_t type = 0; type < a.size(); ++type) {
    const Plan left = a.PlanFor(type, 0.99, now_s, 6), right = b.PlanFor(type, 0.99, now_s, 6);
    if (left.level != right.level || left.announced != right.announced || a.LeftOf(type) != b.LeftOf(type)) return false;
    for (double Plan::*number : {&Plan::forecast, &Plan::spread, &Plan::multiple, &Plan::kept}) {
      if (std::bit_cast<uint64_t>(left.*number) != std::bit_cast<uint64_t>(right.*number)) return false;
    }
  }
  return true;
}

TEST(Fleet, OneRestoredAndToldTheJournalEqualsTheOneThatWasKept) {
  Fleet kept(kStartS, kOptions);
  kept.Import("old", {{"web", kStartS + 10, 5}, {"batch", kStartS + 4000, 7}});
  int64_t now_s = kStartS + 4000;
  for (; now_s < kStartS + 2 * 86400; now_s += 60) TellMinute(&kept, now_s);
  kept.TakeJournal();
  const std::string saved = kept.Save();
  for (const int64_t end_s = now_s + 3600; now_s < end_s; now_s += 60) TellMinute(&kept, now_s);

  Fleet::Restored restored = Fleet::Restore(saved, kOptions).value();
  EXPECT_TRUE(restored.lost_part.ok());
  EXPECT_FALSE(SamePlans(kept, *restored.fleet, now_s));
  const std::string journal = kept.TakeJournal();
  ASSERT_TRUE(restored.fleet->Replay(journal).ok());
  EXPECT_TRUE(SamePlans(kept, *restored.fleet, now_s));
  EXPECT_TRUE(kept.Save() == restored.fleet->Save());
  EXPECT_GT(kept.QualityOf(0).total.served.hits, 2800);
  EXPECT_TRUE(restored.fleet->Imported("old"));
  EXPECT_LT(journal.size(), 60u * 120) << "about eight bytes a telling";
}

TEST(Fleet, WhatWasAnnouncedIsNotLearntToo) {
  Fleet told(kStartS, kOptions), quiet(kStartS, kOptions);
  for (Fleet* fleet : {&told, &quiet}) fleet->TypeOf("web");
  told.Announce({"ci", "1"}, 0, 50, kStartS + 100, kStartS);
  EXPECT_EQ(told.PlanFor(0, 0.99, kStartS + 95, 5).announced, 50);
  EXPECT_EQ(told.PlanFor(0, 0.99, kStartS + 95, 5).level.fill, 50);
  told.Created(0, kStartS + 101, 50);
  for (Fleet* fleet : {&told, &quiet}) fleet->Review(kStartS + 120);
  EXPECT_EQ(told.PlanFor(0, 0.99, kStartS + 120, 5).level, quiet.PlanFor(0, 0.99, kStartS + 120, 5).level);
  told.Created(0, kStartS + 121, 1);
  told.Review(kStartS + 180);
  EXPECT_GT(told.PlanFor(0, 0.99, kStartS + 180, 5).level.fill, 0) << "what is beyond it is";
}

TEST(Fleet, ASignalThatKnowsIsFollowedAndOneThatIsSilentIsNot) {
  Fleet fleet(kStartS, kOptions);
  fleet.TypeOf("web");
  int64_t now_s = kStartS;
  Outlook outlook;
  for (int step = 0; step < 4 * 120; ++step, now_s += 15) {
    if (step % 4 == 0) fleet.Review(now_s);
    const bool comes = step % 12 == 11;
    outlook.fill(comes ? 10 : 0);
    fleet.Expect(0, now_s, outlook);
    if (comes) fleet.Created(0, now_s + 10, 10);
  }
  outlook.fill(10);
  fleet.Expect(0, now_s, outlook);
  const Plan busy = fleet.PlanFor(0, 0.99, now_s, 5);
  EXPECT_TRUE(busy.follows_signal);
  EXPECT_EQ(busy.expected, 10);
  EXPECT_EQ(busy.level.fill, 10);
  outlook.fill(0);
  fleet.Expect(0, now_s + 15, outlook);
  EXPECT_EQ(fleet.PlanFor(0, 0.99, now_s + 15, 5).level.fill, 0) << "history alone would hold some";
  fleet.Announce({"ci", "1"}, 0, 4, now_s + 16, now_s + 15);
  EXPECT_EQ(fleet.PlanFor(0, 0.99, now_s + 15, 5).level.fill, 4) << "what is announced is held";
  fleet.ExpectNothing(0, now_s + 20);
  const Plan silent = fleet.PlanFor(0, 0.99, now_s + 20, 5);
  EXPECT_FALSE(silent.follows_signal);
  EXPECT_GT(silent.level.fill, 4);
}

TEST(Fleet, AnImportIsLearntAsIfItHadHappened) {
  Fleet live(kStartS, kOptions), imported(kStartS, kOptions);
  std::vector<PastCreations> past;
  live.TypeOf("web");
  int64_t review_s = kStartS / 60 * 60 + 60;
  for (int64_t at_s = kStartS; at_s < kStartS + 86400; at_s += 97) {
    for (; review_s <= at_s; review_s += 60) live.Review(review_s);
    live.Created(0, at_s, 3);
    past.push_back({"web", at_s, 3});
  }
  EXPECT_EQ(imported.Import("1", past), 0u);
  EXPECT_FALSE(imported.live());
  EXPECT_TRUE(SamePlans(live, imported, live.last_s()) || live.LeftOf(0) != imported.LeftOf(0));
  EXPECT_EQ(live.PlanFor(0, 0.99, review_s, 5).level, imported.PlanFor(0, 0.99, review_s, 5).level);
}

TEST(Fleet, APlannerThatCannotBeRestoredCostsOnlyWhatItHadLearnt) {
  Fleet fleet(kStartS, kOptions);
  for (int64_t now_s = kStartS; now_s < kStartS + 3600; now_s += 60) TellMinute(&fleet, now_s);
  Fleet::Restored restored = Fleet::Restore(fleet.Save(), {.lead_s = 7, .review_s = 60}).value();
  EXPECT_EQ(CodeOf(restored.lost_part), "PLANNER_STATE_DIFFERS");
  EXPECT_EQ(restored.fleet->size(), fleet.size());
  EXPECT_EQ(restored.fleet->announcements().known().size(), fleet.announcements().known().size());
  TellMinute(restored.fleet.get(), kStartS + 3600);
}

// Of a save, without the part of that name.
std::string Without(const std::string& part, const std::string& saved) {
  const Unsealed unsealed = Unseal(saved);
  StateReader reader(unsealed.state);
  StateWriter writer;
  size_t count = 0;
  reader(count);
  writer(count - 1);
  for (; count > 0; --count) {
    std::string name, bytes;
    reader(name, bytes);
    if (name != part) writer(name, bytes);
  }
  EXPECT_TRUE(reader.ok());
  return Seal(unsealed.version, writer.bytes());
}

TEST(Fleet, AStateOfBeforeThereWereForecastsLearnsThemAnew) {
  Fleet fleet(kStartS, kOptions);
  int64_t now_s = kStartS;
  for (; now_s < kStartS + 7200; now_s += 60) TellMinute(&fleet, now_s);
  Fleet::Restored restored = Fleet::Restore(Without("forecaster", fleet.Save()), kOptions).value();
  EXPECT_TRUE(restored.lost_part.ok()) << restored.lost_part;
  EXPECT_TRUE(SamePlans(fleet, *restored.fleet, now_s));
  EXPECT_EQ(restored.fleet->ForecastOf(0).missing, "its first 5 minutes have not ended");
  for (const int64_t end_s = now_s + 1200; now_s < end_s; now_s += 60) TellMinute(restored.fleet.get(), now_s);
  EXPECT_EQ(restored.fleet->ForecastOf(0).missing, "");
  EXPECT_GE(restored.fleet->ForecastOf(0).steps, 3);
}

TEST(Fleet, AnImportIsNotServedButJudged) {
  Fleet fleet(kStartS, kOptions);
  std::vector<PastCreations> past;
  for (int64_t at_s = kStartS; at_s < kStartS + 3 * 86400; at_s += 97) past.push_back({"web", at_s, 3});
  fleet.Import("1", past);
  EXPECT_EQ(fleet.QualityOf(0).total.from, absl::InfinitePast());
  EXPECT_GT(fleet.QualityOf(0).horizons[0].outcomes, 500);
}

TEST(Fleet, AForecastIsOfAllThatIsCreatedAnnouncedOrNot) {
  Fleet fleet(kStartS, kOptions);
  fleet.TypeOf("job");
  EXPECT_EQ(fleet.ForecastOf(0).missing, "its first 5 minutes have not ended");
  int64_t now_s = kStartS;
  for (int minute = 0; minute < 3 * 1440; ++minute, now_s += 60) {
    fleet.Review(now_s);
    if (minute % 5 == 0) fleet.Announce({"ci", std::to_string(now_s)}, 0, 20, now_s + 10, now_s);
    if (minute % 5 == 0) fleet.Created(0, now_s + 20, 20);
  }
  const TypeForecast forecast = fleet.ForecastOf(0);
  EXPECT_EQ(forecast.missing, "");
  EXPECT_LE(now_s - absl::ToUnixSeconds(forecast.as_of), 360);
  ASSERT_EQ(forecast.recent.size(), 288u);
  EXPECT_EQ(forecast.recent.front(), 20);
  for (size_t h = 0; h < 3; ++h) {
    const int64_t expected = 20 * HorizonForecaster::kHorizonSteps[h];
    EXPECT_EQ(forecast.horizons[h].length, absl::Minutes(5 * HorizonForecaster::kHorizonSteps[h]));
    EXPECT_NEAR(static_cast<double>(forecast.horizons[h].quantiles[kMedian]), static_cast<double>(expected), 2);
  }
}

TEST(Fleet, DamagedBytesAreRefused) {
  Fleet fleet(kStartS, kOptions);
  for (int64_t now_s = kStartS; now_s < kStartS + 3600; now_s += 60) TellMinute(&fleet, now_s);
  const std::string saved = fleet.Save(), journal = fleet.TakeJournal();
  for (size_t at = 0; at < saved.size(); at += at < 64 ? 1 : 97) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(CodeOf(Fleet::Restore(damaged, kOptions).status()), "ENGINE_STATE_CORRUPT") << at;
    EXPECT_EQ(CodeOf(Fleet::Restore(saved.substr(0, at), kOptions).status()), "ENGINE_STATE_CORRUPT") << at;
  }
  std::string later = saved;
  later[0] = static_cast<char>(saved[0] + 1);
  std::string head(1, later[0]);
  AppendU32(&head, Crc32(Crc32(0, head), saved.substr(5)));
  EXPECT_EQ(CodeOf(Fleet::Restore(head + saved.substr(5), kOptions).status()), "ENGINE_STATE_DIFFERS");
  // Whatever stands in a journal, it is refused or told; nothing crashes.
  uint32_t random = 1;
  for (int i = 0; i < 300; ++i) {
    random = random * 1664525 + 1013904223;
    std::string damaged = journal;
    damaged[(random >> 8) % damaged.size()] = static_cast<char>(random >> 5);
    Fleet replayed(kStartS, kOptions);
    const std::string code = CodeOf(replayed.Replay(damaged));
    EXPECT_TRUE(code.empty() || code == "ENGINE_STATE_CORRUPT") << code;
  }
}

TEST(Fleet, TypesBeyondTheMostHaveNoNumber) {
  Fleet fleet(kStartS, kOptions);
  for (size_t i = 0; i < Fleet::kMaxTypes; ++i) ASSERT_TRUE(fleet.TypeOf("t" + std::to_string(i)));
  EXPECT_FALSE(fleet.TypeOf("one more"));
  EXPECT_EQ(fleet.TypeOf("t7"), 7u);
  EXPECT_EQ(fleet.Import("1", {{"another", kStartS, 3}, {"t0", kStartS, 2}}), 3u);
}

}  // namespace
}  // namespace gnomon
