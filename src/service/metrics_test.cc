// SPDX-License-Identifier: Apache-2.0
#include "service/metrics.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ipam/address_record.h"

namespace gnomon {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  std::vector<std::string> Lines() const { return absl::StrSplit(metrics_.Text(), '\n'); }
  static NetworkMetrics::Counts Shadows(uint64_t count) {
    NetworkMetrics::Counts counts{};
    counts[static_cast<size_t>(AddressState::kShadow)] = count;
    return counts;
  }

  ManualClock clock_{absl::UnixEpoch() + absl::Hours(1)};
  Metrics metrics_{&clock_, "1.2.3"};
};

TEST_F(MetricsTest, CreationsAreCountedByNetworkTypeAndSource) {
  std::shared_ptr<NetworkMetrics> prod = metrics_.OfNetwork("prod");
  prod->CountCreation("web", true);
  prod->CountCreation("web", true);
  prod->CountCreation("web", false);
  metrics_.OfNetwork("dev")->CountCreation("web", false);
  const std::vector<std::string> lines = Lines();
  EXPECT_THAT(lines, Contains("# TYPE gnomon_creations_total counter"));
  EXPECT_THAT(lines, Contains(R"(gnomon_creations_total{network="prod",type="web",source="shadow"} 2)"));
  EXPECT_THAT(lines, Contains(R"(gnomon_creations_total{network="prod",type="web",source="standard"} 1)"));
  EXPECT_THAT(lines, Contains(R"(gnomon_creations_total{network="dev",type="web",source="standard"} 1)"));
}

TEST_F(MetricsTest, TypesBeyondTheMostAreCountedTogether) {
  std::shared_ptr<NetworkMetrics> prod = metrics_.OfNetwork("prod");
  for (size_t i = 0; i < NetworkMetrics::kMaxTypes + 5; ++i) prod->CountCreation(absl::StrCat("t", i), false);
  prod->CountCreation("t7", false);  // known still
  EXPECT_EQ(prod->Read().creations.size(), NetworkMetrics::kMaxTypes + 1);
  EXPECT_THAT(Lines(), Contains(R"(gnomon_creations_total{network="prod",type="other",source="standard"} 5)"));
  EXPECT_THAT(Lines(), Contains(R"(gnomon_creations_total{network="prod",type="t7",source="standard"} 2)"));
}

TEST_F(MetricsTest, AnErasedNetworkIsGoneEvenIfItIsCountedInOnceMore) {
  std::shared_ptr<NetworkMetrics> prod = metrics_.OfNetwork("prod");
  prod->CountCreation("web", true);
  metrics_.EraseNetwork("prod");
  prod->CountCreation("web", true);
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("prod")));
  EXPECT_TRUE(metrics_.OfNetwork("prod")->Read().creations.empty()) << "a network of the same name starts anew";
}

TEST_F(MetricsTest, IdleShadowSecondsAreExactAtEveryReading) {
  std::shared_ptr<NetworkMetrics> prod = metrics_.OfNetwork("prod");
  clock_.Pass(absl::Seconds(100));  // none held
  prod->SetAddresses(Shadows(3));
  clock_.Pass(absl::Seconds(10));
  EXPECT_EQ(prod->Read().idle_seconds, 30);
  prod->SetAddresses(Shadows(3));
  clock_.Pass(absl::Seconds(5));
  prod->SetAddresses(Shadows(1));
  clock_.Pass(absl::Milliseconds(1500));
  EXPECT_EQ(prod->Read().idle_seconds, 46.5);
  EXPECT_THAT(Lines(), Contains(R"(gnomon_idle_shadow_seconds_total{network="prod"} 46.5)"));
  EXPECT_THAT(Lines(), Contains(R"(gnomon_addresses{network="prod",state="shadow"} 1)"));
}

TEST_F(MetricsTest, DurationsAreRealAlsoWhenTheClockRunsFaster) {
  ScaledClock fast(&clock_, 1000);
  Metrics metrics(&fast, "1.2.3");
  const absl::Duration start = fast.Monotonic();
  clock_.Pass(absl::Milliseconds(3));
  metrics.ObserveCreation(start, true);
  EXPECT_THAT(metrics.Text(), HasSubstr(R"(gnomon_creation_duration_seconds_sum{source="shadow"} 0.003)"));
}

TEST_F(MetricsTest, ADistributionCountsWhatIsAtMostItsBounds) {
  Histogram histogram({1, 2, 4});
  for (double value : {0.5, 1.0, 1.5, 4.0, 9.0}) histogram.Observe(value);
  EXPECT_THAT(histogram.Read().counts, testing::ElementsAre(2, 1, 1, 1));
  EXPECT_EQ(histogram.Read().sum, 16);
}

TEST_F(MetricsTest, BatchesAreShownWithTheirSums) {
  ShardMetrics* shard = metrics_.OfShard("1");
  for (int i = 0; i < 5; ++i) shard->Queued();
  shard->ObserveBatch(3);
  shard->Answered(3);
  shard->ObserveCommit(clock_.Monotonic());
  const std::vector<std::string> lines = Lines();
  EXPECT_THAT(lines, Contains(R"(gnomon_queue_depth{shard="1"} 2)"));
  EXPECT_THAT(lines, Contains(R"(gnomon_batch_size_bucket{le="2"} 0)"));
  EXPECT_THAT(lines, Contains(R"(gnomon_batch_size_bucket{le="4"} 1)"));
  EXPECT_THAT(lines, Contains(R"(gnomon_batch_size_bucket{le="+Inf"} 1)"));
  EXPECT_THAT(lines, Contains("gnomon_batch_size_sum 3"));
  EXPECT_THAT(lines, Contains("gnomon_commit_duration_seconds_count 1"));
}

TEST_F(MetricsTest, RequestsAreCountedByRouteAndCode) {
  metrics_.CountRequest("/v1/networks/{network}", 200);
  metrics_.CountRequest("/v1/networks/{network}", 404);
  metrics_.CountRequest("/v1/networks/{network}", 404);
  metrics_.CountCreationFailure("POOL_EXHAUSTED");
  EXPECT_THAT(Lines(), Contains(R"(gnomon_http_requests_total{route="/v1/networks/{network}",code="404"} 2)"));
  EXPECT_THAT(Lines(), Contains(R"(gnomon_creation_failures_total{code="POOL_EXHAUSTED"} 1)"));
  EXPECT_THAT(Lines(), Contains(R"(gnomon_build_info{version="1.2.3"} 1)"));
}

TEST_F(MetricsTest, RoutesBeyondTheMostAreCountedTogether) {
  for (size_t i = 0; i < Metrics::kMaxRoutes + 3; ++i) metrics_.CountRequest(absl::StrCat("/", i), 200);
  EXPECT_THAT(Lines(), Contains(R"(gnomon_http_requests_total{route="other",code="200"} 3)"));
}

}  // namespace
}  // namespace gnomon
