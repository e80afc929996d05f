// SPDX-License-Identifier: Apache-2.0
#include "engine/predictor.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

class PredictorTest : public ServiceFixture {
 protected:
  void SetUp() override {
    Start();
    predictor_ = std::make_unique<Predictor>(service_.get(), &clock_);
    service_->OnCreation([this](const Service::Creation& creation) { predictor_->Created(creation); });
  }
  void TearDown() override {
    predictor_->Stop();
    service_ = nullptr;
  }

  void Make(PredictionMode mode) {
    network_ = CreateNetwork("prod", {.mode = mode});
    CreatePool("prod", "10.0.0.0/16");
  }
  void Mode(PredictionMode mode) { network_ = SetWarmPool("prod", {.mode = mode}); }
  void Minute() {
    clock_.Pass(absl::Minutes(1));
    predictor_->Step();
  }
  // A day in which every hour, half past, kBurst instances are created at once.
  void Day() {
    for (int minute = 0; minute < 24 * 60; ++minute) {
      if (minute % 60 == 30) Burst();
      Minute();
    }
  }
  void Burst() {
    for (int i = 0; i < kBurst; ++i) predictor_->Created({network_, "web", false});
  }
  TypePlan PlanOf(const std::string& type = "web") {
    for (const TypePlan& plan : predictor_->Plans(network_)) {
      if (plan.type == type) return plan;
    }
    return {};
  }
  // Of a network that may be loading.
  std::optional<uint64_t> Shadows() {
    auto view = Wait<NetworkView>([&](auto reply) { service_->GetNetwork("prod", std::move(reply)); });
    if (!view.ok()) return std::nullopt;
    return view->counts[static_cast<size_t>(AddressState::kShadow)];
  }
  // Steps in which no time passes, until so many are there.
  bool Holds(uint64_t shadows) {
    return Eventually([&] {
      predictor_->Step();
      return Shadows() == shadows;
    });
  }

  static constexpr int kBurst = 30;
  NetworkEntry network_;
  std::unique_ptr<Predictor> predictor_;
};

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

TEST_F(PredictorTest, CreationsBeyondTheLimitsAreIgnoredAndCounted) {
  Make(PredictionMode::kObserve);
  for (size_t i = 0; i < Predictor::kMaxTypes + 3; ++i) {
    const std::string type = absl::StrCat("t", i);
    predictor_->Created({network_, type, false});
  }
  Minute();
  EXPECT_EQ(predictor_->ignored(), 3u) << "types";
  EXPECT_EQ(predictor_->Plans(network_).size(), Predictor::kMaxTypes);
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

TEST_F(PredictorTest, ItStepsOnAThreadOfItsOwn) {
  Make(PredictionMode::kReserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  predictor_->Start();
  clock_.Pass(absl::Minutes(1));
  EXPECT_TRUE(Eventually([&] { return Shadows() > 0u; }));
}

}  // namespace
}  // namespace gnomon
