// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_rule.h"

#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

TEST(MetricSelector, MatchesByNameAndLabels) {
  struct Case {
    std::string selector;
    std::vector<Series::Label> labels;
    bool want;
  };
  const std::vector<Series::Label> web = {{"__name__", "requests"}, {"job", "web"}, {"pod", "web-17"}};
  const Case cases[] = {{"requests", web, true},
                        {"request", web, false},
                        {"req*", web, true},
                        {"requests{}", web, true},
                        {"requests{job=\"web\"}", web, true},
                        {"requests { job = \"web\" , pod=\"web-*\" , }", web, true},
                        {"requests{pod=\"db-*\"}", web, false},
                        {"{job=\"web\"}", web, true},
                        {"requests{zone=\"\"}", web, true},   // as in PromQL: there is none
                        {"requests{zone=\"a\"}", web, false},
                        {"requests{pod=\"*\"}", web, true},
                        {"x:y{A=\"1\"}", {{"A", "1"}, {"__name__", "x:y"}}, true},
                        {"q{a=\"say \\\"hi\\\"\"}", {{"__name__", "q"}, {"a", "say \"hi\""}}, true}};
  for (const Case& one : cases) {
    const auto selector = MetricSelector::Parse(one.selector);
    ASSERT_TRUE(selector.ok()) << selector.status();
    EXPECT_EQ(selector->Matches(one.labels), one.want) << one.selector;
    EXPECT_EQ(selector->text(), one.selector);
  }
  EXPECT_EQ(MetricSelector::Parse("a{b=\"c\"}")->ExactName(), "a");
  EXPECT_EQ(MetricSelector::Parse("a*{b=\"c\"}")->ExactName(), std::nullopt);
}

TEST(MetricSelector, WhatCannotBeReadSaysWhatWouldBeRight) {
  struct Case {
    std::string selector, want;
  };
  for (const Case& one : {Case{"", "names neither"}, Case{"{}", "names neither"}, Case{"a{b=~\"c.*\"}", "regular expression"},
                          Case{"a{b!=\"c\"}", "something else than ="}, Case{"a{b=c}", "double quotes"},
                          Case{"a{b=\"c\"", "no , or }"}, Case{"a{b=\"c}", "double quotes"}, Case{"a{=\"c\"}", "label's name"},
                          Case{"sum(a)", "not a selector"}, Case{"a{b=\"1\",b=\"2\"}", "names b twice"},
                          Case{std::string(5000, 'a'), "longer than"}}) {
    const auto selector = MetricSelector::Parse(one.selector);
    EXPECT_EQ(CodeOf(selector.status()), "INVALID_SELECTOR") << one.selector;
    EXPECT_THAT(std::string(selector.status().message()), HasSubstr(one.want)) << one.selector;
  }
}

}  // namespace
}  // namespace gnomon
