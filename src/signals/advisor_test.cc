// SPDX-License-Identifier: Apache-2.0
#include "signals/advisor.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "testing/predictor_fixture.h"

namespace gnomon {
namespace {

using testing::Contains;
using testing::HasSubstr;

class AdvisorTest : public PredictorFixture {
 protected:
  void TearDown() override {
    advisor_ = nullptr;
    PredictorFixture::TearDown();
  }

  void Begin(PredictionMode mode, std::vector<MetricRule> rules = {}) {
    // Its replies come back while the network is made.
    documents_ = std::make_unique<DocumentStore>(service_.get(), [](const std::string&) {});
    policies_ = std::make_unique<PolicyShelf>(documents_.get());
    book_ = std::make_unique<MetricBook>(std::move(rules), std::vector<std::string>{}, &clock_);
    advisor_ = std::make_unique<Advisor>(Advisor::Parts{.service = service_.get(),
                                                        .predictor = predictor_.get(),
                                                        .clock = &clock_,
                                                        .metrics = book_.get(),
                                                        .policies = policies_.get(),
                                                        .documents = documents_.get()});
    Make(mode);
    service_->OnCreation([this](const Service::Creation& creation) {
      predictor_->Created(creation);
      advisor_->Created(creation);
    });
  }
  void Apply(const std::string& text, const std::string& type = "") {
    auto applied = Wait<PolicyShelf::Applied>([&](auto reply) {
      policies_->Apply(network_, {.text = text, .type = type}, false, std::move(reply));
    });
    ASSERT_TRUE(applied.ok()) << applied.status();
  }
  // The advisor waits for the predictor, which is stepped meanwhile.
  void Advise() {
    std::atomic<bool> done = false;
    std::thread advising([&] {
      advisor_->Step();
      done = true;
    });
    while (!done) predictor_->Step();
    advising.join();
    predictor_->Step();
  }
  // Seconds, with a step of the predictor each and one of the advisor every kTick.
  void Pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock_.Pass(absl::Seconds(1));
      predictor_->Step();
      if (absl::ToUnixSeconds(clock_.Wall()) % absl::ToInt64Seconds(Advisor::kTick) == 0) Advise();
    }
  }
  void PassTo(absl::Time time) { clock_.Pass(time - clock_.Wall()); }
  void Push(const std::string& name, double value) {
    MetricPush push;
    push.samples = 1;
    push.series.push_back({.labels = {{"__name__", name}}, .samples = {{absl::ToUnixMillis(clock_.Wall()), value}}});
    ASSERT_TRUE(book_->Push({.kind = "remote_write", .sender = "test"}, push, [](std::string_view) { return true; }).ok());
  }
  MetricRule Rule(const std::string& metric, MetricUse use) {
    return {.network = "prod", .type = "web", .use = use, .match = MetricSelector::Parse(metric).value()};
  }

  std::unique_ptr<DocumentStore> documents_;
  std::unique_ptr<PolicyShelf> policies_;
  std::unique_ptr<MetricBook> book_;
  std::unique_ptr<Advisor> advisor_;
};

struct Schedule {
  const char* type;
  const char* policy;
  const char* zone;
  int hour, minute, count;
  absl::CivilDay first;  // the day before the clocks change
};

constexpr const char* kKeda = R"(apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: %s}
spec:
  scaleTargetRef: {name: %s}
  triggers:
  - type: cron
    metadata: {timezone: %s, start: %d %d * * *, end: %d 22 * * *, desiredReplicas: "%d"}
)";

// Three zones, each over the day of its change: every shadow is ready before its step, all hit, and a minute before there
// is none.
TEST_F(AdvisorTest, ScheduledStepsAreReadyShortlyBeforeThemAlsoWhenTheClocksChange) {
  const Schedule schedules[] = {
      {"berlin", kKeda, "Europe/Berlin", 8, 0, 12, absl::CivilDay(2027, 3, 27)},
      {"new-york", kKeda, "America/New_York", 9, 30, 25, absl::CivilDay(2027, 3, 13)},
      {"lord-howe", kKeda, "Australia/Lord_Howe", 7, 15, 7, absl::CivilDay(2027, 4, 3)},
  };
  Begin(PredictionMode::kReserve);
  for (const Schedule& one : schedules) {
    absl::TimeZone zone;
    ASSERT_TRUE(absl::LoadTimeZone(one.zone, &zone));
    PassTo(absl::FromCivil(one.first, zone));
    char text[1024];
    std::snprintf(text, sizeof text, one.policy, one.type, one.type, one.zone, one.minute, one.hour, one.minute, one.count);
    Apply(text);
    for (int day = 0; day < 3; ++day) {
      const absl::CivilDay date = one.first + day;
      const absl::Time at =
          absl::FromCivil(absl::CivilSecond(date.year(), date.month(), date.day(), one.hour, one.minute, 0), zone);
      SCOPED_TRACE(absl::StrCat(one.type, " ", absl::FormatTime(at)));
      PassTo(at - absl::Seconds(90));
      Pass(30);
      EXPECT_EQ(Shadows(), 0u) << "a minute before";
      Pass(60);
      ASSERT_EQ(clock_.Wall(), at);
      EXPECT_EQ(Shadows(), static_cast<uint64_t>(one.count));
      for (int i = 0; i < one.count; ++i) {
        const std::string id = absl::StrCat(one.type, day, "-", i);
        const absl::StatusOr<InstanceView> view = Create("prod", id, one.type);
        ASSERT_TRUE(view.ok());
        EXPECT_TRUE(view->hit) << id;
      }
      Pass(10);
      for (int i = 0; i < one.count; ++i) Release("prod", absl::StrCat(one.type, day, "-", i));
      Pass(400);
      EXPECT_TRUE(Holds(0)) << *Shadows();
    }
  }
}

TEST_F(AdvisorTest, ATargetOfAPolicyOnABoundMetricGivesAnExpectation) {
  Begin(PredictionMode::kObserve, {Rule("requests", MetricUse::kDriver)});
  Apply(R"(apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 12
  metrics: [{type: External, external: {metric: {name: requests}, target: {type: AverageValue, averageValue: "10"}}}]
)");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  for (int step = 0; step < 160; ++step) {
    Push("requests", 100);
    clock_.Pass(absl::Seconds(15));
    Advise();
  }
  ASSERT_TRUE(PlanOf().signal);
  EXPECT_EQ(PlanOf().signal->expected, 0u) << "the metric is at its target";
  EXPECT_EQ(PlanOf().signal->most, 2u) << "12 less the 10 that there are";
  Push("requests", 180);
  clock_.Pass(absl::Seconds(15));
  Advise();
  EXPECT_EQ(PlanOf().target, 2u) << "18 are wanted, 12 allowed";
  EXPECT_THAT(PlanOf().signal->rules, Contains(HasSubstr("requests is 180, wants 12")));
  EXPECT_THAT(PlanOf().signal->rules, Contains(HasSubstr("at most 12")));
}

TEST_F(AdvisorTest, ARiseOfADesiredCountIsHeldAtOnce) {
  Begin(PredictionMode::kReserve, {Rule("replicas", MetricUse::kDesired)});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  Push("replicas", 4);
  Pass(10);
  Push("replicas", 9);
  Pass(10);
  EXPECT_GE(*Shadows(), 5u);
  ASSERT_EQ(Open().size(), 1u);
  EXPECT_EQ(Open()[0].count, 5u);
  for (int i = 4; i < 9; ++i) {
    const absl::StatusOr<InstanceView> view = Create("prod", absl::StrCat("vm-", i));
    ASSERT_TRUE(view.ok());
    EXPECT_TRUE(view->hit);
  }
  Pass(10);
  EXPECT_TRUE(Open().empty()) << "they are there";
}

TEST_F(AdvisorTest, AnEventOfACalendarIsAnnounced) {
  Begin(PredictionMode::kReserve);
  PassTo(absl::FromCivil(absl::CivilSecond(2027, 1, 15, 8, 59, 0), absl::UTCTimeZone()));
  const std::string calendar = R"({"events":[{"name":"sale","type":"web","start":"2027-01-15T09:00:00","count":30}]})";
  ASSERT_TRUE(Wait<Done>([&](auto reply) {
                documents_->Change(network_.id, {.put = {{"calendar", "shop", calendar}}}, std::move(reply));
              }).ok());
  Pass(60);
  EXPECT_EQ(Shadows(), 30u);
  ASSERT_EQ(Open().size(), 1u);
  EXPECT_EQ(Open()[0].id.source, "calendar");
}

TEST_F(AdvisorTest, ARolloutAddsItsSurge) {
  Begin(PredictionMode::kReserve);
  const std::string deployment = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 8, strategy: {rollingUpdate: {maxSurge: 3}}, template: {spec: {containers: [{image: "web:%s"}]}}}
)";
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  Apply(absl::StrReplaceAll(deployment, {{"%s", "1"}}));
  Pass(10);
  EXPECT_TRUE(Open().empty()) << "it is as it was";
  Apply(absl::StrReplaceAll(deployment, {{"%s", "2"}}));
  Pass(10);
  ASSERT_EQ(Open().size(), 1u);
  EXPECT_EQ(Open()[0].id.source, "rollout");
  EXPECT_EQ(Open()[0].count, 3u);
}

TEST_F(AdvisorTest, ThePastOfADemandMetricIsImportedBeforePredictionsBegin) {
  MetricRule rule = Rule("runners_total", MetricUse::kDemand);
  rule.of = MetricCount::kCreationsTotal;
  Begin(PredictionMode::kOff, {rule});
  double total = 0;
  for (int step = 0; step < 2 * 5760; ++step) {
    if (step % 240 == 0) total += 30;
    Push("runners_total", total);
    clock_.Pass(absl::Seconds(15));
  }
  Advise();
  Settle();
  EXPECT_EQ(advisor_->refused(), 0u);
  Mode(PredictionMode::kObserve);
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  Minute();
  EXPECT_GT(PlanOf().target, 1u) << "it has seen bursts of 30";
}

}  // namespace
}  // namespace gnomon
