// SPDX-License-Identifier: Apache-2.0
//
// What a service counts.
#include <string>

#include "gmock/gmock.h"
#include "service/metrics.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServiceMetricsTest : public ServiceFixture {
 protected:
  void SetUp() override {
    Start({.shards = 2, .shard = {}, .metrics = &metrics_});
    CreateNetwork("prod");
    CreatePool("prod", "10.0.0.0/28");  // 14 usable addresses
  }
  void TearDown() override { service_ = nullptr; }

  void Predict(uint32_t count, absl::Duration horizon) {
    PredictCall call{.network = "prod", .source = "s", .id = "1",
                     .predictions = {{.type = "web", .count = count, .horizon = horizon}}};
    auto filled =
        Wait<std::vector<PredictionView>>([&](auto reply) { service_->PredictInstances(call, std::move(reply)); });
    ASSERT_TRUE(filled.ok()) << filled.status();
  }

  Metrics metrics_{&clock_, "1"};
};

TEST_F(ServiceMetricsTest, HitsMissesAndFailuresAreCountedOnceAndRepeatsNotAtAll) {
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Predict(2, absl::Minutes(5));
  for (int i = 1; i < 14; ++i) ASSERT_TRUE(Create("prod", "vm-" + std::to_string(i)).ok());
  EXPECT_FALSE(Create("prod", "vm-14").ok());
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr(R"(gnomon_creations_total{network="prod",type="web",source="standard"} 12)"));
  EXPECT_THAT(text, HasSubstr(R"(gnomon_creations_total{network="prod",type="web",source="shadow"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(gnomon_creation_failures_total{code="POOL_EXHAUSTED"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(gnomon_creation_duration_seconds_count{source="shadow"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(gnomon_addresses{network="prod",state="assigned"} 14)"));
  EXPECT_THAT(text, HasSubstr(R"(gnomon_queue_depth{shard="1"} 0)"));
}

TEST_F(ServiceMetricsTest, ShadowsThatExpireAreCountedAndTheirIdleTimeToo) {
  Predict(4, absl::Seconds(100));
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  clock_.Pass(absl::Seconds(100));
  EXPECT_EQ(CountOf("prod", AddressState::kShadow), 0u);
  const NetworkMetrics::Snapshot now = metrics_.OfNetwork("prod")->Read();
  EXPECT_EQ(now.expired, 3u) << "the one that was taken did not expire";
  EXPECT_EQ(now.idle_seconds, 300);
  clock_.Pass(absl::Seconds(100));
  EXPECT_EQ(metrics_.OfNetwork("prod")->Read().idle_seconds, 300);
}

TEST_F(ServiceMetricsTest, TheEndOfAQuarantineIsShown) {
  ASSERT_TRUE(Create("prod", "vm-1").ok());
  Release("prod", "vm-1");
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(gnomon_addresses{network="prod",state="quarantined"} 1)"));
  clock_.Pass(absl::Minutes(1));
  EXPECT_EQ(CountOf("prod", AddressState::kQuarantined), 0u);
  EXPECT_THAT(metrics_.Text(), HasSubstr(R"(gnomon_addresses{network="prod",state="quarantined"} 0)"));
}

TEST_F(ServiceMetricsTest, WhatIsHeldIsShownAfterARestart) {
  Predict(3, absl::Hours(5));
  service_ = nullptr;
  Metrics metrics(&clock_, "1");
  Start({.shards = 2, .shard = {}, .metrics = &metrics});
  clock_.Pass(absl::Seconds(10));
  EXPECT_EQ(metrics.OfNetwork("prod")->Read().idle_seconds, 30);
  service_ = nullptr;
}

TEST_F(ServiceMetricsTest, ADeletedNetworkIsNotShown) {
  EXPECT_THAT(metrics_.Text(), HasSubstr("prod"));
  ASSERT_TRUE(DeleteNetwork("prod").ok());
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("prod")));
}

}  // namespace
}  // namespace gnomon
