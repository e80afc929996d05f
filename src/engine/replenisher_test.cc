// SPDX-License-Identifier: Apache-2.0
#include "engine/replenisher.h"

#include "absl/strings/str_cat.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

class ReplenisherTest : public ServiceFixture {
 protected:
  void SetUp() override {
    Start();
    replenisher_ = std::make_unique<Replenisher>(service_.get(), &clock_, [this] {
      absl::MutexLock lock(&mutex_);
      return stalled_;
    });
    service_->OnCreation([this](const Service::Creation& creation) { replenisher_->Created(creation); });
  }
  void TearDown() override {
    replenisher_->Stop();
    service_ = nullptr;
  }

  uint64_t Shadows(const std::string& network = "prod") { return CountOf(network, AddressState::kShadow); }
  bool Holds(uint64_t shadows, const std::string& network = "prod") {
    return Eventually([&] { return Shadows(network) == shadows; });
  }
  void Fill(uint32_t target, const std::string& prefix = "10.0.0.0/16") {
    CreateNetwork("prod", {.target = target, .by_type = {}});
    CreatePool("prod", prefix);
    replenisher_->Start();
  }

  void Stall(std::optional<std::vector<ReactiveTarget>> targets) {
    absl::MutexLock lock(&mutex_);
    stalled_ = std::move(targets);
  }

  absl::Mutex mutex_;
  std::optional<std::vector<ReactiveTarget>> stalled_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Replenisher> replenisher_;
};

TEST_F(ReplenisherTest, AnEngineThatHasStalledIsReplacedByTheReactiveFormulaUntilItIsBack) {
  CreateNetwork("prod", {.target = 0, .by_type = {{"db", 4}}, .mode = PredictionMode::kReserve});
  CreatePool("prod", "10.0.0.0/16");
  replenisher_->Start();
  ASSERT_TRUE(Holds(4));
  Stall({{{"prod", "web", 12}, {"prod", "db", 3}, {"gone", "web", 5}}});
  EXPECT_TRUE(Holds(16)) << "of a warm target and the formula the larger";
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i))->hit);
    ASSERT_TRUE(Holds(16)) << "refilled as they are taken";
  }
  clock_.Pass(absl::Minutes(30));
  ASSERT_TRUE(Create("prod", "vm-5").ok());
  clock_.Pass(absl::Minutes(50));
  EXPECT_TRUE(Holds(16)) << "renewed while the type is used";
  Stall(std::nullopt);
  EXPECT_TRUE(Holds(4)) << "the engine is back";
  Stall({{{"prod", "web", 12}}});
  EXPECT_TRUE(Holds(16));
  clock_.Pass(Replenisher::kActive + absl::Minutes(46));
  EXPECT_TRUE(Holds(4)) << "then plain allocation";
  EXPECT_TRUE(Create("prod", "vm-6").ok());
}

TEST_F(ReplenisherTest, TheFirstCreationOfATypeBeginsItsPool) {
  Fill(60);
  EXPECT_EQ(Shadows(), 0u);
  ASSERT_TRUE(Create("prod", "vm-1", "web").ok());
  EXPECT_TRUE(Holds(60));
  ASSERT_TRUE(Create("prod", "vm-2", "db").ok());
  EXPECT_TRUE(Holds(120)) << "each type has a pool of its own";
}

TEST_F(ReplenisherTest, WhatIsTakenIsRefilled) {
  Fill(5);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  ASSERT_TRUE(Holds(5));
  for (int i = 1; i <= 40; ++i) {
    absl::StatusOr<InstanceView> taken = Create("prod", absl::StrCat("vm-", i));
    ASSERT_TRUE(taken.ok());
    EXPECT_TRUE(taken->hit);
    ASSERT_TRUE(Holds(5)) << "after creation " << i;
  }
}

TEST_F(ReplenisherTest, ABurstIsRefilledOnceItIsOver) {
  Fill(20);
  ASSERT_TRUE(Create("prod", "first").ok());
  ASSERT_TRUE(Holds(20));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  EXPECT_TRUE(Holds(20));
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 201u);
}

TEST_F(ReplenisherTest, NamedTypesBeginAtTheStartWithTheirOwnTargets) {
  CreateNetwork("prod", {.target = 2, .by_type = {{"web", 7}, {"db", 0}}});
  CreatePool("prod", "10.0.0.0/16");
  replenisher_->Start();
  EXPECT_TRUE(Holds(7));
  ASSERT_TRUE(Create("prod", "vm-1", "db").ok());
  ASSERT_TRUE(Create("prod", "vm-2", "cache").ok());
  EXPECT_TRUE(Holds(9)) << "none of db, two of cache";
}

TEST_F(ReplenisherTest, ANewTargetIsTakenUpAtOnceForANamedType) {
  Fill(0);
  replenisher_->Configured(SetWarmPool("prod", {.target = 0, .by_type = {{"web", 8}}}));
  EXPECT_TRUE(Holds(8));
  replenisher_->Configured(SetWarmPool("prod", {.target = 0, .by_type = {{"web", 3}}}));
  EXPECT_TRUE(Holds(3)) << "what is too much is given back";
}

TEST_F(ReplenisherTest, ANewTargetIsTakenUpAtTheNextCreation) {
  Fill(4);
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  ASSERT_TRUE(Holds(4));
  replenisher_->Configured(SetWarmPool("prod", {.target = 9, .by_type = {}}));
  ASSERT_TRUE(Create("prod", "vm-2").ok());
  EXPECT_TRUE(Holds(9));
  replenisher_->Configured(SetWarmPool("prod", {}));
  ASSERT_TRUE(Create("prod", "vm-3").ok());
  EXPECT_TRUE(Holds(0)) << "a warm pool that is switched off is given back";
}

TEST_F(ReplenisherTest, NoCreationIsRefusedForTheSakeOfShadows) {
  Fill(100, "10.0.0.0/27");  // 30 usable addresses
  for (int i = 0; i < 30; ++i) {
    absl::StatusOr<InstanceView> got = Create("prod", absl::StrCat("vm-", i), absl::StrCat("type-", i % 3));
    ASSERT_TRUE(got.ok()) << i << " " << got.status();
  }
  EXPECT_EQ(CodeOf(Create("prod", "one-more").status()), "POOL_EXHAUSTED");
}

TEST_F(ReplenisherTest, AFullPoolIsTriedAgainAfterAPause) {
  Fill(10, "10.0.0.0/28");  // 14 usable addresses
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  ASSERT_TRUE(Holds(2));
  for (int i = 0; i < 8; ++i) Release("prod", absl::StrCat("vm-", i));
  EXPECT_TRUE(Eventually([&] {
    clock_.Pass(absl::Milliseconds(1));  // far less than an hour in all, lest the type should be idle
    return Shadows() == 10;
  }));
}

TEST_F(ReplenisherTest, AFailedPredictionIsTriedAgainAfterAPause) {
  Fill(10);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  ASSERT_TRUE(Holds(10));
  disk_->FailCommit(2);  // of the prediction that the next creation causes
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  EXPECT_TRUE(Eventually([&] {
    clock_.Pass(absl::Milliseconds(1));
    auto view = Wait<NetworkView>([&](auto reply) { service_->GetNetwork("prod", std::move(reply)); });
    return view.ok() && view->counts[static_cast<size_t>(AddressState::kShadow)] == 10;
  }));
}

TEST_F(ReplenisherTest, APoolIsRenewedWhileItsTypeIsUsedAndEndsWhenItIsNot) {
  Fill(5);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  ASSERT_TRUE(Holds(5));
  const uint64_t before = Get("prod").revision;
  clock_.Pass(absl::Minutes(46));
  ASSERT_TRUE(Eventually([&] { return Get("prod").revision > before; })) << "it was not renewed";
  clock_.Pass(absl::Minutes(20));
  EXPECT_EQ(Shadows(), 5u) << "past the end of the first prediction";
  clock_.Pass(absl::Minutes(50));  // past the end of the second; nothing was created for more than an hour
  EXPECT_TRUE(Holds(0));
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  EXPECT_TRUE(Holds(5)) << "a later creation begins it anew";
}

TEST_F(ReplenisherTest, ADeletedNetworkIsForgotten) {
  Fill(5);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  ASSERT_TRUE(Holds(5));
  Release("prod", "vm-0");
  ASSERT_TRUE(DeleteNetwork("prod").ok());
  CreateNetwork("prod");
  CreatePool("prod", "10.0.0.0/16");
  clock_.Pass(absl::Minutes(46));
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  EXPECT_TRUE(Holds(0));
}

TEST_F(ReplenisherTest, TypesBeyondTheMostAreIgnoredAndCounted) {
  NetworkEntry network{.id = NetworkId{1}, .name = "prod"};
  network.warm.target = 1;
  for (size_t i = 0; i < Replenisher::kMaxKeys + 3; ++i) {
    const std::string type = absl::StrCat("t", i);
    replenisher_->Created({network, type, false});
  }
  EXPECT_EQ(replenisher_->ignored(), 3u);
}

}  // namespace
}  // namespace gnomon
