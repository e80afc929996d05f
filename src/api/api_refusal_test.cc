// SPDX-License-Identifier: Apache-2.0
//
// What the API refuses, and how it says so.
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ApiRefusalTest = ApiFixture;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(ApiRefusalTest, UnknownMembersAreRefusedWithASuggestion) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer answer = Create("vm-1", R"(,"zome":"z1")");
  EXPECT_EQ(answer.code(), "400 UNKNOWN_FIELD");
  EXPECT_EQ(answer["/field"], "zome");
  EXPECT_THAT(answer["/hint"], HasSubstr("zone"));
  EXPECT_EQ(Post("/v1/predict_instances",
                 R"({"network":"prod","predictions":[{"type":"a","count":1,"horizon":"1m","resources":{"cpu":1}}]})")["/field"],
            "predictions[0].resources.cpu");
}

TEST_F(ApiRefusalTest, UnknownQueryArgumentsAreRefusedWithASuggestion) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer answer = Get("/v1/networks/prod/instances?pagesize=3");
  EXPECT_EQ(answer.code(), "400 UNKNOWN_ARGUMENT");
  EXPECT_EQ(answer["/field"], "pagesize");
  EXPECT_THAT(answer["/hint"], HasSubstr("page_size"));
  EXPECT_EQ(Get("/v1/networks/prod?verbose=1").code(), "400 UNKNOWN_ARGUMENT") << "where none is known, too";
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1?preserv=24h").code(), "400 UNKNOWN_ARGUMENT");
  EXPECT_EQ(Get("/v1/networks/prod/instances?type=a&type=b").code(), "400 DUPLICATE_ARGUMENT");
  EXPECT_EQ(Get("/v1/networks/prod/instances?page_size=0").code(), "400 OUT_OF_RANGE");
  EXPECT_EQ(Get("/v1/networks/prod/instances?page_size=1001").code(), "400 OUT_OF_RANGE");
  EXPECT_EQ(Get("/v1/networks/prod/instances?page_token=x").code(), "400 INVALID_ADDRESS");
  EXPECT_EQ(Get("/v1/networks?page_token=a%20b").code(), "400 INVALID_NAME");
  EXPECT_EQ(Get("/v1/networks/prod/pools?page_token=a/").code(), "400 INVALID_NAME");
  EXPECT_EQ(Get("/v1/networks/prod/addresses?state=free").code(), "400 INVALID_STATE");
  EXPECT_EQ(Get("/available_shadow_address?network=prod").code(), "400 MISSING_ARGUMENT");
}

TEST_F(ApiRefusalTest, ListsOfAnUnknownPoolAreRefused) {
  MakeNetwork("10.0.0.0/24");
  for (const std::string& list : {std::string("instances"), std::string("shadows"), std::string("addresses")}) {
    EXPECT_EQ(Get(absl::StrCat("/v1/networks/prod/", list, "?pool=a")).code(), "200") << list;
    const ApiAnswer answer = Get(absl::StrCat("/v1/networks/prod/", list, "?pool=b"));
    EXPECT_EQ(answer.code(), "404 POOL_NOT_FOUND") << list;
    EXPECT_EQ(answer["/field"], "pool");
    EXPECT_EQ(answer["/value"], "b");
    EXPECT_EQ(Get(absl::StrCat("/v1/networks/prod/", list, "?type=unheard-of")).code(), "200") << list;
  }
}

TEST_F(ApiRefusalTest, NamesHaveLettersDigitsAndFourSigns) {
  MakeNetwork("10.0.0.0/24");
  for (const std::string& name : {std::string(""), std::string("a b"), std::string("a/b"), std::string("a:b"),
                                  std::string("\xc3\xa4"), std::string("a\\u0000b"), std::string(129, 'a')}) {
    EXPECT_EQ(Create(name).code(), "400 INVALID_NAME") << name;
    EXPECT_EQ(Post("/v1/networks", absl::StrCat(R"({"name":")", name, R"(","account":"a"})")).code(), "400 INVALID_NAME");
    EXPECT_EQ(Post("/v1/networks/prod/pools", absl::StrCat(R"({"name":")", name, R"(","prefix":"10.9.0.0/24"})")).code(),
              "400 INVALID_NAME");
  }
  EXPECT_EQ(Create(std::string(128, 'a')).code(), "201");
  EXPECT_EQ(Create("A.b_c~d-9").code(), "201");
  EXPECT_EQ(Get("/v1/networks/prod/instances/A.b_c%7Ed-9").code(), "200");
  EXPECT_EQ(Ask("PUT", "/v1/hosts/a%20b", R"({"physical_address":"192.0.2.1"})").code(), "400 INVALID_NAME");
  EXPECT_EQ(Ask("PUT", "/v1/hosts/a%2Fb", R"({"physical_address":"192.0.2.1"})").code(), "400 INVALID_NAME");
  EXPECT_EQ(Get("/v1/networks/a%2Fb").code(), "404 NETWORK_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/instances?type=a%20b").code(), "400 INVALID_NAME");
  EXPECT_EQ(Patch("/v1/networks/prod", R"({"warm_targets":{"a b":1}})").code(), "400 INVALID_NAME");
  EXPECT_EQ(Create("vm-1", R"(,"labels":{"a b":"c"})").code(), "400 INVALID_NAME");
  EXPECT_EQ(Create("vm-1", R"(,"labels":{"a":"c\nd"})").code(), "400 INVALID_LABEL");
}

TEST_F(ApiRefusalTest, HostileBodiesAreRefusedAndHarmNothing) {
  MakeNetwork("10.0.0.0/24");
  const std::string deep = std::string(100000, '[');
  struct Case {
    std::string body, code;
  };
  const Case cases[] = {
      {deep, "400 INVALID_JSON"},
      {absl::StrCat(R"({"id":)", std::string(100, '['), std::string(100, ']'), "}"), "400 INVALID_JSON"},
      {"[]", "400 INVALID_JSON"},
      {"null", "400 INVALID_JSON"},
      {"{", "400 INVALID_JSON"},
      {"{}{}", "400 INVALID_JSON"},
      {R"({"id":"a","type":"b",})", "400 INVALID_JSON"},
      {"{\"id\":\"\xff\xfe\",\"type\":\"b\"}", "400 INVALID_JSON"},
      {R"({"id":"\ud800","type":"b"})", "400 INVALID_JSON"},
      {R"({"id":"a","id":"b","type":"c"})", "400 DUPLICATE_FIELD"},
      {R"({"id":"a","type":"c","labels":{"x":"1","x":"2"}})", "400 DUPLICATE_FIELD"},
      {R"({"type":"c"})", "400 MISSING_FIELD"},
      {R"({"id":null,"type":"c"})", "400 WRONG_TYPE"},
      {R"({"id":1,"type":"c"})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","labels":[]})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","labels":{"x":1}})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","block_length":99999999999999999999})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","block_length":1e999})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","block_length":28.5})", "400 WRONG_TYPE"},
      {R"({"id":"a","type":"c","block_length":-1})", "400 OUT_OF_RANGE"},
      {R"({"id":"a","type":"c","mac":"zz"})", "400 INVALID_MAC"},
      {R"({"id":"a","type":"c","address":"10.0.0"})", "400 INVALID_ADDRESS"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Post("/v1/networks/prod/instances", one.body).code(), one.code) << one.body.substr(0, 100);
  }
  EXPECT_EQ(Post("/v1/networks/prod/instances", std::string((1 << 20) + 1, ' ')).code(), "413 BODY_TOO_LARGE");
  EXPECT_EQ(Get("/v1/networks/prod/addresses").size("addresses"), 0u);
}

TEST_F(ApiRefusalTest, PoolsThatCannotBeAreRefused) {
  MakeNetwork("10.0.0.0/24");
  for (const char* members : {R"("prefix":"10.9.0.0/24","headroom":1e999)", R"("prefix":"10.9.0.0/24","headroom":2)",
                              R"("prefix":"10.9.0.0/24","quarantine":"10000h")", R"("prefix":"10.9.0.0/7")",
                              R"("prefix":"10.9.0.0/24","exclude":["10.9.0.9-10.9.0.1"])", R"("prefix":"")",
                              R"("prefix":"10.9.0.1/24")", R"("prefix":"10.9.0.0/24","exclude":["x"])",
                              R"("prefix":"10.9.0.0/24","strategy":"best")", R"("prefix":"10.9.0.0/24","gateway":"10.8.0.1")"}) {
    EXPECT_EQ(Post("/v1/networks/prod/pools", absl::StrCat(R"({"name":"b",)", members, "}")).status, 400) << members;
  }
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefix":""})")["/field"], "prefix");
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefix":"10.9.0.0/24","exclude":["10.9.0.3","x"]})")["/field"],
            "exclude[1]");
}

TEST_F(ApiRefusalTest, AMethodThatAPathDoesNotHaveIs405WithAllow) {
  struct Case {
    const char *method, *path, *allow;
  };
  const Case cases[] = {
      {"PUT", "/v1/networks", "POST, GET"},
      {"POST", "/v1/networks/prod", "GET, PATCH, DELETE"},
      {"GET", "/predict_instances", "POST"},
      {"GET", "/v1/networks/prod/instances:batch", "POST"},
      {"DELETE", "/v1/networks/prod/instances/vm-1:reassign", "POST"},
      {"OPTIONS", "/livez", "GET"},
  };
  for (const Case& one : cases) {
    ApiAnswer answer = Ask(one.method, one.path);
    EXPECT_EQ(answer.code(), "405 METHOD_NOT_ALLOWED") << one.method << " " << one.path;
    EXPECT_EQ(answer.headers["allow"], one.allow) << one.method << " " << one.path;
  }
  EXPECT_EQ(Get("/v2/networks").code(), "404 PATH_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/").code(), "404 PATH_NOT_FOUND");
}

TEST_F(ApiRefusalTest, EveryErrorCarriesTheRequestsId) {
  EXPECT_EQ(Ask("GET", "/v1/networks/none", "", "X-Request-Id: abc-1\r\n")["/request_id"], "abc-1");
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.insert(Get("/v1/networks/none")["/request_id"]);
  EXPECT_EQ(ids.size(), 20u) << "each of ours is used once, whichever thread serves it";
}

TEST_F(ApiRefusalTest, AGenerationOfAnotherIncarnationIsGone) {
  MakeNetwork("10.0.0.0/24");
  Create("vm-1");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1?generation=00000000000000aa-1").code(), "410 FOREIGN_REVISION");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1?generation=1").code(), "400 INVALID_REVISION");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1?generation=1")["/field"], "generation");
  EXPECT_EQ(Get("/v1/networks/prod/watch?revision=1")["/field"], "revision");
  EXPECT_EQ(Patch("/v1/networks/prod/instances/vm-1", R"({"generation":"00000000000000aa-1"})").code(), "410 FOREIGN_REVISION");
}

TEST_F(ApiRefusalTest, APrincipalOfSomeNetworksSeesNoOthers) {
  MakeNetwork("10.0.0.0/24");
  MakeNetwork("10.0.0.0/24", "test");
  Become({"bob", Role::kAdmin, {"test"}});
  EXPECT_EQ(Get("/v1/networks/%70rod").code(), "403 NETWORK_FORBIDDEN");
  TestSocket head = Connect();
  head.Send(RequestText("HEAD", "/v1/hosts", ""));
  EXPECT_THAT(head.ReadAll(), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(Get("/v1/networks")["/networks/0/name"], "test");
  EXPECT_EQ(Get("/v1/networks").size("networks"), 1u);
}

TEST_F(ApiRefusalTest, AMistypedRequiredMemberIsNamedAsItWasTyped) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer answer = Post("/v1/networks/prod/instances", R"({"ide":"vm-1","type":"web"})");
  EXPECT_EQ(answer.code(), "400 UNKNOWN_FIELD");
  EXPECT_EQ(answer["/field"], "ide");
  EXPECT_THAT(answer["/hint"], HasSubstr("id"));
  EXPECT_EQ(Post("/v1/networks/prod/instances", R"({"type":"web"})").code(), "400 MISSING_FIELD");
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefx":"10.9.0.0/24"})")["/field"], "prefx");
  EXPECT_EQ(Post("/v1/networks/prod/instances:batch", R"({"instances":[{"id":"x"}],"instancs":[]})")["/field"], "instancs");
  const char* predictions[][2] = {{R"({"netwrk":"prod","predictions":[{}]})", "netwrk"},
                                  {R"({"network":"prod","predictions":[{"typ":"a"}]})", "predictions[0].typ"},
                                  {R"({"network":"prod","predictions":[{"resources":{"cpu":1}}]})", "predictions[0].resources.cpu"}};
  for (const auto& [body, field] : predictions) {
    EXPECT_EQ(Post("/v1/predict_instances", body).code(), "400 UNKNOWN_FIELD") << body;
    EXPECT_EQ(Post("/v1/predict_instances", body)["/field"], field);
  }
}

TEST_F(ApiRefusalTest, PredictionsThatCannotBeAreRefusedByTheirPlaceInTheBody) {
  MakeNetwork("10.0.0.0/24");
  const auto predict = [this](const std::string& source, const std::string& horizon) {
    return Post("/v1/predict_instances",
                absl::StrCat(R"({"network":"prod","source":")", source, R"(","predictions":[{"type":"web","count":1,"horizon":"1m"},)",
                             R"({"type":"db","count":1,"horizon":")", horizon, R"("}]})"));
  };
  for (const char* horizon : {"999ms", "0", "168h1s"}) {
    ApiAnswer refused = predict("s", horizon);
    EXPECT_EQ(refused.code(), "400 INVALID_PREDICTION") << horizon;
    EXPECT_EQ(refused["/field"], "predictions[1].horizon");
    EXPECT_THAT(refused["/hint"], HasSubstr("from 1s to 168h"));
  }
  EXPECT_EQ(predict("s", "1s").code(), "200");
  EXPECT_EQ(predict("s", "168h").code(), "200");
  for (int i = 1; i < 8; ++i) EXPECT_EQ(predict(absl::StrCat("s", i), "1h").code(), "200");
  ApiAnswer ninth = predict("s8", "1h");
  EXPECT_EQ(ninth.code(), "409 TOO_MANY_SOURCES");
  EXPECT_EQ(ninth["/value"], "s8");
  EXPECT_EQ(predict("s7", "2h").code(), "200") << "one of the eight";
}

TEST_F(ApiRefusalTest, LabelsHaveAtMost4096BytesAndNoEqualsSignInTheirKeys) {
  MakeNetwork("10.0.0.0/24");
  // Fifteen of 2 + 2 + 256 bytes, and one that fills up what is left: 196 bytes are two, two, and 192.
  const auto labels = [](size_t last) {
    std::string text = R"("labels":{)";
    for (int i = 10; i < 25; ++i) absl::StrAppend(&text, "\"", i, "\":\"", std::string(256, 'v'), "\",");
    return absl::StrCat(text, "\"25\":\"", std::string(last, 'v'), "\"}");
  };
  const std::string vm = "/v1/networks/prod/instances/vm-1";
  for (const ApiAnswer& refused : {Create("vm-1", "," + labels(193)), Post("/v1/networks/prod/instances:batch", absl::StrCat(
           R"({"instances":[{"id":"vm-1","type":"web",)", labels(193), "}]}"))}) {
    EXPECT_EQ(refused.code(), "400 INVALID_LABEL");
    EXPECT_THAT(refused["/field"], AnyOf("labels", "instances[0].labels"));
    EXPECT_EQ(refused["/value"], "4097");
    EXPECT_THAT(refused["/hint"], HasSubstr("4096"));
  }
  EXPECT_EQ(Create("vm-1", "," + labels(192)).code(), "201");
  EXPECT_EQ(Patch(vm, "{" + labels(193) + "}").code(), "400 INVALID_LABEL");
  EXPECT_EQ(Patch(vm, "{" + labels(193) + "}")["/field"], "labels");
  EXPECT_EQ(Patch(vm, "{" + labels(191) + "}").code(), "200");
  EXPECT_EQ(Create("vm-2", R"(,"labels":{"k":")" + std::string(257, 'v') + R"("})")["/field"], "labels.k");
  EXPECT_EQ(Create("vm-2", R"(,"labels":{"a=b":"c"})").code(), "400 INVALID_NAME");
  EXPECT_EQ(Patch(vm, R"({"labels":{"a=b":"c"}})").code(), "400 INVALID_NAME");
}

}  // namespace
}  // namespace gnomon
