// SPDX-License-Identifier: Apache-2.0
#include "cli/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/sealed_state.h"
#include "base/state.h"
#include "cli/whole_file.h"

namespace gnomon {
namespace {

constexpr char kVersion = 1;  // of both files
constexpr size_t kLengthBytes = 4;
constexpr const char* kAnew = "remove the folder to learn anew";

absl::Status FileError(std::string_view what, const std::string& path) {
  return Error(absl::StatusCode::kUnknown, "FILE_FAILED",
               absl::StrCat("cannot ", std::string(what), " ", path, ": ", std::strerror(errno)))
      .Field("--state-dir")
      .Value(path);
}

// nullopt: there is no such file. One that cannot be read is an error: it must not be taken for none and written over.
absl::StatusOr<std::optional<std::string>> WholeText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return FileError("open", path);
  std::string text;
  char bytes[1 << 16];
  while (file.read(bytes, sizeof(bytes)) || file.gcount() > 0) text.append(bytes, static_cast<size_t>(file.gcount()));
  if (file.bad()) return FileError("read", path);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateFolder>> StateFolder::Open(const std::string& path, const std::string& network) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) {
    return Error(absl::StatusCode::kUnknown, "FILE_FAILED", absl::StrCat("cannot make ", path, ": ", failed.message()))
        .Field("--state-dir")
        .Value(path);
  }
  std::unique_ptr<StateFolder> folder(new StateFolder(path, network));
  GNOMON_RETURN_IF_ERROR(folder->Lock());
  return folder;
}

StateFolder::~StateFolder() {
  if (journal_ >= 0) close(journal_);
  if (lock_ >= 0) close(lock_);
}

absl::Status StateFolder::Lock() {
  const std::string lock = path_ + "/lock", journal = path_ + "/journal";
  lock_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return FileError("create", lock);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "STATE_IN_USE", absl::StrCat("another engine runs in ", path_))
        .Field("--state-dir")
        .Value(path_)
        .Hint("give each engine a folder of its own");
  }
  journal_ = open(journal.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  return journal_ < 0 ? FileError("create", journal) : absl::OkStatus();
}

absl::StatusOr<StateFolder::Contents> StateFolder::Read() {
  Contents contents;
  GNOMON_ASSIGN_OR_RETURN(const std::optional<std::string> text, WholeText(path_ + "/fleet"));
  if (!text) {
    GNOMON_RETURN_IF_ERROR(ClearJournal());  // what it holds would follow a fleet that is gone
    return contents;
  }
  const Unsealed unsealed = Unseal(*text);
  if (unsealed.damage != nullptr) {
    return Error(absl::StatusCode::kDataLoss, "ENGINE_STATE_CORRUPT", absl::StrCat(path_, "/fleet ", unsealed.damage))
        .Hint(kAnew);
  }
  if (unsealed.version != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "ENGINE_STATE_DIFFERS",
                 absl::StrCat(path_, "/fleet has version ", int{unsealed.version}, ", not ", int{kVersion}))
        .Hint(kAnew);
  }
  std::string network;
  StateReader reader(unsealed.state);
  reader(network, last_, contents.revision, contents.save);
  if (!reader.ok() || reader.left() != 0) {
    return Error(absl::StatusCode::kDataLoss, "ENGINE_STATE_CORRUPT", absl::StrCat(path_, "/fleet is no state"))
        .Hint(kAnew);
  }
  if (network != network_) {
    return Error(absl::StatusCode::kFailedPrecondition, "STATE_IN_USE",
                 absl::StrCat(path_, " holds what was learnt of network ", network))
        .Field("--state-dir")
        .Value(path_)
        .Hint("give each network a folder of its own");
  }
  GNOMON_RETURN_IF_ERROR(ReadJournal(&contents));
  wants_save_ = false;
  return contents;
}

// Of what follows a record that is not whole, nothing was answered for.
absl::Status StateFolder::ReadJournal(Contents* contents) {
  GNOMON_ASSIGN_OR_RETURN(const std::optional<std::string> text, WholeText(path_ + "/journal"));
  std::string_view left = text ? *text : std::string_view();
  const size_t size = left.size();
  while (left.size() >= kLengthBytes && left.size() - kLengthBytes >= ReadU32(left)) {
    const Unsealed record = Unseal(left.substr(kLengthBytes, ReadU32(left)));
    uint64_t number = 0;
    std::string revision, journal;
    StateReader reader(record.state);
    reader(number, revision, journal);
    if (record.damage != nullptr || record.version != kVersion || !reader.ok()) break;
    left.remove_prefix(kLengthBytes + ReadU32(left));
    if (number <= last_) continue;  // `fleet` was written since
    last_ = number;
    contents->revision = std::move(revision);
    contents->journal += journal;
  }
  journal_bytes_ = static_cast<int64_t>(size - left.size());
  if (ftruncate(journal_, journal_bytes_) != 0) wants_save_ = true;
  return absl::OkStatus();
}

absl::Status StateFolder::SetAside() {
  const std::string fleet = path_ + "/fleet", aside = path_ + "/fleet.unread";
  if (rename(fleet.c_str(), aside.c_str()) != 0) return FileError("rename", fleet);
  last_ = 0;
  wants_save_ = true;
  return ClearJournal();
}

absl::Status StateFolder::ClearJournal() {
  if (ftruncate(journal_, 0) != 0 || fdatasync(journal_) != 0) return FileError("clear", path_ + "/journal");
  journal_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status StateFolder::Append(const std::string& revision, const std::string& journal) {
  if (wants_save_) return absl::OkStatus();  // which holds this, too
  StateWriter writer;
  writer(last_ + 1, revision, journal);
  const std::string sealed = Seal(kVersion, writer.bytes());
  std::string record;
  AppendU32(&record, static_cast<uint32_t>(sealed.size()));
  record += sealed;
  if (absl::Status written = WriteRecord(record); !written.ok()) {
    wants_save_ = true;
    return written;
  }
  ++last_;
  journal_bytes_ += static_cast<int64_t>(record.size());
  if (journal_bytes_ > kMaxJournalBytes) wants_save_ = true;
  return absl::OkStatus();
}

absl::Status StateFolder::WriteRecord(std::string_view record) {
  while (!record.empty()) {
    const ssize_t written = write(journal_, record.data(), record.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path_ + "/journal");
    record.remove_prefix(static_cast<size_t>(written));
  }
  return fdatasync(journal_) == 0 ? absl::OkStatus() : FileError("sync", path_ + "/journal");
}

absl::Status StateFolder::Save(const std::string& revision, const std::string& saved) {
  wants_save_ = true;  // until it is done
  StateWriter writer;
  writer(network_, ++last_, revision, saved);  // a record whose Append failed may be there after all
  WholeFile file(path_ + "/fleet");
  GNOMON_RETURN_IF_ERROR(file.Append(Seal(kVersion, writer.bytes())));
  GNOMON_RETURN_IF_ERROR(file.Finish());
  GNOMON_RETURN_IF_ERROR(ClearJournal());
  wants_save_ = false;
  return absl::OkStatus();
}

}  // namespace gnomon
