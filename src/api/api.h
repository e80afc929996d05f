// SPDX-License-Identifier: Apache-2.0
//
// An Api answers the requests of Gnomon's HTTP API by calls of a Service.
//
// A request is recognised, routed and decoded on the I/O thread, becomes one call of a use case, and is answered when that
// replies. The shapes are those of openapi.json.
//
// Threads: Handle is called from all I/O threads at once.
// Ownership: what is in Parts outlives the Api, and the Api outlives its server.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/encode.h"
#include "api/exchange.h"
#include "api/http_server.h"
#include "api/router.h"
#include "api/watch_pump.h"
#include "engine/predictor.h"
#include "service/service.h"
#include "signals/policy_shelf.h"
#include "signals/metric_book.h"
#include "signals/document_store.h"
#include "signals/receivers.h"

namespace gnomon {

class Api {
 public:
  struct Parts {
    Service* service = nullptr;
    // Recognises who sends a request, into its principal; an error refuses it.
    absl::AnyInvocable<absl::Status(HttpRequest*) const> authorize;
    Exchange::Observer observe;                              // metrics and audit
    absl::AnyInvocable<std::string() const> metrics;         // the text of /metrics
    absl::AnyInvocable<absl::Status(std::string path) const> backup;  // writes a backup file at `path`
    std::string backup_dir;                                  // where backups are made before they are sent
    absl::AnyInvocable<void(const NetworkEntry&) const> configured;   // a network's warm pool was set
    Predictor* engine = nullptr;  // nullptr: nothing is predicted
    PolicyShelf* policies = nullptr;  // nullptr: none are kept
    const Clock* clock = nullptr;     // of policies; with them
    MetricBook* metric_book = nullptr;  // nullptr: no samples are taken
    DocumentStore* documents = nullptr;  // calendars; there, where there is an engine
    Receivers* receivers = nullptr;  // of events; nullptr: there are none
    std::string version;
    absl::Duration heartbeat = WatchPump::kHeartbeat;  // of watches
  };

  explicit Api(Parts parts);
  ~Api();  // waits until every request is answered
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void Handle(HttpRequest& request, HttpResponder responder) const;
  static std::vector<Route> Routes();

 private:
  using Call = std::shared_ptr<Exchange>;

  // api_system.cc
  void Livez(Call call, HttpRequest& request) const;
  void Readyz(Call call, HttpRequest& request) const;
  void Version(Call call, HttpRequest& request) const;
  void MetricsText(Call call, HttpRequest& request) const;
  void OpenApi(Call call, HttpRequest& request) const;
  void Backup(Call call, HttpRequest& request) const;
  void ResumeExpiry(Call call, HttpRequest& request) const;

  // api_networks.cc
  void CreateNetwork(Call call, HttpRequest& request) const;
  void ListNetworks(Call call, HttpRequest& request) const;
  void GetNetwork(Call call, HttpRequest& request) const;
  void PatchNetwork(Call call, HttpRequest& request) const;
  void DeleteNetwork(Call call, HttpRequest& request) const;
  void CreatePool(Call call, HttpRequest& request) const;
  void ListPools(Call call, HttpRequest& request) const;
  void GetPool(Call call, HttpRequest& request) const;
  void PatchPool(Call call, HttpRequest& request) const;
  void DeletePool(Call call, HttpRequest& request) const;
  void PutHost(Call call, HttpRequest& request) const;
  void ListHosts(Call call, HttpRequest& request) const;
  void GetHost(Call call, HttpRequest& request) const;
  void DeleteHost(Call call, HttpRequest& request) const;

  // api_predictions.cc
  void ListPlans(Call call, HttpRequest& request) const;
  void ListForecasts(Call call, HttpRequest& request) const;
  void ListQuality(Call call, HttpRequest& request) const;
  void CreateAnnouncement(Call call, HttpRequest& request) const;
  void ListAnnouncements(Call call, HttpRequest& request) const;
  void DeleteAnnouncement(Call call, HttpRequest& request) const;
  void ImportHistory(Call call, HttpRequest& request) const;
  // The one that the path names; nullptr: there is none, which is answered.
  std::shared_ptr<const NetworkEntry> NetworkOf(const Call& call) const;

  // api_policies.cc
  void ApplyPolicies(Call call, HttpRequest& request) const;
  void ListPolicies(Call call, HttpRequest& request) const;
  void GetPolicy(Call call, HttpRequest& request) const;
  void DeletePolicy(Call call, HttpRequest& request) const;
  void ExplainPolicies(Call call, HttpRequest& request) const;
  std::shared_ptr<const NetworkEntry> PoliciesOf(const Call& call) const;  // as NetworkOf
  // api_signals.cc
  void WriteSamples(Call call, HttpRequest& request) const;
  void ExportMetrics(Call call, HttpRequest& request) const;
  void ListSignals(Call call, HttpRequest& request) const;
  // api_calendars.cc; the parts have documents and receivers where they have an engine
  void PutCalendar(Call call, HttpRequest& request) const;
  void ListCalendars(Call call, HttpRequest& request) const;
  void GetCalendar(Call call, HttpRequest& request) const;
  void DeleteCalendar(Call call, HttpRequest& request) const;

  // api_receivers.cc
  void ReceiveGithub(Call call, HttpRequest& request) const;
  void ReceiveAlerts(Call call, HttpRequest& request) const;
  void ReceiveCloudEvents(Call call, HttpRequest& request) const;
  // Uses the events, or answers why not.
  void Receive(const Call& call, const std::string& receiver, absl::StatusOr<std::vector<SignalEvent>> events) const;

  // api_instances.cc
  void CreateInstance(Call call, HttpRequest& request) const;
  void CreateInstances(Call call, HttpRequest& request) const;
  void GetInstance(Call call, HttpRequest& request) const;
  void PatchInstance(Call call, HttpRequest& request) const;
  void DeleteInstance(Call call, HttpRequest& request) const;
  void ReassignInstance(Call call, HttpRequest& request) const;
  void Predict(Call call, HttpRequest& request) const;
  void PeekShadow(Call call, HttpRequest& request) const;

  // api_lists.cc
  void ListInstances(Call call, HttpRequest& request) const;
  void ListShadows(Call call, HttpRequest& request) const;
  void ListAddresses(Call call, HttpRequest& request) const;
  void GetAddress(Call call, HttpRequest& request) const;
  void DeleteAddress(Call call, HttpRequest& request) const;
  void Watch(Call call, HttpRequest& request) const;
  void ListRecords(Call call, const HttpRequest& request, std::string_view member, ListCall list) const;

  Call Open(const HttpRequest& request, HttpResponder responder) const;
  absl::Status Recognise(const Router::Match& match, HttpRequest* request) const;
  void ReplyInstance(const Call& call, absl::StatusOr<InstanceView> view, bool may_create) const;

  void SendFile(const Call& call, const std::string& path) const;

  const Parts parts_;
  const Encoder encoder_;
  const Router router_;
  const std::unique_ptr<WatchPump> watches_;

  mutable absl::Mutex open_mutex_;
  mutable size_t open_ ABSL_GUARDED_BY(open_mutex_) = 0;  // exchanges: their replies come back to this object

  mutable absl::Mutex backup_mutex_;
  mutable bool backing_up_ ABSL_GUARDED_BY(backup_mutex_) = false;
  mutable std::thread backup_thread_ ABSL_GUARDED_BY(backup_mutex_);
};

}  // namespace gnomon
