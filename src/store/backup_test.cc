// SPDX-License-Identifier: Apache-2.0
#include "store/backup.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/synchronization/notification.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/envelope.h"
#include "store/memory_store.h"
#include "store/rocksdb_store.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using Values = std::map<std::string, std::string>;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    file_ = dir_ + "/backup";
    target_.dir = dir_ + "/restored";
  }

  std::string Bytes() const {
    std::ifstream in(file_, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    return bytes.str();
  }
  void SetBytes(const std::string& bytes) const { std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes; }

  const TempFolder folder_;
  const std::string dir_ = folder_.path();
  std::string file_;
  RocksDbOptions target_;
  MemoryStore source_{std::make_shared<MemoryDisk>()};
};

void Fill(Store& store, const Values& values) {
  auto shard = *store.Acquire(ShardId{0});
  std::vector<Transaction> transactions;
  for (const auto& [key, value] : values) transactions.push_back(Transaction{{Op{key, value}}});
  absl::Notification finished;
  shard->Commit(std::move(transactions), [&](absl::Status status) {
    EXPECT_TRUE(status.ok()) << status;
    finished.Notify();
  });
  finished.WaitForNotification();
}

Values Read(Store& store) {
  Values values;
  EXPECT_TRUE(store
                  .Snapshot([&](std::string_view key, std::string_view value) {
                    values.emplace(key, value);
                    return absl::OkStatus();
                  })
                  .ok());
  return values;
}

Values ManyValues() {
  Values values = {
      {std::string("b\0\xff", 3), std::string("\0\n", 2)}, {"empty", ""}, {"large", std::string(900000, 'v')}};
  for (int i = 0; i < 5000; ++i) values["k" + std::to_string(i)] = std::string(1000, static_cast<char>(i));
  return values;
}

TEST_F(BackupTest, RestoredStoreHasTheSameRecordsAndANewIncarnation) {
  const Values values = ManyValues();
  Fill(source_, values);
  auto written = WriteBackup(source_, file_);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->records, values.size());
  EXPECT_EQ(written->bytes, std::filesystem::file_size(file_));
  EXPECT_EQ(written->incarnation, source_.incarnation());
  EXPECT_FALSE(std::filesystem::exists(file_ + ".partial"));
  EXPECT_EQ(std::filesystem::status(file_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  auto restored = RestoreBackup(file_, target_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->records, values.size());
  auto store = RocksDbStore::Open(target_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Read(**store), values);
  EXPECT_NE((*store)->incarnation(), source_.incarnation());
}

TEST_F(BackupTest, EmptyStoreCanBeSavedIntoAnEmptyExistingDirectory) {
  std::filesystem::create_directory(target_.dir);
  ASSERT_TRUE(WriteBackup(source_, file_).ok());
  ASSERT_TRUE(RestoreBackup(file_, target_).ok());
  auto store = RocksDbStore::Open(target_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_THAT(Read(**store), ::testing::IsEmpty());
}

TEST_F(BackupTest, FileHasTheBytesOfTheFormat) {
  MemoryStore store(std::make_shared<MemoryDisk>(0x1122334455667788));
  Fill(store, {{"key", "v"}});
  ASSERT_TRUE(WriteBackup(store, file_).ok());
  std::string want("GNOMONBK\x01\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11", 20);
  want += std::string("R\x03\0\0\0\x01\0\0\0keyv", 13);
  want += std::string("E\x01\0\0\0\0\0\0\0", 9);
  AppendU32(&want, Crc32(0, want));
  EXPECT_EQ(Bytes(), want);
}

TEST_F(BackupTest, AnyFlippedBitAndAnyCutIsRefusedAndLeavesNothing) {
  Fill(source_, {{"key", "value"}, {"other", "x"}});
  ASSERT_TRUE(WriteBackup(source_, file_).ok());
  const std::string whole = Bytes();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    SetBytes(damaged);
    EXPECT_FALSE(RestoreBackup(file_, target_).ok()) << "bit " << bit;
    ASSERT_FALSE(std::filesystem::exists(target_.dir)) << "bit " << bit;
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    SetBytes(whole.substr(0, size));
    EXPECT_EQ(CodeOf(RestoreBackup(file_, target_).status()), "BACKUP_CORRUPT") << "cut to " << size;
    ASSERT_FALSE(std::filesystem::exists(target_.dir));
  }
  SetBytes(whole + "x");
  EXPECT_EQ(CodeOf(RestoreBackup(file_, target_).status()), "BACKUP_CORRUPT");
  SetBytes(whole);
  EXPECT_TRUE(RestoreBackup(file_, target_).ok());
}

TEST_F(BackupTest, ErrorsSayWhatToDo) {
  struct Case {
    std::string name, bytes, want;
  };
  std::string newer("GNOMONBK\x02\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11", 20);
  const Case cases[] = {
      {"another file", std::string(100, 'x'), "BACKUP_CORRUPT"},
      {"a later format", newer, "BACKUP_TOO_NEW"},
      {"an empty file", "", "BACKUP_CORRUPT"},
  };
  for (const Case& c : cases) {
    SetBytes(c.bytes);
    auto checked = CheckBackup(file_);
    EXPECT_EQ(CodeOf(checked.status()), c.want) << c.name;
    EXPECT_FALSE(PartsOf(checked.status()).hint.empty()) << c.name;
  }
  EXPECT_EQ(CodeOf(CheckBackup(dir_ + "/missing").status()), "BACKUP_FAILED");
  EXPECT_EQ(CodeOf(WriteBackup(source_, dir_ + "/no/such/dir").status()), "BACKUP_FAILED");
}

TEST_F(BackupTest, RestoreIntoAStoreIsRefusedAndChangesNothing) {
  ASSERT_TRUE(WriteBackup(source_, file_).ok());
  {
    auto store = RocksDbStore::Open(target_);
    Fill(**store, {{"a", "1"}});
  }
  EXPECT_EQ(CodeOf(RestoreBackup(file_, target_).status()), "DATA_DIR_NOT_EMPTY");
  EXPECT_THAT(Read(**RocksDbStore::Open(target_)), ::testing::ElementsAre(::testing::Pair("a", "1")));
  EXPECT_EQ(CodeOf(RestoreBackup(file_, {.dir = file_}).status()), "DATA_DIR_NOT_EMPTY") << "a file is no directory";
}

// A store that can be read only in part.
class BrokenStore final : public Store {
 public:
  absl::StatusOr<std::unique_ptr<ShardStore>> Acquire(ShardId) override { return absl::UnimplementedError(""); }
  absl::Status Snapshot(KeyVisitor visitor) override {
    GNOMON_RETURN_IF_ERROR(visitor("a", "1"));
    return CorruptRecord("b", "is broken");
  }
  uint64_t incarnation() const override { return 1; }
};

TEST_F(BackupTest, FailedBackupKeepsTheFileBefore) {
  Fill(source_, {{"key", "value"}});
  ASSERT_TRUE(WriteBackup(source_, file_).ok());
  const std::string before = Bytes();
  BrokenStore broken;
  EXPECT_EQ(CodeOf(WriteBackup(broken, file_).status()), "STORE_CORRUPT");
  EXPECT_EQ(Bytes(), before);
  EXPECT_FALSE(std::filesystem::exists(file_ + ".partial"));
}

}  // namespace
}  // namespace gnomon
