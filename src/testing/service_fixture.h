// SPDX-License-Identifier: Apache-2.0
//
// A ServiceFixture is a service on a store in memory, with a clock that the test moves, and calls that wait.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "service/service.h"
#include "store/memory_store.h"

namespace gnomon {

class ServiceFixture : public testing::Test {
 protected:
  // Not before observers are set.
  void Start(ServiceOptions options = {.shards = 2, .shard = {}}) {
    absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(&store_, &clock_, options);
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }

  // The reply to `call`, which is given the callback.
  template <typename T, typename Call>
  static absl::StatusOr<T> Wait(Call call) {
    absl::Mutex mutex;
    std::optional<absl::StatusOr<T>> result;
    call([&](absl::StatusOr<T> reply) {
      absl::MutexLock lock(&mutex);
      result = std::move(reply);
    });
    absl::MutexLock lock(&mutex);
    auto done = [&] { return result.has_value(); };
    mutex.Await(absl::Condition(&done));
    return *std::move(result);
  }

  NetworkEntry CreateNetwork(const std::string& name, WarmPool warm = {}) {
    auto made = Wait<std::pair<NetworkView, bool>>(
        [&](auto reply) { service_->CreateNetwork(name, "acme", std::nullopt, warm, std::move(reply)); });
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? made->first.entry : NetworkEntry{};
  }
  absl::StatusOr<NetworkView> TrySetWarmPool(const std::string& network, WarmPool warm) {
    return Wait<NetworkView>([&](auto reply) {
      auto change = [warm](WarmPool* now) {
        *now = warm;
        return absl::OkStatus();
      };
      service_->UpdateWarmPool(network, change, std::move(reply));
    });
  }
  NetworkEntry SetWarmPool(const std::string& network, WarmPool warm) {
    auto set = TrySetWarmPool(network, std::move(warm));
    EXPECT_TRUE(set.ok()) << set.status();
    return set.ok() ? set->entry : NetworkEntry{};
  }
  void CreatePool(const std::string& network, const std::string& prefix, double headroom = 0) {
    PoolConfig config;
    config.name = "a";
    config.prefix = Prefix::Parse(prefix).value();
    config.headroom = headroom;
    auto pool = Wait<PoolView>([&](auto reply) { service_->CreatePool(network, config, std::move(reply)); });
    ASSERT_TRUE(pool.ok()) << pool.status();
  }
  absl::StatusOr<InstanceView> Create(const std::string& network, const std::string& id, const std::string& type = "web") {
    CreateInstanceCall call{.network = network, .account = {}, .request = {}};
    call.request.instance = id;
    call.request.type = type;
    return Wait<InstanceView>([&](auto reply) { service_->CreateInstance(call, std::move(reply)); });
  }
  void Release(const std::string& network, const std::string& id) {
    auto released = Wait<std::vector<RecordView>>(
        [&](auto reply) { service_->ReleaseInstance(network, {.instance = id}, std::move(reply)); });
    ASSERT_TRUE(released.ok()) << released.status();
  }
  absl::Status DeleteNetwork(const std::string& network) {
    return Wait<Done>([&](auto reply) { service_->DeleteNetwork(network, std::move(reply)); }).status();
  }
  NetworkView Get(const std::string& network) {
    auto view = Wait<NetworkView>([&](auto reply) { service_->GetNetwork(network, std::move(reply)); });
    EXPECT_TRUE(view.ok()) << view.status();
    return view.value_or(NetworkView{});
  }
  uint64_t CountOf(const std::string& network, AddressState state) {
    return Get(network).counts[static_cast<size_t>(state)];
  }

  // Asks until `holds`; false if it still does not after ten seconds.
  template <typename Condition>
  static bool Eventually(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  MemoryStore store_{disk_};
  ManualClock clock_{absl::UnixEpoch() + absl::Hours(1)};
  std::unique_ptr<Service> service_;
};

}  // namespace gnomon
