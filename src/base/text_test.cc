// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace gnomon {
namespace {

TEST(ParseDuration, TakesEveryUnitFromSecondsToDays) {
  struct Case {
    std::string text;
    absl::Duration want;
  };
  for (const Case& c : std::vector<Case>{{"0", absl::ZeroDuration()},
                                         {"30s", absl::Seconds(30)},
                                         {"15m", absl::Minutes(15)},
                                         {"24h", absl::Hours(24)},
                                         {"1h30m", absl::Minutes(90)},
                                         {"250ms", absl::Milliseconds(250)},
                                         {"30d", absl::Hours(720)},
                                         {"0.5d", absl::Hours(12)},
                                         {"1d12h30m", absl::Hours(36) + absl::Minutes(30)}}) {
    const absl::StatusOr<absl::Duration> got = ParseDuration("horizon", c.text);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(*got, c.want) << c.text;
  }
}

TEST(ParseDuration, RefusesWhatIsNone) {
  for (const std::string& text :
       std::vector<std::string>{"", "d", "30", "-1s", "-1d", "inf", "infd", "1d-1h", "1dd", "1d1", "1d 1h", "12h1d",
                                "+1d", "1.2.3d", "1week", "99999999999999999999d"}) {
    const absl::Status refused = ParseDuration("horizon", text).status();
    EXPECT_EQ(CodeOf(refused), "INVALID_DURATION") << text;
    EXPECT_EQ(PartsOf(refused).field, "horizon");
    EXPECT_EQ(PartsOf(refused).value, text);
  }
}

TEST(Suggest, FindsATypoAndNothingFarAway) {
  const std::vector<std::string_view> known = {"get", "create", "delete", "describe"};
  struct Case {
    std::string text, want;
  };
  for (const Case& c : std::vector<Case>{
           {"gett", "get"}, {"craete", "create"}, {"launch", ""}, {"x", ""}, {"", ""}, {std::string(65, 'g'), ""}}) {
    EXPECT_EQ(Suggest(c.text, known), c.want) << c.text;
  }
  EXPECT_EQ(SuggestionHint("gett", known), "did you mean \"get\"?");
  EXPECT_EQ(SuggestionHint("launch", known), "");
}

TEST(IsName, IsShortAndPlain) {
  for (const std::string& name : std::vector<std::string>{"a", "vm-1", "A.b_c~9", std::string(128, 'x')})
    EXPECT_TRUE(IsName(name)) << name;
  for (const std::string& text : std::vector<std::string>{"", "a b", "a/b", "\xc3\xa9", std::string(129, 'x')})
    EXPECT_FALSE(IsName(text));
}

TEST(Counted, KnowsOneFromMany) {
  EXPECT_EQ(Counted(1, "address", "addresses"), "1 address");
  EXPECT_EQ(Counted(0, "address", "addresses"), "0 addresses");
}

}  // namespace
}  // namespace gnomon
