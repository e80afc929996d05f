// SPDX-License-Identifier: Apache-2.0
//
// A PowerlessServer is all of the server inside this process, on a disk that loses every byte that was not synced.
//
// In a part of the rounds syncs fail too, while the server goes on.
// Threads: one; the server has its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "api/api.h"
#include "api/http_server.h"
#include "base/clock.h"
#include "engine/replenisher.h"
#include "service/service.h"
#include "sim/crash_rounds.h"
#include "store/rocksdb_store.h"
#include "testing/unsynced_env.h"

namespace gnomon {

class PowerlessServer final : public CrashingServer {
 public:
  explicit PowerlessServer(std::string folder) : folder_(std::move(folder)) {}
  ~PowerlessServer() override { Stop(); }

  absl::StatusOr<std::string> Start() override;
  void Disturb(std::mt19937_64& rng) override;
  void Crash() override { power_.CutPower(); }
  void Clear(std::mt19937_64& rng) override;

  uint64_t lost_bytes() const { return lost_bytes_; }
  uint64_t failed_syncs() const { return failed_syncs_; }

 private:
  void Stop();

  const std::string folder_;
  UnsyncedEnv power_;
  const SystemClock clock_;
  int starts_ = 0;
  uint64_t lost_bytes_ = 0, failed_syncs_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Replenisher> replenisher_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gnomon
