// SPDX-License-Identifier: Apache-2.0
//
// A TempFolder is a new folder, which goes with all that is in it.
//
// Tests run side by side, each in a process of its own: a file of a fixed name outside of such a folder is another's too.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace gnomon {

class TempFolder {
 public:
  TempFolder() : path_(testing::TempDir() + "gnomon-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gnomon
