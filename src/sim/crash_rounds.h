// SPDX-License-Identifier: Apache-2.0
//
// CrashRounds lets many clients use a server that crashes at random moments, and checks what each restart finds.
//
// Threads: one; it makes the clients' itself. Errors: what broke a promise of the server is in the report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "sim/crash_client.h"
#include "sim/history.h"

namespace gnomon {

// A server that can be started again and again on the same store.
class CrashingServer {
 public:
  CrashingServer() = default;
  CrashingServer(const CrashingServer&) = delete;
  CrashingServer& operator=(const CrashingServer&) = delete;
  virtual ~CrashingServer() = default;

  virtual absl::StatusOr<std::string> Start() = 0;   // its URL
  virtual void Disturb(std::mt19937_64&) {}          // in the middle of a round
  virtual void Crash() = 0;                          // the clients are still asking
  virtual void Clear(std::mt19937_64&) {}            // they have stopped: take away what is left, and what was lost
};

struct CrashOptions {
  uint64_t seed = 1;
  int rounds = 6;
  int clients = 64;
  absl::Duration quarantine = absl::Seconds(2);
  absl::Duration longest_round = absl::Milliseconds(600);
  int rounds_a_drain = 25;                                 // after so many everything is released
  std::function<void(const std::string&)> progress = {};  // a line of text, may be empty
};

struct CrashReport {
  int rounds = 0;
  CrashCounts counts = {};
  uint64_t checked = 0;  // records, after restarts
  int counted = 0;       // times that the pools' counts were compared with the records
  int drains = 0;
  std::vector<std::string> failures = {};
  std::string ToString() const;
};

class CrashRounds {
 public:
  CrashRounds(CrashingServer* server, CrashOptions options);

  // Stops at the first round with a failure.
  CrashReport Run();

 private:
  struct Side {  // one network and its clients
    std::string network;
    std::unique_ptr<History> history;
    std::vector<std::unique_ptr<CrashClient>> clients;
  };

  absl::Status Prepare(const std::string& server);
  void Round(const std::string& server);
  void Check(const std::string& server, Side* side);
  // Free and held add up to each pool's capacity. Never still: not compared this time.
  absl::Status CheckCounts(NetworkClient* client, const SeenList& list);
  absl::Status Drain(const std::string& server, Side* side);
  absl::Status ReleaseAll(NetworkClient* client, Side* side);
  absl::Status AwaitAllFree(NetworkClient* client);
  bool Failed();
  CrashReport Report(int rounds);
  void Wait(absl::Duration time);

  CrashingServer* const server_;
  const CrashOptions options_;
  const SystemClock clock_;
  std::mt19937_64 rng_;
  std::vector<Side> sides_;
  std::vector<std::string> failures_;
  uint64_t checked_ = 0;
  int counted_ = 0;
  int drains_ = 0;
};

}  // namespace gnomon
