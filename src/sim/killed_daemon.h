// SPDX-License-Identifier: Apache-2.0
//
// A KilledDaemon is the real gnomond as a process on a loopback port, ended by kill -9.
//
// Threads: one. Ownership: the process is killed with the object, and when this process dies.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "sim/crash_rounds.h"

namespace gnomon {

class KilledDaemon final : public CrashingServer {
 public:
  // Its log goes to `folder`/gnomond.log.
  KilledDaemon(std::string program, std::string folder) : program_(std::move(program)), folder_(std::move(folder)) {}
  ~KilledDaemon() override { Crash(); }

  absl::StatusOr<std::string> Start() override;
  void Crash() override;

 private:
  const std::string program_, folder_;
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace gnomon
