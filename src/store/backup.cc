// SPDX-License-Identifier: Apache-2.0
#include "store/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "rocksdb/write_batch.h"
#include "store/envelope.h"

namespace gnomon {
namespace {

constexpr std::string_view kMagic = "GNOMONBK";
constexpr uint32_t kVersion = 1;
constexpr char kRecord = 'R';
constexpr char kEnd = 'E';
constexpr size_t kBatchBytes = size_t{4} << 20;

absl::Status Failed(const std::string& path, const char* doing) {
  return Error(absl::StatusCode::kUnavailable, "BACKUP_FAILED",
               absl::StrCat(doing, " ", path, ": ", std::generic_category().message(errno)));
}

absl::Status Corrupt(const std::string& path, const std::string& why) {
  return Error(absl::StatusCode::kDataLoss, "BACKUP_CORRUPT", absl::StrCat("backup ", path, " ", why))
      .Hint("use another backup; nothing was restored from this one");
}

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

// Writes a file and keeps the checksum of all of it.
class Writer {
 public:
  Writer(FILE* file, const std::string& path) : file_(file), path_(path) {}

  absl::Status Append(std::string_view bytes) {
    crc_ = Crc32(crc_, bytes);
    written_ += bytes.size();
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return Failed(path_, "writing");
    return absl::OkStatus();
  }
  uint32_t crc() const { return crc_; }
  uint64_t written() const { return written_; }

 private:
  FILE* file_;
  const std::string& path_;
  uint32_t crc_ = 0;
  uint64_t written_ = 0;
};

// Reads a file and keeps the checksum of what was read.
class Reader {
 public:
  Reader(FILE* file, const std::string& path) : file_(file), path_(path) {}

  // Exactly `size` bytes; `into` keeps its memory from call to call.
  absl::Status Read(size_t size, std::string* into) {
    into->resize(size);
    size_t got = std::fread(into->data(), 1, size, file_);
    if (got != size) {
      if (std::ferror(file_) != 0) return Failed(path_, "reading");
      return Corrupt(path_, "ends too early: it was cut");
    }
    crc_ = Crc32(crc_, *into);
    read_ += size;
    return absl::OkStatus();
  }
  bool AtEnd() { return std::fgetc(file_) == EOF; }
  uint32_t crc() const { return crc_; }
  uint64_t read() const { return read_; }

 private:
  FILE* file_;
  const std::string& path_;
  uint32_t crc_ = 0;
  uint64_t read_ = 0;
};

absl::Status SyncDirectoryOf(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent.assign(1, '.');
  int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed(parent, "opening");
  absl::Cleanup close = [fd] { ::close(fd); };
  return ::fsync(fd) == 0 ? absl::OkStatus() : Failed(parent, "syncing");
}

absl::StatusOr<BackupSummary> WriteRecords(Store& store, FILE* file, const std::string& path) {
  Writer writer(file, path);
  BackupSummary summary{.incarnation = store.incarnation()};
  std::string frame(kMagic);
  AppendU32(&frame, kVersion);
  AppendU64(&frame, summary.incarnation);
  GNOMON_RETURN_IF_ERROR(writer.Append(frame));
  GNOMON_RETURN_IF_ERROR(store.Snapshot([&](std::string_view key, std::string_view value) -> absl::Status {
    frame.assign(1, kRecord);
    AppendU32(&frame, static_cast<uint32_t>(key.size()));
    AppendU32(&frame, static_cast<uint32_t>(value.size()));
    frame.append(key);
    ++summary.records;
    GNOMON_RETURN_IF_ERROR(writer.Append(frame));
    return writer.Append(value);
  }));
  frame.assign(1, kEnd);
  AppendU64(&frame, summary.records);
  GNOMON_RETURN_IF_ERROR(writer.Append(frame));
  frame.clear();
  AppendU32(&frame, writer.crc());
  GNOMON_RETURN_IF_ERROR(writer.Append(frame));
  summary.bytes = writer.written();
  return summary;
}

absl::StatusOr<BackupSummary> ReadHeader(Reader& reader, const std::string& path) {
  std::string bytes;
  GNOMON_RETURN_IF_ERROR(reader.Read(kMagic.size() + 4 + 8, &bytes));
  if (std::string_view(bytes).substr(0, kMagic.size()) != kMagic) return Corrupt(path, "is not a backup of gnomon");
  uint32_t version = ReadU32(std::string_view(bytes).substr(kMagic.size()));
  if (version != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "BACKUP_TOO_NEW",
                 absl::StrCat("backup ", path, " has format ", version, ", this program knows ", kVersion))
        .Hint("restore it with the program that wrote it");
  }
  return BackupSummary{.incarnation = ReadU64(std::string_view(bytes).substr(kMagic.size() + 4))};
}

absl::Status ReadRecord(Reader& reader, const std::string& path, std::string* key, std::string* value) {
  GNOMON_RETURN_IF_ERROR(reader.Read(8, key));
  uint32_t key_bytes = ReadU32(*key);
  uint32_t value_bytes = ReadU32(std::string_view(*key).substr(4));
  // Before any memory is asked for: the numbers may be damaged.
  if (key_bytes == 0 || key_bytes > kMaxKeyBytes || value_bytes > kMaxTransactionBytes) {
    return Corrupt(path, absl::StrCat("has an impossible record at byte ", reader.read() - 8));
  }
  GNOMON_RETURN_IF_ERROR(reader.Read(key_bytes, key));
  if ((*key)[0] == kReservedKeyByte) return Corrupt(path, "has a key that no backup has");
  return reader.Read(value_bytes, value);
}

absl::StatusOr<BackupSummary> VisitBackup(const std::string& path, KeyVisitor visitor) {
  File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return Failed(path, "opening");
  Reader reader(file.get(), path);
  GNOMON_ASSIGN_OR_RETURN(BackupSummary summary, ReadHeader(reader, path));
  std::string key;
  std::string value;
  while (true) {
    GNOMON_RETURN_IF_ERROR(reader.Read(1, &key));
    if (key[0] == kEnd) break;
    if (key[0] != kRecord) return Corrupt(path, absl::StrCat("has no record at byte ", reader.read() - 1));
    GNOMON_RETURN_IF_ERROR(ReadRecord(reader, path, &key, &value));
    ++summary.records;
    GNOMON_RETURN_IF_ERROR(visitor(key, value));
  }
  GNOMON_RETURN_IF_ERROR(reader.Read(8, &key));
  if (ReadU64(key) != summary.records) {
    return Corrupt(path, absl::StrCat("has ", summary.records, " records and claims ", ReadU64(key)));
  }
  uint32_t crc = reader.crc();
  GNOMON_RETURN_IF_ERROR(reader.Read(4, &key));
  if (ReadU32(key) != crc) return Corrupt(path, "has a wrong checksum");
  if (!reader.AtEnd()) return Corrupt(path, "goes on behind its end");
  summary.bytes = reader.read();
  return summary;
}

absl::StatusOr<BackupSummary> FillDatabase(const std::string& path, const RocksDbOptions& target) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::DB> db, OpenDatabase(target));
  rocksdb::WriteBatch batch;
  rocksdb::WriteOptions options;
  std::string doing = absl::StrCat("restoring into ", target.dir);
  absl::StatusOr<BackupSummary> summary =
      VisitBackup(path, [&](std::string_view key, std::string_view value) -> absl::Status {
        std::string sealed = Seal(key, value);
        rocksdb::Status put = batch.Put(rocksdb::Slice(key.data(), key.size()), sealed);
        if (put.ok() && batch.GetDataSize() >= kBatchBytes) {
          put = db->Write(options, &batch);
          batch.Clear();
        }
        return Translate(put, doing);
      });
  if (!summary.ok()) return summary;
  GNOMON_RETURN_IF_ERROR(Translate(db->Write(options, &batch), doing));
  GNOMON_RETURN_IF_ERROR(Translate(db->Flush(rocksdb::FlushOptions()), doing));
  // The incarnation comes last and synced: a store without one is an unfinished restore.
  std::string incarnation;
  AppendU64(&incarnation, NewIncarnation());
  options.sync = true;
  rocksdb::Slice key(kIncarnationKey.data(), kIncarnationKey.size());
  GNOMON_RETURN_IF_ERROR(Translate(db->Put(options, key, Seal(kIncarnationKey, incarnation)), doing));
  return summary;
}

}  // namespace

absl::StatusOr<BackupSummary> WriteBackup(Store& store, const std::string& path) {
  std::string partial = path + ".partial";
  // For the owner alone: it holds all that the store holds.
  int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Failed(partial, "making");
  File file(::fdopen(fd, "wb"), &std::fclose);
  if (file == nullptr) {
    ::close(fd);
    return Failed(partial, "opening");
  }
  absl::Cleanup remove = [&] { ::unlink(partial.c_str()); };
  absl::StatusOr<BackupSummary> summary = WriteRecords(store, file.get(), partial);
  if (!summary.ok()) return summary;
  if (std::fflush(file.get()) != 0) return Failed(partial, "writing");
  if (::fsync(fd) != 0) return Failed(partial, "syncing");
  if (std::fclose(file.release()) != 0) return Failed(partial, "closing");
  if (std::rename(partial.c_str(), path.c_str()) != 0) return Failed(path, "renaming to");
  std::move(remove).Cancel();
  GNOMON_RETURN_IF_ERROR(SyncDirectoryOf(path));
  return summary;
}

absl::StatusOr<BackupSummary> CheckBackup(const std::string& path) {
  return VisitBackup(path, [](std::string_view, std::string_view) { return absl::OkStatus(); });
}

absl::StatusOr<BackupSummary> RestoreBackup(const std::string& path, const RocksDbOptions& target) {
  std::error_code error;
  bool existed = std::filesystem::exists(target.dir, error);
  bool empty = !existed || std::filesystem::is_empty(target.dir, error);
  if (error || !empty) {
    return Error(absl::StatusCode::kFailedPrecondition, "DATA_DIR_NOT_EMPTY",
                 absl::StrCat("the directory ", target.dir, " is not an empty directory"))
        .Hint("restore into an empty directory; move the old one away rather than deleting it");
  }
  GNOMON_RETURN_IF_ERROR(CheckBackup(path).status());
  absl::StatusOr<BackupSummary> summary = FillDatabase(path, target);
  if (summary.ok()) return summary;
  // It was empty, so all that is in it is ours. The directory itself stays if it was there: it may be a mount.
  if (existed) {
    for (const auto& entry : std::filesystem::directory_iterator(target.dir, error)) {
      std::filesystem::remove_all(entry.path(), error);
    }
  } else {
    std::filesystem::remove_all(target.dir, error);
  }
  return summary;
}

}  // namespace gnomon
