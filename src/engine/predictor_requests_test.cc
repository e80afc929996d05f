// SPDX-License-Identifier: Apache-2.0
//
// Announcements, and imports of the past.
#include "engine/predictor.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/predictor_fixture.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

using PredictorRequestsTest = PredictorFixture;

TEST_F(PredictorRequestsTest, WhatIsAnnouncedIsHeldAtOnceAndLeavesWhenItIsCancelled) {
  Make(PredictionMode::kReserve);
  absl::StatusOr<Announced> announced = Announce("1", 30);
  ASSERT_TRUE(announced.ok()) << announced.status();
  EXPECT_EQ(announced->left, 30u);
  EXPECT_EQ(predictor_->rounds(), 0u) << "before any review";
  EXPECT_TRUE(Holds(30));
  EXPECT_EQ(PlanOf().announced, 30);
  EXPECT_TRUE(Cancel("1").ok());
  EXPECT_TRUE(Cancel("1").ok()) << "twice is once";
  EXPECT_TRUE(Holds(0));
  EXPECT_EQ(CodeOf(Cancel("2")), "ANNOUNCEMENT_NOT_FOUND");
  EXPECT_TRUE(Announce("1", 30)->cancelled) << "the same answer, whatever has come of it";
  EXPECT_EQ(PlanOf().announced, 0);
}

TEST_F(PredictorRequestsTest, WhatIsAnnouncedForLaterIsHeldBeforeItIsToCome) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Announce("1", 30, absl::Minutes(10)).ok());
  EXPECT_TRUE(Holds(0));
  for (int minute = 0; minute < 9; ++minute) Minute();
  EXPECT_TRUE(Holds(0));
  clock_.Pass(absl::Seconds(55));
  EXPECT_TRUE(Holds(30)) << "between two reviews";
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i))->hit);
  EXPECT_EQ(Open().at(0).left, 18u);
  EXPECT_TRUE(Holds(18)) << "what has come is not replaced";
  for (int minute = 0; minute < 7; ++minute) Minute();
  EXPECT_TRUE(Holds(0)) << "what never came is given up";
  EXPECT_TRUE(Open().empty());
}

TEST_F(PredictorRequestsTest, AnAnnouncementIsDurableAndOnlyOnce) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Announce("1", 30, absl::Minutes(1)).ok());
  ASSERT_TRUE(Announce("2", 5, absl::Minutes(2)).ok());
  ASSERT_TRUE(Cancel("2").ok());
  Kill();
  ASSERT_EQ(Open().size(), 1u) << "answered is stored";
  const absl::Time at = Open()[0].at;
  clock_.Pass(absl::Seconds(30));
  EXPECT_EQ(Announce("1", 30, at - clock_.Wall())->left, 30u);
  EXPECT_EQ(Open().size(), 1u) << "announcing it again changes nothing";
  const absl::Status differs = Announce("1", 31, at - clock_.Wall()).status();
  EXPECT_EQ(CodeOf(differs), "ANNOUNCEMENT_DIFFERS");
  EXPECT_THAT(std::string(differs.message()), HasSubstr("count 30"));
  clock_.Pass(absl::Seconds(30));
  EXPECT_TRUE(Holds(30));
}

TEST_F(PredictorRequestsTest, AnAnnouncementThatIsNotStoredIsNotAnswered) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Announce("1", 3).ok());
  ASSERT_TRUE(Holds(3));
  Settle();
  disk_->FailCommit(1);
  absl::StatusOr<Announced> failed = Announce("2", 4, absl::Minutes(5));
  EXPECT_EQ(CodeOf(failed.status()), "OUTCOME_UNKNOWN");
  EXPECT_TRUE(Eventually([&] { return Shadows().has_value(); }));
  absl::StatusOr<Announced> again = Announce("2", 4, absl::Minutes(5));
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Open().size(), 2u);
}

TEST_F(PredictorRequestsTest, AnAnnouncementThatCannotBeIsRefused) {
  Make(PredictionMode::kOff);
  EXPECT_EQ(CodeOf(Announce("1", 1).status()), "PREDICTIONS_OFF");
  Mode(PredictionMode::kObserve);
  EXPECT_EQ(PartsOf(Announce("1", 0).status()).field, "count");
  EXPECT_EQ(PartsOf(Announce("1", Predictor::kMaxAnnounced + 1).status()).field, "count");
  EXPECT_EQ(PartsOf(Announce("1", 1, -absl::Minutes(6)).status()).field, "at");
  EXPECT_EQ(PartsOf(Announce("1", 1, absl::Hours(24 * 7 + 1)).status()).field, "at");
  EXPECT_TRUE(Open().empty());
}

TEST_F(PredictorRequestsTest, AnImportIsLearntBeforePredictionsAreSwitchedOn) {
  Make(PredictionMode::kOff);
  clock_.Pass(absl::Hours(24 * 3));
  std::vector<PastCreations> past;
  for (int64_t at_s = Ago(absl::Hours(24)); at_s < Ago(absl::ZeroDuration()); at_s += 600) past.push_back({"web", at_s, 20});
  absl::StatusOr<ImportView> view = Import("day-1", past);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->creations, 20 * past.size());
  EXPECT_TRUE(Import("day-1", past).ok()) << "again changes nothing";
  EXPECT_EQ(CodeOf(Import("day-0", past).status()), "HISTORY_TOO_LATE");
  Kill();
  Mode(PredictionMode::kReserve);
  predictor_->Created({network_, "db", false});
  Minute();
  EXPECT_GE(PlanOf("web").target, 10u) << "a type that was never created here";
  EXPECT_EQ(CodeOf(Import("day-2", past).status()), "PREDICTIONS_ON");
  Mode(PredictionMode::kOff);
  EXPECT_TRUE(Import("day-0", past).ok()) << "what was learnt is forgotten";
}

TEST_F(PredictorRequestsTest, AnImportThatCannotBeIsRefusedWithItsRow) {
  Make(PredictionMode::kOff);
  clock_.Pass(absl::Hours(24 * 3));
  const int64_t now_s = Ago(absl::ZeroDuration());
  auto field = [&](const std::vector<PastCreations>& past) {
    absl::StatusOr<ImportView> view = Import("1", past);
    EXPECT_EQ(CodeOf(view.status()), "INVALID_HISTORY");
    return PartsOf(view.status()).field;
  };
  EXPECT_EQ(field({}), "creations");
  EXPECT_EQ(field(std::vector<PastCreations>(Predictor::kMaxPast + 1, {"web", now_s, 1})), "creations");
  EXPECT_EQ(field({{"web", now_s, 1}, {"web", now_s, 0}}), "creations[1].count");
  EXPECT_EQ(field({{"web", now_s, 1}, {"web", now_s - 1, 1}}), "creations[1].at");
  EXPECT_EQ(field({{"web", now_s + 1, 1}}), "creations[0].at");
  EXPECT_EQ(field({{"web", now_s - 2 * 86400, 1}, {"web", now_s, 1}}), "creations[1].at");
}

}  // namespace
}  // namespace gnomon
