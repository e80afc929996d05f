// SPDX-License-Identifier: Apache-2.0
//
// MergeGithub reads [[signals.github]] of the configuration: which networks take webhooks, by which secret and rules.
//
// Errors: INVALID_ARGUMENT INVALID_SETTING, UNKNOWN_SETTING. Limits: kMaxGithubRules a network; a secret of
// kMinSecretBytes at least, read from its file at once, without the line's end.
// Threads: a function of its arguments and of files.
#pragma once

#include <toml++/toml.h>

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "signals/github_events.h"

namespace gnomon {

inline constexpr size_t kMaxGithubRules = 100;
inline constexpr size_t kMinSecretBytes = 16;

// Adds the networks of `node`, which is the value of signals.github.
absl::Status MergeGithub(const toml::node& node, std::vector<GithubSource>* sources);

}  // namespace gnomon
