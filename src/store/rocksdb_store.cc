// SPDX-License-Identifier: Apache-2.0
#include "store/rocksdb_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "rocksdb/write_batch.h"
#include "store/envelope.h"

namespace gnomon {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

bool IsEmpty(rocksdb::DB& db) {
  std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(rocksdb::ReadOptions()));
  it->SeekToFirst();
  return !it->Valid() && it->status().ok();
}

// The incarnation that is in the store; a new one, stored first, if the store is empty.
absl::StatusOr<uint64_t> ReadIncarnation(rocksdb::DB& db, const std::string& dir) {
  std::string stored;
  rocksdb::Status got = db.Get(rocksdb::ReadOptions(), ToSlice(kIncarnationKey), &stored);
  if (got.ok()) {
    GNOMON_ASSIGN_OR_RETURN(std::string_view value, Unseal(kIncarnationKey, stored));
    if (value.size() != 8) return CorruptRecord(kIncarnationKey, "is not 8 bytes long");
    return ReadU64(value);
  }
  if (!got.IsNotFound()) return Translate(got, absl::StrCat("reading the incarnation of ", dir));
  if (!IsEmpty(db)) {
    return Error(absl::StatusCode::kFailedPrecondition, "RESTORE_UNFINISHED",
                 absl::StrCat("the store ", dir, " has records but no incarnation"))
        .Hint("a restore was interrupted: empty the directory and run `gnomon restore` again");
  }
  uint64_t incarnation = NewIncarnation();
  std::string value;
  AppendU64(&value, incarnation);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  rocksdb::Status put = db.Put(synced, ToSlice(kIncarnationKey), Seal(kIncarnationKey, value));
  GNOMON_RETURN_IF_ERROR(Translate(put, absl::StrCat("making the store ", dir)));
  return incarnation;
}

// The last op of each key, in the order of the keys. A group is stored whole or not at all, so what its ops come to is
// all that counts; and a key's neighbours find their place in the memtable fast.
std::vector<const Op*> Outcome(const CommitQueue::Group& transactions) {
  std::vector<const Op*> ops;
  for (const Transaction* transaction : transactions) {
    for (const Op& op : transaction->ops) ops.push_back(&op);
  }
  std::stable_sort(ops.begin(), ops.end(), [](const Op* a, const Op* b) { return a->key < b->key; });
  size_t kept = 0;
  for (size_t i = 0; i < ops.size(); ++i) {
    if (i + 1 == ops.size() || ops[i]->key != ops[i + 1]->key) ops[kept++] = ops[i];
  }
  ops.resize(kept);
  return ops;
}

class RocksDbShard final : public ShardStore {
 public:
  // `db` is the store's member, which a reopening replaces.
  RocksDbShard(CommitQueue& queue, const std::unique_ptr<rocksdb::DB>& db, CommitQueue::Ticket ticket)
      : queue_(queue), db_(db), ticket_(ticket) {}

  absl::Status Load(std::string_view prefix, std::string_view from, KeyVisitor visitor) override {
    return queue_.Read([&]() -> absl::Status {
      GNOMON_RETURN_IF_ERROR(queue_.Check(ticket_));  // OK also means that db_ is open
      return VisitDatabase(*db_, prefix, from, visitor);
    });
  }

  void Commit(std::vector<Transaction> transactions, absl::AnyInvocable<void(absl::Status)> done) override {
    queue_.Enqueue(ticket_, std::move(transactions), std::move(done));
  }

 private:
  CommitQueue& queue_;
  const std::unique_ptr<rocksdb::DB>& db_;
  const CommitQueue::Ticket ticket_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(RocksDbOptions options) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::DB> db, OpenDatabase(options));
  GNOMON_ASSIGN_OR_RETURN(uint64_t incarnation, ReadIncarnation(*db, options.dir));
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(options), std::move(db), incarnation));
}

RocksDbStore::RocksDbStore(RocksDbOptions options, std::unique_ptr<rocksdb::DB> db, uint64_t incarnation)
    : options_(std::move(options)),
      incarnation_(incarnation),
      db_(std::move(db)),
      queue_([this](const CommitQueue::Group& group) { return Write(group); }, CommitQueue::Options{}) {}

absl::StatusOr<std::unique_ptr<ShardStore>> RocksDbStore::Acquire(ShardId shard) {
  GNOMON_ASSIGN_OR_RETURN(CommitQueue::Ticket ticket, queue_.Acquire(shard, [this] { return Reopen(); }));
  return std::make_unique<RocksDbShard>(queue_, db_, ticket);
}

absl::Status RocksDbStore::Snapshot(KeyVisitor visitor) {
  return queue_.ReadWhileOpen([&](absl::FunctionRef<absl::Status()> check) -> absl::Status {
    if (db_ == nullptr) {
      return Error(absl::StatusCode::kUnavailable, "STORE_FAILED",
                   absl::StrCat("the store ", options_.dir, " is closed"));
    }
    return VisitDatabase(*db_, "", "", [&](std::string_view key, std::string_view value) -> absl::Status {
      GNOMON_RETURN_IF_ERROR(check());
      return visitor(key, value);
    });
  });
}

absl::Status RocksDbStore::Write(const CommitQueue::Group& transactions) {
  rocksdb::WriteBatch batch;
  for (const Op* op : Outcome(transactions)) {
    rocksdb::Status added = op->value ? batch.Put(op->key, Seal(op->key, *op->value)) : batch.Delete(op->key);
    GNOMON_RETURN_IF_ERROR(Translate(added, "gathering a write"));
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return Translate(db_->Write(options, &batch), absl::StrCat("writing to the store ", options_.dir));
}

// RocksDB refuses writes after an error; closing and opening it anew also finds out what the disk really has.
absl::Status RocksDbStore::Reopen() {
  db_ = nullptr;  // frees the lock of the directory
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::DB> db, OpenDatabase(options_));
  GNOMON_ASSIGN_OR_RETURN(uint64_t incarnation, ReadIncarnation(*db, options_.dir));
  if (incarnation != incarnation_) {
    return Error(absl::StatusCode::kDataLoss, "STORE_CORRUPT",
                 absl::StrCat("the store ", options_.dir, " was replaced by another one while it was open"))
        .Hint("restart the daemon");
  }
  db_ = std::move(db);
  return absl::OkStatus();
}

absl::StatusOr<CheckReport> CheckStore(const RocksDbOptions& options) {
  rocksdb::Env* env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  GNOMON_RETURN_IF_ERROR(Translate(env->FileExists(options.dir + "/CURRENT"), "looking for a store to check"));
  rocksdb::FileLock* lock = nullptr;
  GNOMON_RETURN_IF_ERROR(Translate(env->LockFile(options.dir + "/LOCK", &lock), "locking the store to check"));
  absl::Cleanup unlock = [&] { env->UnlockFile(lock).PermitUncheckedError(); };

  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::DB> db, OpenDatabaseReadOnly(options));
  CheckReport report;
  auto add = [&](std::string_view key, std::string reason) {
    ++report.bad;
    if (report.records.size() < kMaxReportedRecords) {
      report.records.push_back({PrintableKey(key), std::move(reason)});
    }
  };
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(read));
  std::string last;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    last = it->key().ToString();
    absl::StatusOr<std::string_view> value = Unseal(last, {it->value().data(), it->value().size()});
    if (value.ok()) {
      ++report.good;
    } else {
      add(last, std::string(value.status().message()));
    }
  }
  // Behind a damaged block the walk cannot go on; the checksums of all files say more about it.
  if (!it->status().ok())
    add(last, absl::StrCat("everything behind this key is unreadable: ", it->status().ToString()));
  rocksdb::Status checksums = db->VerifyChecksum(read);
  if (!checksums.ok()) add(last, absl::StrCat("a file is damaged: ", checksums.ToString()));
  return report;
}

}  // namespace gnomon
