// SPDX-License-Identifier: Apache-2.0
//
// A Session is what a command gets to work with: where to print, the flags that all commands share, and the server.
//
// Threads: one thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "client/api_client.h"

namespace gnomon {

// The world outside, handed in by apps/ and by tests.
struct Console {
  std::ostream& out;  // data
  std::ostream& err;  // messages
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  const Clock& clock;
  std::string program_folder = ".";  // where gnomond lies
  // Replaces this process by another program, given by its path and its arguments; returns only if it cannot.
  std::function<absl::Status(const std::vector<std::string>& words)> become = {};
  // From then on SIGINT and SIGTERM set what it returns instead of ending the program.
  std::function<const std::atomic<bool>*()> until_stopped = {};
};

struct Flags {
  std::string server = std::string(kDefaultServer);
  std::string token_file, ca_file, client_cert_file, client_key_file;
  std::string output = "table";  // table, json, yaml or name
  std::string timeout = "30s";
  std::string network;  // of the commands that work in one
};

// Whether all that was printed so far has left the process. Errors: OUTPUT_FAILED: the disk is full, or nobody reads.
absl::Status FlushOutput(std::ostream& out);

class Session {
 public:
  Session(const Console& console, const Flags& flags) : console_(console), flags_(flags) {}

  const Console& console() const { return console_; }
  const Flags& flags() const { return flags_; }
  std::ostream& out() const { return console_.out; }
  std::ostream& err() const { return console_.err; }
  bool colored() const;  // on a terminal and without NO_COLOR (no-color.org)

  // The network that the command is about, for the advice after a failure; without it, that of -n.
  void Concerns(const std::string& network) { network_ = network; }
  // The one instance that it is about.
  void ConcernsInstance(const std::string& instance) { instance_ = instance; }
  const std::string& instance() const { return instance_; }
  const std::string& network() const { return network_.empty() ? flags_.network : network_; }

  // How to reach the server; reads the token file. Errors: BAD_TOKEN_FILE, INVALID_DURATION, BAD_TIMEOUT.
  absl::StatusOr<HttpClientOptions> ClientOptions() const;
  // The session's client, made on the first call.
  absl::StatusOr<ApiClient*> Api();

 private:
  const Console& console_;
  const Flags& flags_;
  std::string network_;   // of Concerns()
  std::string instance_;  // of ConcernsInstance()
  std::unique_ptr<ApiClient> api_;
};

}  // namespace gnomon
