// SPDX-License-Identifier: Apache-2.0
//
// An EventLog is the recent durable changes of one network, for those who watch it.
//
// A watcher keeps its own position and reads on when it is woken, so a slow one costs nothing; one that falls behind the
// oldest change that is kept is told to list again.
//
// Threads: any. Limits: kMaxEvents, and kMaxBytes of them with their texts. Cost: Append and Read are linear in the changes that they handle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "ipam/changes.h"

namespace gnomon {

class EventLog {
 public:
  static constexpr size_t kMaxEvents = 16384;
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  using Token = uint64_t;

  struct Event {
    uint64_t revision;
    OwnedChange change;
  };

  // `revision`: of the network now; what was before is not known.
  explicit EventLog(uint64_t revision) : last_(revision) {}

  // The changes that led to `last`, each with a revision of its own. Wakes all watchers.
  void Append(uint64_t last, std::vector<OwnedChange> changes);
  // Forgets all: the network was loaded anew at `revision`, and some changes may have been missed. Wakes all watchers.
  void Reset(uint64_t revision);

  // At most `max` changes after revision `after`, oldest first. OUT_OF_RANGE WATCH_TOO_OLD if some of them are not kept any
  // more, or if `after` has not been reached.
  absl::StatusOr<std::vector<Event>> Read(uint64_t after, size_t max) const;

  // `wake` runs after each change, on the thread that made it, until Unsubscribe returns: it must be short, and must not call
  // this log.
  Token Subscribe(absl::AnyInvocable<void()> wake);
  void Unsubscribe(Token token);

 private:
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_);               // the revision of the last of events_, or of the last one dropped
  std::deque<OwnedChange> events_ ABSL_GUARDED_BY(mutex_);   // revisions last_ - size + 1 to last_
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;                 // of events_
  std::map<Token, absl::AnyInvocable<void()>> watchers_ ABSL_GUARDED_BY(mutex_);
  Token next_token_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace gnomon
