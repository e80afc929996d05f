// SPDX-License-Identifier: Apache-2.0
#include "cli/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

absl::Status FileError(std::string_view what, const std::string& path) {
  return Error(absl::StatusCode::kUnknown, "FILE_FAILED",
               absl::StrCat("cannot ", std::string(what), " ", path, ": ", std::strerror(errno)));
}

}  // namespace

WholeFile::WholeFile(const std::string& path) : path_(path), temporary_(absl::StrCat(path, ".part-", getpid())) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    begun_ = Error(absl::StatusCode::kInvalidArgument, "FILE_FAILED", absl::StrCat(path, " is there and is not a file"))
                 .Field("file")
                 .Value(path)
                 .Hint("name a file that is new, or one to replace");
    return;
  }
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor_ < 0) begun_ = FileError("create", temporary_);
}

WholeFile::~WholeFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

absl::Status WholeFile::Append(std::string_view piece) {
  GNOMON_RETURN_IF_ERROR(begun_);
  while (!piece.empty()) {
    const ssize_t written = write(descriptor_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", temporary_);
    piece.remove_prefix(written);
    bytes_ += written;
  }
  return absl::OkStatus();
}

absl::Status WholeFile::Finish() {
  GNOMON_RETURN_IF_ERROR(begun_);
  if (fsync(descriptor_) != 0) return FileError("sync", temporary_);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return FileError("rename to", path_);
  close(std::exchange(descriptor_, -1));
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int opened = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0 || fsync(opened) != 0) return FileError("sync the folder of", path_);
  close(opened);
  return absl::OkStatus();
}

}  // namespace gnomon
