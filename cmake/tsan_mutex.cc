// SPDX-License-Identifier: Apache-2.0
//
// Tells ThreadSanitizer what Debian's Abseil orders: Abseil is not instrumented, and without this every absl::Mutex is
// a race.
//
// The linker's --wrap sends calls of the functions that are listed below here; cmake/Gnomon.cmake reads their names
// from this file. They are those of absl::debian3, the inline namespace of Debian 12, as the compiler mangles them.
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}

namespace {

// While Abseil runs, accesses are ignored: it calls the conditions of other threads too, of which ThreadSanitizer knows
// neither that the mutex is held nor by whom.
class Ignored {
 public:
  Ignored() { __tsan_ignore_thread_begin(); }
  ~Ignored() { __tsan_ignore_thread_end(); }
};

struct Acquires {
  explicit Acquires(const void* object) : address(const_cast<void*>(object)) {}
  ~Acquires() { __tsan_acquire(address); }
  void* address;
};

struct Releases {
  explicit Releases(const void* object) { __tsan_release(const_cast<void*>(object)); }
};

struct GivesUpMeanwhile {
  explicit GivesUpMeanwhile(const void* object) : released(object), acquires(object) {}
  Releases released;
  Acquires acquires;
};

}  // namespace

#define GNOMON_WRAP(name, result, parameters, arguments, Order, object) \
  extern "C" result __real_##name parameters;                           \
  extern "C" result __wrap_##name parameters {                          \
    Order order(object);                                                \
    Ignored ignored;                                                    \
    return __real_##name arguments;                                     \
  }

using absl::Condition, absl::CondVar, absl::Duration, absl::Mutex, absl::Notification;

GNOMON_WRAP(_ZN4absl7debian35Mutex4LockEv, void, (Mutex * m), (m), Acquires, m)
GNOMON_WRAP(_ZN4absl7debian35Mutex6UnlockEv, void, (Mutex * m), (m), Releases, m)
GNOMON_WRAP(_ZN4absl7debian35Mutex10ReaderLockEv, void, (Mutex * m), (m), Acquires, m)
GNOMON_WRAP(_ZN4absl7debian35Mutex12ReaderUnlockEv, void, (Mutex * m), (m), Releases, m)
GNOMON_WRAP(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, void, (Mutex * m, const Condition& c), (m, c),
            GivesUpMeanwhile, m)
GNOMON_WRAP(_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE, bool,
            (Mutex * m, const Condition& c, Duration most), (m, c, most), GivesUpMeanwhile, m)
GNOMON_WRAP(_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, void, (CondVar * v, Mutex* m), (v, m), GivesUpMeanwhile, m)
GNOMON_WRAP(_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE, bool,
            (CondVar * v, Mutex* m, Duration most), (v, m, most), GivesUpMeanwhile, m)
GNOMON_WRAP(_ZN4absl7debian312Notification6NotifyEv, void, (Notification * n), (n), Releases, n)
GNOMON_WRAP(_ZNK4absl7debian312Notification19WaitForNotificationEv, void, (const Notification* n), (n), Acquires, n)
GNOMON_WRAP(_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE, bool,
            (const Notification* n, Duration most), (n, most), Acquires, n)
