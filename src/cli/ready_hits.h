// SPDX-License-Identifier: Apache-2.0
//
// ReadyHits counts the hits of a network whose shadow had been held for a lead when it was taken.
//
// A shadow that needs a lead to be made ready, for a conflict probe or a DNS record, saves a creation that time only if
// it was reserved so long before. ReadyHits follows the network's watch and compares the times of its records, which
// are the server's.
//
// Example:
//   ReadyHits ready(client_options, "prod", absl::Seconds(3));
//   GNOMON_RETURN_IF_ERROR(ready.Start());                      // then send creations
//   GNOMON_ASSIGN_OR_RETURN(int64_t hits, ready.CountOf(10));   // of the 10 hits that there were
//
// Threads: Start, CountOf and the destructor from one, count() from any; one of its own.
// Errors: those of ApiClient; SERVER_TIMEOUT if not all hits are seen within the client's timeout.
// Limits: what is taken for one instance after another of it counts once, as the two addresses of a dual-stack one do.
// Memory: 100 bytes a shadow.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/api_client.h"

namespace gnomon {

class ReadyHits {
 public:
  ReadyHits(HttpClientOptions client, std::string network, absl::Duration lead);
  ~ReadyHits();
  ReadyHits(const ReadyHits&) = delete;
  ReadyHits& operator=(const ReadyHits&) = delete;

  // Reads which shadows there are, and follows what becomes of them from then on.
  absl::Status Start();
  // Waits until `hits` were seen, and returns how many of them were ready. Nothing is followed any more.
  absl::StatusOr<int64_t> CountOf(int64_t hits);

  int64_t count() const { return ready_; }  // so far

 private:
  void See(const JsonValue& record);

  HttpClientOptions client_;
  const std::string network_;
  const absl::Duration lead_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<int64_t> ready_ = 0;
  absl::flat_hash_map<std::string, absl::Time> shadows_;  // since when, by address; the thread's once it runs
  std::string last_;  // instance that took one; the thread's

  absl::Mutex mutex_;
  int64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);  // once it has ended
  std::thread thread_;
};

}  // namespace gnomon
