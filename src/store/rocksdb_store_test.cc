// SPDX-License-Identifier: Apache-2.0
//
// What is particular to RocksDB: its files, its lock, and what a power loss leaves of them.
#include "store/rocksdb_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/write_batch.h"
#include "store/envelope.h"
#include "testing/temp_folder.h"
#include "testing/unsynced_env.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using Values = std::map<std::string, std::string>;

class RocksDbStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksDbStore> Open() {
    auto store = RocksDbStore::Open(options());
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  RocksDbOptions options() const { return {.dir = dir_}; }

  // The store's only file with this ending.
  std::filesystem::path FileWith(const std::string& ending) const {
    std::filesystem::path found;
    for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
      if (entry.path().extension() != ending || entry.file_size() == 0) continue;
      EXPECT_TRUE(found.empty()) << found << " and " << entry.path();
      found = entry.path();
    }
    EXPECT_FALSE(found.empty());
    return found;
  }

  const TempFolder folder_;
  const std::string dir_ = folder_.path();
};

absl::Status Commit(ShardStore& shard, std::vector<Op> ops) {
  absl::Notification finished;
  absl::Status result;
  std::vector<Transaction> transactions;
  transactions.push_back(Transaction{std::move(ops)});
  shard.Commit(std::move(transactions), [&](absl::Status status) {
    result = std::move(status);
    finished.Notify();
  });
  finished.WaitForNotification();
  return result;
}

absl::Status Load(Store& store, Values* values) {
  return store.Snapshot([&](std::string_view key, std::string_view value) {
    values->emplace(key, value);
    return absl::OkStatus();
  });
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

void WriteAll(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void FlipBit(const std::filesystem::path& path, size_t byte) {
  std::string bytes = ReadAll(path);
  ASSERT_LT(byte, bytes.size());
  bytes[byte] = static_cast<char>(bytes[byte] ^ 0x10);
  WriteAll(path, bytes);
}

TEST_F(RocksDbStoreTest, SecondOpenOfADirectoryIsRefused) {
  auto store = Open();
  auto second = RocksDbStore::Open(options());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition) << second.status();
  EXPECT_EQ(CodeOf(second.status()), "DATA_DIR_LOCKED");
  EXPECT_EQ(CodeOf(CheckStore(options()).status()), "DATA_DIR_LOCKED");
}

TEST_F(RocksDbStoreTest, OpenInAnotherProcessIsRefused) {
  int ready[2];
  int stop[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(stop), 0);
  pid_t child = ::fork();
  if (child == 0) {
    ::close(stop[1]);
    auto store = RocksDbStore::Open(options());
    char byte = store.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    if (::read(stop[0], &byte, 1) != 0) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  auto second = RocksDbStore::Open(options());
  EXPECT_EQ(CodeOf(second.status()), "DATA_DIR_LOCKED") << second.status();
  ::close(stop[0]);
  ::close(stop[1]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_NE(Open(), nullptr) << "the lock ends with its process";
}

TEST_F(RocksDbStoreTest, DirectoryThatCannotBeMadeIsAnError) {
  auto store = RocksDbStore::Open({.dir = dir_ + "/no/such/parent"});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kUnavailable) << store.status();
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("no/such/parent"));
}

TEST_F(RocksDbStoreTest, TornTailOfTheLogIsDropped) {
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    ASSERT_TRUE(Commit(*shard, {{"a", "1"}}).ok());
    ASSERT_TRUE(Commit(*shard, {{"b", std::string(1000, 'x')}}).ok());
  }
  const std::filesystem::path log = FileWith(".log");
  const std::string whole = ReadAll(log);
  const std::string saved = dir_ + ".saved";
  std::filesystem::copy(dir_, saved, std::filesystem::copy_options::recursive);
  // The last record has somewhat more than 1000 bytes: each of these cuts is inside it.
  for (size_t cut : {1, 2, 500, 900, 1000}) {
    std::filesystem::remove_all(dir_);
    std::filesystem::copy(saved, dir_, std::filesystem::copy_options::recursive);
    WriteAll(log, whole.substr(0, whole.size() - cut));
    auto store = Open();
    ASSERT_NE(store, nullptr) << cut;
    Values values;
    ASSERT_TRUE(Load(*store, &values).ok());
    EXPECT_THAT(values, ::testing::ElementsAre(::testing::Pair("a", "1"))) << cut;
  }
  std::filesystem::remove_all(saved);
}

TEST_F(RocksDbStoreTest, DamageInsideTheLogFailsTheOpen) {
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(Commit(*shard, {{"a" + std::to_string(i), std::string(100, 'x')}}).ok());
  }
  const std::filesystem::path log = FileWith(".log");
  for (double where : {0.3, 0.5, 0.98}) {
    size_t byte = ReadAll(log).find("xxx", static_cast<size_t>(where * static_cast<double>(ReadAll(log).size() - 60)));
    FlipBit(log, byte);
    auto store = RocksDbStore::Open(options());
    EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << where << " " << store.status();
    EXPECT_THAT(PartsOf(store.status()).hint, HasSubstr("gnomon restore"));
    FlipBit(log, byte);
  }
  EXPECT_NE(Open(), nullptr);
}

TEST_F(RocksDbStoreTest, AnyDamagedByteOfTheLogBeforeItsLastRecordFailsTheOpen) {
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Commit(*shard, {{"a" + std::to_string(i), "value"}}).ok());
    ASSERT_TRUE(Commit(*shard, {{"last", "value"}}).ok());
  }
  const std::filesystem::path log = FileWith(".log");
  const std::string whole = ReadAll(log);
  // Back from the key: its length, its tag, count (4), sequence (8), and the header (7).
  const size_t last_record = whole.find("last") - 2 - 12 - 7;
  for (size_t byte = 0; byte < last_record; ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << (byte % 8)));
    WriteAll(log, damaged);
    auto store = RocksDbStore::Open(options());
    ASSERT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << "byte " << byte << " " << store.status();
  }
  // Too long a length, for every record: this is what RocksDB alone takes for a torn write.
  for (size_t at = 0; at < last_record; at += 7 + static_cast<uint8_t>(whole[at + 4])) {
    std::string damaged = whole;
    damaged[at + 5] = '\x10';
    WriteAll(log, damaged);
    ASSERT_EQ(RocksDbStore::Open(options()).status().code(), absl::StatusCode::kDataLoss) << "record at " << at;
  }
  WriteAll(log, whole);
  EXPECT_NE(Open(), nullptr);
}

TEST_F(RocksDbStoreTest, AnyFlippedBitOfATableIsDetectedWhereverItMatters) {
  Values want;
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    for (int i = 0; i < 50; ++i) {
      want["key" + std::to_string(i)] = std::string(50, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(Commit(*shard, {{"key" + std::to_string(i), want["key" + std::to_string(i)]}}).ok());
    }
  }
  Open();  // recovery writes the log into a table
  const std::filesystem::path table = FileWith(".sst");
  const std::string whole = ReadAll(table);
  size_t detected = 0;
  size_t tried = 0;
  for (size_t byte = 0; byte < whole.size(); byte += 37, ++tried) {
    FlipBit(table, byte);
    Values values;
    auto store = RocksDbStore::Open(options());
    absl::Status loaded = store.ok() ? Load(**store, &values) : store.status();
    if (loaded.ok()) {
      EXPECT_EQ(values, want) << "byte " << byte << " passed unseen";  // padding, or a property that nobody reads
    } else {
      EXPECT_EQ(loaded.code(), absl::StatusCode::kDataLoss) << loaded;
      ++detected;
    }
    FlipBit(table, byte);
  }
  EXPECT_GT(detected, tried / 2);
}

// A record whose envelope is wrong although RocksDB's own checksums are right.
void PutRaw(const std::string& dir, const std::string& key, const std::string& stored) {
  auto db = OpenDatabase({.dir = dir});
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_TRUE((*db)->Put(rocksdb::WriteOptions(), key, stored).ok());
}

TEST_F(RocksDbStoreTest, DamagedRecordStopsTheLoadAndIsNamed) {
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    ASSERT_TRUE(Commit(*shard, {{"a", "1"}, {"z", "2"}}).ok());
  }
  PutRaw(dir_, "net/\x01", Seal("net/\x02", "of another key"));
  auto store = Open();
  auto shard = *store->Acquire(ShardId{0});
  auto ignore = [](std::string_view, std::string_view) { return absl::OkStatus(); };
  for (const absl::Status& status : {shard->Load("", ignore), store->Snapshot(ignore)}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("net/\\x01"));
  }
  EXPECT_TRUE(shard->Load("a", ignore).ok()) << "the other prefixes can be read";
}

TEST_F(RocksDbStoreTest, CheckStoreReportsEveryBadRecordAndChangesNothing) {
  {
    auto store = Open();
    auto shard = *store->Acquire(ShardId{0});
    ASSERT_TRUE(Commit(*shard, {{"a", "1"}, {"z", "2"}}).ok());
  }
  auto clean = CheckStore(options());
  ASSERT_TRUE(clean.ok()) << clean.status();
  EXPECT_EQ(clean->good, 3u) << "two records and the incarnation";
  EXPECT_EQ(clean->bad, 0u);
  PutRaw(dir_, "b", "");
  PutRaw(dir_, "c", "\x01zzzz and so on");
  std::string log = ReadAll(FileWith(".log"));
  auto report = CheckStore(options());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->good, 3u);
  ASSERT_EQ(report->bad, 2u);
  EXPECT_EQ(report->records[0].key, "b");
  EXPECT_EQ(report->records[1].key, "c");
  EXPECT_EQ(ReadAll(FileWith(".log")), log);
  EXPECT_FALSE(CheckStore({.dir = dir_ + "/missing"}).ok());
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/missing"));
}

TEST_F(RocksDbStoreTest, StoreWithoutIncarnationIsAnUnfinishedRestore) {
  PutRaw(dir_, "a", Seal("a", "1"));
  EXPECT_EQ(CodeOf(RocksDbStore::Open(options()).status()), "RESTORE_UNFINISHED");
}

TEST_F(RocksDbStoreTest, ManyWaitingCommitsShareASync) {
  UnsyncedEnv power;
  auto store = *RocksDbStore::Open({.dir = dir_, .env = power.env()});
  auto shard = *store->Acquire(ShardId{0});
  // The thread is held in a callback while the others queue up.
  absl::Notification go;
  shard->Commit({}, [&](absl::Status) { go.WaitForNotification(); });
  const int commits = 500;
  std::atomic<int> good = 0;
  for (int i = 0; i < commits; ++i) {
    shard->Commit({Transaction{{Op{std::to_string(i), "x"}}}}, [&](absl::Status s) { good += s.ok() ? 1 : 0; });
  }
  size_t before = power.syncs();
  go.Notify();
  absl::Notification finished;
  shard->Commit({}, [&](absl::Status) { finished.Notify(); });
  finished.WaitForNotification();
  EXPECT_EQ(good, commits);
  EXPECT_LE(power.syncs() - before, 3u);
}

TEST_F(RocksDbStoreTest, EmptyCommitCostsNoSync) {
  UnsyncedEnv power;
  auto store = *RocksDbStore::Open({.dir = dir_, .env = power.env()});
  auto shard = *store->Acquire(ShardId{0});
  size_t before = power.syncs();
  ASSERT_TRUE(Commit(*shard, {}).ok());
  EXPECT_EQ(power.syncs(), before);
}

// Lives of a store that each end with a power cut.
class PowerLossTest : public RocksDbStoreTest {
 protected:
  // Random transactions on few keys; "n" counts them, so that each state is known by its number.
  std::vector<Op> RandomOps(Values* state) {
    std::vector<Op> ops;
    for (size_t i = rng_() % 8; i > 0; --i) {
      std::string key = "k" + std::to_string(rng_() % 20);
      if (rng_() % 3 == 0) {
        ops.push_back({key, std::nullopt});
        state->erase(key);
      } else {
        std::string value(rng_() % 3000, static_cast<char>('a' + rng_() % 26));
        ops.push_back({key, value});
        (*state)[key] = value;
      }
    }
    ops.push_back({"n", std::to_string(++number_)});
    (*state)["n"] = std::to_string(number_);
    return ops;
  }

  // Commits up to 40 times, and fails as the round wants. Returns all states from the last acknowledged one on.
  std::vector<Values> Live(UnsyncedEnv& power, Values state) {
    std::vector<Values> states = {state};
    std::atomic<size_t> acknowledged = 0;
    std::atomic<bool> failed = false;
    auto store = RocksDbStore::Open({.dir = dir_, .env = power.env(), .memtable_bytes = 64 << 10});
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return states;
    auto shard = *(*store)->Acquire(ShardId{0});
    size_t commits = 1 + rng_() % 40;
    size_t cut_at = rng_() % commits;
    if (rng_() % 3 == 0) power.FailSync(1 + rng_() % 10);
    for (size_t i = 0; i < commits; ++i) {
      std::vector<Op> ops = RandomOps(&state);
      states.push_back(state);
      shard->Commit({Transaction{std::move(ops)}}, [&, i](absl::Status status) {
        if (!status.ok()) failed = true;
        EXPECT_FALSE(failed && status.ok()) << "a commit behind a failed one was acknowledged";
        if (status.ok()) acknowledged = i + 1;
      });
      if (i == cut_at) power.CutPower();
      if (rng_() % 4 == 0) {
        bool good = Commit(*shard, {}).ok();
        EXPECT_EQ(good, !failed);
      }
    }
    shard = nullptr;
    store->reset();
    power.FailSync(0);
    acknowledged_ += acknowledged;
    states.erase(states.begin(), states.begin() + static_cast<std::ptrdiff_t>(acknowledged));
    return states;
  }

  std::mt19937_64 rng_{20240607};
  uint64_t number_ = 0;
  uint64_t acknowledged_ = 0;
};

TEST_F(PowerLossTest, AcknowledgedCommitsSurviveAndEachIsWhole) {
  UnsyncedEnv power;
  Values state;
  uint64_t lost = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Values> allowed = Live(power, state);
    lost += power.DropUnsynced(rng_);
    auto store = RocksDbStore::Open({.dir = dir_, .env = power.env(), .memtable_bytes = 64 << 10});
    ASSERT_TRUE(store.ok()) << "round " << round << ": " << store.status();
    state.clear();
    absl::Status loaded = Load(**store, &state);
    ASSERT_TRUE(loaded.ok()) << "round " << round << ": " << loaded;
    ASSERT_THAT(allowed, ::testing::Contains(state)) << "round " << round << ", n is " << state["n"] << " of "
                                                     << allowed.front()["n"] << " to " << allowed.back()["n"];
  }
  EXPECT_GT(acknowledged_, 300u);
  EXPECT_GT(lost, 0u) << "nothing was ever lost: the test tests nothing";
}

TEST_F(PowerLossTest, CommitsAfterAFailedSyncAndAcquireSurvive) {
  size_t failed = 0;
  for (size_t n = 1; n <= 20; ++n) {
    UnsyncedEnv power;
    std::filesystem::remove_all(dir_);
    auto store = *RocksDbStore::Open({.dir = dir_, .env = power.env()});
    auto shard = *store->Acquire(ShardId{0});
    power.FailSync(n);
    Values want;
    for (size_t i = 0; i < 30; ++i) {
      std::string key = "k" + std::to_string(i);
      absl::Status status = Commit(*shard, {{key, "x"}});
      if (!status.ok()) {
        EXPECT_EQ(CodeOf(status), "STORE_FAILED");
        ++failed;
        auto again = store->Acquire(ShardId{0});
        ASSERT_TRUE(again.ok()) << again.status();
        shard = *std::move(again);
        ASSERT_TRUE(Commit(*shard, {{key, "x"}}).ok());
      }
      want[key] = "x";
    }
    power.CutPower();
    shard = nullptr;
    store = nullptr;
    power.DropUnsynced(rng_);
    Values values;
    store = *RocksDbStore::Open({.dir = dir_, .env = power.env()});
    ASSERT_TRUE(Load(*store, &values).ok());
    EXPECT_EQ(values, want) << n;
  }
  EXPECT_GT(failed, 0u) << "no commit ever failed: the test tests nothing";
}

}  // namespace
}  // namespace gnomon
