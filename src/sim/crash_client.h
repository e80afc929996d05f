// SPDX-License-Identifier: Apache-2.0
//
// A CrashClient is one client of a network that asks for random things, and tells the history what it was told.
//
// What was not answered it asks again before anything else of that instance, in the next round too.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "sim/history.h"
#include "sim/network_client.h"

namespace gnomon {

// Of all that was acknowledged; `refused` and `unanswered` beside it.
struct CrashCounts {
  uint64_t creations = 0, batches = 0, repeats = 0, releases = 0, preserves = 0, reassigns = 0, predictions = 0;
  uint64_t reads = 0, refused = 0, unanswered = 0;
  CrashCounts& operator+=(const CrashCounts& other);
  uint64_t writes() const { return creations + releases + preserves + reassigns + predictions; }
};

class CrashClient {
 public:
  // `history` outlives it. `number` makes its ids its own.
  CrashClient(History* history, std::string network, int number, uint64_t seed);

  // Until `stop`.
  void Run(const std::string& server, const absl::Notification& stop);
  const CrashCounts& counts() const { return counts_; }
  // Its instances are gone: someone else has released them.
  void Forget();

 private:
  enum class Kind { kCreate, kRelease, kReassign };
  struct Asked {
    Kind kind = Kind::kCreate;
    std::vector<Wish> wishes = {};
    std::string id = {};
    bool preserve = false;
    Ip address = {};
  };
  enum class Outcome { kDone, kRefused, kNotDone, kUnknown };

  Outcome OutcomeOf(const absl::Status& status);
  // False: it was not answered, and has to be asked again.
  bool Ask(const Asked& asked);
  bool AskCreate(const Asked& asked);
  bool AskRelease(const Asked& asked);
  bool AskReassign(const Asked& asked);
  bool Settle(const Asked& asked);  // a reassign that was in doubt and is refused now: what is there counts
  void AskRandom();
  Asked NewCreate();
  void Read();
  void Predict();
  void EndPreserve();
  std::string NewId();
  uint64_t Random(uint64_t n) { return rng_() % n; }

  static constexpr size_t kMaxHeld = 5;

  History* const history_;
  const std::string network_;
  const int number_;
  std::mt19937_64 rng_;
  std::unique_ptr<NetworkClient> client_;
  std::vector<Wish> held_;
  std::vector<Asked> doubts_;
  uint64_t ids_ = 0;
  CrashCounts counts_;
};

}  // namespace gnomon
