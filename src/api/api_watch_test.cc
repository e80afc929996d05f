// SPDX-License-Identifier: Apache-2.0
//
// Predictions and shadows, lists of records, and watches that go on from them.
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kWatch[] = "/v1/networks/prod/watch";

class ApiWatchTest : public ApiFixture {
 protected:
  ApiWatchTest() : ApiFixture([](Api::Parts* parts) { parts->heartbeat = absl::Milliseconds(20); }) {}

  ApiAnswer Predict(const std::string& id, int count, const std::string& more = "") {
    return Post("/predict_instances", absl::StrCat(R"({"network":"prod","source":"s","id":")", id,
                                                   R"(","predictions":[{"type":"web","horizon":"15m","count":)", count, more,
                                                   "}]}"));
  }
  // All records that hold something, by address, through pages of ten; the first page's revision.
  std::map<std::string, std::string> List(std::string* revision = nullptr) {
    std::map<std::string, std::string> records;
    std::string token;
    do {
      ApiAnswer page = Get(absl::StrCat("/v1/networks/prod/addresses?page_size=10&page_token=", token));
      if (page.status != 200) return records;
      if (token.empty() && revision != nullptr) *revision = page["/revision"];
      for (const auto& record : page.json.at("addresses").as_array()) {
        const bool added = records.emplace(record.at("address").as_string().c_str(), boost::json::serialize(record)).second;
        EXPECT_TRUE(added) << "listed twice";
      }
      token = page["/next_page_token"];
    } while (!token.empty());
    return records;
  }
  // What a mirror of the list becomes by an event.
  static void Apply(const boost::json::object& event, std::map<std::string, std::string>* mirror) {
    if (event.at("kind") != "address") return;
    const auto& object = event.at("object").as_object();
    const std::string address = object.at("address").as_string().c_str();
    mirror->erase(address);
    if (event.at("type") == "put" && object.at("state") != "free") (*mirror)[address] = boost::json::serialize(object);
  }
};

TEST_F(ApiWatchTest, APredictionReservesShadowsAndAskingAgainChangesNothing) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer first = Predict("1", 5, R"(,"resources":{"vcpu":4,"memory_gb":16})");
  EXPECT_EQ(first["/id"], "1");
  EXPECT_EQ(first["/predictions/0/target"], "5");
  EXPECT_EQ(first["/predictions/0/reserved"], "5");
  EXPECT_EQ(first["/predictions/0/shortfall"], "0");
  const std::string revision = Get("/v1/networks/prod/shadows")["/revision"];
  ApiAnswer again = Predict("1", 5, R"(,"resources":{"vcpu":4,"memory_gb":16})");
  EXPECT_EQ(again["/predictions/0/held"], "5");
  EXPECT_EQ(again["/predictions/0/reserved"], "0");
  ApiAnswer shadows = Get("/v1/networks/prod/shadows");
  EXPECT_EQ(shadows["/revision"], revision);
  EXPECT_EQ(shadows.size("shadows"), 5u);
  EXPECT_EQ(shadows["/shadows/0/prediction/source"], "s");
  EXPECT_EQ(shadows["/shadows/0/prediction/id"], "1");
  EXPECT_EQ(shadows["/shadows/0/warmth"], "cold");
}

TEST_F(ApiWatchTest, ANewPredictionOfASourceReplacesItsOldOneAndAnAdditiveOneAddsToThoseOfOthers) {
  MakeNetwork("10.0.0.0/24");
  Predict("1", 5);
  ApiAnswer fewer = Predict("2", 2);
  EXPECT_EQ(fewer["/predictions/0/target"], "2");
  EXPECT_EQ(fewer["/predictions/0/reclaimed"], "3");
  const auto other = [this](const std::string& more) {
    return Post("/predict_instances", absl::StrCat(R"({"network":"prod","source":"other","predictions":[{"type":"web",)",
                                                   R"("horizon":"1h",)", more, "}]}"))["/predictions/0/target"];
  };
  EXPECT_EQ(other(R"("count":3)"), "3") << "the larger of two";
  EXPECT_EQ(other(R"("count":3,"additive":true)"), "5");
  EXPECT_EQ(other(R"("count":0)"), "2");
  EXPECT_EQ(Predict("4", 0)["/predictions/0/target"], "0");
  EXPECT_EQ(Predict("5", 300)["/predictions/0/shortfall"], "46");
  EXPECT_NE(Predict("5", 300)["/predictions/0/reason"], "");
}

TEST_F(ApiWatchTest, APredictionWithoutSourceAndIdHasThoseOfItsCall) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer answer = Ask("POST", "/v1/predict_instances",
                         R"({"network":"prod","predictions":[{"type":"web","count":1,"horizon":"1m"}]})",
                         "X-Request-Id: call-7\r\n");
  EXPECT_EQ(answer["/source"], "tester");
  EXPECT_EQ(answer["/id"], "call-7");
  EXPECT_EQ(Predict("", 1).code(), "400 INVALID_ID");
  EXPECT_EQ(Predict("1", -1).code(), "400 OUT_OF_RANGE");
  EXPECT_EQ(Post("/predict_instances", R"({"network":"prod","predictions":[{"type":"web","count":1,"horizon":15}]})").code(),
            "400 WRONG_TYPE");
  EXPECT_EQ(Post("/predict_instances", R"({"network":"none","predictions":[{"type":"web","count":1,"horizon":"1m"}]})").code(),
            "404 NETWORK_NOT_FOUND");
}

TEST_F(ApiWatchTest, SeeingTheAvailableShadowChangesNothingAndTheInstanceGetsIt) {
  MakeNetwork("10.0.0.0/24");
  const std::string peek = "/available_shadow_address?network=prod&type=web&zone=z1";
  EXPECT_EQ(Get(peek)["/available"], "false");
  EXPECT_EQ(Get("/available_shadow_address?network=none&type=web").code(), "404 NETWORK_NOT_FOUND");
  Predict("1", 2, R"(,"zone":"z1")");
  const std::string revision = Get("/v1/networks/prod")["/revision"];
  ApiAnswer seen = Get(peek);
  EXPECT_EQ(seen["/available"], "true");
  EXPECT_EQ(seen["/prefix_length"], "24");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get(absl::StrCat("/v1", peek)).body, seen.body);
  EXPECT_EQ(Get("/v1/networks/prod")["/revision"], revision);
  ApiAnswer hit = Create("vm-1", R"(,"zone":"z1")");
  EXPECT_EQ(hit["/source"], "shadow");
  EXPECT_EQ(hit["/address"], seen["/address"]);
  EXPECT_EQ(hit["/mac"], seen["/mac"]);
  EXPECT_EQ(Create("vm-2", R"(,"zone":"z2")")["/source"], "standard");
  EXPECT_EQ(Create("vm-1", R"(,"zone":"z1")")["/source"], "shadow") << "asked again, it is still the hit";
}

TEST_F(ApiWatchTest, ListsAreFilteredByEachOfTheirArguments) {
  MakeNetwork("10.0.0.0/24");
  Create("vm-1", R"(,"zone":"z1","host":"h1")");
  Create("vm-2", R"(,"zone":"z2","host":"h2")");
  Predict("1", 3);
  const std::string list = "/v1/networks/prod/";
  EXPECT_EQ(Get(list + "instances").size("instances"), 2u);
  EXPECT_EQ(Get(list + "instances?zone=z1")["/instances/0/id"], "vm-1");
  EXPECT_EQ(Get(list + "instances?host=h2")["/instances/0/id"], "vm-2");
  EXPECT_EQ(Get(list + "instances?type=db").size("instances"), 0u);
  EXPECT_EQ(Get(list + "addresses?pool=a").size("addresses"), 5u);
  EXPECT_EQ(Get(list + "addresses?pool=b").size("addresses"), 0u);
  EXPECT_EQ(Get(list + "addresses?state=assigned").size("addresses"), 2u);
  EXPECT_EQ(Get(list + "shadows?type=web").size("shadows"), 3u);
}

TEST_F(ApiWatchTest, WatchingFromTheFirstPageConvergesWithTheList) {
  MakeNetwork("10.0.0.0/22");
  for (int i = 0; i < 60; ++i) Create(absl::StrCat("old-", i));
  std::thread writer([this] {
    for (int i = 0; i < 60; ++i) {
      Create(absl::StrCat("new-", i));
      Delete(absl::StrCat("/v1/networks/prod/instances/old-", i));
      if (i % 20 == 0) Predict(absl::StrCat(i), 60 - i);
    }
  });
  std::string revision;
  std::map<std::string, std::string> mirror = List(&revision);
  ApiWatch watch = Watch(absl::StrCat(kWatch, "?revision=", revision));
  EXPECT_EQ(watch.head.headers["content-type"], "application/x-ndjson");
  writer.join();
  Create("last");
  for (bool last = false; !last;) {
    const boost::json::object event = watch.NextEvent();
    ASSERT_FALSE(event.empty()) << "the stream ended";
    EXPECT_EQ(openapi.Wrong({{"$ref", "#/components/schemas/WatchEvent"}}, event, "event"), "");
    if (event.at("type") == "put") {
      const char* schema = event.at("kind") == "pool" ? "#/components/schemas/PoolConfig" : "#/components/schemas/Record";
      EXPECT_EQ(openapi.Wrong({{"$ref", schema}}, event.at("object"), "object"), "");
    }
    Apply(event, &mirror);
    last = absl::StrContains(boost::json::serialize(event), R"("instance":"last")");
  }
  EXPECT_EQ(mirror, List());
}

TEST_F(ApiWatchTest, AServerSentEventStreamGoesOnAfterTheLastEventThatWasSeen) {
  MakeNetwork("10.0.0.0/24");
  const std::string revision = Get("/v1/networks/prod")["/revision"];
  Create("vm-1");
  Create("vm-2");
  std::string first;
  {
    ApiWatch watch = Watch(absl::StrCat(kWatch, "?revision=", revision), "Accept: text/event-stream\r\n");
    EXPECT_EQ(watch.head.headers["content-type"], "text/event-stream");
    do first = watch.Next("\n\n"); while (absl::StartsWith(first, ":"));
  }
  EXPECT_THAT(first, HasSubstr("vm-1"));
  ASSERT_THAT(first, StartsWith("id: "));
  const std::string id = first.substr(4, first.find('\n') - 4);
  ApiWatch again = Watch(absl::StrCat(kWatch, "?revision=", revision),
                         absl::StrCat("Accept: text/event-stream\r\nLast-Event-ID: ", id, "\r\n"));
  std::string second;
  do second = again.Next("\n\n"); while (absl::StartsWith(second, ":"));
  EXPECT_THAT(second, HasSubstr("vm-2"));
}

TEST_F(ApiWatchTest, AWatchWithoutARevisionBeginsNowAndHearsHeartbeats) {
  MakeNetwork("10.0.0.0/24");
  Create("before");
  ApiWatch quiet = Watch(kWatch), events = Watch(kWatch, "Accept: text/event-stream\r\n");
  EXPECT_THAT(quiet.Next(), StartsWith(R"({"type":"heartbeat","revision":)"));
  EXPECT_EQ(events.Next("\n\n"), ": heartbeat");
  Create("after");
  EXPECT_THAT(boost::json::serialize(quiet.NextEvent()), HasSubstr(R"("instance":"after")"));
}

TEST_F(ApiWatchTest, AQuietNetworksWatchHearsHeartbeatsWhileAnotherIsBusy) {
  MakeNetwork("10.0.0.0/16");
  MakeNetwork("10.0.0.0/24", "quiet");
  ApiWatch busy = Watch(kWatch), quiet = Watch("/v1/networks/quiet/watch");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) Create(absl::StrCat("vm-", i));
  });
  for (int i = 0; i < 3; ++i) EXPECT_THAT(quiet.Next(), HasSubstr("heartbeat"));
  stop = true;
  writer.join();
}

TEST_F(ApiWatchTest, ARevisionThatCannotBeWatchedFromIsGone) {
  MakeNetwork("10.0.0.0/24");
  EXPECT_EQ(Get(absl::StrCat(kWatch, "?revision=00000000000000aa-1")).code(), "410 FOREIGN_REVISION");
  std::string future = Get("/v1/networks/prod")["/revision"];
  EXPECT_EQ(Get(absl::StrCat(kWatch, "?revision=", future, "000")).code(), "410 WATCH_TOO_OLD");
  EXPECT_EQ(Get(absl::StrCat(kWatch, "?revision=x")).code(), "400 INVALID_REVISION");
  EXPECT_EQ(Get("/v1/networks/none/watch").code(), "404 NETWORK_NOT_FOUND");
}

TEST_F(ApiWatchTest, AWatcherThatFellBehindIsToldToListAgain) {
  MakeNetwork("10.0.0.0/15");
  const std::string revision = Get("/v1/networks/prod")["/revision"];
  TestSocket slow(Address(), 4096);  // reads nothing for now
  slow.Send(RequestText("GET", absl::StrCat(kWatch, "?revision=", revision), ""));
  EXPECT_THAT(slow.ReadUntil("\r\n\r\n"), HasSubstr("200 OK"));
  EXPECT_EQ(Predict("1", 60000)["/predictions/0/reserved"], "60000");
  EXPECT_EQ(Get(absl::StrCat(kWatch, "?revision=", revision)).code(), "410 WATCH_TOO_OLD");
  const std::string rest = slow.ReadAll();
  EXPECT_THAT(rest.substr(rest.size() - 1000), HasSubstr("WATCH_TOO_OLD"));
  EXPECT_TRUE(absl::EndsWith(rest, "\r\n0\r\n\r\n")) << "the stream ends in order";
}

TEST_F(ApiWatchTest, APoolsChangesAreWatchedToo) {
  MakeNetwork("10.0.0.0/24");
  ApiWatch watch = Watch(absl::StrCat(kWatch, "?revision=", Get("/v1/networks/prod")["/revision"]));
  ASSERT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefix":"10.1.0.0/24"})").code(), "201");
  ASSERT_EQ(Delete("/v1/networks/prod/pools/b").code(), "204");
  boost::json::object made = watch.NextEvent();
  EXPECT_EQ(made.at("kind"), "pool");
  EXPECT_EQ(made.at("object").at("prefix"), "10.1.0.0/24");
  EXPECT_EQ(made.at("object").at("draining"), false);
  boost::json::object gone = watch.NextEvent();
  if (gone.at("type") == "put") gone = watch.NextEvent();  // it may drain first
  EXPECT_EQ(gone.at("type"), "delete");
  EXPECT_EQ(gone.at("object").at("name"), "b");
}

}  // namespace
}  // namespace gnomon
