// SPDX-License-Identifier: Apache-2.0
#include "apps/daemon.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "store/backup.h"

namespace gnomon {

RocksDbOptions StoreOptions(const Config& config) { return {.dir = config.data_dir + "/store"}; }

absl::Status MakeDataDir(const Config& config) {
  std::error_code failed;
  std::filesystem::create_directories(config.data_dir, failed);
  if (!failed) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "DATA_DIR_FAILED",
               absl::StrCat("cannot make the data folder ", config.data_dir, ": ", failed.message()))
      .Field("data_dir")
      .Value(config.data_dir)
      .Hint("name a folder that this user may write to, with --data-dir");
}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const Config& config, const std::string& version) {
  GNOMON_RETURN_IF_ERROR(HttpServer::CheckListen(config.ServerOptions()));  // before anything is made on the disk
  std::unique_ptr<Daemon> daemon(new Daemon(config, version));
  GNOMON_RETURN_IF_ERROR(daemon->Open());
  GNOMON_RETURN_IF_ERROR(daemon->Serve());
  return daemon;
}

Daemon::Daemon(const Config& config, const std::string& version)
    : config_(config),
      version_(version),
      gate_(config.tokens, config.listen),
      fast_(&real_, config.time_scale),
      clock_(config.time_scale == 1 ? static_cast<const Clock*>(&real_) : &fast_),
      metrics_(clock_, version) {}

// What still runs is answered by the server for kDrain, and by the service before it is gone.
Daemon::~Daemon() {
  if (server_ != nullptr) server_->Stop(kDrain);
  for (const auto& poller : pollers_) poller->Stop();
  if (advisor_ != nullptr) advisor_->Stop();
  if (replenisher_ != nullptr) replenisher_->Stop();
  if (predictor_ != nullptr) predictor_->Stop();
  service_ = nullptr;
}

absl::Status Daemon::Open() {
  GNOMON_RETURN_IF_ERROR(MakeDataDir(config_));
  if (const std::string file = config_.AuditFile(); !file.empty()) {
    GNOMON_ASSIGN_OR_RETURN(
        audit_, AuditLog::Open(file, &real_, [](const std::string& message) { spdlog::error("{}", message); }));
  }
  GNOMON_ASSIGN_OR_RETURN(store_, RocksDbStore::Open(StoreOptions(config_)));
  const ServiceOptions options{.shards = static_cast<size_t>(config_.shards), .shard = {}, .metrics = &metrics_};
  GNOMON_ASSIGN_OR_RETURN(service_, Service::Start(store_.get(), clock_, options));
  documents_ = std::make_unique<DocumentStore>(service_.get(), [](const std::string& message) { spdlog::warn("{}", message); });
  documents_->Load();
  policies_ = std::make_unique<PolicyShelf>(documents_.get());
  for (const std::string& lost : policies_->Load(service_->ListNetworks())) spdlog::warn("{}", lost);
  replenisher_ = std::make_unique<Replenisher>(service_.get(), clock_,
                                               [this] { return predictor_->ReactiveTargetsIfStalled(); });
  predictor_ = std::make_unique<Predictor>(service_.get(), clock_,
                                           [](const std::string& message) { spdlog::warn("{}", message); });
  service_->OnCreation([this](const Service::Creation& creation) {
    replenisher_->Created(creation);
    predictor_->Created(creation);
    advisor_->Created(creation);
  });
  // Samples carry the time of those who took them: theirs is the real one, also where ours runs faster.
  std::vector<std::string> polled;
  for (const PrometheusSource& source : config_.signals.prometheus) polled.push_back(source.name);
  metric_book_ = std::make_unique<MetricBook>(config_.signals.metrics, polled, &real_);
  for (const PrometheusSource& source : config_.signals.prometheus) {
    pollers_.push_back(std::make_unique<PrometheusPoller>(source, metric_book_.get(), &real_));
    pollers_.back()->Start();
  }
  receivers_ = std::make_unique<Receivers>(clock_, config_.github);
  advisor_ = std::make_unique<Advisor>(Advisor::Parts{.service = service_.get(),
                                                      .predictor = predictor_.get(),
                                                      .clock = clock_,
                                                      .metrics = metric_book_.get(),
                                                      .policies = policies_.get(),
                                                      .documents = documents_.get()});
  replenisher_->Start();
  predictor_->Start();
  advisor_->Start();
  return absl::OkStatus();
}

absl::Status Daemon::Serve() {
  Api::Parts parts;
  parts.service = service_.get();
  parts.authorize = [this](HttpRequest* request) { return gate_.Check(request); };
  parts.observe = [this](const Exchange& exchange, int status, std::string_view code) {
    metrics_.CountRequest(exchange.route, status);
    if (audit_ != nullptr) audit_->Note(exchange, status, code);
  };
  parts.metrics = [this] {
    return metrics_.Text() + predictor_->MetricsText() + metric_book_->MetricsText() + receivers_->MetricsText() + advisor_->MetricsText() +
           (audit_ == nullptr ? "" : audit_->MetricsText());
  };
  parts.backup = [this](const std::string& path) { return WriteBackup(*store_, path).status(); };
  parts.backup_dir = config_.data_dir;
  parts.configured = [this](const NetworkEntry& network) { replenisher_->Configured(network); };
  parts.engine = predictor_.get();
  parts.policies = policies_.get();
  parts.clock = clock_;
  parts.metric_book = metric_book_.get();
  parts.documents = documents_.get();
  parts.receivers = receivers_.get();
  parts.version = version_;
  api_ = std::make_unique<Api>(std::move(parts));
  HttpServerOptions options = config_.ServerOptions();
  if (audit_ != nullptr) options.before_sending = [this] { audit_->Flush(); };
  server_ = std::make_unique<HttpServer>(std::move(options), [this](HttpRequest& request, HttpResponder responder) {
    api_->Handle(request, std::move(responder));
  });
  return server_->Start();
}

std::vector<std::string> Daemon::urls() const {
  std::vector<std::string> urls;
  for (const ListenAddress& address : server_->addresses()) {
    const char* scheme = !address.unix_path.empty() ? "" : config_.tls_cert.empty() ? "http://" : "https://";
    urls.push_back(absl::StrCat(scheme, address.ToString()));
  }
  return urls;
}

}  // namespace gnomon
