// SPDX-License-Identifier: Apache-2.0
//
// What a service holds while expiry is paused, as it is after a start at which the wall clock had jumped.
#include <string>
#include <vector>

#include "base/error.h"
#include "gtest/gtest.h"
#include "service/service.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

class ExpiryTest : public ServiceFixture {
 protected:
  void SetUp() override {
    Start();
    CreateNetwork("prod");
  }
  void Restart() {
    service_ = nullptr;
    Start();
  }
  void StartWithAJump() {
    clock_.Step(absl::Hours(2));
    Restart();
    ASSERT_TRUE(service_->expiry_paused());
  }
  // An address that is quarantined, and a shadow.
  void HoldOneOfEach() {
    CreatePool("prod", "10.0.0.0/24");
    ASSERT_TRUE(Create("prod", "old").ok());
    Release("prod", "old");
    PredictCall call{.network = "prod", .source = "s", .id = "1", .predictions = {}};
    call.predictions.push_back({.type = "web", .count = 1, .horizon = absl::Minutes(15)});
    ASSERT_TRUE(
        Wait<std::vector<PredictionView>>([&](auto reply) { service_->PredictInstances(call, std::move(reply)); }).ok());
  }
  void CreateReleaseAndPutABlockOver(absl::Duration quarantine) {
    PoolConfig config;
    config.name = "a";
    config.prefix = Prefix::Parse("10.0.0.0/28").value();
    config.quarantine = quarantine;
    ASSERT_TRUE(Wait<PoolView>([&](auto reply) { service_->CreatePool("prod", config, std::move(reply)); }).ok());
    CreateInstanceCall single{.network = "prod", .account = {}, .request = {}};
    single.request.instance = "single";
    single.request.address = Ip::V4(0x0a000005);
    ASSERT_TRUE(Wait<InstanceView>([&](auto reply) { service_->CreateInstance(single, std::move(reply)); }).ok());
    Release("prod", "single");
    clock_.Pass(quarantine);
    CreateInstanceCall block{.network = "prod", .account = {}, .request = {}};
    block.request.instance = "block";
    block.request.block_length = 30;
    auto held = Wait<InstanceView>([&](auto reply) { service_->CreateInstance(block, std::move(reply)); });
    ASSERT_TRUE(held.ok()) << held.status();
    ASSERT_EQ(held->addresses[0].record.address.ToString(), "10.0.0.4");
  }
  void ExpectHeld(const std::string& when) {
    EXPECT_EQ(CountOf("prod", AddressState::kQuarantined), 1u) << when;
    EXPECT_EQ(CountOf("prod", AddressState::kShadow), 1u) << when;
  }
  bool NothingIsHeld() {
    return CountOf("prod", AddressState::kQuarantined) == 0 && CountOf("prod", AddressState::kShadow) == 0;
  }
  absl::Status Resume() {
    return Wait<Done>([&](auto reply) { service_->ResumeExpiry(std::move(reply)); }).status();
  }
};

TEST_F(ExpiryTest, WhatIsHeldWhileItIsPausedIsHeldOverCommitsFailuresAndRestarts) {
  HoldOneOfEach();
  StartWithAJump();
  clock_.Pass(absl::Minutes(20));
  ASSERT_TRUE(Create("prod", "a", "db").ok());
  ExpectHeld("after a commit");
  Restart();
  EXPECT_TRUE(service_->expiry_paused());
  ExpectHeld("after a restart");
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOf(Create("prod", "b", "db").status()), "OUTCOME_UNKNOWN");
  ExpectHeld("after the shard has loaded anew");
  ASSERT_TRUE(Create("prod", "b", "db").ok());
  Restart();
  ExpectHeld("after another restart");
  EXPECT_TRUE(Resume().ok());
  EXPECT_FALSE(service_->expiry_paused());
  EXPECT_TRUE(Eventually([&] { return NothingIsHeld(); }));
  Restart();
  EXPECT_FALSE(service_->expiry_paused());
}

TEST_F(ExpiryTest, AWallClockThatWasSetBackResumesItAtTheNextStart) {
  HoldOneOfEach();
  StartWithAJump();
  clock_.Pass(absl::Minutes(20));
  ASSERT_TRUE(Create("prod", "a", "db").ok());
  clock_.Step(-absl::Hours(2));
  Restart();
  EXPECT_FALSE(service_->expiry_paused());
  EXPECT_TRUE(Eventually([&] { return NothingIsHeld(); })) << "its time has come meanwhile";
}

TEST_F(ExpiryTest, ANetworkThatWasMadeWhileItIsPausedHoldsWhatIsQuarantinedTooOverARestart) {
  StartWithAJump();
  CreateNetwork("new");
  CreatePool("new", "10.0.0.0/24");
  ASSERT_TRUE(Create("new", "a").ok());
  Release("new", "a");
  clock_.Pass(absl::Minutes(20));
  ASSERT_TRUE(Create("new", "b").ok());
  Restart();
  EXPECT_EQ(CountOf("new", AddressState::kQuarantined), 1u);
  EXPECT_TRUE(Resume().ok());
  EXPECT_TRUE(Eventually([&] { return CountOf("new", AddressState::kQuarantined) == 0; }));
}

// The block is over an address that had been released; the store still has the record of that.
TEST_F(ExpiryTest, AQuarantineOfNoLengthIsOverWhileItIsPausedToo) {
  StartWithAJump();
  CreateReleaseAndPutABlockOver(absl::ZeroDuration());
  Restart();
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 1u);
}

TEST_F(ExpiryTest, WhatHadEndedBeforeItWasPausedStaysEnded) {
  CreateReleaseAndPutABlockOver(absl::Seconds(30));
  StartWithAJump();
  ASSERT_TRUE(Create("prod", "vm").ok());
  Restart();
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 2u);
}

TEST_F(ExpiryTest, ResumingItWhileItIsNotPausedDoesNotMoveTheTime) {
  HoldOneOfEach();
  clock_.Step(absl::Hours(2));
  EXPECT_TRUE(Resume().ok());
  ASSERT_TRUE(Create("prod", "a", "db").ok());
  ExpectHeld("although the wall clock has jumped");
}

}  // namespace
}  // namespace gnomon
