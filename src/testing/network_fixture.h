// SPDX-License-Identifier: Apache-2.0
//
// A NetworkFixture is a network with a clock of its own and a copy of all that it would have stored, for tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/error.h"
#include "gtest/gtest.h"
#include "ipam/network.h"

namespace gnomon {

// What a store would hold: every change applied in order.
class StoredNetwork {
 public:
  void Apply(const Changes& changes) {
    for (const Change& change : changes) std::visit([this](const auto& one) { Apply(one); }, change);
  }

  // The state that a restart would load.
  std::unique_ptr<Network> Load(uint64_t revision, absl::Time last_commit) const {
    auto network = std::make_unique<Network>(NetworkId{1});
    for (const auto& [id, pool] : pools_) EXPECT_TRUE(network->LoadPool(pool).ok());
    for (const auto& [ip, record] : records_) EXPECT_TRUE(network->LoadRecord(record).ok());
    for (const auto& [key, prediction] : predictions_) EXPECT_TRUE(network->LoadPrediction(prediction).ok());
    absl::Status finished = network->FinishLoad(revision, last_commit);
    EXPECT_TRUE(finished.ok()) << finished;
    return network;
  }

 private:
  void Apply(const AddressRecord& record) { records_[record.address] = OwnedRecord(record); }
  void Apply(const ErasedAddress& erased) { records_.erase(erased.address); }
  void Apply(const PoolConfig& pool) { pools_[pool.id] = pool; }
  void Apply(const ErasedPool& erased) {
    pools_.erase(erased.pool);
    std::erase_if(records_, [&](const auto& entry) { return entry.second.pool == erased.pool; });
  }
  void Apply(const PutPrediction& put) { predictions_[put.record->key] = *put.record; }
  void Apply(const ErasedPrediction& erased) { predictions_.erase(erased.key); }

  std::map<PoolId, PoolConfig> pools_;
  std::map<Ip, OwnedRecord> records_;
  std::map<PredictionKey, PredictionRecord> predictions_;
};

class NetworkFixture : public testing::Test {
 protected:
  static Ip At(const std::string& text) { return Ip::Parse(text).value(); }

  PoolId AddPool(const std::string& name, const std::string& prefix, absl::Duration quarantine = absl::Seconds(30),
                 double headroom = 0) {
    PoolConfig config;
    config.name = name;
    config.prefix = Prefix::Parse(prefix).value();
    config.quarantine = quarantine;
    config.headroom = headroom;
    absl::StatusOr<PoolId> id = network_.AddPool(config, &changes_);
    EXPECT_TRUE(id.ok()) << id.status();
    Store();
    return id.value_or(0);
  }

  static CreateRequest Vm(const std::string& id, const std::string& type = "web") {
    CreateRequest request;
    request.instance = id;
    request.type = type;
    return request;
  }

  // The first address, as text, or the error's code.
  std::string Create(const CreateRequest& request) {
    Store();
    absl::StatusOr<Assignment> got = network_.Create(now_, request, &changes_);
    if (!got.ok()) return CodeOf(got.status());
    last_ = {{}, got->created, got->hit, got->withdrawing, got->answer_by};
    for (const AddressRecord& record : got->addresses) last_.addresses.emplace_back(record);
    Store();
    return got->addresses[0].address.ToString();
  }
  std::string Create(const std::string& id) { return Create(Vm(id)); }

  void Release(const std::string& id, std::optional<absl::Duration> preserve = std::nullopt) {
    Store();
    EXPECT_TRUE(network_.Release(now_, {.instance = id, .preserve = preserve}, &changes_).ok());
    Store();
  }

  void Pass(absl::Duration time) {
    now_ += time;
    Store();
    do {
      network_.Advance(now_, &changes_);
      Store();
    } while (network_.NextDeadline() <= now_);
  }

  FillResult Predict(uint32_t count, const std::string& id = "1", const Place& scope = {}, const std::string& source = "s",
                     bool additive = false, absl::Duration horizon = absl::Minutes(15)) {
    PredictRequest request{.key = {source, "web", scope}, .id = id, .count = count, .horizon = horizon,
                           .additive = additive};
    Store();
    absl::Status predicted = network_.Predict(now_, request, &changes_);
    EXPECT_TRUE(predicted.ok()) << predicted;
    Store();
    FillResult total = network_.Fill(now_, "web", scope, &changes_);
    Store();
    for (FillResult step = total; step.more;) {
      step = network_.Fill(now_, "web", scope, &changes_);
      total.reserved += step.reserved;
      total.reclaimed += step.reclaimed;
      total.shortfall = step.shortfall;
      Store();
    }
    return total;
  }

  AddressState StateOf(const std::string& ip) const {
    std::optional<AddressRecord> record = network_.Describe(Ip::Parse(ip).value());
    return record ? record->state : AddressState::kFree;
  }

  // Keeps what has changed, before the next command makes it unreadable.
  void Store() {
    stored_.Apply(changes_);
    changes_.clear();
  }

  // An Assignment with records of its own.
  struct Last {
    std::vector<OwnedRecord> addresses = {};
    bool created = false, hit = false;
    std::vector<Ip> withdrawing = {};
    absl::Time answer_by = absl::InfinitePast();
  };

  Network network_{NetworkId{1}};
  StoredNetwork stored_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  Changes changes_;
  Last last_;
};

}  // namespace gnomon
