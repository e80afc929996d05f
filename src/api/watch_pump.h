// SPDX-License-Identifier: Apache-2.0
//
// A WatchPump sends the changes of networks to all clients that watch them, on one thread.
//
// NDJSON, a line a change, or Server-Sent Events with the revision as their id. Nothing is kept for a slow client beyond its
// stream's buffer: it goes on from its own position in the network's EventLog, and when it has fallen behind that, its last
// event is an error that tells it to list again.
//
// Threads: Add from any.
// Limits: kMaxWatches clients; a heartbeat each `heartbeat`, to those that nothing waits to be sent to.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/encode.h"
#include "api/http_server.h"
#include "service/service.h"

namespace gnomon {

class WatchPump {
 public:
  static constexpr size_t kMaxWatches = 1000;
  static constexpr absl::Duration kHeartbeat = absl::Seconds(15);

  enum class Format { kNdjson, kSse };
  struct Watch {
    std::string network;
    WatchView view = {};
    std::map<PoolId, PoolConfig> pools = {};  // of the network, at the view's revision or later
    Format format = Format::kNdjson;
  };

  WatchPump(const Service* service, absl::Duration heartbeat);
  ~WatchPump();
  WatchPump(const WatchPump&) = delete;
  WatchPump& operator=(const WatchPump&) = delete;

  bool Full() const { return count_ >= kMaxWatches; }
  void Add(Watch watch, HttpStream stream);

 private:
  struct Client {
    Watch watch;
    HttpStream stream;
    EventLog::Token token = 0;
    uint64_t position = 0;
    std::string pending;  // framed, and refused by the stream so far
  };
  using Id = uint64_t;

  void Run();
  bool Pump(Id id, Client* client);  // false: it is gone
  std::string Heartbeat(const Client& client) const;
  bool SendPending(Id id, Client* client);
  std::string Render(Client* client, const EventLog::Event& event) const;  // empty: of no interest to watchers
  std::string Frame(const Client& client, uint64_t revision, const std::string& json) const;
  void MarkDirty(Id id);

  const Service* const service_;
  const absl::Duration heartbeat_;
  const Encoder encoder_;
  std::atomic<size_t> count_{0};

  // Of the thread.
  std::map<Id, std::unique_ptr<Client>> clients_;

  absl::Mutex mutex_;
  std::set<Id> dirty_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Id, std::unique_ptr<Client>>> added_ ABSL_GUARDED_BY(mutex_);
  Id next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace gnomon
