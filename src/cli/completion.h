// SPDX-License-Identifier: Apache-2.0
//
// Completion scripts for bash, zsh and fish, generated from the tree of commands, so that they never lag behind it.
#pragma once

#include <string>
#include <string_view>

#include "CLI/CLI.hpp"

namespace gnomon {

// `shell` is bash, zsh or fish. `root` has all its commands.
std::string CompletionScript(const CLI::App& root, std::string_view shell);

}  // namespace gnomon
