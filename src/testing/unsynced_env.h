// SPDX-License-Identifier: Apache-2.0
//
// An UnsyncedEnv is a rocksdb::Env that knows what was synced, so that a test can cut the power.
//
// Example:
//   UnsyncedEnv power;
//   auto store = RocksDbStore::Open({.dir = dir, .env = power.env()});
//   ...
//   power.CutPower();          // from here on nothing reaches the disk
//   store = nullptr;
//   power.DropUnsynced(rng);   // every file keeps what was synced, and a random part of the rest
//
// It models: bytes behind the last sync of their file are lost, from some point on; a file whose directory was not
// synced
//   since it was made is lost whole; after a failed sync the file's unsynced bytes never become durable, even if a
//   later sync succeeds (as Linux does: the pages are marked clean). What changes in a directory reaches the disk in
//   order (as the journals of ext4, XFS and Btrfs have it), and the replacing of a file at once, with all before it. It
//   does not model: bytes written out of order, a deletion or the replacing of a file that is undone.
// Threads: any, but for DropUnsynced, which wants all files closed. Cost: real files; syncs cost nothing.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace gnomon {

// What the disk has of each file, and when it fails.
class PowerState {
 public:
  struct File {
    uint64_t size = 0;
    uint64_t synced = 0;
    bool linked = false;        // its directory was synced
    bool marked_clean = false;  // a sync of it failed
  };

  bool HasPower() const {
    absl::MutexLock lock(&mutex_);
    return power_;
  }
  void SetPower(bool power) {
    absl::MutexLock lock(&mutex_);
    power_ = power;
  }
  void FailSync(size_t n) {
    absl::MutexLock lock(&mutex_);
    fail_sync_in_ = n;
  }
  size_t syncs() const {
    absl::MutexLock lock(&mutex_);
    return syncs_;
  }

  void Create(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    bool linked = files_.contains(name) && files_[name].linked;
    files_[name] = File{0, 0, linked, false};
  }
  void Append(const std::string& name, uint64_t bytes) {
    absl::MutexLock lock(&mutex_);
    files_[name].size += bytes;
  }
  void Resize(const std::string& name, uint64_t bytes) {
    absl::MutexLock lock(&mutex_);
    files_[name].size = bytes;
    files_[name].synced = std::min(files_[name].synced, bytes);
  }
  bool Sync(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    File& file = files_[name];
    ++syncs_;
    if (!power_) return false;
    if (fail_sync_in_ > 0 && --fail_sync_in_ == 0) {
      file.marked_clean = true;
      return false;
    }
    if (!file.marked_clean) file.synced = file.size;
    return true;
  }
  bool SyncDirectory(const std::string& directory) {
    absl::MutexLock lock(&mutex_);
    if (power_) LinkAll(directory);
    return power_;
  }
  void Rename(const std::string& from, const std::string& to) {
    absl::MutexLock lock(&mutex_);
    bool replaces = files_.contains(to) && files_[to].linked;
    if (replaces) LinkAll(std::filesystem::path(to).parent_path());
    File file = files_[from];
    file.linked = replaces;
    files_.erase(from);
    files_[to] = file;
  }
  void Delete(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    files_.erase(name);
  }

  // Returns how many bytes were lost.
  uint64_t Drop(std::mt19937_64& rng) {
    absl::MutexLock lock(&mutex_);
    uint64_t lost = 0;
    for (auto it = files_.begin(); it != files_.end();) {
      auto& [name, file] = *it;
      uint64_t kept = file.synced + (rng() % 2 == 0 ? 0 : rng() % (file.size - file.synced + 1));
      bool stays = file.linked || rng() % 2 == 0;
      lost += stays ? file.size - kept : file.size;
      std::error_code error;
      if (stays) {
        std::filesystem::resize_file(name, kept, error);
        file = File{kept, kept, true, false};
        ++it;
      } else {
        std::filesystem::remove(name, error);
        it = files_.erase(it);
      }
      GNOMON_CHECK(!error);
    }
    return lost;
  }

 private:
  void LinkAll(const std::filesystem::path& directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (auto& [name, file] : files_) {
      if (std::filesystem::path(name).parent_path() == directory) file.linked = true;
    }
  }

  mutable absl::Mutex mutex_;
  std::map<std::string, File> files_ ABSL_GUARDED_BY(mutex_);
  bool power_ ABSL_GUARDED_BY(mutex_) = true;
  size_t fail_sync_in_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
};

inline rocksdb::IOStatus NoPower() {
  return rocksdb::IOStatus::IOError("the power is off, or a sync was told to fail");
}

class UnsyncedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  UnsyncedFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, PowerState& state)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), state_(state) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (!state_.HasPower()) return NoPower();
    rocksdb::IOStatus appended = target()->Append(data, options, debug);
    if (appended.ok()) state_.Append(name_, data.size());
    return appended;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Truncate(uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
    if (!state_.HasPower()) return NoPower();
    rocksdb::IOStatus truncated = target()->Truncate(size, options, debug);
    if (truncated.ok()) state_.Resize(name_, size);
    return truncated;
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return state_.Sync(name_) ? rocksdb::IOStatus::OK() : NoPower();
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return Sync(options, debug);
  }
  rocksdb::IOStatus RangeSync(uint64_t, uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();  // a hint, promises nothing
  }
  rocksdb::IOStatus Allocate(uint64_t, uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::string name_;
  PowerState& state_;
};

class UnsyncedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  UnsyncedDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, std::string name, PowerState& state)
      : FSDirectoryWrapper(std::move(directory)), name_(std::move(name)), state_(state) {}

  rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
    return state_.SyncDirectory(name_) ? rocksdb::IOStatus::OK() : NoPower();
  }
  rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                                        const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  const std::string name_;
  PowerState& state_;
};

class UnsyncedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  UnsyncedFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "UnsyncedFileSystem"; }
  PowerState& state() { return state_; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    if (!state_.HasPower()) return NoPower();
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus made = target()->NewWritableFile(name, options, &file, debug);
    if (!made.ok()) return made;
    state_.Create(name);
    *result = std::make_unique<UnsyncedFile>(std::move(file), name, state_);
    return made;
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>*, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("not modelled");
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string&, const std::string&, const rocksdb::FileOptions&,
                                      std::unique_ptr<rocksdb::FSWritableFile>*, rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("not modelled");
  }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    rocksdb::IOStatus opened = target()->NewDirectory(name, options, &directory, debug);
    if (opened.ok()) *result = std::make_unique<UnsyncedDirectory>(std::move(directory), name, state_);
    return opened;
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (!state_.HasPower()) return NoPower();
    rocksdb::IOStatus deleted = target()->DeleteFile(name, options, debug);
    if (deleted.ok()) state_.Delete(name);
    return deleted;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (!state_.HasPower()) return NoPower();
    rocksdb::IOStatus renamed = target()->RenameFile(from, to, options, debug);
    if (renamed.ok()) state_.Rename(from, to);
    return renamed;
  }

 private:
  PowerState state_;
};

class UnsyncedEnv {
 public:
  UnsyncedEnv() : files_(std::make_shared<UnsyncedFileSystem>()), env_(rocksdb::NewCompositeEnv(files_)) {}

  rocksdb::Env* env() { return env_.get(); }

  // Every write, sync, deletion and rename fails from now on and has no effect.
  void CutPower() { files_->state().SetPower(false); }

  // What a power loss does to the files, which must be closed; then the power is back. Returns the lost bytes.
  uint64_t DropUnsynced(std::mt19937_64& rng) {
    uint64_t lost = files_->state().Drop(rng);
    files_->state().SetPower(true);
    return lost;
  }

  // The n-th sync of a file from now on fails (1: the next). 0 takes it back.
  void FailSync(size_t n) { files_->state().FailSync(n); }

  size_t syncs() const { return files_->state().syncs(); }

 private:
  std::shared_ptr<UnsyncedFileSystem> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace gnomon
