// SPDX-License-Identifier: Apache-2.0
//
// A WholeFile appears under its name only when all of it is on disk; until then, and after an error, it does not exist.
//
// A file of that name is replaced; a device, a pipe or a folder is not.
//
// Errors: INVALID_ARGUMENT or UNKNOWN (FILE_FAILED), of Append and Finish; the first Append also says whether it could
// be begun.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace gnomon {

class WholeFile {
 public:
  explicit WholeFile(const std::string& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  absl::Status Append(std::string_view piece);
  // Syncs it, gives it its name, syncs the folder.
  absl::Status Finish();

  int64_t bytes() const { return bytes_; }

 private:
  const std::string path_, temporary_;
  int descriptor_ = -1;
  absl::Status begun_;
  int64_t bytes_ = 0;
};

}  // namespace gnomon
