// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_book.h"

#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;

MetricRule Pushed(const std::string& network, const std::string& selector) {
  return {.network = network, .type = "web", .match = MetricSelector::Parse(selector).value()};
}

class MetricBookTest : public testing::Test {
 protected:
  static Series Of(const std::string& name, int64_t time_s, double value, const std::string& pod = "a") {
    return {.labels = {{"__name__", name}, {"pod", pod}}, .samples = {{time_s * 1000, value}}};
  }
  static MetricPush PushOf(std::vector<Series> series) {
    MetricPush push{.series = std::move(series)};
    for (const Series& one : push.series) push.samples += one.samples.size();
    return push;
  }
  MetricBook::Outcome Push(std::vector<Series> series, const std::string& network = "") {
    const auto outcome = book.Push({"remote_write", "ci"}, PushOf(std::move(series)),
                                   [&](std::string_view one) { return network.empty() || one == network; });
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.value_or(MetricBook::Outcome{});
  }

  ManualClock clock{absl::FromUnixSeconds(kNow)};
  MetricRule polled{.network = "n", .type = "db", .source = "main", .query = "sum(x)"};
  MetricBook book{{Pushed("n", "load"), Pushed("m", "load{pod=\"b*\"}"), polled, Pushed("n", "q*")}, {"main"}, &clock};
};

TEST_F(MetricBookTest, APushedSeriesFeedsEachRuleThatItMatches) {
  const auto outcome = Push({Of("load", kNow, 2), Of("load", kNow, 3, "b1"), Of("queue", kNow, 9), Of("other", kNow, 1)});
  EXPECT_EQ(outcome.taken, 3u);
  EXPECT_EQ(outcome.unbound, 1u);
  EXPECT_EQ(outcome.faulty, 0u);
  EXPECT_THAT(book.PointsOf(0, 0), ElementsAre(MetricPoint{kNow, 5}));
  EXPECT_THAT(book.PointsOf(1, 0), ElementsAre(MetricPoint{kNow, 3}));
  EXPECT_EQ(book.Latest(3), (MetricPoint{kNow, 9}));
  EXPECT_EQ(book.Latest(2), std::nullopt);
  const SourceStatus source = book.Sources().back();
  EXPECT_EQ(source.name, "remote_write/ci");
  EXPECT_EQ(source.bound, 3u);
  EXPECT_EQ(source.unbound, 1u);
  EXPECT_THAT(source.unbound_names, ElementsAre("other"));
  EXPECT_EQ(source.last_sample_ms, kNow * 1000);
  EXPECT_EQ(book.StatusOf(0).series, 2u);
}

TEST_F(MetricBookTest, ASenderForSomeNetworksReachesTheirRulesAlone) {
  EXPECT_EQ(Push({Of("load", kNow, 7, "b1")}, "m").taken, 1u);
  EXPECT_EQ(book.Latest(0), std::nullopt);
  EXPECT_EQ(book.Latest(1), (MetricPoint{kNow, 7}));
  EXPECT_EQ(Push({Of("queue", kNow, 7)}, "m").unbound, 1u);
}

TEST_F(MetricBookTest, WhatIsWrongWithASampleIsToldByReason) {
  Push({Of("load", kNow, 1)});
  struct Case {
    Series series;
    std::string reason, want;
  };
  for (const Case& one : {Case{Of("load", kNow + 100, 1), "future", "a minute in the future"},
                          Case{Of("load", kNow, 2), "duplicate", "another value"},
                          Case{Of("load", kNow - 20'000, 2), "too_old", "320 steps"}}) {
    const auto outcome = Push({one.series, Of("load", kNow - 15, 1)});
    EXPECT_EQ(outcome.faulty, 1u);
    EXPECT_EQ(outcome.taken, 1u) << "the others are kept";
    EXPECT_THAT(outcome.first_fault, HasSubstr(one.want));
    EXPECT_EQ(book.Sources().back().errors.at(one.reason), 1u);
    EXPECT_THAT(book.Sources().back().last_error, HasSubstr(one.want));
  }
  Push({Of("load", kNow - 30, 1)});
  EXPECT_EQ(book.Sources().back().last_error, "") << "it works again";
}

TEST_F(MetricBookTest, APushersRateIsBoundAndComesBack) {
  MetricPush push = PushOf({Of("load", kNow, 1)});
  push.samples = static_cast<uint64_t>(MetricBook::kSamplesBurst);
  const auto any = [](std::string_view) { return true; };
  EXPECT_TRUE(book.Push({"otlp", "a"}, push, any).ok());
  push.samples = 40'000;
  const absl::Status refused = book.Push({"otlp", "a"}, push, any).status();
  EXPECT_EQ(CodeOf(refused), "SAMPLE_RATE");
  EXPECT_THAT(PartsOf(refused).numbers, ElementsAre(std::pair<std::string, int64_t>("retry_after_seconds", 2)));
  EXPECT_TRUE(book.Push({"otlp", "b"}, push, any).ok()) << "each sender has its own";
  clock.Pass(absl::Seconds(2));
  EXPECT_TRUE(book.Push({"otlp", "a"}, push, any).ok());
  EXPECT_EQ(book.Sources()[0].errors.at("sample_rate"), 1u);
}

TEST_F(MetricBookTest, SendersAreBound) {
  const auto any = [](std::string_view) { return true; };
  for (size_t i = 0; i < MetricBook::kMaxPushers; ++i) {
    EXPECT_TRUE(book.Push({"otlp", std::to_string(i)}, PushOf({}), any).ok());
  }
  EXPECT_EQ(CodeOf(book.Push({"otlp", "more"}, PushOf({}), any).status()), "TOO_MANY_PUSHERS");
  EXPECT_TRUE(book.Push({"otlp", "7"}, PushOf({}), any).ok());
}

TEST_F(MetricBookTest, ADeadSourceIsNamedAndKeepsWhatItGave) {
  book.Polled(2, PushOf({Of("x", kNow, 4)}));
  book.PollFailed(2, absl::UnavailableError("no answer"), false);
  EXPECT_EQ(book.Sources().front().last_error, "no answer");
  EXPECT_EQ(book.Sources().front().errors.at("unavailable"), 1u);
  book.PollFailed(2, absl::InvalidArgumentError("bad query"), true);
  EXPECT_EQ(book.StatusOf(2).last_error, "bad query");
  EXPECT_EQ(book.Latest(2), (MetricPoint{kNow, 4}));
  book.Polled(2, PushOf({Of("x", kNow, 4)}));
  EXPECT_EQ(book.Sources().front().last_error, "");
  EXPECT_EQ(book.StatusOf(2).last_error, "");
  EXPECT_THAT(book.MetricsText(), HasSubstr("gnomon_signal_errors_total{source=\"prometheus/main\",reason=\"unavailable\"} 1\n"));
  EXPECT_THAT(book.MetricsText(), HasSubstr("gnomon_signal_last_sample_age_seconds{source=\"prometheus/main\"} 0\n"));
}

TEST_F(MetricBookTest, HistoryOfSeveralSeriesIsCombinedStepByStep) {
  Series a = Of("x", 0, 0, "a"), b = Of("x", 0, 0, "b");
  a.samples.clear();
  b.samples.clear();
  for (int64_t time = kNow - 15 * 10'000; time <= kNow; time += 15) {
    a.samples.push_back({time * 1000, 1});
    b.samples.push_back({time * 1000, 2});
  }
  book.Polled(2, PushOf({a, b}));
  const std::vector<MetricPoint> points = book.PointsOf(2, 0);
  EXPECT_EQ(points.size(), 10'001u);
  for (const MetricPoint& point : points) ASSERT_EQ(point.value, 3) << point.time_s;
}

}  // namespace
}  // namespace gnomon
