// SPDX-License-Identifier: Apache-2.0
//
// A History is what the clients of one network were told, and what may therefore never be seen again.
//
// A client says what it is about to ask, asks, and says what was answered. A request without an answer leaves its
// instance in doubt: either outcome is right, until a retry or a list tells.
//
// Time: the clock's, which must be the one the server reads. Every check errs on the server's side: a release counts
//   from when it was sent, an assignment until when it was answered.
// Threads: any; an instance is used by one thread at a time, and its id never again once it is gone.
// Limits: forgets nothing but instances that are gone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "sim/network_client.h"

namespace gnomon {

class History {
 public:
  // Of a request, before it is sent.
  struct Sent {
    absl::Time at = absl::InfinitePast();
    uint64_t revision = 0;  // the highest that anyone had seen
  };

  History(std::string network, absl::Duration quarantine, const Clock* clock)
      : network_(std::move(network)), quarantine_(quarantine), clock_(clock) {}

  Sent Send();

  // A creation of one instance or of a batch.
  Sent SendCreate(const std::vector<Wish>& wishes);
  void Created(const Sent& sent, const std::vector<Wish>& wishes, const std::vector<SeenInstance>& answer);
  void CreateRefused(const std::vector<Wish>& wishes);

  Sent SendRelease(const std::string& id, bool preserve);
  void Released(const Sent& sent, const std::string& id, bool preserve, const std::vector<SeenRecord>& answer);

  Sent SendReassign(const std::string& id, Ip address);
  void Reassigned(const Sent& sent, const std::string& id, Ip address, const SeenInstance& answer);
  void ReassignRefused(const std::string& id);

  Sent SendEndPreserve(Ip address);

  // Reads.
  void Saw(const Sent& sent, const SeenInstance& instance);  // of any client's
  void Saw(const Sent& sent, const SeenList& list);

  // All records, listed after a restart while no client asks anything.
  void CheckRestarted(const Sent& sent, const SeenList& list);

  std::vector<Ip> Addresses(const std::string& id) const;  // empty: not held, or in doubt
  std::vector<std::string> Ids() const;                    // held or in doubt
  std::optional<Ip> ClaimPreserved(uint64_t random);       // nobody else gets it
  void Fail(const std::string& what);
  std::vector<std::string> failures() const;

 private:
  enum class Doubt { kNone, kCreate, kRelease, kReassign };
  struct Instance {
    Wish wish = {};
    bool held = false;  // or was, before the doubt
    Doubt doubt = Doubt::kNone;
    std::string batch = {};  // the first id of its batch
    std::vector<Ip> addresses = {};
    std::string mac = {};
    uint64_t generation = 0;
    Ip reassigned_to = {};
  };
  struct Address {
    std::string holder = {};                            // for certain
    absl::Time released_after = absl::InfinitePast();   // the last release was applied later than this
    std::optional<SeenRecord> preserved = {};           // for certain
    bool may_be_preserved = false;                      // who names it needs no quarantine
    SeenRecord seen = {};                               // the newest
    absl::Time seen_at = absl::InfinitePast();
  };
  using ByInstance = std::map<std::string, std::vector<SeenRecord>>;

  void FailLocked(const std::string& what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Sent SendLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SawRevision(const Sent& sent, uint64_t revision) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SawRecord(const Sent& sent, const SeenRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Hold(const std::string& id, Ip address, absl::Time answered, bool by_name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LetGo(Ip address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Adopt(Instance* instance, const SeenInstance& answer, bool by_name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckInstance(const std::string& id, const Instance& instance, const std::vector<SeenRecord>& listed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckDoubtfulCreate(const std::string& id, const Instance& instance, const std::vector<SeenRecord>& listed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckBatches(const ByInstance& listed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // By a request in doubt that names the address: a preserved one is given to those alone.
  bool MayBeTaken(const SeenRecord* record) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckAddresses(const std::map<Ip, SeenRecord>& listed, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static constexpr absl::Duration kSlack = absl::Milliseconds(5);  // between two readings of the clock

  const std::string network_;
  const absl::Duration quarantine_;
  const Clock* const clock_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Instance> instances_ ABSL_GUARDED_BY(mutex_);
  std::map<Ip, Address> addresses_ ABSL_GUARDED_BY(mutex_);
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
