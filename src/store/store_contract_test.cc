// SPDX-License-Identifier: Apache-2.0
//
// What every Store must do. A new implementation adds a StoreWorld at the end of this file.

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/memory_store.h"
#include "store/rocksdb_store.h"
#include "store/store.h"
#include "testing/temp_folder.h"
#include "testing/unsynced_env.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Values = std::map<std::string, std::string>;

// What is around a store in a test: the disk that it is opened on, and how to break it.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  virtual std::unique_ptr<Store> Open() = 0;
  virtual void FailNextWrite() = 0;
};

class MemoryWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> Open() override { return std::make_unique<MemoryStore>(disk_); }
  void FailNextWrite() override { disk_->FailCommit(1); }

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

class RocksDbWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> Open() override {
    auto store = RocksDbStore::Open({.dir = folder_.path(), .env = env_.env()});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  void FailNextWrite() override { env_.FailSync(1); }

 private:
  UnsyncedEnv env_;
  const TempFolder folder_;
};

Transaction Put(std::string key, std::string value) { return Transaction{{Op{std::move(key), std::move(value)}}}; }
Transaction Erase(std::string key) { return Transaction{{Op{std::move(key), std::nullopt}}}; }

absl::Status Commit(ShardStore& shard, std::vector<Transaction> transactions) {
  absl::Notification finished;
  absl::Status result;
  shard.Commit(std::move(transactions), [&](absl::Status status) {
    result = std::move(status);
    finished.Notify();
  });
  finished.WaitForNotification();
  return result;
}

Values Load(ShardStore& shard, std::string_view prefix = "") {
  Values values;
  absl::Status loaded = shard.Load(prefix, [&](std::string_view key, std::string_view value) {
    values.emplace(key, value);
    return absl::OkStatus();
  });
  EXPECT_TRUE(loaded.ok()) << loaded;
  return values;
}

class StoreContractTest : public ::testing::TestWithParam<std::function<std::unique_ptr<StoreWorld>()>> {
 protected:
  StoreContractTest() : world_(GetParam()()), store_(world_->Open()) {}

  std::unique_ptr<ShardStore> Acquire(uint32_t shard = 0) {
    auto acquired = store_->Acquire(ShardId{shard});
    EXPECT_TRUE(acquired.ok()) << acquired.status();
    return *std::move(acquired);
  }
  void Reopen() {
    store_ = nullptr;
    store_ = world_->Open();
  }

  std::unique_ptr<StoreWorld> world_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreContractTest, NewStoreIsEmpty) { EXPECT_THAT(Load(*Acquire()), IsEmpty()); }

TEST_P(StoreContractTest, CommittedValuesAreThereAfterReopening) {
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, {Put("a", "1"), Put("b", "2"), Put("c", "")}).ok());
  ASSERT_TRUE(Commit(*shard, {Erase("a"), Put("b", "3"), Erase("never there")}).ok());
  shard = nullptr;
  Reopen();
  EXPECT_THAT(Load(*Acquire()), ElementsAre(Pair("b", "3"), Pair("c", "")));
}

TEST_P(StoreContractTest, LastOpOfOneKeyCounts) {
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, {Transaction{{Op{"a", "1"}, Op{"a", std::nullopt}, Op{"a", "2"}}},
                              Transaction{{Op{"b", "1"}, Op{"b", std::nullopt}}}})
                  .ok());
  EXPECT_THAT(Load(*shard), ElementsAre(Pair("a", "2")));
}

TEST_P(StoreContractTest, LoadVisitsThePrefixInTheOrderOfBytes) {
  auto shard = Acquire();
  const std::string high("n\xff", 2);
  ASSERT_TRUE(Commit(*shard, {Put("n/2", "b"), Put("o", "x"), Put("n/10", "a"), Put(high, "z"), Put("m", "x"),
                              Put(std::string("n/\0", 3), "0"), Put(high + "\xff", "zz")})
                  .ok());
  std::vector<std::string> keys;
  auto collect = [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return absl::OkStatus();
  };
  ASSERT_TRUE(shard->Load("n/", collect).ok());
  EXPECT_THAT(keys, ElementsAre(std::string("n/\0", 3), "n/10", "n/2"));
  keys.clear();
  ASSERT_TRUE(shard->Load(high, collect).ok());
  EXPECT_THAT(keys, ElementsAre(high, high + "\xff"));
}

TEST_P(StoreContractTest, VisitorStopsTheWalk) {
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, {Put("a", "1"), Put("b", "2")}).ok());
  int calls = 0;
  auto stop = [&](std::string_view, std::string_view) {
    ++calls;
    return absl::CancelledError("enough");
  };
  EXPECT_EQ(shard->Load("", stop), absl::CancelledError("enough"));
  EXPECT_EQ(store_->Snapshot(stop), absl::CancelledError("enough"));
  EXPECT_EQ(calls, 2);
}

TEST_P(StoreContractTest, BinaryKeysAndValuesComeBackAsTheyWere) {
  Values want;
  std::vector<Transaction> puts;
  for (int byte = 1; byte < 256; ++byte) {
    std::string key{static_cast<char>(byte), '\0', '\n', static_cast<char>(255 - byte)};
    want[key] = std::string(3, '\0') + key;
    puts.push_back(Put(key, want[key]));
  }
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, std::move(puts)).ok());
  shard = nullptr;
  Reopen();
  EXPECT_EQ(Load(*Acquire()), want);
}

TEST_P(StoreContractTest, LargestTransactionIsStoredWhole) {
  auto shard = Acquire();
  const std::string long_key(kMaxKeyBytes, 'k');
  Transaction large = Put(long_key, std::string(kMaxTransactionBytes - kMaxKeyBytes, 'v'));
  Transaction many;
  for (size_t i = 0; i < kMaxTransactionOps; ++i) many.ops.push_back(Op{"many/" + std::to_string(i), "x"});
  ASSERT_TRUE(Commit(*shard, {large, many}).ok());
  shard = nullptr;
  Reopen();
  Values values = Load(*Acquire());
  EXPECT_EQ(values.size(), kMaxTransactionOps + 1);
  EXPECT_EQ(values[long_key].size(), kMaxTransactionBytes - kMaxKeyBytes);
}

TEST_P(StoreContractTest, CommitThatBreaksALimitStoresNothingAndFailsTheHandle) {
  Transaction many;
  for (size_t i = 0; i <= kMaxTransactionOps; ++i) many.ops.push_back(Op{std::to_string(i), "x"});
  struct Case {
    std::string name;
    Transaction transaction;
    std::string want;
  };
  const Case cases[] = {
      {"too many keys", many, "TRANSACTION_TOO_LARGE"},
      {"too many bytes", Put("a", std::string(kMaxTransactionBytes, 'x')), "TRANSACTION_TOO_LARGE"},
      {"a long key", Put(std::string(kMaxKeyBytes + 1, 'k'), ""), "TRANSACTION_TOO_LARGE"},
      {"an empty key", Put("", "x"), "KEY_RESERVED"},
      {"a key of the store", Put(std::string("\0incarnation", 12), "x"), "KEY_RESERVED"},
  };
  for (const Case& c : cases) {
    auto shard = Acquire();
    absl::Status refused = Commit(*shard, {Put("good", "x"), c.transaction});
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << c.name;
    EXPECT_EQ(CodeOf(refused), c.want) << c.name;
    EXPECT_EQ(CodeOf(Commit(*shard, {Put("good", "x")})), "STORE_FAILED") << c.name;
    EXPECT_THAT(Load(*Acquire()), IsEmpty()) << c.name;
  }
}

TEST_P(StoreContractTest, CallbacksRunOnceEachInTheOrderOfTheCalls) {
  auto shard = Acquire();
  absl::Mutex mutex;
  std::vector<int> order;
  const int commits = 500;
  for (int i = 0; i < commits; ++i) {
    // Every third is empty: it keeps its place.
    std::vector<Transaction> transactions;
    if (i % 3 != 0) transactions.push_back(Put("key", std::to_string(i)));
    shard->Commit(std::move(transactions), [&, i](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      absl::MutexLock lock(&mutex);
      order.push_back(i);
    });
  }
  ASSERT_TRUE(Commit(*shard, {}).ok());
  absl::MutexLock lock(&mutex);
  ASSERT_EQ(order.size(), static_cast<size_t>(commits));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_P(StoreContractTest, CallbackMayCommitAgain) {
  auto shard = Acquire();
  absl::Notification finished;
  std::function<void(int)> next = [&](int left) {
    shard->Commit({Put("left", std::to_string(left))}, [&, left](absl::Status status) {
      EXPECT_TRUE(status.ok());
      if (left == 0) return finished.Notify();
      next(left - 1);
    });
  };
  next(20);
  finished.WaitForNotification();
  EXPECT_THAT(Load(*shard), ElementsAre(Pair("left", "0")));
}

TEST_P(StoreContractTest, ClosingCompletesWhatWaits) {
  auto shard = Acquire();
  std::atomic<int> good = 0;
  for (int i = 0; i < 200; ++i) {
    shard->Commit({Put("n" + std::to_string(i), "x")}, [&](absl::Status status) { good += status.ok() ? 1 : 0; });
  }
  shard = nullptr;
  store_ = nullptr;
  EXPECT_EQ(good, 200);
  store_ = world_->Open();
  EXPECT_EQ(Load(*Acquire()).size(), 200u);
}

TEST_P(StoreContractTest, AcquiringAgainFencesTheHandleBefore) {
  auto old_owner = Acquire(1);
  auto other_shard = Acquire(2);
  ASSERT_TRUE(Commit(*old_owner, {Put("a", "old")}).ok());
  auto new_owner = Acquire(1);
  absl::Status fenced = Commit(*old_owner, {Put("a", "late")});
  EXPECT_EQ(fenced.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CodeOf(fenced), "STORE_FENCED");
  EXPECT_EQ(CodeOf(Commit(*old_owner, {})), "STORE_FENCED") << "an empty commit must not say that all is well";
  EXPECT_EQ(CodeOf(old_owner->Load("", [](auto, auto) { return absl::OkStatus(); })), "STORE_FENCED");
  EXPECT_THAT(Load(*new_owner), ElementsAre(Pair("a", "old")));
  EXPECT_TRUE(Commit(*new_owner, {Put("a", "new")}).ok());
  EXPECT_TRUE(Commit(*other_shard, {Put("b", "x")}).ok()) << "the other shard is not concerned";
}

TEST_P(StoreContractTest, NothingOfTheOldOwnerIsStoredAfterAcquireReturned) {
  for (int round = 0; round < 20; ++round) {
    auto old_owner = Acquire();
    ASSERT_TRUE(Commit(*old_owner, {Put("n", "-1")}).ok());
    std::atomic<int> acknowledged = -1;
    for (int i = 0; i < 50; ++i) {
      old_owner->Commit({Put("n", std::to_string(i))}, [&, i](absl::Status status) {
        if (status.ok()) acknowledged = i;
      });
    }
    auto new_owner = Acquire();
    Values before = Load(*new_owner);
    ASSERT_TRUE(Commit(*new_owner, {}).ok());  // behind every commit of the old owner
    EXPECT_EQ(Load(*new_owner), before);
    EXPECT_EQ(before["n"], std::to_string(acknowledged));
    ASSERT_TRUE(Commit(*new_owner, {Erase("n")}).ok());
  }
}

TEST_P(StoreContractTest, FailedCommitFailsAllLaterOnesUntilTheShardIsAcquiredAnew) {
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, {Put("a", "1")}).ok());
  world_->FailNextWrite();
  absl::Status failed = Commit(*shard, {Put("a", "2")});
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable) << failed;
  EXPECT_EQ(CodeOf(failed), "STORE_FAILED");
  EXPECT_EQ(CodeOf(Commit(*shard, {Put("a", "3")})), "STORE_FAILED");
  EXPECT_EQ(CodeOf(Commit(*shard, {})), "STORE_FAILED");
  auto again = Acquire();
  EXPECT_EQ(CodeOf(Commit(*shard, {Put("a", "4")})), "STORE_FENCED") << "the old handle stays dead";
  std::string value = Load(*again)["a"];
  EXPECT_TRUE(value == "1" || value == "2") << value;
  ASSERT_TRUE(Commit(*again, {Put("a", "5")}).ok());
  again = nullptr;
  Reopen();
  EXPECT_THAT(Load(*Acquire()), ElementsAre(Pair("a", "5")));
}

TEST_P(StoreContractTest, CommitsQueuedBehindAFailedOneFailToo) {
  auto shard = Acquire();
  ASSERT_TRUE(Commit(*shard, {Put("n", "start")}).ok());
  world_->FailNextWrite();
  absl::Mutex mutex;
  std::vector<bool> good;
  for (int i = 0; i < 100; ++i) {
    shard->Commit({Put("n", std::to_string(i))}, [&](absl::Status status) {
      absl::MutexLock lock(&mutex);
      good.push_back(status.ok());
    });
  }
  EXPECT_FALSE(Commit(*shard, {}).ok());
  absl::MutexLock lock(&mutex);
  ASSERT_EQ(good.size(), 100u);
  EXPECT_THAT(good, ::testing::Each(false));
}

TEST_P(StoreContractTest, SnapshotIsOneStateWhileCommitsGoOn) {
  auto shard = Acquire();
  auto state = [](int n) {
    Transaction all;
    for (int i = 0; i < 50; ++i) all.ops.push_back(Op{"k" + std::to_string(i), std::to_string(n)});
    return all;
  };
  ASSERT_TRUE(Commit(*shard, {state(0)}).ok());
  std::atomic<bool> stop = false;
  std::atomic<int> acknowledged = 0;
  std::thread writer([&] {
    for (int n = 1; !stop; ++n) {
      EXPECT_TRUE(Commit(*shard, {state(n)}).ok());
      acknowledged = n;
    }
  });
  for (int i = 0; i < 100; ++i) {
    int at_least = acknowledged;
    Values seen;
    ASSERT_TRUE(store_
                    ->Snapshot([&](std::string_view key, std::string_view value) {
                      seen.emplace(key, value);
                      std::this_thread::yield();
                      return absl::OkStatus();
                    })
                    .ok());
    ASSERT_EQ(seen.size(), 50u);
    for (const auto& [key, value] : seen) ASSERT_EQ(value, seen.begin()->second) << key;
    EXPECT_GE(std::stoi(seen.begin()->second), at_least);
  }
  stop = true;
  writer.join();
}

TEST_P(StoreContractTest, ALongSnapshotIsBrokenOffRatherThanHoldUpTheRecoveryFromAFailedWrite) {
  auto shard = Acquire();
  const int keys = 2000;
  std::vector<Transaction> puts;
  for (int i = 0; i < keys; ++i) puts.push_back(Put("k" + std::to_string(i), "x"));
  ASSERT_TRUE(Commit(*shard, std::move(puts)).ok());
  absl::Notification recovered;
  std::thread recovery;
  int seen = 0;
  // With the patience that it has for each key, it would take twenty seconds to its end.
  absl::Status snapshot = store_->Snapshot([&](std::string_view, std::string_view) {
    if (seen++ == 0) {
      world_->FailNextWrite();
      EXPECT_EQ(CodeOf(Commit(*shard, {Put("k0", "y")})), "STORE_FAILED");
      recovery = std::thread([&] {
        EXPECT_TRUE(Commit(*Acquire(), {Put("k0", "z")}).ok());
        recovered.Notify();
      });
    }
    recovered.WaitForNotificationWithTimeout(absl::Milliseconds(10));
    return absl::OkStatus();
  });
  recovery.join();
  EXPECT_EQ(CodeOf(snapshot), "STORE_FAILED") << snapshot;
  EXPECT_LT(seen, keys);
  seen = 0;
  EXPECT_TRUE(store_->Snapshot([&](std::string_view, std::string_view) { return ++seen, absl::OkStatus(); }).ok());
  EXPECT_EQ(seen, keys) << "begun again, it comes to its end";
}

TEST_P(StoreContractTest, ShardsCommitAtTheSameTime) {
  const int shards = 4;
  const int commits = 100;
  std::vector<std::thread> threads;
  for (uint32_t s = 0; s < shards; ++s) {
    threads.emplace_back([&, s] {
      auto shard = Acquire(s);
      for (int i = 0; i < commits; ++i) {
        EXPECT_TRUE(Commit(*shard, {Put(std::to_string(s) + "/" + std::to_string(i), "x")}).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Reopen();
  EXPECT_EQ(Load(*Acquire()).size(), static_cast<size_t>(shards * commits));
}

TEST_P(StoreContractTest, IncarnationIsKeptAndIsItsOwnForEachStore) {
  uint64_t incarnation = store_->incarnation();
  EXPECT_NE(incarnation, 0u);
  Reopen();
  EXPECT_EQ(store_->incarnation(), incarnation);
  std::unique_ptr<StoreWorld> other = GetParam()();
  EXPECT_NE(other->Open()->incarnation(), incarnation);
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContractTest, ::testing::Values([]() -> std::unique_ptr<StoreWorld> {
                           return std::make_unique<MemoryWorld>();
                         }));
INSTANTIATE_TEST_SUITE_P(RocksDb, StoreContractTest, ::testing::Values([]() -> std::unique_ptr<StoreWorld> {
                           return std::make_unique<RocksDbWorld>();
                         }));

}  // namespace
}  // namespace gnomon
