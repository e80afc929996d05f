// SPDX-License-Identifier: Apache-2.0
//
// A Daemon is the whole server: the store, the service, who refills and predicts its warm pools, and its API, built and
// connected.
//
// Threads: Start, Stop and the destructor from one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/api.h"
#include "api/audit_log.h"
#include "api/auth.h"
#include "api/config.h"
#include "api/http_server.h"
#include "base/clock.h"
#include "engine/predictor.h"
#include "engine/replenisher.h"
#include "service/metrics.h"
#include "service/service.h"
#include "signals/advisor.h"
#include "signals/document_store.h"
#include "signals/policy_shelf.h"
#include "signals/metric_book.h"
#include "signals/prometheus_poller.h"
#include "store/rocksdb_store.h"

namespace gnomon {

// Where a daemon with this configuration keeps its store, in its data folder.
RocksDbOptions StoreOptions(const Config& config);
// Makes the data folder. UNAVAILABLE DATA_DIR_FAILED.
absl::Status MakeDataDir(const Config& config);

class Daemon {
 public:
  static constexpr absl::Duration kDrain = absl::Seconds(10);  // what requests in progress have when it stops

  // Returns once it serves. Errors: those of the store, of Service::Start and of HttpServer::Start.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const Config& config, const std::string& version);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // "http://127.0.0.1:8080", "unix:/run/gnomon.sock", for each address that it listens on.
  std::vector<std::string> urls() const;

 private:
  Daemon(const Config& config, const std::string& version);

  absl::Status Open();
  absl::Status Serve();

  const Config config_;
  const std::string version_;
  const Gate gate_;
  const SystemClock real_;
  const ScaledClock fast_;
  const Clock* const clock_;  // one of the two
  Metrics metrics_;
  std::unique_ptr<AuditLog> audit_;  // nullptr: none is kept
  std::unique_ptr<RocksDbStore> store_;
  // Each is told of by what is below it, so it goes after that.
  std::unique_ptr<Replenisher> replenisher_;
  std::unique_ptr<Predictor> predictor_;
  std::unique_ptr<DocumentStore> documents_;
  std::unique_ptr<PolicyShelf> policies_;
  std::unique_ptr<MetricBook> metric_book_;
  std::vector<std::unique_ptr<PrometheusPoller>> pollers_;  // each tells the book
  std::unique_ptr<Receivers> receivers_;
  std::unique_ptr<Advisor> advisor_;  // tells the predictor; the predictor's replies come back to it
  std::unique_ptr<Api> api_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gnomon
