// SPDX-License-Identifier: Apache-2.0
#include "ipam/catalogue.h"

#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

class CatalogueTest : public testing::Test {
 protected:
  // The VNI, or the error's code.
  std::string Create(const std::string& name, std::optional<uint32_t> vni = std::nullopt,
                     const std::string& account = "acme") {
    absl::StatusOr<NetworkEntry> entry = catalogue_.Create(name, account, vni, {}, &changes_);
    return entry.ok() ? std::to_string(entry->vni) : CodeOf(entry.status());
  }
  void Delete(const std::string& name) {
    const NetworkId id = catalogue_.Find(name)->id;
    ASSERT_TRUE(catalogue_.BeginDelete(id, &changes_).ok());
    catalogue_.FinishDelete(id, &changes_);
  }

  Catalogue catalogue_;
  CatalogueChanges changes_;
};

TEST_F(CatalogueTest, VnisAreUniqueAndTheLowestFreeOneIsGiven) {
  EXPECT_EQ(Create("a"), "1");
  EXPECT_EQ(Create("b", 2), "2");
  EXPECT_EQ(Create("c", 2), "VNI_IN_USE");
  EXPECT_EQ(Create("c"), "3");
  EXPECT_EQ(Create("d", 0), "INVALID_VNI");
  EXPECT_EQ(Create("d", Catalogue::kMaxVni + 1), "INVALID_VNI");
  EXPECT_EQ(Create("d", Catalogue::kMaxVni), "16777215");
  Delete("a");
  EXPECT_EQ(Create("e"), "1");
}

TEST_F(CatalogueTest, CreatingTheSameNetworkAgainChangesNothing) {
  EXPECT_EQ(Create("a", 7), "7");
  EXPECT_EQ(Create("a", 7), "7");
  EXPECT_EQ(Create("a"), "7");
  EXPECT_EQ(changes_.size(), 1u);
  EXPECT_EQ(Create("a", 8), "NETWORK_EXISTS");
  EXPECT_EQ(Create("a", 7, "other"), "NETWORK_EXISTS");
}

TEST_F(CatalogueTest, NetworkIdsAreNeverUsedAgainAlsoAfterARestart) {
  Create("a");
  const NetworkId first = catalogue_.Find("a")->id;
  Delete("a");
  Create("a");
  EXPECT_NE(catalogue_.Find("a")->id, first);
  Delete("a");
  Catalogue again;
  again.LoadLastId(catalogue_.last_id());
  EXPECT_GT(again.Create("a", "acme", std::nullopt, {}, &changes_)->id, catalogue_.last_id());
}

TEST_F(CatalogueTest, ANetworkThatIsBeingDeletedKeepsItsNameAndVni) {
  Create("a", 5);
  ASSERT_TRUE(catalogue_.BeginDelete(catalogue_.Find("a")->id, &changes_).ok());
  EXPECT_EQ(Create("a", 5), "NETWORK_EXISTS");
  EXPECT_EQ(Create("b", 5), "VNI_IN_USE");
}

TEST_F(CatalogueTest, AHostHasOnePhysicalAddress) {
  const Ip first = Ip::Parse("192.0.2.1").value(), second = Ip::Parse("192.0.2.2").value();
  ASSERT_TRUE(catalogue_.SetHost("h1", first, &changes_).ok());
  ASSERT_TRUE(catalogue_.SetHost("h1", first, &changes_).ok());
  EXPECT_EQ(changes_.size(), 1u);
  ASSERT_TRUE(catalogue_.SetHost("h1", second, &changes_).ok());
  EXPECT_EQ(catalogue_.FindHost("h1")->physical_address, second);
  catalogue_.EraseHost("h1", &changes_);
  EXPECT_EQ(catalogue_.FindHost("h1"), nullptr);
}

TEST_F(CatalogueTest, LoadingRefusesTwoNetworksOfOneVni) {
  EXPECT_TRUE(catalogue_.Load(NetworkEntry{.id = NetworkId{1}, .name = "a", .vni = 3}).ok());
  EXPECT_EQ(CodeOf(catalogue_.Load(NetworkEntry{.id = NetworkId{2}, .name = "b", .vni = 3})), "STORE_CONTRADICTS");
}

}  // namespace
}  // namespace gnomon
