// SPDX-License-Identifier: Apache-2.0
//
// Makes the store of a server that has assigned N addresses: what scripts/bench starts gnomond on.
//   fill_store DIR N      DIR: gnomond's store folder, missing or empty
// One network with one /8 pool, ids of 36 bytes, 16 types, 256 hosts, in batches of 100 through the service.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/error.h"
#include "ipam/network.h"
#include "service/service.h"
#include "store/rocksdb_store.h"

namespace gnomon {
namespace {

constexpr char kNetwork[] = "bench";
constexpr uint64_t kMostUnanswered = 256;  // calls; the shard takes 4096

// Counts the calls that are under way, and keeps the first that failed.
class Progress {
 public:
  void Begin(uint64_t most) {
    absl::MutexLock lock(&mutex_);
    auto room = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return under_way_ < most; };
    mutex_.Await(absl::Condition(&room));
    ++under_way_;
  }
  void End(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    if (status_.ok()) status_ = status;
    --under_way_;
  }
  // When all are answered.
  absl::Status Wait() {
    Begin(1);
    End(absl::OkStatus());
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  absl::Mutex mutex_;
  uint64_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

CreateInstanceCall CallOf(uint64_t number) {
  CreateInstanceCall call{.network = kNetwork, .account = {}, .request = {}};
  call.request.instance =
      absl::StrFormat("%08x-0000-4000-8000-%012x", number * 2654435761u % (uint64_t{1} << 32), number);
  call.request.type = absl::StrCat("type-", number % 16);
  call.request.place = {.zone = absl::StrCat("zone-", number % 3), .host = absl::StrCat("host-", number % 256)};
  return call;
}

absl::Status Fill(const std::string& dir, uint64_t addresses) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<RocksDbStore> store, RocksDbStore::Open({.dir = dir}));
  SystemClock clock;
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<Service> service,
                          Service::Start(store.get(), &clock, {.shards = 1, .shard = {}}));
  Progress progress;
  auto done = [&progress](const auto& result) { progress.End(result.status()); };
  progress.Begin(1);
  service->CreateNetwork(kNetwork, "acme", std::nullopt, {}, done);
  GNOMON_RETURN_IF_ERROR(progress.Wait());
  PoolConfig pool;
  pool.name = "a";
  pool.prefix = Prefix(Ip::V4(10u << 24), 8);
  progress.Begin(1);
  service->CreatePool(kNetwork, pool, done);
  GNOMON_RETURN_IF_ERROR(progress.Wait());
  for (uint64_t begin = 0; begin < addresses; begin += Network::kMaxBatch) {
    std::vector<CreateInstanceCall> calls;
    for (uint64_t i = begin; i < std::min<uint64_t>(addresses, begin + Network::kMaxBatch); ++i)
      calls.push_back(CallOf(i));
    progress.Begin(kMostUnanswered);
    service->CreateInstances(kNetwork, std::move(calls), done);
  }
  return progress.Wait();
}

}  // namespace
}  // namespace gnomon

int main(int argc, char** argv) {
  uint64_t addresses = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[2], &addresses)) {
    std::fprintf(stderr, "usage: fill_store DIR N\n");
    return 2;
  }
  const absl::Status filled = gnomon::Fill(argv[1], addresses);
  if (!filled.ok()) std::fprintf(stderr, "fill_store: %s\n", std::string(filled.message()).c_str());
  return filled.ok() ? 0 : 1;
}
