// SPDX-License-Identifier: Apache-2.0
#include "ipam/network.h"

#include "testing/network_fixture.h"

namespace gnomon {
namespace {

using NetworkTest = NetworkFixture;

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
  EXPECT_EQ(got.status().message(), "instance vm-1 exists with another type, host");
  EXPECT_EQ(PartsOf(got.status()).field, "type");
  EXPECT_EQ(PartsOf(got.status()).value, "db");
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

TEST_F(NetworkTest, ABatchFitsWhateverOfItIsTakenFirst) {
  AddPool("a", "10.0.0.0/30");  // .1 and .2
  AddPool("b", "10.0.1.0/29");
  Predict(1);  // of a
  std::vector<CreateRequest> requests{Vm("any-1"), Vm("any-2"), Vm("named"), Vm("explicit")};
  requests[2].pool = "a";
  requests[3].address = Ip::Parse("10.0.0.1").value();
  absl::StatusOr<std::vector<Assignment>> got = network_.CreateBatch(now_, requests, &changes_);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->at(2).addresses[0].address.ToString(), "10.0.0.2");
  EXPECT_EQ(got->at(3).addresses[0].address.ToString(), "10.0.0.1");
  EXPECT_EQ(got->at(0).addresses[0].address.ToString(), "10.0.1.1");

  requests = {Vm("more-1"), Vm("named")};
  requests[1].pool = "a";
  EXPECT_TRUE(network_.CreateBatch(now_, requests, &changes_).ok()) << "what is there needs no place";
  const uint64_t revision = network_.revision();
  requests = {Vm("more-2"), Vm("more-3")};
  requests[1].pool = "a";
  EXPECT_EQ(CodeOf(network_.CreateBatch(now_, requests, &changes_).status()), "POOL_EXHAUSTED");
  EXPECT_EQ(network_.revision(), revision);
}

TEST_F(NetworkTest, ABatchSaysWhichOfItIsRefused) {
  AddPool("a", "10.0.0.0/30");
  ASSERT_EQ(Create("other"), "10.0.0.1");
  auto at = [](const std::string& id, const std::string& address) {
    CreateRequest request = Vm(id);
    request.address = At(address);
    return request;
  };
  auto with_mac = [](const std::string& id) {
    CreateRequest request = Vm(id);
    request.mac = Mac::FromBits(0x020000000001);
    return request;
  };
  struct Case {
    std::string name;
    std::vector<CreateRequest> requests;
    size_t item;
    std::string begins;
  };
  // `other` is there already, so that the index is not the one among those that are new.
  for (const Case& c : std::vector<Case>{
           {"in use", {Vm("other"), at("a", "10.0.0.2"), at("b", "10.0.0.1")}, 2, "10.0.0.1/32 is"},
           {"in no pool", {Vm("other"), at("a", "10.9.0.1")}, 1, "10.9.0.1/32 is in no pool"},
           {"address twice", {Vm("other"), at("a", "10.0.0.2"), at("b", "10.0.0.2")}, 2, "an address stands"},
           {"MAC twice", {Vm("other"), with_mac("a"), with_mac("b")}, 2, "a MAC stands"},
           {"full", {Vm("other"), Vm("a"), Vm("b")}, 2, "nothing fits"}}) {
    const absl::Status refused = network_.CreateBatch(now_, c.requests, &changes_).status();
    EXPECT_EQ(PartsOf(refused).item, c.item) << c.name;
    EXPECT_TRUE(StdView(refused.message()).starts_with(c.begins)) << c.name << ": " << refused;
    EXPECT_NE(PartsOf(refused).field, "") << c.name;
  }
}

TEST_F(NetworkTest, TheCountsOfALargeRefusalAreNeverNegative) {
  AddPool("a", "fd00::/64");
  AddPool("b", "fd01::/64");
  CreateRequest block = Vm("vm-1");
  block.block_length = 60;
  const absl::Status refused = network_.Create(now_, block, &changes_).status();
  ASSERT_EQ(CodeOf(refused), "POOL_EXHAUSTED");
  EXPECT_EQ(PartsOf(refused).numbers[0], std::pair(std::string("free"), INT64_MAX));
}

TEST_F(NetworkTest, ARefusalNamesThePoolTheAddressOrTheInstance) {
  const PoolId pool = AddPool("a", "10.0.0.0/24");
  ASSERT_EQ(Create("vm-1"), "10.0.0.1");
  auto named = [](const absl::Status& refused) {
    const ErrorParts parts = PartsOf(refused);
    return absl::StrCat(parts.code, " ", parts.field, "=", parts.value);
  };
  EXPECT_EQ(named(network_.BeginRemovePool(pool, &changes_)), "POOL_IN_USE pool=a");
  EXPECT_EQ(named(network_.EndPreserve(now_, At("10.0.0.1"), &changes_)), "NOT_PRESERVED address=10.0.0.1");
  EXPECT_EQ(named(network_.SetWarmth(At("10.0.0.1"), Warmth::kReady, &changes_)), "NOT_A_SHADOW address=10.0.0.1");
  EXPECT_EQ(named(network_.ConflictDetected(now_, At("10.0.0.9"), &changes_)), "NOT_A_SHADOW address=10.0.0.9");
  EXPECT_EQ(named(network_.Update({.instance = "vm-9"}, &changes_).status()), "INSTANCE_NOT_FOUND id=vm-9");
  EXPECT_EQ(named(network_.Reassign(now_, "vm-9", At("10.0.0.9"), &changes_).status()), "INSTANCE_NOT_FOUND id=vm-9");
}

TEST_F(NetworkTest, NoTwoInstancesHaveOneMac) {
  AddPool("a", "10.0.0.0/24");
  CreateRequest first = Vm("a");
  first.mac = Mac::Parse("02:00:00:00:00:01").value();
  EXPECT_EQ(Create(first), "10.0.0.1");
  CreateRequest second = first;
  second.instance = "b";
  EXPECT_EQ(Create(second), "MAC_IN_USE");
  second.mac = network_.Find("a")[0].mac;
  Release("a");
  EXPECT_EQ(Create(second), "10.0.0.2") << "it is free again with its instance";

  EXPECT_EQ(Create("c"), "10.0.0.3");
  CreateRequest thief = Vm("d");
  thief.mac = network_.Find("c")[0].mac;  // made of 10.0.0.3
  EXPECT_EQ(Create(thief), "MAC_IN_USE");
  Release("c");
  EXPECT_EQ(Create(thief), "10.0.0.4");
  CreateRequest owner = Vm("e");
  Pass(absl::Seconds(30));
  owner.address = Ip::Parse("10.0.0.3").value();
  EXPECT_EQ(Create(owner), "10.0.0.3");
  EXPECT_NE(network_.Find("e")[0].mac, *thief.mac) << "its own is taken: another is made";

  std::vector<CreateRequest> batch{Vm("f"), Vm("g")};
  batch[1].mac = Mac::FromBits(0x02010a000005);  // what the instance on 10.0.0.5 would get, which is the first
  batch.push_back(Vm("h"));
  absl::StatusOr<std::vector<Assignment>> got = network_.CreateBatch(now_, batch, &changes_);
  ASSERT_TRUE(got.ok()) << got.status();
  std::set<uint64_t> macs;
  for (const Assignment& each : *got) macs.insert(each.addresses[0].mac.bits());
  EXPECT_EQ(macs.size(), 3u);
}

TEST_F(NetworkTest, AnExplicitAddressIsOfTheNamedPool) {
  AddPool("a", "10.0.0.0/24");
  AddPool("b", "10.0.1.0/24");
  CreateRequest request = Vm("x");
  request.pool = "a";
  request.address = Ip::Parse("10.0.1.7").value();
  EXPECT_EQ(Create(request), "ADDRESS_OUTSIDE_POOLS");
  request.pool = "b";
  EXPECT_EQ(Create(request), "10.0.1.7");
}

TEST_F(NetworkTest, APreservedBlockIsGivenAgainAsAWhole) {
  AddPool("a", "10.0.0.0/24");
  CreateRequest block = Vm("node-1");
  block.block_length = 28;
  const std::string base = Create(block);
  Release("node-1", absl::Hours(1));
  CreateRequest again = Vm("node-2");
  again.block_length = 28;
  again.address = Ip::Parse(base).value();
  EXPECT_EQ(Create(again), base);
  EXPECT_EQ(network_.CountOf(AddressState::kPreserved), 0u);
}

TEST_F(NetworkTest, AnUpdateIsNoNewBeginning) {
  AddPool("a", "10.0.0.0/24");
  Create("vm");
  const absl::Time since = network_.Find("vm")[0].since;
  Pass(absl::Seconds(10));
  ASSERT_TRUE(network_.Update({.instance = "vm", .host = "h2"}, &changes_).ok());
  Store();
  EXPECT_EQ(network_.Find("vm")[0].since, since);
  EXPECT_EQ(network_.Find("vm")[0].place.host, "h2");
  EXPECT_EQ(CodeOf(network_.Update({.instance = "vm", .labels = std::string(5000, 'x')}, &changes_).status()),
            "INVALID_INSTANCE");
}

TEST_F(NetworkTest, APoolWithHoldersIsNotDeletedAndOneWithShadowsIs) {
  const PoolId id = AddPool("a", "10.0.0.0/24");
  Create("a");
  EXPECT_EQ(CodeOf(network_.RemovePool(now_, id, &changes_).status()), "POOL_IN_USE");
  Release("a");
  EXPECT_EQ(CodeOf(network_.RemovePool(now_, id, &changes_).status()), "POOL_IN_USE") << "its quarantine would be forgotten";
  Pass(absl::Seconds(30));
  Predict(100);
  ASSERT_TRUE(network_.BeginRemovePool(id, &changes_).ok());
  EXPECT_FALSE(network_.RemovePool(now_, id, &changes_).value()) << "its shadows are to be given back first";
  for (std::optional<Ip> next = At("10.0.0.0"); next;) {
    Store();
    next = network_.ReclaimStep(now_, id, *next, &changes_);
    EXPECT_LE(changes_.size(), 100u);
  }
  Store();
  absl::StatusOr<bool> removed = network_.RemovePool(now_, id, &changes_);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_TRUE(*removed);
  EXPECT_EQ(network_.FindPool(id), nullptr);
  EXPECT_EQ(Create("b"), "NO_POOL");
}

TEST_F(NetworkTest, ADrainingPoolGivesNothingNewAndGivesItsShadowsBack) {
  const PoolId id = AddPool("a", "10.0.0.0/24");
  Create("a");
  Predict(3);
  PoolConfig config = network_.FindPool("a")->config();
  config.draining = true;
  EXPECT_TRUE(network_.UpdatePool(config, &changes_).ok());
  EXPECT_EQ(Create("b"), "NO_POOL") << "its shadows are not to be had any more";
  EXPECT_EQ(network_.ReclaimStep(now_, id, config.prefix.base(), &changes_), std::nullopt);
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
