// SPDX-License-Identifier: Apache-2.0
#include "ipam/network.h"

#include "testing/network_fixture.h"

namespace gnomon {
namespace {

using NetworkShadowTest = NetworkFixture;

TEST_F(NetworkShadowTest, APredictedInstanceTakesAShadowAndConsumesThePrediction) {
  AddPool("a", "10.0.0.0/24");
  EXPECT_EQ(Predict(2).reserved, 2u);
  EXPECT_EQ(Create("vm-1"), "10.0.0.1");
  EXPECT_TRUE(last_.hit);
  EXPECT_EQ(network_.Fill(now_, "web", {}, &changes_).target, 1u);
  EXPECT_EQ(Create(Vm("vm-2", "db")), "10.0.0.3");
  EXPECT_FALSE(last_.hit);
}

TEST_F(NetworkShadowTest, RepeatingAPredictionChangesNothingAndANewerIdReplacesIt) {
  AddPool("a", "10.0.0.0/24");
  Predict(5, "1");
  const uint64_t revision = network_.revision();
  Predict(9, "1");
  EXPECT_EQ(network_.revision(), revision);
  EXPECT_EQ(Predict(7, "2").reserved, 2u);
  EXPECT_EQ(Predict(3, "3").reclaimed, 4u);
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 3u);
}

TEST_F(NetworkShadowTest, SourcesCombineByTheirMaximumUnlessAdditive) {
  AddPool("a", "10.0.0.0/24");
  Predict(5, "1", {}, "ci");
  EXPECT_EQ(Predict(4, "1", {}, "hpa").target, 5u);
  EXPECT_EQ(Predict(3, "1", {}, "events", true).target, 8u);
}

TEST_F(NetworkShadowTest, ATakeMatchesHostThenZoneThenAny) {
  AddPool("a", "10.0.0.0/24");
  Predict(1);
  Predict(1, "1", {"z1", ""});
  Predict(1, "1", {"", "h1"});
  CreateRequest request = Vm("a");
  request.place = {"z1", "h1"};
  EXPECT_EQ(Create(request), "10.0.0.3");
  request.instance = "b";
  EXPECT_EQ(Create(request), "10.0.0.2");
  request.instance = "c";
  EXPECT_EQ(Create(request), "10.0.0.1");
  request.instance = "d";
  EXPECT_EQ(Create(request), "10.0.0.4");
  EXPECT_FALSE(last_.hit);
}

TEST_F(NetworkShadowTest, ATakePrefersReadyOverWarmingOverCold) {
  AddPool("a", "10.0.0.0/24");
  Predict(3);
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.2"), Warmth::kWarming, &changes_).ok());
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.3"), Warmth::kReady, &changes_).ok());
  EXPECT_EQ(Create("a"), "10.0.0.3");
  EXPECT_EQ(Create("b"), "10.0.0.2");
  EXPECT_EQ(Create("c"), "10.0.0.1");
}

TEST_F(NetworkShadowTest, AskingForAnotherMacThanTheShadowsMakesTheHitCold) {
  AddPool("a", "10.0.0.0/24");
  Predict(1);
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_).ok());
  CreateRequest request = Vm("a");
  request.mac = Mac::Parse("02:00:00:00:00:99").value();
  Create(request);
  EXPECT_TRUE(last_.hit);
  EXPECT_EQ(last_.addresses[0].warmth, Warmth::kCold);
  EXPECT_EQ(last_.addresses[0].mac, *request.mac);
}

TEST_F(NetworkShadowTest, ShadowsLeaveTheHeadroomFree) {
  AddPool("a", "10.0.0.0/28", absl::Seconds(30), 0.5);  // 14 addresses
  const FillResult result = Predict(14);
  EXPECT_EQ(result.reserved, 7u);
  EXPECT_FALSE(result.shortfall.empty());
}

TEST_F(NetworkShadowTest, AStandardRequestPreemptsColdShadowsFirstWhenNothingElseFits) {
  AddPool("a", "10.0.0.0/29");  // six addresses
  Predict(6);
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_).ok());
  EXPECT_EQ(Create(Vm("a", "db")), "10.0.0.2");
  EXPECT_FALSE(last_.hit);
  EXPECT_TRUE(last_.withdrawing.empty());
  for (const char* id : {"b", "c", "d", "e"}) Create(Vm(id, "db"));
  EXPECT_EQ(Create(Vm("f", "db")), "10.0.0.1");
  EXPECT_EQ(last_.withdrawing, std::vector<Ip>{At("10.0.0.1")});
  EXPECT_EQ(last_.answer_by, now_ + Network::kMaxWithdrawWait);
  EXPECT_EQ(Create(Vm("g", "db")), "POOL_EXHAUSTED");
}

TEST_F(NetworkShadowTest, AnExplicitAddressPreemptsAShadowAndIsNoHit) {
  AddPool("a", "10.0.0.0/24");
  Predict(3);
  CreateRequest request = Vm("a");
  request.address = At("10.0.0.2");
  EXPECT_EQ(Create(request), "10.0.0.2");
  EXPECT_FALSE(last_.hit);
  request.instance = "b";
  EXPECT_EQ(Create(request), "ADDRESS_IN_USE");
  request.address = At("10.0.0.255");
  EXPECT_EQ(Create(request), "ADDRESS_EXCLUDED");
  request.address = At("10.1.0.1");
  EXPECT_EQ(Create(request), "ADDRESS_OUTSIDE_POOLS");
}

TEST_F(NetworkShadowTest, ABlockPreemptsAllShadowsInItsWay) {
  AddPool("a", "10.0.0.0/27");
  Predict(30);
  CreateRequest request = Vm("host-1");
  request.block_length = 28;
  EXPECT_EQ(CodeOf(network_.Create(now_, request, &changes_).status()), "POOL_EXHAUSTED");  // .0 and .31 are excluded
  request.block_length = 29;
  EXPECT_EQ(Create(request), "10.0.0.8");
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 22u);
  EXPECT_EQ(network_.Describe(At("10.0.0.13"))->instance, "host-1");
  Release("host-1");
  Pass(absl::Seconds(30));
  EXPECT_EQ(StateOf("10.0.0.13"), AddressState::kFree);
}

TEST_F(NetworkShadowTest, AReclaimedShadowWithOutsideEffectsIsWithdrawnBeforeItIsFree) {
  AddPool("a", "10.0.0.0/24");
  Predict(2, "1");
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_).ok());
  Predict(0, "2");
  EXPECT_EQ(StateOf("10.0.0.2"), AddressState::kFree);
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kWithdrawing);
  EXPECT_EQ(Predict(2, "3").reserved, 2u);
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kWithdrawing) << "not reservable";
  network_.Withdrawn(now_, At("10.0.0.1"), &changes_);
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kFree);
}

TEST_F(NetworkShadowTest, AnUnacknowledgedWithdrawalEndsWithTheQuarantineTime) {
  AddPool("a", "10.0.0.0/24");
  Predict(1, "1");
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_).ok());
  Predict(0, "2");
  Pass(absl::Seconds(29));
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kWithdrawing);
  Pass(absl::Seconds(1));
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kFree);
}

TEST_F(NetworkShadowTest, OnlyADetectedConflictQuarantinesAShadow) {
  AddPool("a", "10.0.0.0/24");
  Predict(2);
  EXPECT_TRUE(network_.ConflictDetected(now_, At("10.0.0.1"), &changes_).ok());
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kQuarantined);
  EXPECT_EQ(Create("a"), "10.0.0.2");
  EXPECT_EQ(CodeOf(network_.ConflictDetected(now_, At("10.0.0.2"), &changes_)), "NOT_A_SHADOW");
}

TEST_F(NetworkShadowTest, AShadowPastItsDeadlineIsReclaimedUnlessAnotherPredictionWantsIt) {
  AddPool("a", "10.0.0.0/24");
  Predict(3, "1", {}, "s", false, absl::Minutes(5));
  Pass(absl::Minutes(4));
  Predict(1, "1", {}, "t", false, absl::Minutes(5));
  Pass(absl::Minutes(1));
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 1u);
  Pass(absl::Minutes(4));
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 0u);
  EXPECT_EQ(network_.NextDeadline(), absl::InfiniteFuture());
}

TEST_F(NetworkShadowTest, DualStackInstancesGetAPairWithOneMacFromShadowsToo) {
  AddPool("a", "10.0.0.0/24");
  AddPool("b", "2001:db8::/64");
  Predict(1);
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 2u);
  Create("a");
  ASSERT_EQ(last_.addresses.size(), 2u);
  EXPECT_TRUE(last_.hit);
  EXPECT_EQ(last_.addresses[0].mac, last_.addresses[1].mac);
  Create("b");
  EXPECT_EQ(last_.addresses.size(), 2u);
  EXPECT_FALSE(last_.hit);
  EXPECT_EQ(last_.addresses[0].generation, last_.addresses[1].generation);
  Release("a");
  EXPECT_EQ(network_.CountOf(AddressState::kQuarantined), 2u);
}

TEST_F(NetworkShadowTest, AHorizonIsAtLeastASecondSoThatADeadlineIsNeverNow) {
  AddPool("a", "10.0.0.0/24");
  PredictRequest request{.key = {"s", "web", {}}, .id = "1", .count = 1, .horizon = absl::Nanoseconds(1)};
  EXPECT_EQ(CodeOf(network_.Predict(now_, request, &changes_)), "INVALID_PREDICTION");
}

TEST_F(NetworkShadowTest, ATypeAndScopeHasAtMostEightSourcesAndACommandWritesEachOnce) {
  AddPool("a", "10.0.0.0/24");
  PredictRequest request{.key = {"", "web", {}}, .id = "1", .count = 60, .horizon = absl::Minutes(5)};
  for (int i = 0; i < 8; ++i) {
    request.key.source = absl::StrCat("s", i);
    ASSERT_TRUE(network_.Predict(now_, request, &changes_).ok());
  }
  request.key.source = "one-more";
  EXPECT_EQ(CodeOf(network_.Predict(now_, request, &changes_)), "TOO_MANY_SOURCES");
  while (network_.Fill(now_, "web", {}, &changes_).more) Store();
  Store();
  std::vector<CreateRequest> batch;
  for (int i = 0; i < 50; ++i) batch.push_back(Vm(absl::StrCat("vm-", i)));
  ASSERT_TRUE(network_.CreateBatch(now_, batch, &changes_).ok());
  EXPECT_EQ(changes_.size(), 50u + 8u);
}

TEST_F(NetworkShadowTest, AnAdditiveSourceIsConsumedOnlyBeyondTheOthers) {
  AddPool("a", "10.0.0.0/24");
  PredictRequest request{.key = {"base", "web", {}}, .id = "1", .count = 2, .horizon = absl::Minutes(5)};
  ASSERT_TRUE(network_.Predict(now_, request, &changes_).ok());
  request.key.source = "burst";
  request.count = 3;
  request.additive = true;
  ASSERT_TRUE(network_.Predict(now_, request, &changes_).ok());
  EXPECT_EQ(network_.Fill(now_, "web", {}, &changes_).target, 5u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(network_.Fill(now_, "web", {}, &changes_).target, 5u - static_cast<uint32_t>(i)) << "each one foreseen is one less";
    Create(absl::StrCat("vm-", i));
  }
}

TEST_F(NetworkShadowTest, ALongBacklogEndsInSteps) {
  AddPool("a", "10.0.0.0/18");
  constexpr uint32_t kShadows = 2 * Network::kMaxEnded + 100;
  ASSERT_EQ(Predict(kShadows).reserved, kShadows);
  changes_.clear();
  now_ += absl::Hours(1);
  std::vector<uint64_t> left;
  do {
    network_.Advance(now_, &changes_);
    EXPECT_LE(changes_.size(), Network::kMaxEnded + 1) << "the prediction ends too";
    changes_.clear();
    left.push_back(network_.CountOf(AddressState::kShadow));
  } while (network_.NextDeadline() <= now_);
  EXPECT_EQ(left, (std::vector<uint64_t>{kShadows - Network::kMaxEnded, 100, 0}));
}

}  // namespace
}  // namespace gnomon
