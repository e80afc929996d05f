// SPDX-License-Identifier: Apache-2.0
#include "engine/predictor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/predictor_fixture.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

using PredictorTest = PredictorFixture;

bool SamePlans(const std::vector<TypePlan>& a, const std::vector<TypePlan>& b) {
  auto same = [](const TypePlan& x, const TypePlan& y) {
    return x.type == y.type && x.target == y.target && x.forecast == y.forecast && x.spread == y.spread &&
           x.multiple == y.multiple && x.announced == y.announced && x.kept == y.kept;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

TEST_F(PredictorTest, ARepeatingPatternIsLearntAndReservedForWhenAsked) {
  Make(PredictionMode::kObserve);
  for (int day = 0; day < 6; ++day) Day();
  for (int minute = 0; minute < 10; ++minute) Minute();
  const TypePlan quiet = PlanOf();
  for (int minute = 10; minute < 30; ++minute) Minute();
  const TypePlan busy = PlanOf();
  EXPECT_GE(busy.target, 20u);
  EXPECT_LE(2 * quiet.target, busy.target) << "few are held between the bursts";
  EXPECT_EQ(busy.mode, PredictionMode::kObserve);
  EXPECT_NEAR(busy.multiple * (busy.forecast + busy.spread), busy.target, 1) << "the explanation adds up";
  EXPECT_EQ(Shadows(), 0u) << "observing reserves nothing";

  Mode(PredictionMode::kReserve);
  Burst();
  for (int minute = 30; minute < 90; ++minute) Minute();
  EXPECT_GE(PlanOf().target, 20u);
  EXPECT_TRUE(Eventually([&] {
    predictor_->Step();
    return PlanOf().held == Shadows() && Shadows() >= PlanOf().target;
  })) << *Shadows();
}

TEST_F(PredictorTest, WhatIsTakenIsReplacedBeforeTheNextReview) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  const uint32_t target = PlanOf().target;
  ASSERT_GT(target, 0u);
  ASSERT_TRUE(Holds(target));
  absl::StatusOr<InstanceView> taken = Create("prod", "vm-1");
  ASSERT_TRUE(taken.ok());
  EXPECT_TRUE(taken->hit);
  EXPECT_EQ(Shadows(), target - 1);
  EXPECT_TRUE(Holds(target));
  EXPECT_EQ(predictor_->rounds(), 1u);
}

TEST_F(PredictorTest, AdviceHoldsUntilItIsOld) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  const uint32_t alone = PlanOf().target;
  EXPECT_FALSE(PlanOf().signal);
  Advice advice{.type = "web", .most = 30, .rules = {"hpa.web: at most 31"}};
  advice.expected.emplace().fill(alone + 40);
  predictor_->Advise(network_, {advice});
  predictor_->Step();
  ASSERT_TRUE(PlanOf().signal);
  EXPECT_EQ(PlanOf().target, 30u) << "the policy allows no more";
  EXPECT_EQ(PlanOf().capped, alone + 10);
  EXPECT_EQ(PlanOf().signal->expected, alone + 40);
  EXPECT_THAT(PlanOf().signal->rules, testing::ElementsAre("hpa.web: at most 31"));
  EXPECT_TRUE(Holds(30));
  clock_.Pass(Advice::kLasts + absl::Seconds(2));
  predictor_->Step();
  EXPECT_FALSE(PlanOf().signal);
  EXPECT_LE(PlanOf().target, alone);
}

TEST_F(PredictorTest, AdviceOfANetworkThatIsNotPredictedIsPassedOver) {
  Make(PredictionMode::kOff);
  predictor_->Advise(network_, {{.type = "web", .most = 3}});
  predictor_->Step();
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty());
}

TEST_F(PredictorTest, AWarmTargetThatIsLargerIsKept) {
  Make(PredictionMode::kReserve);
  PredictCall floor{.network = "prod", .source = "warm_target", .id = "1"};
  floor.predictions.push_back({.type = "web", .count = 40, .horizon = absl::Hours(1)});
  ASSERT_TRUE(
      Wait<std::vector<PredictionView>>([&](auto reply) { service_->PredictInstances(floor, std::move(reply)); }).ok());
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  ASSERT_GT(PlanOf().target, 0u);
  EXPECT_TRUE(Eventually([&] {
    predictor_->Step();
    return PlanOf().held == 39;
  }));
  EXPECT_EQ(Shadows(), 39u) << "the larger of the two, not their sum";
}

TEST_F(PredictorTest, APredictionThatFailsIsMadeAgainAtTheNextReview) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  disk_->FailCommit(1);
  Minute();
  ASSERT_TRUE(Eventually([&] { return predictor_->failed() == 1; }));
  EXPECT_TRUE(Eventually([&] { return Shadows() == 0u; }));
  EXPECT_TRUE(Create("prod", "vm-1").ok()) << "no creation fails for it";
  Minute();
  EXPECT_TRUE(Holds(PlanOf().target));
  EXPECT_GT(PlanOf().target, 0u);
}

TEST_F(PredictorTest, TheShadowsOfAnEngineThatHasStoppedEndByThemselves) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  ASSERT_TRUE(Holds(PlanOf().target));
  ASSERT_GT(Shadows(), 0u);
  clock_.Pass(Predictor::kHorizon + absl::Seconds(1));
  EXPECT_TRUE(Eventually([&] { return Shadows() == 0u; }));
}

TEST_F(PredictorTest, ANetworkWithoutPredictionsHasNoPlans) {
  Make(PredictionMode::kOff);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty());
  Mode(PredictionMode::kObserve);
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  Minute();
  EXPECT_GT(PlanOf().target, 0u);
  Mode(PredictionMode::kOff);
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty());
  Minute();
  Mode(PredictionMode::kObserve);
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty()) << "what was learnt went with the mode";
}

TEST_F(PredictorTest, ADeletedNetworkIsForgotten) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  ASSERT_TRUE(Holds(PlanOf().target));
  Release("prod", "vm-0");
  ASSERT_TRUE(DeleteNetwork("prod").ok());
  Make(PredictionMode::kReserve);
  Minute();
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty());
  EXPECT_EQ(Shadows(), 0u);
}

TEST_F(PredictorTest, ARestartForgetsNothing) {
  Make(PredictionMode::kObserve);
  for (int day = 0; day < 2; ++day) Day();
  Settle();
  const std::vector<TypePlan> before = predictor_->Plans(network_);
  ASSERT_GT(PlanOf().target, 0u);
  Kill();
  EXPECT_THAT(predictor_->Plans(network_), testing::IsEmpty());
  predictor_->Step();
  EXPECT_TRUE(SamePlans(before, predictor_->Plans(network_))) << "at once, without a review";
  EXPECT_THAT(Warnings(), testing::IsEmpty());
  // What was created since the last save, and is in the journal alone.
  for (int minute = 0; minute < 25; ++minute) {
    Burst();
    Minute();
  }
  Burst();
  Settle();
  const std::vector<TypePlan> later = predictor_->Plans(network_);
  EXPECT_FALSE(SamePlans(before, later));
  Kill();
  predictor_->Step();
  EXPECT_TRUE(SamePlans(later, predictor_->Plans(network_)));
  EXPECT_EQ(predictor_->lost(), 0u);
}

TEST_F(PredictorTest, AStopStoresWhatWasCreatedSinceTheLastStep) {
  Make(PredictionMode::kObserve);
  Burst();
  Minute();
  Burst();
  predictor_->Stop();
  MakePredictor();
  predictor_->Step();
  EXPECT_EQ(PlanOf().type, "web");
  Minute();
  EXPECT_GT(PlanOf().target, 0u);
}

TEST_F(PredictorTest, DamagedStateIsToldCountedAndLearntAnew) {
  Make(PredictionMode::kObserve);
  Burst();
  Minute();
  Settle();
  ASSERT_TRUE(Wait<Done>([&](auto reply) { service_->WriteNotes(network_.id, {Note{0, "?"}}, std::move(reply)); }).ok());
  Kill();
  predictor_->Step();
  EXPECT_EQ(predictor_->lost(), 1u);
  ASSERT_EQ(Warnings().size(), 1u);
  EXPECT_THAT(Warnings()[0], HasSubstr("network prod: what the engine had learnt is lost"));
  EXPECT_THAT(predictor_->MetricsText(), HasSubstr("\ngnomon_engine_lost_states_total 1\n"));
  Burst();
  Minute();
  EXPECT_GT(PlanOf().target, 0u);
  Settle();
  Kill();
  predictor_->Step();
  EXPECT_EQ(predictor_->lost(), 0u) << "what is stored now is whole";
  EXPECT_GT(PlanOf().target, 0u);
}

TEST_F(PredictorTest, WhatIsSwitchedOffIsForgottenOnTheDiskToo) {
  Make(PredictionMode::kObserve);
  Burst();
  Minute();
  Settle();
  Mode(PredictionMode::kOff);
  Minute();
  Settle();
  EXPECT_THAT(Wait<std::vector<Note>>([&](auto reply) { service_->ReadNotes(network_.id, 0, std::move(reply)); }).value(),
              testing::IsEmpty());
}

TEST_F(PredictorTest, WhatCannotBeStoredIsStoredLater) {
  Make(PredictionMode::kObserve);
  Burst();
  predictor_->Step();
  ASSERT_TRUE(Eventually([&] { return predictor_->MetricsText().find("failed_writes_total 0\n") != std::string::npos; }));
  Settle();
  disk_->FailCommit(1);
  Burst();
  Minute();
  ASSERT_TRUE(Eventually([&] { return predictor_->MetricsText().find("failed_writes_total 1\n") != std::string::npos; }));
  const std::vector<TypePlan> plans = predictor_->Plans(network_);
  ASSERT_TRUE(Eventually([&] { return Shadows().has_value(); }));
  Settle();
  Kill();
  predictor_->Step();
  EXPECT_TRUE(SamePlans(plans, predictor_->Plans(network_)));
}

TEST_F(PredictorTest, TheLeadIsMeasured) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  ASSERT_TRUE(Holds(PlanOf().target));
  EXPECT_TRUE(Eventually([&] {
    predictor_->Step();
    return PlanOf().lead < Predictor::kLead;
  })) << "no time passes on this clock";
  EXPECT_THAT(predictor_->MetricsText(), HasSubstr("\ngnomon_engine_lead_seconds{network=\"prod\"} 0\n"));
}

TEST_F(PredictorTest, CreationsBeyondTheLimitsAreIgnoredAndCounted) {
  Make(PredictionMode::kObserve);
  for (size_t i = 0; i < Fleet::kMaxTypes + 3; ++i) {
    const std::string type = absl::StrCat("t", i);
    predictor_->Created({network_, type, false});
  }
  Minute();
  EXPECT_EQ(predictor_->ignored(), 3u) << "types";
  EXPECT_EQ(predictor_->Plans(network_).size(), Fleet::kMaxTypes);
  for (size_t i = 0; i < Predictor::kMaxQueued + 2; ++i) predictor_->Created({network_, "t0", false});
  EXPECT_EQ(predictor_->ignored(), 5u) << "creations between two steps";
}

TEST_F(PredictorTest, AnEngineThatMissesThreeReviewsSaysSo) {
  EXPECT_FALSE(predictor_->stalled());
  clock_.Pass(Predictor::kStalledRounds * Predictor::kReview + absl::Seconds(1));
  EXPECT_TRUE(predictor_->stalled());
  EXPECT_THAT(predictor_->MetricsText(), HasSubstr("\ngnomon_engine_stalled 1\n"));
  predictor_->Step();
  EXPECT_FALSE(predictor_->stalled());
  EXPECT_THAT(predictor_->MetricsText(), HasSubstr("\ngnomon_engine_rounds_total 1\n"));
}

TEST_F(PredictorTest, AStalledEngineTellsWhatTheReactiveFormulaHolds) {
  Make(PredictionMode::kReserve);
  for (int minute = 0; minute < 240; ++minute) {
    if (minute % 5 == 0) Burst();
    Minute();
  }
  EXPECT_FALSE(predictor_->ReactiveTargetsIfStalled());
  clock_.Pass(Predictor::kStalledRounds * Predictor::kReview + absl::Seconds(1));
  const std::optional<std::vector<ReactiveTarget>> targets = predictor_->ReactiveTargetsIfStalled();
  ASSERT_TRUE(targets && targets->size() == 1);
  EXPECT_EQ(targets->front().type, "web");
  EXPECT_NEAR(targets->front().target, 2 * kBurst, kBurst / 4) << "twice its five-minute demand";
  predictor_->Step();
  EXPECT_FALSE(predictor_->ReactiveTargetsIfStalled());
}

TEST_F(PredictorTest, ItStepsOnAThreadOfItsOwn) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  predictor_->Start();
  clock_.Pass(absl::Minutes(1));
  EXPECT_TRUE(Eventually([&] { return Shadows() > 0u; }));
}

}  // namespace
}  // namespace gnomon
