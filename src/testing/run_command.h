// SPDX-License-Identifier: Apache-2.0
//
// RunCommand runs a command of the shell and tells how it ended and what it printed.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace gnomon {

struct Ran {
  int code = -1;
  std::string output;  // both
};

inline Ran RunCommand(const std::string& command) {
  Ran ran;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof(piece), pipe)) > 0;) ran.output.append(piece, got);
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

// The text of a file; empty if there is none.
inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace gnomon
