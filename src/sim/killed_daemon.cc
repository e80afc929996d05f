// SPDX-License-Identifier: Apache-2.0
#include "sim/killed_daemon.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"

namespace gnomon {

absl::StatusOr<std::string> KilledDaemon::Start() {
  int pipe[2];
  if (pipe2(pipe, O_CLOEXEC) != 0) return absl::InternalError("no pipe");
  const std::string log = folder_ + "/gnomond.log", data = folder_ + "/data";
  const char* const arguments[] = {program_.c_str(), "--listen", "127.0.0.1:0", "--data-dir", data.c_str(),
                                   "--shards",       "2",        nullptr};
  process_ = fork();
  if (process_ == 0) {  // nothing but system calls until the program is replaced
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipe[1], STDOUT_FILENO);
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, STDERR_FILENO);
    execv(program_.c_str(), const_cast<char* const*>(arguments));
    _exit(127);
  }
  close(pipe[1]);
  output_ = pipe[0];
  if (process_ < 0) return absl::InternalError("no process");
  const std::string before = "listening on ";
  std::string text;
  char byte;
  while (read(output_, &byte, 1) == 1 && byte != '\n') text += byte;
  if (text.rfind(before, 0) == 0) return text.substr(before.size());
  return absl::InternalError(absl::StrCat(program_, " ended; see ", log));
}

void KilledDaemon::Crash() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (output_ >= 0) close(output_);
  process_ = output_ = -1;
}

}  // namespace gnomon
