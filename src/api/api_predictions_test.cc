// SPDX-License-Identifier: Apache-2.0
//
// Plans, announcements and imports of the past, with an engine that runs.
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

class ApiPredictionsTest : public ApiFixture {
 protected:
  void Make(const std::string& mode) {
    MakeNetwork("10.0.0.0/16");
    EXPECT_EQ(Patch("/v1/networks/prod", absl::StrCat(R"({"prediction_mode":")", mode, R"("})")).code(), "200");
  }
  // The first page of plans, once there are so many.
  ApiAnswer Plans(size_t count) {
    ApiAnswer page;
    const absl::Time end = SystemClock().Wall() + absl::Seconds(30);
    do {
      page = Get("/v1/networks/prod/plans");
    } while (page.size("plans") != count && SystemClock().Wall() < end);
    EXPECT_EQ(page.size("plans"), count);
    return page;
  }
  ApiAnswer Announce(const std::string& body) { return Post("/v1/networks/prod/announcements", body); }
};

double NumberOf(const ApiAnswer& answer, const std::string& pointer) { return std::atof(answer[pointer].c_str()); }

TEST_F(ApiPredictionsTest, ThePlansOfANetworkAreListedWithTheirExplanation) {
  EXPECT_EQ(Get("/v1/networks/prod/plans").code(), "404 NETWORK_NOT_FOUND");
  Make("off");
  EXPECT_EQ(Plans(0).code(), "200") << "the mode is off";
  Patch("/v1/networks/prod", R"({"prediction_mode":"observe"})");
  for (const char* type : {"web", "ci"}) {
    Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":"vm-)", type, R"(","type":")", type, R"("})"));
  }
  clock.Pass(absl::Minutes(1));
  ASSERT_EQ(Plans(2)["/plans/0/type"], "ci");
  ApiAnswer page = Get("/v1/networks/prod/plans?page_token=ci");
  ASSERT_EQ(page.size("plans"), 1u);
  EXPECT_EQ(page["/plans/0/type"], "web");
  EXPECT_EQ(page["/plans/0/mode"], "observe");
  EXPECT_EQ(page["/plans/0/held"], "0");
  const double explained =
      NumberOf(page, "/plans/0/multiple") * (NumberOf(page, "/plans/0/forecast") + NumberOf(page, "/plans/0/spread"));
  EXPECT_NEAR(NumberOf(page, "/plans/0/target"), explained, 1);
  EXPECT_EQ(Get("/v1/networks/prod/plans?type=web").code(), "400 UNKNOWN_ARGUMENT");
}

TEST_F(ApiPredictionsTest, ForecastsAreOfEachTypeOrSayWhatIsMissing) {
  EXPECT_EQ(Get("/v1/networks/prod/forecasts").code(), "404 NETWORK_NOT_FOUND");
  Make("off");
  EXPECT_EQ(Get("/v1/networks/prod/forecasts").size("forecasts"), 0u);
  EXPECT_THAT(Get("/v1/networks/prod/forecasts?type=web")["/forecasts/0/missing"], HasSubstr("prediction_mode is off"));
  Patch("/v1/networks/prod", R"({"prediction_mode":"observe"})");
  EXPECT_THAT(Get("/v1/networks/prod/forecasts?type=web")["/forecasts/0/missing"], HasSubstr("none was created"));
  for (const char* type : {"web", "ci"}) {
    Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":"vm-)", type, R"(","type":")", type, R"("})"));
  }
  ApiAnswer page = Get("/v1/networks/prod/forecasts?page_size=1");
  EXPECT_EQ(page["/forecasts/0/type"], "ci");
  EXPECT_THAT(page["/forecasts/0/missing"], HasSubstr("first 5 minutes"));
  EXPECT_EQ(page["/next_page_token"], "ci");
  for (int minute = 0; minute < 12; ++minute) {
    clock.Pass(absl::Minutes(1));
    const std::string rounds = absl::StrCat(predictor_->rounds());
    for (int tries = 0; tries < 10'000 && absl::StrCat(predictor_->rounds()) == rounds; ++tries) {
      Get("/v1/networks/prod/forecasts");
    }
  }
  page = Get("/v1/networks/prod/forecasts?type=web");
  ASSERT_EQ(page.size("forecasts"), 1u);
  EXPECT_EQ(page["/forecasts/0/type"], "web");
  EXPECT_EQ(page["/forecasts/0/missing"], "<none>");
  EXPECT_GE(NumberOf(page, "/forecasts/0/steps"), 1);
  EXPECT_GE(NumberOf(page, "/forecasts/0/horizons/1800/p99"), NumberOf(page, "/forecasts/0/horizons/300/p50"));
  EXPECT_NE(page["/forecasts/0/recent/0"], "<none>");
  EXPECT_EQ(Get("/v1/networks/prod/forecasts?type=a/b").code(), "400 INVALID_NAME");
}

TEST_F(ApiPredictionsTest, QualityTellsHitsAndIdleTimeWithTheirCounts) {
  Make("reserve");
  EXPECT_EQ(Get("/v1/networks/prod/quality")["/network/total"], "<none>");
  EXPECT_THAT(Get("/v1/networks/prod/quality?type=db")["/quality/0/missing"], HasSubstr("none was created"));
  int64_t hits = 0;
  for (int minute = 0; minute < 8; ++minute) {
    for (int i = 0; i < 3; ++i) {
      ApiAnswer made =
          Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":"vm-)", minute, "-", i, R"(","type":"web"})"));
      hits += made["/source"] == "shadow";
    }
    Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":"db-)", minute, R"(","type":"db"})"));
    const uint64_t rounds = predictor_->rounds();
    clock.Pass(absl::Minutes(1));
    for (int tries = 0; tries < 10'000 && predictor_->rounds() == rounds; ++tries) Get("/v1/networks/prod/quality");
    // Until what the review asked for is held.
    for (int tries = 0; tries < 10'000; ++tries) {
      if (Get("/v1/networks/prod/plans")["/plans/1/held"] == Get("/v1/networks/prod/plans")["/plans/1/target"]) break;
    }
  }
  ApiAnswer page = Get("/v1/networks/prod/quality?type=web");
  ASSERT_EQ(page.size("quality"), 1u) << page.body;
  EXPECT_GT(hits, 0);
  EXPECT_EQ(page["/quality/0/total/creations"], "24");
  EXPECT_EQ(page["/quality/0/total/hits"], absl::StrCat(hits));
  EXPECT_EQ(page["/quality/0/total/misses"], absl::StrCat(24 - hits));
  EXPECT_EQ(page["/quality/0/last_hour/creations"], "24");
  EXPECT_GT(NumberOf(page, "/quality/0/total/idle_minutes"), 0);
  EXPECT_EQ(page["/network/total/creations"], "32");
  EXPECT_NE(page["/quality/0/static_pool/size"], "<none>");
  EXPECT_THAT(page["/quality/0/forecasts/300/missing"], HasSubstr("fewer than 100"));
  EXPECT_EQ(Get("/v1/networks/prod/quality?page_size=1")["/next_page_token"], "db");
}

TEST_F(ApiPredictionsTest, SettingsOfANetworkAndOfItsTypesBoundThePlans) {
  Make("observe");
  const char* settings =
      R"({"miss_cost":19,"idle_cost":1,"min_shadows":3,"types":{"web":{"target_hit_rate":0.9,"max_shadows":7},)"
      R"("ci":{"prediction_mode":"off"},"job":{"min_shadows":5,"prediction_mode":"reserve"}}})";
  ApiAnswer set = Patch("/v1/networks/prod", settings);
  EXPECT_EQ(set.code(), "200");
  EXPECT_EQ(set["/target_hit_rate"].substr(0, 3), "9.5");
  EXPECT_EQ(set["/types/web/max_shadows"], "7");
  EXPECT_EQ(set["/types/web/min_shadows"], "<none>") << "as the network's";
  for (const char* type : {"web", "ci", "db"}) {
    Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":"vm-)", type, R"(","type":")", type, R"("})"));
  }
  Announce(R"({"type":"web","count":30})");
  clock.Pass(absl::Minutes(1));
  ApiAnswer plans = Plans(3);
  EXPECT_EQ(plans["/plans/0/type"], "db");
  EXPECT_EQ(plans["/plans/1/type"], "job") << "a floor holds before the first creation";
  EXPECT_EQ(plans["/plans/1/target"], "5");
  EXPECT_EQ(plans["/plans/1/raised"], "5");
  EXPECT_EQ(plans["/plans/1/mode"], "reserve");
  EXPECT_EQ(plans["/plans/2/target"], "7");
  EXPECT_GE(NumberOf(plans, "/plans/2/capped"), 23);
  EXPECT_EQ(plans["/plans/2/target_hit_rate"].substr(0, 1), "9");
  for (int tries = 0; tries < 10'000 && Get("/v1/networks/prod/shadows").size("shadows") != 5; ++tries) {
  }
  EXPECT_EQ(Get("/v1/networks/prod/shadows").size("shadows"), 5u) << "of the type that reserves";
}

TEST_F(ApiPredictionsTest, SettingsThatCannotBeAreRefusedByName) {
  Make("observe");
  struct Case {
    const char *body, *code, *field;
  };
  for (const Case& c : {Case{R"({"target_hit_rate":0.9,"miss_cost":9,"idle_cost":1})", "400 INVALID_WARM_POOL", "target_hit_rate"},
                        Case{R"({"miss_cost":9})", "400 MISSING_FIELD", "idle_cost"},
                        Case{R"({"miss_cost":1,"idle_cost":9})", "400 INVALID_WARM_POOL", "miss_cost"},
                        Case{R"({"miss_cost":-9,"idle_cost":1})", "400 INVALID_WARM_POOL", "miss_cost"},
                        Case{R"({"min_shadows":9,"max_shadows":8})", "400 INVALID_WARM_POOL", "max_shadows"},
                        Case{R"({"max_shadows":-1})", "400 OUT_OF_RANGE", "max_shadows"},
                        Case{R"({"types":{"web":{"target_hit_rate":2}}})", "400 INVALID_WARM_POOL", "types.web.target_hit_rate"},
                        Case{R"({"types":{"web":{"mode":"off"}}})", "400 UNKNOWN_FIELD", "types.web.mode"},
                        Case{R"({"types":{"a/b":{}}})", "400 INVALID_NAME", "types.a/b"}}) {
    ApiAnswer answer = Patch("/v1/networks/prod", c.body);
    EXPECT_EQ(answer.code(), c.code) << c.body;
    EXPECT_EQ(answer["/field"], c.field) << c.body;
  }
}

TEST_F(ApiPredictionsTest, AnAnnouncementIsMadeOnceHeldListedAndCancelled) {
  Make("reserve");
  ApiAnswer made = Announce(R"({"type":"web","count":30,"source":"ci","id":"77"})");
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(made.headers["location"], "/v1/networks/prod/announcements/ci/77");
  EXPECT_EQ(made["/left"], "30");
  EXPECT_EQ(made["/at"], "2027-01-15T08:00:00Z") << "now";
  EXPECT_EQ(Plans(1)["/plans/0/announced"], "30") << "before any review";
  for (int tries = 0; tries < 10'000 && Get("/v1/networks/prod/shadows").size("shadows") != 30; ++tries) {
  }
  EXPECT_EQ(Get("/v1/networks/prod/shadows").size("shadows"), 30u);
  EXPECT_EQ(Create("vm-1")["/source"], "shadow");
  clock.Pass(absl::Seconds(10));
  ApiAnswer again = Announce(R"({"type":"web","count":30,"source":"ci","id":"77"})");
  EXPECT_EQ(again.code(), "200");
  EXPECT_EQ(again["/at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(again["/left"], "29");
  ApiAnswer differs = Announce(R"({"type":"web","count":31,"source":"ci","id":"77"})");
  EXPECT_EQ(differs.code(), "409 ANNOUNCEMENT_DIFFERS");
  EXPECT_THAT(differs["/detail"], HasSubstr("count 30"));

  EXPECT_EQ(Announce(R"({"type":"web","count":2,"id":"78","at":"2027-01-15T12:30:00+02:00"})").code(), "201");
  ApiAnswer page = Get("/v1/networks/prod/announcements?page_size=1");
  EXPECT_EQ(page["/announcements/0/id"], "77");
  page = Get("/v1/networks/prod/announcements?page_token=" + page["/next_page_token"]);
  ASSERT_EQ(page.size("announcements"), 1u);
  EXPECT_EQ(page["/announcements/0/source"], "tester") << "the caller";
  EXPECT_EQ(page["/announcements/0/at"], "2027-01-15T10:30:00Z");

  EXPECT_EQ(Delete("/v1/networks/prod/announcements/ci/77").code(), "204");
  EXPECT_EQ(Delete("/v1/networks/prod/announcements/ci/77").code(), "204");
  EXPECT_EQ(Delete("/v1/networks/prod/announcements/ci/79").code(), "404 ANNOUNCEMENT_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/announcements").size("announcements"), 1u);
}

TEST_F(ApiPredictionsTest, AnAnnouncementThatCannotBeIsRefusedAndSaysWhy) {
  EXPECT_EQ(Announce(R"({"type":"web","count":1})").code(), "404 NETWORK_NOT_FOUND");
  Make("off");
  EXPECT_EQ(Announce(R"({"type":"web","count":1})").code(), "409 PREDICTIONS_OFF");
  Patch("/v1/networks/prod", R"({"prediction_mode":"observe"})");
  EXPECT_EQ(Announce(R"({"count":1})").code(), "400 MISSING_FIELD");
  EXPECT_EQ(Announce(R"({"type":"web","count":0})").code(), "400 OUT_OF_RANGE");
  EXPECT_EQ(Announce(R"({"type":"web","count":1,"at":"soon"})").code(), "400 INVALID_TIME");
  ApiAnswer past = Announce(R"({"type":"web","count":1,"at":"2027-01-15T07:00:00Z"})");
  EXPECT_EQ(past.code(), "400 INVALID_ANNOUNCEMENT");
  EXPECT_EQ(past["/field"], "at");
  EXPECT_THAT(past["/hint"], HasSubstr("2027-01-15T07:55:00Z"));
  EXPECT_EQ(Announce(R"({"type":"web","count":1,"id":"a/b"})").code(), "400 INVALID_NAME");
}

TEST_F(ApiPredictionsTest, ThePastIsImportedOnceAndBeforePredictionsAreOn) {
  Make("off");
  const std::string path = "/v1/networks/prod/history";
  const std::string rows = R"({"id":"1","creations":[{"type":"web","at":"2027-01-15T07:00:00Z","count":40},)"
                           R"({"type":"db","at":"2027-01-15T07:30:00Z"}]})";
  ApiAnswer first = Post(path, rows);
  EXPECT_EQ(first.code(), "200");
  EXPECT_EQ(first["/creations"], "41");
  EXPECT_EQ(Post(path, rows)["/creations"], "41") << "again is the same answer";
  EXPECT_EQ(Post(path, R"({"creations":[{"type":"web","at":"2027-01-15T07:00:00Z"}]})").code(), "409 HISTORY_TOO_LATE");
  ApiAnswer wrong = Post(path, R"({"creations":[{"type":"web","at":"2027-01-15T07:40:00Z"},{"type":"web","at":"7:41"}]})");
  EXPECT_EQ(wrong.code(), "400 INVALID_TIME");
  EXPECT_EQ(wrong["/field"], "creations[1].at");
  Patch("/v1/networks/prod", R"({"prediction_mode":"observe"})");
  clock.Pass(absl::Minutes(1));
  EXPECT_EQ(Plans(2)["/plans/1/type"], "web");
  EXPECT_EQ(Post(path, R"({"creations":[{"type":"web","at":"2027-01-15T07:59:00Z"}]})").code(), "409 PREDICTIONS_ON");
}

}  // namespace
}  // namespace gnomon
