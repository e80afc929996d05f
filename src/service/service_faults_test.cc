// SPDX-License-Identifier: Apache-2.0
//
// What a service makes of commits that fail, or that are stored and reported as failed.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "service/service.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

class ServiceFaultsTest : public ServiceFixture {
 protected:
  void SetUp() override { Start(); }
  void Restart(size_t shards = 2) {
    service_ = nullptr;
    Start({.shards = shards, .shard = {}});
  }
  void CreateNetworkWithPool(const std::string& name) {
    CreateNetwork(name);
    CreatePool(name, "10.0.0.0/22");
  }
  void CreateAndRelease(const std::string& network, int instances) {
    for (int i = 0; i < instances; ++i) ASSERT_TRUE(Create(network, absl::StrCat("vm-", i)).ok());
    for (int i = 0; i < instances; ++i) Release(network, absl::StrCat("vm-", i));
  }
  std::string CodeOfCreating(const std::string& name) {
    return CodeOf(Wait<std::pair<NetworkView, bool>>([&](auto reply) {
                    service_->CreateNetwork(name, "acme", std::nullopt, {}, std::move(reply));
                  }).status());
  }
  // After a failed write every shard fails once more, and loads what is stored. When this returns, all have.
  void Recover() {
    ASSERT_TRUE(Eventually([&] { return Wait<Done>([&](auto reply) { service_->Ping(std::move(reply)); }).ok(); }));
  }
  absl::Status SetHost(const std::string& name, uint32_t address) {
    return Wait<HostEntry>([&](auto reply) { service_->SetHost(name, Ip::V4(address), std::move(reply)); }).status();
  }
  std::vector<std::string> Hosts() {
    std::vector<std::string> all;
    for (const HostEntry& host : service_->ListHosts()) all.push_back(absl::StrCat(host.name, "=", host.physical_address.ToString()));
    return all;
  }
};

TEST_F(ServiceFaultsTest, ADeletionThatBeganAlthoughItsCommitWasReportedAsFailedAcknowledgesNothingMore) {
  CreateNetworkWithPool("prod");
  disk_->FailCommit(1, 1);  // of its beginning
  EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_EQ(CodeOf(Create("prod", "vm").status()), "NETWORK_NOT_FOUND");
  EXPECT_TRUE(DeleteNetwork("prod").ok());
  EXPECT_TRUE(service_->ListNetworks().empty());
  EXPECT_EQ(disk_->Copy().size(), 1u) << "the catalogue's meta key alone";
}

TEST_F(ServiceFaultsTest, ADeletionThatCouldNotBeginLeavesTheNetworkOpen) {
  CreateNetworkWithPool("prod");
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "OUTCOME_UNKNOWN");
  Recover();
  ASSERT_TRUE(Create("prod", "vm").ok());
  Restart();
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 1u);
  EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "NETWORK_IN_USE");
}

TEST_F(ServiceFaultsTest, ANetworkWhoseClosingFailedIsOpenAgain) {
  Restart(1);
  CreateNetworkWithPool("a");
  CreateNetworkWithPool("b");
  // Holds the shard up, so that the creation and the closing are in one batch.
  absl::Notification held, go;
  absl::StatusOr<InstanceView> created;
  absl::StatusOr<Done> deleted = Wait<Done>([&](auto reply) {
    service_->UpdatePool("a", "a",
                         [&](PoolConfig*) {
                           held.Notify();
                           go.WaitForNotification();
                           return absl::OkStatus();
                         },
                         [](absl::StatusOr<PoolView>) {});
    held.WaitForNotification();
    disk_->FailCommit(1);
    CreateInstanceCall call{.network = "a", .account = {}, .request = {}};
    call.request.instance = "vm";
    service_->CreateInstance(call, [&](absl::StatusOr<InstanceView> view) { created = std::move(view); });
    service_->DeleteNetwork("b", std::move(reply));
    go.Notify();
  });
  EXPECT_EQ(CodeOf(created.status()), "OUTCOME_UNKNOWN");
  EXPECT_EQ(CodeOf(deleted.status()), "OUTCOME_UNKNOWN");
  EXPECT_TRUE(Create("b", "vm").ok());
  EXPECT_TRUE(Create("a", "vm").ok());
}

TEST_F(ServiceFaultsTest, ANetworkThatIsOpenedAgainHasWhatWasAcknowledged) {
  Restart(1);
  CreateNetworkWithPool("a");
  CreateNetworkWithPool("b");
  CreateAndRelease("b", 3);
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOf(DeleteNetwork("b")), "OUTCOME_UNKNOWN");
  Recover();
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOf(Create("a", "vm").status()), "OUTCOME_UNKNOWN") << "and their shard loads anew";
  EXPECT_EQ(CountOf("b", AddressState::kQuarantined), 3u);
  EXPECT_EQ(Create("b", "vm")->addresses[0].record.address.ToString(), "10.0.0.4");
}

TEST_F(ServiceFaultsTest, ADeletionThatWasCutShortGoesOnWhenItIsAskedForAgain) {
  CreateNetworkWithPool("prod");
  CreateAndRelease("prod", 150);
  struct Fault {
    size_t commit, stored;
  };
  // The beginning is the first commit. The first step of the erasing stores the half, the next one all; then the catalogue.
  for (const Fault& fault : {Fault{2, 1}, Fault{1, 1}, Fault{1, 0}}) {
    disk_->FailCommit(fault.commit, fault.stored);
    EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "OUTCOME_UNKNOWN");
    Recover();
    EXPECT_EQ(CodeOf(Create("prod", "vm").status()), "NETWORK_NOT_FOUND");
    EXPECT_EQ(CodeOfCreating("prod"), "NETWORK_EXISTS");
  }
  EXPECT_TRUE(DeleteNetwork("prod").ok());
  EXPECT_EQ(disk_->Copy().size(), 1u);
}

TEST_F(ServiceFaultsTest, ADeletionThatEndedAlthoughItsLastCommitWasReportedAsFailedIsNotShownAnyMore) {
  CreateNetwork("prod");
  disk_->FailCommit(2, 1);  // there is nothing to erase: out of the catalogue
  EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_TRUE(service_->ListNetworks().empty());
  EXPECT_EQ(CodeOf(DeleteNetwork("prod")), "NETWORK_NOT_FOUND");
}

TEST_F(ServiceFaultsTest, ANetworkThatWasStoredAlthoughReportedAsFailedAppears) {
  disk_->FailCommit(1, 1);
  EXPECT_EQ(CodeOfCreating("prod"), "OUTCOME_UNKNOWN");
  ASSERT_TRUE(Eventually([&] { return service_->FindNetwork("prod") != nullptr; }));
  Recover();
  CreatePool("prod", "10.0.0.0/24");
  EXPECT_TRUE(Create("prod", "vm").ok());
}

TEST_F(ServiceFaultsTest, ANetworkThatWasNotStoredDoesNotAppear) {
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOfCreating("prod"), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_EQ(service_->FindNetwork("prod"), nullptr);
  EXPECT_TRUE(service_->ListNetworks().empty());
}

TEST_F(ServiceFaultsTest, AWarmPoolThatWasStoredAlthoughReportedAsFailedIsShown) {
  CreateNetwork("prod");
  disk_->FailCommit(1, 1);
  EXPECT_EQ(CodeOf(TrySetWarmPool("prod", {.target = 7, .by_type = {}}).status()), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_EQ(service_->FindNetwork("prod")->warm.target, 7u);
}

TEST_F(ServiceFaultsTest, HostsAreShownAsTheyAreStored) {
  ASSERT_TRUE(SetHost("h1", 1).ok());
  disk_->FailCommit(1, 1);
  EXPECT_EQ(CodeOf(SetHost("h2", 2)), "OUTCOME_UNKNOWN");
  disk_->FailCommit(1);
  EXPECT_EQ(CodeOf(SetHost("h3", 3)), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_EQ(Hosts(), (std::vector<std::string>{"h1=0.0.0.1", "h2=0.0.0.2"}));
  disk_->FailCommit(1, 1);
  EXPECT_EQ(CodeOf(Wait<Done>([&](auto reply) { service_->DeleteHost("h1", std::move(reply)); }).status()), "OUTCOME_UNKNOWN");
  Recover();
  EXPECT_EQ(Hosts(), (std::vector<std::string>{"h2=0.0.0.2"}));
}

}  // namespace
}  // namespace gnomon
