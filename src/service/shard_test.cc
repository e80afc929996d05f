// SPDX-License-Identifier: Apache-2.0
#include "service/shard.h"

#include <atomic>
#include <set>
#include <string>

#include "base/error.h"
#include "gtest/gtest.h"
#include "service/networks_state.h"
#include "store/memory_store.h"

namespace gnomon {
namespace {

constexpr NetworkId kNetwork{7};

// One reply, to be waited for.
template <typename T>
class Reply {
 public:
  absl::AnyInvocable<void(absl::StatusOr<T>)> Callback() {
    return [this](absl::StatusOr<T> result) {
      absl::MutexLock lock(&mutex_);
      result_ = std::move(result);
      done_ = true;
    };
  }
  bool done() {
    absl::MutexLock lock(&mutex_);
    return done_;
  }
  absl::StatusOr<T> Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    return result_;
  }

 private:
  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<T> result_ ABSL_GUARDED_BY(mutex_) = absl::UnknownError("no reply");
};

class ShardTest : public testing::Test {
 protected:
  void Start(ShardOptions options = {}, MemoryStore::Run run = MemoryStore::Run::kOwnThread) {
    shard_ = nullptr;
    store_ = std::make_unique<MemoryStore>(disk_, run);
    time_ = std::make_unique<CoreTime>(clock_);
    time_->Begin(absl::InfinitePast());
    absl::StatusOr<std::unique_ptr<Shard<NetworksState>>> shard =
        Shard<NetworksState>::Start(store_.get(), ShardId{1}, &clock_, time_.get(), NetworksState({kNetwork}), options);
    ASSERT_TRUE(shard.ok()) << shard.status();
    shard_ = *std::move(shard);
  }

  // A command on a network, `(Network&, absl::Time, Changes*) -> StatusOr<T>`.
  template <typename T, typename Command>
  void Call(NetworkId network, Command command, Reply<T>* reply) {
    shard_->Call<T>(
        [network, command](NetworksState& state, absl::Time now, Batch* batch) {
          return state.On(network, now, batch,
                          [&](Network& one, Changes* changes) -> absl::StatusOr<T> { return command(one, now, changes); });
        },
        reply->Callback());
  }

  void AddPool(Reply<PoolId>* reply, const std::string& prefix) {
    Call<PoolId>(
        kNetwork,
        [prefix](Network& network, absl::Time, Changes* changes) {
          PoolConfig config;
          config.name = "a";
          config.prefix = Prefix::Parse(prefix).value();
          return network.AddPool(config, changes);
        },
        reply);
  }
  void AddPool(const std::string& prefix) {
    Reply<PoolId> reply;
    AddPool(&reply, prefix);
    ASSERT_TRUE(reply.Wait().ok());
  }

  void Create(const std::string& id, Reply<Assignment>* reply, NetworkId network = kNetwork) {
    Call<Assignment>(
        network,
        [id](Network& state, absl::Time now, Changes* changes) {
          CreateRequest request;
          request.instance = id;
          return state.Create(now, request, changes);
        },
        reply);
  }
  // The address, or the error's code.
  std::string Create(const std::string& id, NetworkId network = kNetwork) {
    Reply<Assignment> reply;
    Create(id, &reply, network);
    absl::StatusOr<Assignment> got = reply.Wait();
    return got.ok() ? got->addresses[0].address.ToString() : CodeOf(got.status());
  }

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  ManualClock clock_{absl::UnixEpoch() + absl::Hours(1)};
  std::unique_ptr<CoreTime> time_;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Shard<NetworksState>> shard_;
};

TEST_F(ShardTest, WhatWasAnsweredIsThereAfterARestart) {
  Start();
  AddPool("10.0.0.0/24");
  EXPECT_EQ(Create("a"), "10.0.0.1");
  EXPECT_EQ(Create("b"), "10.0.0.2");
  Start();
  EXPECT_EQ(Create("b"), "10.0.0.2");
  EXPECT_EQ(Create("c"), "10.0.0.3");
}

TEST_F(ShardTest, NothingIsAnsweredBeforeWhatItSawIsDurable) {
  Start({}, MemoryStore::Run::kWhenAsked);
  Reply<PoolId> pool;
  Reply<Assignment> created, refused;
  AddPool(&pool, "10.0.0.0/32");
  Create("a", &created);
  Create("b", &refused);
  SystemClock watch;
  const absl::Duration patience = watch.Monotonic() + absl::Seconds(20);
  bool any_early = false;
  while (!refused.done() && watch.Monotonic() < patience) {
    // Only RunQueued makes anything durable here, so a reply that stands before it was too early.
    const size_t stored = disk_->Copy().size();
    any_early = any_early || (stored == 0 && (pool.done() || created.done() || refused.done()));
    store_->RunQueued();
  }
  EXPECT_FALSE(any_early);
  EXPECT_TRUE(created.Wait().ok());
  EXPECT_EQ(CodeOf(refused.Wait().status()), "POOL_EXHAUSTED");
  shard_ = nullptr;
}

TEST_F(ShardTest, AFailedCommitIsAnsweredAsUnknownAndTheShardGoesOnFromTheStore) {
  Start();
  AddPool("10.0.0.0/24");
  EXPECT_EQ(Create("a"), "10.0.0.1");
  disk_->FailCommit(1);
  EXPECT_EQ(Create("b"), "OUTCOME_UNKNOWN");
  EXPECT_EQ(Create("b"), "10.0.0.2");
  EXPECT_EQ(Create("a"), "10.0.0.1");
  disk_->FailCommit(1, 1);  // stored, but reported as failed
  EXPECT_EQ(Create("c"), "OUTCOME_UNKNOWN");
  EXPECT_EQ(Create("d"), "10.0.0.4") << "c holds 10.0.0.3";
  EXPECT_EQ(Create("c"), "10.0.0.3");
}

TEST_F(ShardTest, AThousandConcurrentCreationsOfOneIdGetOneAddress) {
  Start();
  AddPool("10.0.0.0/24");
  std::vector<Reply<Assignment>> replies(1000);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < replies.size(); i += 4) Create("vm", &replies[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  int created = 0;
  std::set<Ip> addresses;
  for (Reply<Assignment>& reply : replies) {
    absl::StatusOr<Assignment> got = reply.Wait();
    ASSERT_TRUE(got.ok()) << got.status();
    created += got->created ? 1 : 0;
    addresses.insert(got->addresses[0].address);
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(addresses.size(), 1u);
}

TEST_F(ShardTest, OfTwoThatRaceForTheLastAddressOneGetsIt) {
  Start();
  AddPool("10.0.0.7/32");
  Reply<Assignment> a, b;
  std::thread other([&] { Create("a", &a); });
  Create("b", &b);
  other.join();
  const absl::StatusOr<Assignment> first = a.Wait(), second = b.Wait();
  EXPECT_NE(first.ok(), second.ok());
  EXPECT_EQ(CodeOf(first.ok() ? second.status() : first.status()), "POOL_EXHAUSTED");
}

TEST_F(ShardTest, AFullQueueRefusesAtOnce) {
  Start({.max_unanswered = 2}, MemoryStore::Run::kWhenAsked);
  Reply<Assignment> a, b, c;
  Create("a", &a);
  Create("b", &b);
  Create("c", &c);
  EXPECT_TRUE(c.done());
  EXPECT_EQ(CodeOf(c.Wait().status()), "QUEUE_FULL");
  while (!a.done() || !b.done()) store_->RunQueued();
  shard_ = nullptr;
}

TEST_F(ShardTest, AnUnknownNetworkIsNotFound) {
  Start();
  EXPECT_EQ(Create("a", NetworkId{8}), "NETWORK_NOT_FOUND");
}

// The creation may not be stored yet when the store is looked through: here an old record of its address is.
TEST_F(ShardTest, ErasingWhatIsFreeKeepsWhatIsHeldThoughItIsNotStoredYet) {
  Start();
  AddPool("10.0.0.0/30");
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(Create(id).substr(0, 7), "10.0.0.");
    Reply<size_t> released;
    Call<size_t>(
        kNetwork,
        [id](Network& network, absl::Time now, Changes* changes) -> absl::StatusOr<size_t> {
          return network.Release(now, {.instance = id}, changes)->size();
        },
        &released);
    ASSERT_EQ(released.Wait().value(), 1u);
  }
  clock_.Pass(absl::Seconds(31));
  Reply<size_t> erased;
  shard_->Call<size_t>(
      [](NetworksState& state, absl::Time now, Batch* batch) -> absl::StatusOr<size_t> {
        PoolId pool = 0;
        auto drain = [&](Network& network, Changes* changes) -> absl::StatusOr<size_t> {
          EXPECT_TRUE(network.Create(now, {.instance = "c"}, changes).ok());
          PoolConfig config = network.pools()[0]->config();
          config.draining = true;
          pool = config.id;
          EXPECT_TRUE(network.UpdatePool(config, changes).ok());
          return size_t{0};
        };
        EXPECT_TRUE(state.On(kNetwork, now, batch, drain).ok());
        size_t steps = 0;
        std::optional<std::string> from = "";
        for (; from; ++steps) from = state.EraseFreeStep(kNetwork, pool, *from, [] { return true; }, now, batch).value();
        return steps;
      },
      erased.Callback());
  EXPECT_EQ(erased.Wait().value(), 2u) << "one, and one that finds nothing more";
  EXPECT_EQ(disk_->Copy().size(), 3u) << "meta, pool, c";
  Start();
  EXPECT_EQ(Create("c"), "10.0.0.1");
}

TEST_F(ShardTest, AQuarantineEndsInCoreTimeAlsoOverARestart) {
  Start();
  AddPool("10.0.0.7/32");
  EXPECT_EQ(Create("a"), "10.0.0.7");
  Reply<size_t> released;
  Call<size_t>(
      kNetwork, [](Network& network, absl::Time now, Changes* changes) -> absl::StatusOr<size_t> {
        absl::StatusOr<Records> ended = network.Release(now, {.instance = "a"}, changes);
        if (!ended.ok()) return ended.status();
        return ended->size();
      },
      &released);
  ASSERT_TRUE(released.Wait().ok());
  clock_.Pass(absl::Seconds(29));
  EXPECT_EQ(Create("b"), "POOL_EXHAUSTED");
  clock_.Step(-absl::Hours(10));
  Start();
  clock_.Pass(absl::Seconds(29));
  EXPECT_EQ(Create("b"), "POOL_EXHAUSTED") << "time goes on from the last commit, not from the wall clock";
  clock_.Pass(absl::Seconds(1));
  EXPECT_EQ(Create("b"), "10.0.0.7");
}

TEST_F(ShardTest, CommandsComeAfterALongBacklogOfWhatEndsWhichIsCommittedInSteps) {
  Start({}, MemoryStore::Run::kWhenAsked);
  auto run = [this](auto& reply) {
    size_t commits = 0;
    while (!reply.done()) commits += store_->RunQueued();
    return commits;
  };
  Reply<PoolId> pool;
  AddPool(&pool, "10.0.0.0/18");
  run(pool);
  Reply<uint64_t> predicted, left;
  const PredictRequest request{
      .key = {"s", "web", {}}, .id = "1", .count = 3 * Network::kMaxEnded, .horizon = absl::Minutes(1)};
  Call<uint64_t>(
      kNetwork,
      [&](Network& network, absl::Time now, Changes* changes) -> absl::StatusOr<uint64_t> {
        GNOMON_RETURN_IF_ERROR(network.Predict(now, request, changes));
        return 0;
      },
      &predicted);
  run(predicted);
  auto fill = [](Network& network, absl::Time now, Changes* changes) -> absl::StatusOr<bool> {
    return network.Fill(now, "web", {}, changes).more;
  };
  for (bool more = true; more;) {
    Reply<bool> filled;
    Call<bool>(kNetwork, fill, &filled);
    run(filled);
    more = *filled.Wait();
  }
  auto count = [](Network& network, absl::Time, Changes*) -> absl::StatusOr<uint64_t> {
    return network.CountOf(AddressState::kShadow);
  };
  Reply<uint64_t> held;
  Call<uint64_t>(kNetwork, count, &held);
  run(held);
  ASSERT_EQ(*held.Wait(), 3 * Network::kMaxEnded);
  clock_.Pass(absl::Minutes(2));
  Call<uint64_t>(kNetwork, count, &left);
  EXPECT_GE(run(left), 3u);
  EXPECT_EQ(*left.Wait(), 0u);
  shard_ = nullptr;
}

}  // namespace
}  // namespace gnomon
