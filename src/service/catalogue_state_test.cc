// SPDX-License-Identifier: Apache-2.0
#include "service/catalogue_state.h"

#include "gtest/gtest.h"
#include "service/shard.h"
#include "store/memory_store.h"

namespace gnomon {
namespace {

TEST(CatalogueStateTest, ARestartKeepsNetworksHostsAndTheLastId) {
  ManualClock clock(absl::UnixEpoch());
  auto disk = std::make_shared<MemoryDisk>();
  auto run = [&](auto command) {
    MemoryStore store(disk);
    CoreTime time(clock);
    auto shard = Shard<CatalogueState>::Start(&store, ShardId{0}, &clock, &time, CatalogueState(&time, {}), {}).value();
    absl::StatusOr<NetworkId> answered = absl::UnknownError("no reply");
    shard->Call<NetworkId>(
        [&](CatalogueState& state, absl::Time now, Batch* batch) { return state.On(now, batch, command); },
        [&](absl::StatusOr<NetworkId> result) { answered = result; });
    shard = nullptr;  // answers all
    return answered.value();
  };
  const NetworkId first = run([](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<NetworkId> {
    EXPECT_TRUE(catalogue.SetHost("h1", Ip::V4(1), changes).ok());
    return catalogue.Create("a", "acme", 7, {}, changes)->id;
  });
  run([&](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<NetworkId> {
    EXPECT_EQ(catalogue.FindHost("h1")->physical_address, Ip::V4(1));
    EXPECT_EQ(catalogue.Find("a")->vni, 7u);
    EXPECT_TRUE(catalogue.BeginDelete(first, changes).ok());
    catalogue.FinishDelete(first, changes);
    return first;
  });
  const NetworkId second = run([](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<NetworkId> {
    EXPECT_EQ(catalogue.Find("a"), nullptr);
    return catalogue.Create("a", "acme", 7, {}, changes)->id;
  });
  EXPECT_GT(second, first) << "network ids are never used again";
}

}  // namespace
}  // namespace gnomon
