// SPDX-License-Identifier: Apache-2.0
//
// What goes in steps: the erasing of a network, the draining and the deletion of a pool. None keeps its shard for long.
#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "service/service.h"
#include "store/codec.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

// A store that tells of what a shard asks of another one, on the shard's thread.
class WatchedStore final : public Store {
 public:
  explicit WatchedStore(Store* store) : store_(store) {}

  // Set while no shard runs.
  std::function<void(ShardId, const std::vector<Transaction>&)> on_commit;
  std::function<void(std::string_view prefix, std::string_view from)> on_load;

  absl::StatusOr<std::unique_ptr<ShardStore>> Acquire(ShardId shard) override {
    GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<ShardStore> inner, store_->Acquire(shard));
    return std::make_unique<WatchedShard>(this, shard, std::move(inner));
  }
  absl::Status Snapshot(KeyVisitor visitor) override { return store_->Snapshot(visitor); }
  uint64_t incarnation() const override { return store_->incarnation(); }

 private:
  class WatchedShard final : public ShardStore {
   public:
    WatchedShard(WatchedStore* store, ShardId id, std::unique_ptr<ShardStore> inner)
        : store_(store), id_(id), inner_(std::move(inner)) {}
    absl::Status Load(std::string_view prefix, std::string_view from, KeyVisitor visitor) override {
      if (store_->on_load) store_->on_load(prefix, from);
      return inner_->Load(prefix, from, visitor);
    }
    void Commit(std::vector<Transaction> transactions, absl::AnyInvocable<void(absl::Status)> done) override {
      if (store_->on_commit) store_->on_commit(id_, transactions);
      inner_->Commit(std::move(transactions), std::move(done));
    }

   private:
    WatchedStore* const store_;
    const ShardId id_;
    const std::unique_ptr<ShardStore> inner_;
  };

  Store* const store_;
};

// A clock by which each look at it takes 3 ms.
class SlowClock final : public ManualClock {
 public:
  using ManualClock::ManualClock;
  absl::Duration Monotonic() const override { return ManualClock::Monotonic() + absl::Milliseconds(3) * ++looks_; }

 private:
  mutable std::atomic<int64_t> looks_ = 0;
};

class StepsTest : public ServiceFixture {
 protected:
  static constexpr ShardId kShard{1};  // of all networks

  void SetUp() override { Restart(&clock_); }
  void TearDown() override { service_ = nullptr; }
  void Restart(const Clock* clock) {
    service_ = nullptr;
    absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(&watched_, clock, {.shards = 1, .shard = {}});
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }
  // When it returns, all calls before have been answered, and no shard commits anything.
  void Settle() {
    ASSERT_TRUE(Eventually([&] { return Wait<Done>([&](auto reply) { service_->Ping(std::move(reply)); }).ok(); }));
  }
  // From the next commit of the networks' shard that erases a key on, `watch` sees all of them, until StopWatching.
  void WatchErasing(std::function<void(const std::vector<Transaction>&)> watch) {
    Settle();
    watched_.on_commit = [watch = std::move(watch), begun = false](ShardId shard,
                                                                   const std::vector<Transaction>& all) mutable {
      begun = begun || (shard == kShard && ErasedIn(all) > 0);
      if (shard == kShard && begun) watch(all);
    };
  }
  void StopWatching() {
    Settle();
    watched_.on_commit = nullptr;
  }
  static size_t ErasedIn(const std::vector<Transaction>& transactions) {
    size_t keys = 0;
    for (const Transaction& one : transactions) {
      for (const Op& op : one.ops) keys += op.value ? 0 : 1;
    }
    return keys;
  }
  static size_t KeysOf(const std::vector<Transaction>& transactions) {
    size_t keys = 0;
    for (const Transaction& one : transactions) keys += one.ops.size();
    return keys;
  }

  void CreatePool(const std::string& name, const std::string& prefix, Strategy strategy = Strategy::kLongestIdle) {
    PoolConfig config;
    config.name = name;
    config.prefix = Prefix::Parse(prefix).value();
    config.headroom = 0;
    config.strategy = strategy;
    auto pool = Wait<PoolView>([&](auto reply) { service_->CreatePool("prod", config, std::move(reply)); });
    ASSERT_TRUE(pool.ok()) << pool.status();
  }
  void Predict(uint32_t count) {
    PredictCall call{.network = "prod", .source = "s", .id = "1", .predictions = {}};
    call.predictions.push_back({.type = "web", .count = count, .horizon = absl::Minutes(15)});
    auto views = Wait<std::vector<PredictionView>>([&](auto reply) { service_->PredictInstances(call, std::move(reply)); });
    ASSERT_TRUE(views.ok()) << views.status();
    ASSERT_EQ(views->at(0).fill.reserved, count);
  }
  absl::Status DeletePool(const std::string& pool) {
    return Wait<Done>([&](auto reply) { service_->DeletePool("prod", pool, std::move(reply)); }).status();
  }
  absl::StatusOr<PoolView> Drain(const std::string& pool) {
    return Wait<PoolView>([&](auto reply) {
      service_->UpdatePool(
          "prod", pool,
          [](PoolConfig* config) {
            config->draining = true;
            return absl::OkStatus();
          },
          std::move(reply));
    });
  }
  std::map<std::string, PoolView> Pools() {
    std::map<std::string, PoolView> pools;
    auto views = Wait<std::vector<PoolView>>([&](auto reply) { service_->ListPools("prod", std::move(reply)); });
    for (const PoolView& view : views.value()) pools[view.config.name] = view;
    return pools;
  }
  // The keys of addresses in the store.
  size_t StoredAddresses() {
    size_t count = 0;
    for (const auto& [key, value] : disk_->Copy()) {
      if (absl::StatusOr<Stored> stored = Decode(key, value); stored.ok()) count += std::holds_alternative<AddressRecord>(*stored);
    }
    return count;
  }
  // Stores used addresses of a pool that is gone, as a store may have them.
  void StoreFreeOf(NetworkId network, uint32_t count) {
    Transaction all;
    for (uint32_t i = 0; i < count; ++i) {
      AddressRecord record{.address = Ip::V4(0x0b000000 + i), .length = 32, .pool = 77};
      record.state = i % 2 == 0 ? AddressState::kFree : AddressState::kQuarantined;
      record.since = absl::UnixEpoch();
      record.until = absl::UnixEpoch() + absl::Seconds(1);
      record.used = true;
      all.ops.push_back(EncodeChange(network, record));
    }
    ASSERT_TRUE(disk_->Write({&all}).ok());
  }
  // Runs `call` with a reply, and in the shard's first step of erasing asks for an instance of `network`. Says in which order
  // the two are answered.
  template <typename T>
  std::vector<std::string> OrderOfAnswers(const std::string& network, std::function<void(Reply<T>)> call,
                                          std::function<void(const std::vector<Transaction>&)> watch) {
    std::vector<std::string> order;  // of the store's thread
    bool asked = false;              // of the shard's
    WatchErasing([&](const std::vector<Transaction>& transactions) {
      watch(transactions);
      if (std::exchange(asked, true)) return;
      CreateInstanceCall create{.network = network, .account = {}, .request = {}};
      create.request.instance = "between";
      service_->CreateInstance(create, [&](absl::StatusOr<InstanceView> view) {
        order.push_back(view.ok() ? "created" : CodeOf(view.status()));
      });
    });
    Wait<T>([&](auto reply) {
      call([&order, reply = std::move(reply)](absl::StatusOr<T> result) mutable {
        order.push_back(result.ok() ? "done" : CodeOf(result.status()));
        reply(std::move(result));
      });
    }).value();
    StopWatching();
    return order;
  }

  WatchedStore watched_{&store_};
  SlowClock slow_clock_{absl::UnixEpoch() + absl::Hours(1)};
};

const std::vector<std::string> kInBetween = {"created", "done"};

TEST_F(StepsTest, ErasingANetworkKeepsItsShardForTenMillisecondsATurnAndGoesOnBehindWhatItErased) {
  const NetworkId id = CreateNetwork("prod").id;
  CreatePool("a", "10.0.0.0/24");
  CreateNetwork("other");
  ServiceFixture::CreatePool("other", "10.0.0.0/24");
  service_ = nullptr;
  StoreFreeOf(id, 3000);
  std::vector<std::string> froms;  // of the shard's thread
  watched_.on_load = [&](std::string_view prefix, std::string_view from) {
    if (prefix == NetworkPrefix(id) && from != prefix) froms.emplace_back(from);
  };
  Restart(&slow_clock_);
  size_t steps = 0, most = 0;
  const auto order = OrderOfAnswers<Done>(
      "other", [&](Reply<Done> reply) { service_->DeleteNetwork("prod", std::move(reply)); },
      [&](const std::vector<Transaction>& transactions) {
        ++steps;
        most = std::max(most, ErasedIn(transactions));
      });
  EXPECT_EQ(order, kInBetween);
  EXPECT_GE(steps, 7u);
  EXPECT_LE(most, 400u) << "after four looks at the clock, one for each hundred, ten milliseconds are over";
  ASSERT_GE(froms.size(), 7u);
  EXPECT_EQ(froms.front(), "");
  for (size_t i = 1; i < froms.size(); ++i) EXPECT_LT(froms[i - 1], froms[i]);
  EXPECT_EQ(StoredAddresses(), 1u) << "the instance between";
}

TEST_F(StepsTest, DeletingAPoolGivesItsShadowsBackInStepsOfAHundredKeysAndServesOthersBetween) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/22");
  CreatePool("b", "fd00::/64");
  Predict(300);  // pairs
  size_t steps = 0, most = 0;
  const auto order = OrderOfAnswers<Done>(
      "prod", [&](Reply<Done> reply) { service_->DeletePool("prod", "a", std::move(reply)); },
      [&](const std::vector<Transaction>& transactions) {
        ++steps;
        most = std::max(most, KeysOf(transactions));
      });
  EXPECT_EQ(order, kInBetween);
  EXPECT_GE(steps, 7u);
  EXPECT_LE(most, 101u) << "a hundred, and the meta key";
  EXPECT_FALSE(Pools().contains("a"));
  EXPECT_EQ(CountOf("prod", AddressState::kShadow), 0u);
  EXPECT_EQ(StoredAddresses(), 1u) << "the instance between";
}

TEST_F(StepsTest, DrainingAPoolGivesItsShadowsBackInStepsOfAHundredKeysAndServesOthersBetween) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/22");
  CreatePool("b", "fd00::/64");
  Predict(300);
  size_t steps = 0, most = 0;
  const auto order = OrderOfAnswers<PoolView>(
      "prod",
      [&](Reply<PoolView> reply) {
        service_->UpdatePool(
            "prod", "a",
            [](PoolConfig* config) {
              config->draining = true;
              return absl::OkStatus();
            },
            std::move(reply));
      },
      [&](const std::vector<Transaction>& transactions) {
        ++steps;
        most = std::max(most, KeysOf(transactions));
      });
  EXPECT_EQ(order, kInBetween);
  EXPECT_GE(steps, 7u);
  EXPECT_LE(most, 101u);
  EXPECT_EQ(Pools().at("a").shadows, 0u);
}

TEST_F(StepsTest, ADeletionOfAPoolThatFailedHalfWayIsFinishedByTheNextOne) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/22");
  Predict(300);
  disk_->FailCommit(4);
  EXPECT_EQ(CodeOf(DeletePool("a")), "OUTCOME_UNKNOWN");
  const PoolView half = Pools().at("a");
  EXPECT_TRUE(half.config.draining);
  EXPECT_EQ(half.shadows, 300u - 2 * 48u) << "the first commit says that it drains";
  Restart(&clock_);
  EXPECT_EQ(Pools().at("a").shadows, half.shadows);
  EXPECT_TRUE(DeletePool("a").ok());
  EXPECT_TRUE(Pools().empty());
  EXPECT_EQ(StoredAddresses(), 0u);
}

TEST_F(StepsTest, ADrainingThatFailedHalfWayIsFinishedByTheNextOne) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/22");
  Predict(300);
  disk_->FailCommit(4);
  EXPECT_EQ(CodeOf(Drain("a").status()), "OUTCOME_UNKNOWN");
  EXPECT_EQ(Pools().at("a").shadows, 300u - 2 * 48u);
  absl::StatusOr<PoolView> drained = Drain("a");
  ASSERT_TRUE(drained.ok()) << drained.status();
  EXPECT_EQ(drained->shadows, 0u);
  EXPECT_EQ(Pools().at("a").shadows, 0u);
}

TEST_F(StepsTest, ADeletionComesToShadowsThatAreFarApart) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/14", Strategy::kRandom);
  Predict(600);  // more than one step looks at lies between the first and the last
  EXPECT_TRUE(DeletePool("a").ok());
  EXPECT_TRUE(Pools().empty());
}

TEST_F(StepsTest, APoolInUseIsNotDeletedAndDoesNotDrain) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/24");
  Predict(10);
  ASSERT_TRUE(Create("prod", "vm", "db").ok());
  EXPECT_EQ(CodeOf(DeletePool("a")), "POOL_IN_USE");
  EXPECT_FALSE(Pools().at("a").config.draining);
  EXPECT_EQ(Pools().at("a").shadows, 10u);
}

TEST_F(StepsTest, ADeletedPoolLeavesNoKeysBehindAndThoseOfOthersAlone) {
  CreateNetwork("prod");
  CreatePool("a", "10.0.0.0/23");
  for (int i = 0; i < 250; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  CreatePool("b", "10.0.2.0/24");
  ASSERT_TRUE(Drain("a").ok());
  ASSERT_EQ(Create("prod", "stays")->addresses[0].record.address.ToString(), "10.0.2.1");
  ASSERT_EQ(Create("prod", "was")->addresses[0].record.address.ToString(), "10.0.2.2");
  Release("prod", "was");
  for (int i = 0; i < 250; ++i) Release("prod", absl::StrCat("vm-", i));
  EXPECT_EQ(CodeOf(DeletePool("a")), "POOL_IN_USE") << "it has quarantined ones";
  clock_.Pass(absl::Seconds(31));
  size_t most = 0;
  disk_->FailCommit(1, 2);
  EXPECT_EQ(CodeOf(DeletePool("a")), "OUTCOME_UNKNOWN");
  EXPECT_EQ(StoredAddresses(), 50u + 2u);
  WatchErasing([&](const std::vector<Transaction>& transactions) {
    for (const Transaction& one : transactions) most = std::max(most, one.ops.size());
  });
  EXPECT_TRUE(DeletePool("a").ok());
  StopWatching();
  EXPECT_LE(most, 101u);
  EXPECT_EQ(StoredAddresses(), 2u) << "the other pool's: of one that is held, and of one that was";
  Restart(&clock_);
  CreatePool("again", "10.0.0.0/23");
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 1u);
}

TEST_F(StepsTest, WhatIsStoredOfAPoolThatIsGoneIsNoHarm) {
  const NetworkId id = CreateNetwork("prod").id;
  CreatePool("other", "10.0.0.0/24");
  ASSERT_TRUE(DeletePool("other").ok());
  service_ = nullptr;
  StoreFreeOf(id, 300);
  Restart(&clock_);
  CreatePool("a", "11.0.0.0/16");
  EXPECT_EQ(Create("prod", "vm")->addresses[0].record.address.ToString(), "11.0.0.1") << "as if nothing had been used";
  Restart(&clock_);
  EXPECT_EQ(CountOf("prod", AddressState::kAssigned), 1u);
  Release("prod", "vm");
  clock_.Pass(absl::Seconds(31));
  EXPECT_TRUE(DeletePool("a").ok());
  EXPECT_EQ(StoredAddresses(), 0u) << "they go with the next pool of their addresses";
}

}  // namespace
}  // namespace gnomon
