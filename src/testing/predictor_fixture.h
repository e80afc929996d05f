// SPDX-License-Identifier: Apache-2.0
//
// A PredictorFixture is a predictor on a service in memory, which tests step by hand, kill and start anew.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "engine/predictor.h"
#include "testing/service_fixture.h"

namespace gnomon {

class PredictorFixture : public ServiceFixture {
 protected:
  void SetUp() override {
    Start();
    MakePredictor();
  }
  void TearDown() override {
    predictor_->Stop();
    service_ = nullptr;
  }

  void MakePredictor() {
    predictor_ = std::make_unique<Predictor>(service_.get(), &clock_, [this](const std::string& message) {
      absl::MutexLock lock(&mutex_);
      warnings_.push_back(message);
    });
    service_->OnCreation([this](const Service::Creation& creation) { predictor_->Created(creation); });
  }
  // As a new process, on a copy of the disk as it is now: whatever the old one still stores is lost.
  void Kill() {
    const std::map<std::string, std::string> values = disk_->Copy();
    predictor_->Stop();
    service_ = nullptr;
    disk_ = std::make_shared<MemoryDisk>();
    copied_ = std::make_unique<MemoryStore>(disk_);
    std::unique_ptr<ShardStore> shard = copied_->Acquire(ShardId{0}).value();
    for (const auto& [key, value] : values) {
      absl::Notification stored;
      shard->Commit({Transaction{{Op{key, value}}}}, [&](absl::Status) { stored.Notify(); });
      stored.WaitForNotification();
    }
    service_ = Service::Start(copied_.get(), &clock_, {.shards = 2, .shard = {}}).value();
    MakePredictor();
  }
  // Steps in which no time passes, until what was told is stored.
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      predictor_->Step();
      // Replies of the notes' shard are in the order of the calls.
      ASSERT_TRUE(Wait<std::vector<Note>>([&](auto reply) { service_->ReadNotes(network_.id, 0, std::move(reply)); }).ok());
    }
  }
  std::vector<std::string> Warnings() {
    absl::MutexLock lock(&mutex_);
    return warnings_;
  }
  // The reply to `call`, with steps until it comes.
  template <typename T, typename Call>
  absl::StatusOr<T> Ask(Call call) {
    absl::Mutex mutex;
    std::optional<absl::StatusOr<T>> result;
    call([&](absl::StatusOr<T> reply) {
      absl::MutexLock lock(&mutex);
      result = std::move(reply);
    });
    EXPECT_TRUE(Eventually([&] {
      predictor_->Step();
      absl::MutexLock lock(&mutex);
      return result.has_value();
    }));
    absl::MutexLock lock(&mutex);
    return *std::move(result);
  }
  absl::StatusOr<Announced> Announce(const std::string& id, uint32_t count, absl::Duration from_now = absl::ZeroDuration(),
                                     const std::string& source = "ci") {
    const Announced announced{.id = {source, id}, .type = "web", .count = count, .at = clock_.Wall() + from_now};
    return Ask<Announced>([&](auto reply) { predictor_->Announce(network_, announced, std::move(reply)); });
  }
  absl::Status Cancel(const std::string& id) {
    return Ask<Done>([&](auto reply) { predictor_->Cancel(network_, {"ci", id}, std::move(reply)); }).status();
  }
  std::vector<Announced> Open() {
    return Ask<std::vector<Announced>>([&](auto reply) { predictor_->ListAnnouncements(network_, std::move(reply)); })
        .value();
  }
  absl::StatusOr<ImportView> Import(const std::string& id, const std::vector<PastCreations>& past) {
    return Ask<ImportView>([&](auto reply) { predictor_->Import(network_, id, past, std::move(reply)); });
  }
  int64_t Ago(absl::Duration time) { return absl::ToUnixSeconds(clock_.Wall() - time); }

  void Make(PredictionMode mode) {
    network_ = CreateNetwork("prod", {.mode = mode});
    CreatePool("prod", "10.0.0.0/16");
  }
  void Mode(PredictionMode mode) { network_ = SetWarmPool("prod", {.mode = mode}); }
  void Minute() {
    clock_.Pass(absl::Minutes(1));
    predictor_->Step();
  }
  // A day in which every hour, half past, kBurst instances are created at once.
  void Day() {
    for (int minute = 0; minute < 24 * 60; ++minute) {
      if (minute % 60 == 30) Burst();
      Minute();
    }
  }
  void Burst() {
    for (int i = 0; i < kBurst; ++i) predictor_->Created({network_, "web", false});
  }
  TypePlan PlanOf(const std::string& type = "web") {
    for (const TypePlan& plan : predictor_->Plans(network_)) {
      if (plan.type == type) return plan;
    }
    return {};
  }
  // Of a network that may be loading.
  std::optional<uint64_t> Shadows() {
    auto view = Wait<NetworkView>([&](auto reply) { service_->GetNetwork("prod", std::move(reply)); });
    if (!view.ok()) return std::nullopt;
    return view->counts[static_cast<size_t>(AddressState::kShadow)];
  }
  // Steps in which no time passes, until so many are there.
  bool Holds(uint64_t shadows) {
    return Eventually([&] {
      predictor_->Step();
      return Shadows() == shadows;
    });
  }

  static constexpr int kBurst = 30;
  NetworkEntry network_;
  absl::Mutex mutex_;
  std::vector<std::string> warnings_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<MemoryStore> copied_;
  std::unique_ptr<Predictor> predictor_;
};

}  // namespace gnomon
