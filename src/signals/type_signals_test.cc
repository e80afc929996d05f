// SPDX-License-Identifier: Apache-2.0
#include "signals/type_signals.h"

#include <gmock/gmock.h>

namespace gnomon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kStartS = 1'800'000'000;
const TypeSignals::Target kTarget{.metric = "requests", .rule = {.target = 10}, .text = "hpa.web: 10 requests a pod"};

TypeSignals::Metric Requests(int64_t time_s, double value) {
  return {.name = "requests", .latest = TypeSignals::Point{time_s, value}};
}

TEST(TypeSignals, AMetricWithATargetSaysWhatThePolicyWillDo) {
  TypeSignals signals;
  int64_t now_s = kStartS;
  for (int step = 0; step < 300; ++step, now_s += TypeSignals::kStepS) {
    signals.Look({.now_s = now_s, .instances = 10, .metrics = {Requests(now_s - 3, 100 + step % 2)}, .targets = {kTarget}});
  }
  ASSERT_TRUE(signals.advice().expected);
  EXPECT_LE(signals.advice().expected->back(), 2u) << "the metric is at its target";
  signals.Look({.now_s = now_s, .instances = 10, .metrics = {Requests(now_s - 3, 150)}, .targets = {kTarget}});
  EXPECT_GE(signals.advice().expected->front(), 5u);
  EXPECT_THAT(signals.advice().rules, ElementsAre(HasSubstr("hpa.web: 10 requests a pod: requests is 150, wants 15;")));
  signals.Look({.now_s = now_s + 5, .instances = 15, .metrics = {Requests(now_s - 3, 150)}, .targets = {kTarget}});
  EXPECT_LT(signals.advice().expected->front(), 5u) << "they are there: seen between two steps too";
}

TEST(TypeSignals, ThePastIsLearntAtOnce) {
  TypeSignals signals;
  std::vector<TypeSignals::Point> past;
  for (int64_t at_s = kStartS - 86400; at_s < kStartS; at_s += 30) past.push_back({at_s, 100.0 + (at_s / 30) % 5});
  signals.LearnPast("requests", past);
  signals.Look({.now_s = kStartS, .instances = 10, .metrics = {Requests(kStartS - 3, 100)}, .targets = {kTarget}});
  EXPECT_TRUE(signals.advice().expected);
}

TEST(TypeSignals, ASilentMetricIsNamedAndConcludesNothing) {
  TypeSignals signals;
  int64_t now_s = kStartS;
  for (int step = 0; step < 300; ++step, now_s += TypeSignals::kStepS) {
    signals.Look({.now_s = now_s, .instances = 10, .metrics = {Requests(now_s, 100)}, .targets = {kTarget}});
  }
  const TypeSignals::Metric last = Requests(now_s - TypeSignals::kStepS, 100);
  for (int step = 0; step < 8; ++step, now_s += TypeSignals::kStepS) {
    signals.Look({.now_s = now_s, .instances = 10, .metrics = {last}, .targets = {kTarget}});
  }
  EXPECT_FALSE(signals.advice().expected) << "a gap is a gap, not a zero";
  EXPECT_THAT(signals.advice().rules, ElementsAre(HasSubstr("not known well enough yet, or silent"),
                                                  HasSubstr("requests: silent for 120 s")));
  signals.Look({.now_s = now_s, .instances = 10, .metrics = {Requests(now_s, 100)}, .targets = {kTarget}});
  EXPECT_TRUE(signals.advice().expected) << "it speaks again";
}

TEST(TypeSignals, ADriverIsUsedOnceItExplainsTheInstances) {
  TypeSignals signals;
  int64_t now_s = kStartS;
  uint32_t instances = 0;
  for (int step = 0; step < 2000; ++step, now_s += TypeSignals::kStepS) {
    const uint32_t wanted = 20 + (step / 40 % 2) * 15;
    const uint32_t created = wanted - std::min(wanted, instances);
    instances = wanted;
    const double queue = wanted * 7.0;
    signals.Look({.now_s = now_s,
                  .instances = instances,
                  .created = created,
                  .metrics = {{.name = "queue", .drives = true, .latest = TypeSignals::Point{now_s, queue}}}});
    EXPECT_TRUE(step != 100 || !signals.advice().expected) << "nothing is known yet";
  }
  ASSERT_TRUE(signals.advice().expected);
  EXPECT_THAT(signals.advice().rules, ElementsAre(HasSubstr("queue: an instance follows 7 of it after 0 s")));
}

TEST(TypeSignals, ATargetWithoutItsMetricSaysSo) {
  TypeSignals signals;
  signals.Look({.now_s = kStartS, .instances = 10, .targets = {kTarget}});
  EXPECT_FALSE(signals.advice().expected);
  EXPECT_THAT(signals.advice().rules, ElementsAre(HasSubstr("no metric is bound to requests")));
  signals.Look({.now_s = kStartS + 5, .instances = 10});
  EXPECT_THAT(signals.advice().rules, IsEmpty());
}

}  // namespace
}  // namespace gnomon
