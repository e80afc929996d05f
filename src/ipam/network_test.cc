// SPDX-License-Identifier: Apache-2.0
#include "ipam/network.h"

#include "testing/network_fixture.h"

namespace gnomon {
namespace {

using NetworkTest = NetworkFixture;

Ip At(const std::string& text) { return Ip::Parse(text).value(); }

TEST_F(NetworkTest, TheSameIdWithTheSameParametersGetsTheSameAddress) {
  AddPool("a", "10.0.0.0/24");
  EXPECT_EQ(Create("vm-1"), "10.0.0.1");
  const Last first = last_;
  EXPECT_TRUE(first.created);
  EXPECT_EQ(Create("vm-1"), "10.0.0.1");
  EXPECT_FALSE(last_.created);
  EXPECT_EQ(last_.addresses, first.addresses);
}

TEST_F(NetworkTest, TheSameIdWithOtherParametersIsRefusedByField) {
  AddPool("a", "10.0.0.0/24");
  Create("vm-1");
  CreateRequest other = Vm("vm-1", "db");
  other.place.host = "h1";
  absl::StatusOr<Assignment> got = network_.Create(now_, other, &changes_);
  EXPECT_EQ(CodeOf(got.status()), "INSTANCE_DIFFERS");
  EXPECT_EQ(PartsOf(got.status()).field, "type,host");
}

TEST_F(NetworkTest, ReleasedAddressIsNotReusedBeforeItsQuarantineIsOver) {
  AddPool("a", "10.0.0.0/30");  // two addresses
  Create("a");
  Create("b");
  Release("a");
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kQuarantined);
  Pass(absl::Seconds(29));
  EXPECT_EQ(Create("c"), "POOL_EXHAUSTED");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Create("c"), "10.0.0.1");
}

TEST_F(NetworkTest, AFullPoolSaysWhatHoldsItsAddresses) {
  AddPool("a", "10.0.0.0/30");
  Create("a");
  Create("b");
  Release("a");
  absl::StatusOr<Assignment> got = network_.Create(now_, Vm("c"), &changes_);
  const ErrorParts parts = PartsOf(got.status());
  const std::map<std::string, int64_t> numbers(parts.numbers.begin(), parts.numbers.end());
  EXPECT_EQ(numbers.at("assigned"), 1);
  EXPECT_EQ(numbers.at("quarantined"), 1);
  EXPECT_EQ(numbers.at("excluded"), 2);
  EXPECT_EQ(numbers.at("free"), 0);
}

TEST_F(NetworkTest, ReleaseOfAnotherGenerationIsRefusedAndOfNothingSucceeds) {
  AddPool("a", "10.0.0.0/24");
  Create("a");
  const uint64_t generation = last_.addresses[0].generation;
  EXPECT_EQ(generation, network_.revision());
  EXPECT_EQ(CodeOf(network_.Release(now_, {.instance = "a", .generation = generation + 1}, &changes_).status()),
            "GENERATION_DIFFERS");
  EXPECT_TRUE(network_.Release(now_, {.instance = "a", .generation = generation}, &changes_).ok());
  const size_t before = changes_.size();
  EXPECT_TRUE(network_.Release(now_, {.instance = "a", .generation = generation}, &changes_).value().empty());
  EXPECT_EQ(changes_.size(), before);
}

TEST_F(NetworkTest, APredictedInstanceTakesAShadowAndConsumesThePrediction) {
  AddPool("a", "10.0.0.0/24");
  EXPECT_EQ(Predict(2).reserved, 2u);
  EXPECT_EQ(Create("vm-1"), "10.0.0.1");
  EXPECT_TRUE(last_.hit);
  EXPECT_EQ(network_.Fill(now_, "web", {}, &changes_).target, 1u);
  EXPECT_EQ(Create(Vm("vm-2", "db")), "10.0.0.3");
  EXPECT_FALSE(last_.hit);
}

TEST_F(NetworkTest, RepeatingAPredictionChangesNothingAndANewerIdReplacesIt) {
  AddPool("a", "10.0.0.0/24");
  Predict(5, "1");
  const uint64_t revision = network_.revision();
  Predict(9, "1");
  EXPECT_EQ(network_.revision(), revision);
  EXPECT_EQ(Predict(7, "2").reserved, 2u);
  EXPECT_EQ(Predict(3, "3").reclaimed, 4u);
  EXPECT_EQ(network_.CountOf(AddressState::kShadow), 3u);
}

TEST_F(NetworkTest, SourcesCombineByTheirMaximumUnlessAdditive) {
  AddPool("a", "10.0.0.0/24");
  Predict(5, "1", {}, "ci");
  EXPECT_EQ(Predict(4, "1", {}, "hpa").target, 5u);
  EXPECT_EQ(Predict(3, "1", {}, "events", true).target, 8u);
}

TEST_F(NetworkTest, ATakeMatchesHostThenZoneThenAny) {
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

TEST_F(NetworkTest, ATakePrefersReadyOverWarmingOverCold) {
  AddPool("a", "10.0.0.0/24");
  Predict(3);
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.2"), Warmth::kWarming, &changes_).ok());
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.3"), Warmth::kReady, &changes_).ok());
  EXPECT_EQ(Create("a"), "10.0.0.3");
  EXPECT_EQ(Create("b"), "10.0.0.2");
  EXPECT_EQ(Create("c"), "10.0.0.1");
}

TEST_F(NetworkTest, AskingForAnotherMacThanTheShadowsMakesTheHitCold) {
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

TEST_F(NetworkTest, ShadowsLeaveTheHeadroomFree) {
  AddPool("a", "10.0.0.0/28", absl::Seconds(30), 0.5);  // 14 addresses
  const FillResult result = Predict(14);
  EXPECT_EQ(result.reserved, 7u);
  EXPECT_FALSE(result.shortfall.empty());
}

TEST_F(NetworkTest, AStandardRequestPreemptsColdShadowsFirstWhenNothingElseFits) {
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

TEST_F(NetworkTest, AnExplicitAddressPreemptsAShadowAndIsNoHit) {
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

TEST_F(NetworkTest, ABlockPreemptsAllShadowsInItsWay) {
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

TEST_F(NetworkTest, AReclaimedShadowWithOutsideEffectsIsWithdrawnBeforeItIsFree) {
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

TEST_F(NetworkTest, AnUnacknowledgedWithdrawalEndsWithTheQuarantineTime) {
  AddPool("a", "10.0.0.0/24");
  Predict(1, "1");
  EXPECT_TRUE(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_).ok());
  Predict(0, "2");
  Pass(absl::Seconds(29));
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kWithdrawing);
  Pass(absl::Seconds(1));
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kFree);
}

TEST_F(NetworkTest, OnlyADetectedConflictQuarantinesAShadow) {
  AddPool("a", "10.0.0.0/24");
  Predict(2);
  EXPECT_TRUE(network_.ConflictDetected(now_, At("10.0.0.1"), &changes_).ok());
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kQuarantined);
  EXPECT_EQ(Create("a"), "10.0.0.2");
  EXPECT_EQ(CodeOf(network_.ConflictDetected(now_, At("10.0.0.2"), &changes_)), "NOT_A_SHADOW");
}

TEST_F(NetworkTest, AShadowPastItsDeadlineIsReclaimedUnlessAnotherPredictionWantsIt) {
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

TEST_F(NetworkTest, APreservedAddressIsKeptForAnotherInstanceOfTheAccount) {
  AddPool("a", "10.0.0.0/30", absl::Seconds(10));
  Create("a");
  Release("a", absl::Hours(24));
  Create("b");
  EXPECT_EQ(Create("c"), "POOL_EXHAUSTED");
  CreateRequest heir = Vm("d");
  heir.address = At("10.0.0.1");
  EXPECT_EQ(Create(heir), "10.0.0.1");
}

TEST_F(NetworkTest, APreserveEndsInQuarantineByItsDeadlineOrByDeletion) {
  AddPool("a", "10.0.0.0/24", absl::Seconds(10));
  Create("a");
  Create("b");
  Release("a", absl::Hours(1));
  Release("b", absl::Hours(2));
  Pass(absl::Hours(1));
  EXPECT_EQ(StateOf("10.0.0.1"), AddressState::kQuarantined);
  EXPECT_TRUE(network_.EndPreserve(now_, At("10.0.0.2"), &changes_).ok());
  EXPECT_EQ(StateOf("10.0.0.2"), AddressState::kQuarantined);
  EXPECT_EQ(CodeOf(network_.EndPreserve(now_, At("10.0.0.2"), &changes_)), "NOT_PRESERVED");
}

TEST_F(NetworkTest, ReassigningALiveInstanceQuarantinesItsOldAddressAndBeginsAGeneration) {
  AddPool("a", "10.0.0.0/24");
  Create("a");
  Release("a", absl::Hours(1));
  Create("b");
  const OwnedRecord before = last_.addresses[0];
  absl::StatusOr<Assignment> got = network_.Reassign(now_, "b", At("10.0.0.1"), &changes_);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->addresses[0].address, At("10.0.0.1"));
  EXPECT_EQ(got->addresses[0].mac, before.mac);
  EXPECT_GT(got->addresses[0].generation, before.generation);
  EXPECT_EQ(StateOf("10.0.0.2"), AddressState::kQuarantined);
  EXPECT_FALSE(network_.Reassign(now_, "b", At("10.0.0.1"), &changes_)->created);
  EXPECT_EQ(network_.Find("b").size(), 1u);
}

TEST_F(NetworkTest, DualStackInstancesGetAPairWithOneMacFromShadowsToo) {
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

TEST_F(NetworkTest, ABatchIsAllOrNothing) {
  AddPool("a", "10.0.0.0/29");  // six addresses
  Create("old");
  Predict(2);
  const uint64_t revision = network_.revision();
  std::vector<CreateRequest> requests{Vm("old")};
  for (int i = 0; i < 6; ++i) requests.push_back(Vm("n" + std::to_string(i), "db"));
  EXPECT_EQ(CodeOf(network_.CreateBatch(now_, requests, &changes_).status()), "POOL_EXHAUSTED");
  EXPECT_EQ(network_.revision(), revision);
  requests.pop_back();
  absl::StatusOr<std::vector<Assignment>> got = network_.CreateBatch(now_, requests, &changes_);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_FALSE(got->at(0).created);
  EXPECT_TRUE(got->at(5).created);
  requests.push_back(Vm("old"));
  EXPECT_EQ(CodeOf(network_.CreateBatch(now_, requests, &changes_).status()), "INVALID_BATCH");
}

TEST_F(NetworkTest, APoolWithHoldersIsNotDeletedAndOneWithShadowsIs) {
  const PoolId id = AddPool("a", "10.0.0.0/24");
  Create("a");
  EXPECT_EQ(CodeOf(network_.RemovePool(now_, id, &changes_)), "POOL_IN_USE");
  Release("a");
  EXPECT_EQ(CodeOf(network_.RemovePool(now_, id, &changes_)), "POOL_IN_USE") << "its quarantine would be forgotten";
  Pass(absl::Seconds(30));
  Predict(3);
  EXPECT_TRUE(network_.RemovePool(now_, id, &changes_).ok());
  EXPECT_EQ(Create("b"), "NO_POOL");
}

TEST_F(NetworkTest, ADrainingPoolGivesNothingNewAndGivesItsShadowsBack) {
  const PoolId id = AddPool("a", "10.0.0.0/24");
  Create("a");
  Predict(3);
  PoolConfig config = network_.FindPool("a")->config();
  config.draining = true;
  EXPECT_TRUE(network_.UpdatePool(now_, config, &changes_).ok());
  EXPECT_EQ(network_.ShadowsOf(id), 0u);
  EXPECT_EQ(Create("b"), "NO_POOL");
  EXPECT_EQ(Create("a"), "10.0.0.1");
}

TEST_F(NetworkTest, PoolsOfOneNetworkDoNotOverlap) {
  AddPool("a", "10.0.0.0/16");
  PoolConfig config;
  config.name = "b";
  config.prefix = Prefix::Parse("10.0.4.0/24").value();
  EXPECT_EQ(CodeOf(network_.AddPool(config, &changes_).status()), "POOL_OVERLAPS");
}

TEST_F(NetworkTest, ARestartLosesNoQuarantineNoDeadlineAndNoIdleOrder) {
  AddPool("a", "10.0.0.0/29", absl::Seconds(10));  // six addresses
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) Create(id);
  for (const char* id : {"c", "a"}) {
    Release(id);
    Pass(absl::Seconds(1));
  }
  Pass(absl::Seconds(20));
  Release("b");  // cooling
  std::unique_ptr<Network> again = stored_.Load(network_.revision(), now_);
  EXPECT_EQ(again->CountOf(AddressState::kQuarantined), 1u);
  EXPECT_EQ(again->NextDeadline(), now_ + absl::Seconds(10));
  Changes changes;
  EXPECT_EQ(again->Create(now_, Vm("g"), &changes)->addresses[0].address, At("10.0.0.3"));
  EXPECT_EQ(again->Create(now_, Vm("h"), &changes)->addresses[0].address, At("10.0.0.1"));
  EXPECT_EQ(CodeOf(again->Create(now_, Vm("i"), &changes).status()), "POOL_EXHAUSTED");
}

}  // namespace
}  // namespace gnomon
