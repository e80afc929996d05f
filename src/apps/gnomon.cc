// SPDX-License-Identifier: Apache-2.0
//
// gnomon, the command line client of gnomond.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/cli.h"

namespace {

// Becomes the program `words[0]`; returns only if that fails.
absl::Status Become(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::cout.flush();
  execv(arguments[0], arguments.data());
  return gnomon::Error(absl::StatusCode::kUnknown, "NO_GNOMOND",
                       absl::StrCat("cannot start ", words[0], ": ", std::strerror(errno)))
      .Hint("gnomond belongs in the same folder as gnomon");
}

std::atomic<bool> stopped = false;

const std::atomic<bool>* UntilStopped() {
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = true; });
  return &stopped;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader or a server that is gone becomes an error, which is told
  std::error_code failed;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  gnomon::SystemClock clock;
  gnomon::Console console{.out = std::cout,
                          .err = std::cerr,
                          .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                          .err_is_terminal = isatty(STDERR_FILENO) == 1,
                          .clock = clock,
                          .program_folder = failed ? "." : self.parent_path().string(),
                          .become = Become,
                          .until_stopped = UntilStopped};
  return gnomon::RunCli(std::vector<std::string>(argv + 1, argv + argc), console);
}
