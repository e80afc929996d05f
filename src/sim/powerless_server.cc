// SPDX-License-Identifier: Apache-2.0
#include "sim/powerless_server.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {

absl::StatusOr<std::string> PowerlessServer::Start() {
  RocksDbOptions options{.dir = folder_ + "/store", .env = power_.env()};
  if (++starts_ % 2 == 0) options.memtable_bytes = size_t{64} << 10;  // so that files are made and merged in a round
  GNOMON_ASSIGN_OR_RETURN(store_, RocksDbStore::Open(std::move(options)));
  GNOMON_ASSIGN_OR_RETURN(service_, Service::Start(store_.get(), &clock_, {.shards = 2, .shard = {}}));
  replenisher_ = std::make_unique<Replenisher>(service_.get(), &clock_, nullptr);
  service_->OnCreation([this](const Service::Creation& creation) { replenisher_->Created(creation); });
  replenisher_->Start();
  Api::Parts parts;
  parts.service = service_.get();
  parts.authorize = [](HttpRequest* request) {
    request->principal = Principal{"crash", Role::kAdmin, {}};
    return absl::OkStatus();
  };
  parts.configured = [this](const NetworkEntry& network) { replenisher_->Configured(network); };
  parts.metrics = [] { return std::string(); };
  parts.version = "crash";
  api_ = std::make_unique<Api>(std::move(parts));
  HttpServerOptions http;
  GNOMON_ASSIGN_OR_RETURN(ListenAddress listen, ParseListenAddress("127.0.0.1:0"));
  http.listen.push_back(std::move(listen));
  server_ = std::make_unique<HttpServer>(http, [this](HttpRequest& request, HttpResponder responder) {
    api_->Handle(request, std::move(responder));
  });
  GNOMON_RETURN_IF_ERROR(server_->Start());
  return absl::StrCat("http://", server_->addresses().front().ToString());
}

void PowerlessServer::Disturb(std::mt19937_64& rng) {
  if (rng() % 3 != 0) return;
  power_.FailSync(1 + rng() % 20);
  ++failed_syncs_;
}

// As gnomond's: no request is without an answer when its server is gone.
void PowerlessServer::Stop() {
  if (server_ != nullptr) server_->Stop(absl::Seconds(5));
  if (replenisher_ != nullptr) replenisher_->Stop();
  service_ = nullptr;
  server_ = nullptr;
  api_ = nullptr;
  replenisher_ = nullptr;
  store_ = nullptr;
}

void PowerlessServer::Clear(std::mt19937_64& rng) {
  Stop();
  power_.FailSync(0);
  lost_bytes_ += power_.DropUnsynced(rng);
}

}  // namespace gnomon
