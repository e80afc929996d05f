// SPDX-License-Identifier: Apache-2.0
//
// The API through its front door: networks, pools, instances and addresses.
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ApiTest = ApiFixture;
using ::testing::HasSubstr;

constexpr char kInstances[] = "/v1/networks/prod/instances";

TEST_F(ApiTest, ANetworkIsMadeOnceReadChangedAndDeletedWhenItIsEmpty) {
  const std::string body = R"({"name":"prod","account":"acme","vni":42,"warm_targets":{"web":3}})";
  ApiAnswer made = Post("/v1/networks", body);
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(made.headers["location"], "/v1/networks/prod");
  EXPECT_EQ(made["/vni"], "42");
  EXPECT_EQ(Post("/v1/networks", body).code(), "200");
  EXPECT_EQ(Post("/v1/networks", R"({"name":"b","account":"acme","vni":42})").code(), "409 VNI_IN_USE");
  ApiAnswer changed = Patch("/v1/networks/prod", R"({"warm_target":7})");
  EXPECT_EQ(changed["/warm_target"], "7");
  EXPECT_EQ(changed["/warm_targets/web"], "3") << "what is not sent stays";
  EXPECT_EQ(Patch("/v1/networks/none", R"({"warm_target":7})").code(), "404 NETWORK_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod")["/warm_target"], "7");
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"a","prefix":"10.0.0.0/24"})").code(), "201");
  EXPECT_EQ(Create("vm-1").code(), "201");
  EXPECT_EQ(Delete("/v1/networks/prod").code(), "409 NETWORK_IN_USE");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1").code(), "200");
  EXPECT_EQ(Delete("/v1/networks/prod").code(), "204");
  EXPECT_EQ(Get("/v1/networks/prod").code(), "404 NETWORK_NOT_FOUND");
}

TEST_F(ApiTest, ANetworkThatIsThereIsTheAnswerUnlessAMemberDiffersWhichIsNamed) {
  const std::string body = R"({"name":"prod","account":"acme","vni":42,"warm_target":5,"warm_targets":{"web":3}})";
  EXPECT_EQ(Post("/v1/networks", body).code(), "201");
  EXPECT_EQ(Post("/v1/networks", body).code(), "200");
  EXPECT_EQ(Post("/v1/networks", R"({"name":"prod","account":"acme"})").code(), "200") << "what is not sent is not compared";
  struct Case {
    const char *body, *field, *value;
  };
  for (const Case& c : {Case{R"({"name":"prod","account":"other"})", "account", "other"},
                        Case{R"({"name":"prod","account":"acme","vni":43})", "vni", "43"},
                        Case{R"({"name":"prod","account":"acme","vni":42,"warm_target":99})", "warm_target", "99"},
                        Case{R"({"name":"prod","account":"acme","warm_targets":{"web":4}})", "warm_targets", "<none>"}}) {
    ApiAnswer differs = Post("/v1/networks", c.body);
    EXPECT_EQ(differs.code(), "409 NETWORK_EXISTS") << c.body;
    EXPECT_EQ(differs["/field"], c.field) << c.body;
    EXPECT_EQ(differs["/value"], c.value) << c.body;
    EXPECT_THAT(differs["/detail"], HasSubstr(absl::StrCat("another ", c.field)));
  }
  EXPECT_EQ(Get("/v1/networks/prod")["/warm_target"], "5") << "a refusal changes nothing";
}

TEST_F(ApiTest, ANetworkSaysHowItIsPredicted) {
  EXPECT_EQ(Post("/v1/networks", R"({"name":"plain","account":"acme"})")["/prediction_mode"], "off");
  const std::string body = R"({"name":"prod","account":"acme","prediction_mode":"observe","target_hit_rate":0.95})";
  ApiAnswer made = Post("/v1/networks", body);
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(made["/prediction_mode"], "observe");
  EXPECT_EQ(Post("/v1/networks", body).code(), "200");
  EXPECT_EQ(Post("/v1/networks", R"({"name":"prod","account":"acme","prediction_mode":"off"})")["/field"],
            "prediction_mode");
  EXPECT_EQ(Post("/v1/networks", R"({"name":"prod","account":"acme","target_hit_rate":0.9})")["/field"],
            "target_hit_rate");
  EXPECT_EQ(Patch("/v1/networks/prod", R"({"prediction_mode":"reserve"})")["/prediction_mode"], "reserve");
  for (const auto& [change, code, field] : std::vector<std::array<const char*, 3>>{
           {R"({"prediction_mode":"on"})", "400 INVALID_MODE", "prediction_mode"},
           {R"({"target_hit_rate":1})", "400 INVALID_WARM_POOL", "target_hit_rate"},
           {R"({"target_hit_rate":0.49})", "400 INVALID_WARM_POOL", "target_hit_rate"}}) {
    ApiAnswer refused = Patch("/v1/networks/prod", change);
    EXPECT_EQ(refused.code(), code) << change;
    EXPECT_EQ(refused["/field"], field) << change;
  }
  ApiAnswer network = Get("/v1/networks/prod");
  EXPECT_EQ(network["/prediction_mode"], "reserve");
  EXPECT_EQ(network["/target_hit_rate"].substr(0, 3), "9.5") << "a refusal changes nothing";
}

class ApiPlansTest : public ApiFixture {
 protected:
  ApiPlansTest()
      : ApiFixture([](Api::Parts* parts) {
          parts->plans = [](const NetworkEntry& network) -> std::vector<TypePlan> {
            if (network.warm.mode == PredictionMode::kOff) return {};
            TypePlan web{
                .type = "web", .mode = network.warm.mode, .target = 5, .held = 4, .forecast = 1.5, .spread = 1};
            web.multiple = 2;
            return {{.type = "ci", .mode = network.warm.mode}, web};
          };
        }) {}
};

TEST_F(ApiPlansTest, ThePlansOfANetworkAreListedWithTheirExplanation) {
  EXPECT_EQ(Get("/v1/networks/prod/plans").code(), "404 NETWORK_NOT_FOUND");
  Post("/v1/networks", R"({"name":"prod","account":"acme"})");
  EXPECT_EQ(Get("/v1/networks/prod/plans").size("plans"), 0u) << "the mode is off";
  Patch("/v1/networks/prod", R"({"prediction_mode":"observe"})");
  EXPECT_EQ(Get("/v1/networks/prod/plans").size("plans"), 2u);
  ApiAnswer page = Get("/v1/networks/prod/plans?page_token=ci");
  ASSERT_EQ(page.size("plans"), 1u);
  EXPECT_EQ(page["/plans/0/type"], "web");
  EXPECT_EQ(page["/plans/0/mode"], "observe");
  EXPECT_EQ(page["/plans/0/target"], "5");
  EXPECT_EQ(page["/plans/0/held"], "4");
  EXPECT_EQ(page["/plans/0/multiple"].substr(0, 1), "2");
  EXPECT_EQ(Get("/v1/networks/prod/plans?type=web").code(), "400 UNKNOWN_ARGUMENT");
}

TEST_F(ApiTest, ListsByNameArePagedWithoutLossOrRepetition) {
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(Post("/v1/networks", absl::StrCat(R"({"name":"n)", i, R"(","account":"acme"})")).code(), "201");
  }
  std::string names, token;
  do {
    ApiAnswer page = Get(absl::StrCat("/v1/networks?page_size=3&page_token=", token));
    ASSERT_EQ(page.code(), "200");
    for (const auto& network : page.json.at("networks").as_array()) names += network.at("name").as_string().c_str();
    token = page["/next_page_token"];
  } while (!token.empty());
  EXPECT_EQ(names, "n0n1n2n3n4n5n6");
}

TEST_F(ApiTest, AnswersEndWithANewline) {
  EXPECT_TRUE(Post("/v1/networks", R"({"name":"prod","account":"acme"})").body.ends_with("}\n"));
  EXPECT_TRUE(Get("/v1/networks/none").body.ends_with("}\n"));
  EXPECT_TRUE(Get("/version").body.ends_with("}\n"));
}

TEST_F(ApiTest, APoolIsMadeReadChangedDrainedAndDeleted) {
  ASSERT_EQ(Post("/v1/networks", R"({"name":"prod","account":"acme"})").code(), "201");
  EXPECT_EQ(Create("vm-1").code(), "409 NO_POOL");
  EXPECT_EQ(Get("/v1/networks/prod/pools")["/revision"], Get("/v1/networks/prod")["/revision"]);
  ApiAnswer pool = Post("/v1/networks/prod/pools",
                        R"({"name":"a","prefix":"10.0.0.0/24","gateway":"10.0.0.1","exclude":["10.0.0.2","10.0.0.4-10.0.0.9"],)"
                        R"("strategy":"lowest_first","quarantine":"1m30s","headroom":0.25})");
  EXPECT_EQ(pool.code(), "201");
  EXPECT_EQ(pool.headers["location"], "/v1/networks/prod/pools/a");
  EXPECT_EQ(pool["/exclude"], R"(["10.0.0.2","10.0.0.4-10.0.0.9"])");
  EXPECT_EQ(pool["/quarantine"], "1m30s");
  EXPECT_EQ(pool["/headroom"], "2.5E-1");
  EXPECT_EQ(pool["/counts/excluded"], "10") << "network, broadcast, gateway and seven";
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"a","prefix":"10.1.0.0/24"})").code(), "409 POOL_EXISTS");
  EXPECT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefix":"10.0.0.0/16"})").code(), "409 POOL_OVERLAPS");
  EXPECT_EQ(Create("vm-1")["/address"], "10.0.0.3");
  EXPECT_EQ(Patch("/v1/networks/prod/pools/a", R"({"exclude":["10.0.0.3"]})").code(), "409 ADDRESS_HELD");
  ApiAnswer changed = Patch("/v1/networks/prod/pools/a", R"({"draining":true})");
  EXPECT_EQ(changed["/draining"], "true");
  EXPECT_EQ(changed["/strategy"], "lowest_first");
  EXPECT_EQ(Patch("/v1/networks/prod/pools/a", R"({"gateway":null})")["/gateway"], "null");
  EXPECT_EQ(Patch("/v1/networks/prod/pools/a", R"({"gateway":"10.0.0.1"})")["/gateway"], "10.0.0.1");
  EXPECT_EQ(Patch("/v1/networks/prod/pools/a", "{}")["/gateway"], "10.0.0.1") << "what is not sent stays";
  EXPECT_NE(Create("vm-2").status, 201);
  EXPECT_EQ(Delete("/v1/networks/prod/pools/a").code(), "409 POOL_IN_USE");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1").code(), "200");
  clock.Pass(absl::Minutes(2));
  EXPECT_EQ(Delete("/v1/networks/prod/pools/a").code(), "204");
  EXPECT_EQ(Get("/v1/networks/prod/pools/a").code(), "404 POOL_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/pools/a")["/value"], "a");
  EXPECT_EQ(Delete("/v1/networks/prod/pools/a").code(), "404 POOL_NOT_FOUND");
  EXPECT_EQ(Patch("/v1/networks/prod/pools/a", "{}").code(), "404 POOL_NOT_FOUND");
}

TEST_F(ApiTest, TheWholeLifeOfAnInstance) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer made = Create("vm-1", R"(,"zone":"z1","host":"h7","labels":{"team":"shop","tier":"1"})");
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(made.headers["location"], "/v1/networks/prod/instances/vm-1");
  EXPECT_EQ(made["/address"], "10.0.0.1");
  EXPECT_EQ(made["/addresses/0/prefix_length"], "24");
  EXPECT_EQ(made["/source"], "standard");
  EXPECT_EQ(made["/record/state"], "assigned");
  EXPECT_EQ(made["/record/physical_address"], "null");
  EXPECT_EQ(made["/labels"], R"({"team":"shop","tier":"1"})");
  const std::string path = absl::StrCat(kInstances, "/vm-1");
  EXPECT_EQ(Get(path)["/generation"], made["/generation"]);
  ASSERT_EQ(Ask("PUT", "/v1/hosts/h8", R"({"physical_address":"192.0.2.8"})").code(), "200");
  const std::string patch = absl::StrCat(R"({"host":"h8","labels":{},"generation":")", made["/generation"], R"("})");
  ApiAnswer moved = Patch(path, patch);
  EXPECT_EQ(moved["/host"], "h8");
  EXPECT_EQ(moved["/zone"], "z1");
  EXPECT_EQ(moved["/labels"], "{}");
  EXPECT_EQ(moved["/record/physical_address"], "192.0.2.8");
  EXPECT_EQ(moved["/generation"], made["/generation"]) << "a migration is the same assignment";
  EXPECT_EQ(Delete(absl::StrCat(path, "?generation=", Get("/v1/networks/prod")["/revision"])).code(),
            "409 GENERATION_DIFFERS");
  ApiAnswer released = Delete(absl::StrCat(path, "?generation=", made["/generation"]));
  EXPECT_EQ(released["/released/0/state"], "quarantined");
  EXPECT_EQ(released.size("released"), 1u);
  EXPECT_EQ(Delete(path).size("released"), 0u) << "again is no error";
  EXPECT_EQ(Get(path).code(), "404 INSTANCE_NOT_FOUND");
  EXPECT_EQ(Patch(path, "{}").code(), "404 INSTANCE_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/addresses/10.0.0.1")["/state"], "quarantined");
  clock.Pass(absl::Seconds(31));
  EXPECT_EQ(Get("/v1/networks/prod/addresses/10.0.0.1")["/state"], "free");
}

TEST_F(ApiTest, AnAddressThatIsNeverGivenSaysWhy) {
  Post("/v1/networks", R"({"name":"prod","account":"acme"})");
  Post("/v1/networks/prod/pools",
       R"({"name":"a","prefix":"10.0.0.0/24","gateway":"10.0.0.1","exclude":["10.0.0.5-10.0.0.6"]})");
  struct Case {
    std::string address, state, exclusion;
  };
  for (const Case& c : std::vector<Case>{{"10.0.0.0", "excluded", "network address"},
                                         {"10.0.0.1", "excluded", "gateway"},
                                         {"10.0.0.6", "excluded", "exclusion"},
                                         {"10.0.0.255", "excluded", "broadcast address"}}) {
    const ApiAnswer got = Get("/v1/networks/prod/addresses/" + c.address);
    EXPECT_EQ(got["/state"], c.state) << c.address;
    EXPECT_EQ(got["/exclusion"], c.exclusion) << c.address;
  }
  const ApiAnswer free = Get("/v1/networks/prod/addresses/10.0.0.7");
  EXPECT_EQ(free["/state"], "free");
  EXPECT_EQ(free.body.find("exclusion"), std::string::npos);
}

TEST_F(ApiTest, AFamilyWithoutAPoolIsNamedWithWhatToDo) {
  MakeNetwork("10.0.0.0/24");
  const ApiAnswer none = Create("vm-1", R"(,"families":["ipv4","ipv6"])");
  EXPECT_EQ(none.code(), "409 POOL_EXHAUSTED");
  EXPECT_EQ(none["/detail"], "the network has no IPv6 pool");
  EXPECT_EQ(none["/field"], "families");
  EXPECT_EQ(none["/value"], "ipv6");
  EXPECT_THAT(none["/hint"], HasSubstr("create an IPv6 pool"));
}

TEST_F(ApiTest, AskingTwiceIsAskingOnceAndADifferenceIsNamed) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer made = Create("vm-1", R"(,"host":"h1")");
  ApiAnswer again = Create("vm-1", R"(,"host":"h1")");
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(again.code(), "200");
  EXPECT_EQ(again["/record"], made["/record"]);
  ApiAnswer differs = Post(kInstances, R"({"id":"vm-1","type":"db","host":"h1"})");
  EXPECT_EQ(differs.code(), "409 INSTANCE_DIFFERS");
  EXPECT_EQ(differs["/field"], "type");
  EXPECT_EQ(differs["/value"], "db");
}

TEST_F(ApiTest, AFullPoolTellsWhatItHolds) {
  MakeNetwork("10.0.0.0/30");
  EXPECT_EQ(Create("vm-1").code(), "201");
  EXPECT_EQ(Create("vm-2").code(), "201");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-2").code(), "200");
  ApiAnswer full = Create("vm-3");
  EXPECT_EQ(full.code(), "409 POOL_EXHAUSTED");
  EXPECT_EQ(full["/free"], "0");
  EXPECT_EQ(full["/shadow"], "0");
  EXPECT_EQ(full["/assigned"], "1");
  EXPECT_EQ(full["/quarantined"], "1");
  EXPECT_EQ(full["/preserved"], "0");
  EXPECT_EQ(full["/excluded"], "2");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1?preserve=1h").code(), "200");
  EXPECT_EQ(Create("vm-3")["/preserved"], "1");
  const auto* problem = openapi.document().at("components").at_pointer("/schemas/Problem/properties").if_object();
  for (const char* count : {"free", "shadow", "assigned", "quarantined", "preserved", "excluded"}) {
    EXPECT_TRUE(full.json.as_object().contains(count) && problem->contains(count)) << count;
  }
}

TEST_F(ApiTest, ABatchIsMadeWhollyOrNotAtAll) {
  MakeNetwork("10.0.0.0/29");
  std::string instances;
  for (int i = 0; i < 7; ++i) absl::StrAppend(&instances, i > 0 ? "," : "", R"({"id":"b)", i, R"(","type":"web"})");
  const std::string path = absl::StrCat(kInstances, ":batch");
  EXPECT_EQ(Post(path, absl::StrCat(R"({"instances":[)", instances, "]}")).code(), "409 POOL_EXHAUSTED");
  EXPECT_EQ(Get("/v1/networks/prod/addresses").size("addresses"), 0u);
  instances.resize(instances.rfind(",{"));
  ApiAnswer made = Post(path, absl::StrCat(R"({"instances":[)", instances, "]}"));
  EXPECT_EQ(made.code(), "201");
  EXPECT_EQ(made.size("instances"), 6u);
  ApiAnswer again = Post(path, absl::StrCat(R"({"instances":[)", instances, "]}"));
  EXPECT_EQ(again["/instances/5/address"], made["/instances/5/address"]);
  EXPECT_EQ(Post(path, R"({"instances":[{"id":"x","type":"web"},{"id":"x","type":"web"}]})").code(), "400 INVALID_BATCH");
  ApiAnswer wrong = Post(path, R"({"instances":[{"id":"x","type":"web"},{"id":"y","type":"a b"}]})");
  EXPECT_EQ(wrong.code(), "400 INVALID_NAME");
  EXPECT_EQ(wrong["/field"], "instances[1].type");
  ApiAnswer taken = Post(path, R"({"instances":[{"id":"b0","type":"web"},{"id":"y","type":"web","address":"10.0.0.1"}]})");
  EXPECT_EQ(taken.code(), "409 ADDRESS_IN_USE");
  EXPECT_EQ(taken["/value"], "10.0.0.1");
  EXPECT_EQ(taken["/field"], "instances[1].address");
  EXPECT_EQ(Post(path, R"({"instances":[{"id":"x","type":"web"},{"id":"x","type":"web"}]})")["/field"], "instances[1]");
}

TEST_F(ApiTest, AMacBelongsToOneInstance) {
  MakeNetwork("10.0.0.0/24");
  EXPECT_EQ(Create("vm-1", R"(,"mac":"0a:00:00:00:00:01")").code(), "201");
  ApiAnswer taken = Create("vm-2", R"(,"mac":"0A-00-00-00-00-01")");
  EXPECT_EQ(taken.code(), "409 MAC_IN_USE");
  EXPECT_EQ(taken["/field"], "mac");
  EXPECT_EQ(taken["/value"], "0a:00:00:00:00:01");
  ApiAnswer batch = Post(absl::StrCat(kInstances, ":batch"),
                         R"({"instances":[{"id":"vm-3","type":"web"},{"id":"vm-2","type":"web","mac":"0a:00:00:00:00:01"}]})");
  EXPECT_EQ(batch.code(), "409 MAC_IN_USE");
  EXPECT_EQ(batch["/field"], "instances[1].mac");
  EXPECT_EQ(Create("vm-1", R"(,"mac":"0a:00:00:00:00:01")").code(), "200") << "its own";
}

TEST_F(ApiTest, AnAddressIsOfThePoolThatIsNamed) {
  MakeNetwork("10.0.0.0/24");
  ASSERT_EQ(Post("/v1/networks/prod/pools", R"({"name":"b","prefix":"10.1.0.0/24"})").code(), "201");
  EXPECT_EQ(Create("vm-1", R"(,"pool":"b","address":"10.1.0.5")").code(), "201");
  ApiAnswer outside = Create("vm-2", R"(,"pool":"b","address":"10.0.0.5")");
  EXPECT_EQ(outside.code(), "400 ADDRESS_OUTSIDE_POOLS");
  EXPECT_EQ(outside["/field"], "address");
  EXPECT_EQ(Create("vm-2", R"(,"address":"10.2.0.5")").code(), "400 ADDRESS_OUTSIDE_POOLS");
}

TEST_F(ApiTest, APoolWithShadowsGivesThemBackWhenItDrainsAndIsDeletedWithThem) {
  const std::string pool = "/v1/networks/prod/pools/a";
  for (const bool drain : {true, false}) {
    if (drain) MakeNetwork("10.0.0.0/22");
    const std::string predict = absl::StrCat(R"({"network":"prod","source":"s","id":")", drain,
                                             R"(","predictions":[{"type":"web","count":300,"horizon":"1h"}]})");
    ASSERT_EQ(Post("/v1/predict_instances", predict)["/predictions/0/reserved"], "300");
    ASSERT_EQ(Get(pool)["/counts/shadow"], "300");
    if (!drain) break;
    ApiAnswer drained = Patch(pool, R"({"draining":true})");
    EXPECT_EQ(drained["/counts/shadow"], "0") << "they are back before it answers";
    EXPECT_EQ(drained["/counts/free"], "1022");
    ASSERT_EQ(Patch(pool, R"({"draining":false})").code(), "200");
  }
  EXPECT_EQ(Delete(pool).code(), "204");
  EXPECT_EQ(Get(pool).code(), "404 POOL_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/shadows").size("shadows"), 0u);
}

TEST_F(ApiTest, ADualStackInstanceHasOneAddressOfEachFamily) {
  MakeNetwork("10.0.0.0/24");
  ASSERT_EQ(Post("/v1/networks/prod/pools", R"({"name":"six","prefix":"2001:db8::/64","gateway":"2001:db8::1"})").code(), "201");
  ApiAnswer six = Get("/v1/networks/prod/pools/six");
  EXPECT_EQ(six["/counts/capacity"], "9223372036854775807") << "or more: as many as an integer can tell";
  EXPECT_EQ(six["/counts/free"], "9223372036854775807");
  ApiAnswer made = Create("vm-1");
  EXPECT_EQ(made.size("addresses"), 2u);
  EXPECT_EQ(made["/addresses/0/address"], "10.0.0.1");
  EXPECT_EQ(made["/addresses/1/prefix_length"], "64");
  EXPECT_EQ(made["/addresses/1/gateway"], "2001:db8::1");
  EXPECT_EQ(Create("vm-4", R"(,"families":["ipv4"])").size("addresses"), 1u);
  EXPECT_THAT(Create("vm-6", R"(,"families":["ipv6"])")["/address"], HasSubstr("2001:db8::"));
  for (const char* pool : {"a", "six"}) {
    ApiAnswer page = Get(absl::StrCat("/v1/networks/prod/instances?pool=", pool));
    EXPECT_EQ(page["/instances/0/id"], "vm-1") << "found by the pool of either address: " << pool;
    EXPECT_EQ(page.size("instances"), 2u) << pool;
  }
  EXPECT_EQ(Create("vm-7", R"(,"families":["ipv7"])").code(), "400 INVALID_FAMILIES");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/vm-1").size("released"), 2u);
}

TEST_F(ApiTest, AnIpv6AddressInAPathMayBeWrittenInAnyForm) {
  MakeNetwork("2001:db8::/64");
  EXPECT_EQ(Create("vm-1", R"(,"address":"2001:0DB8:0:0:0::00Ab")")["/address"], "2001:db8::ab");
  for (const char* form : {"2001:db8::ab", "2001:DB8:0:0::AB", "2001%3Adb8%3a%3Aab", "2001:0db8:0000:0000:0000:0000:0000:00ab",
                           "2001:db8::0.0.0.171"}) {
    EXPECT_EQ(Get(absl::StrCat("/v1/networks/prod/addresses/", form))["/instance"], "vm-1") << form;
  }
  ApiAnswer wrong = Get("/v1/networks/prod/addresses/2001:db8");
  EXPECT_EQ(wrong.code(), "400 INVALID_ADDRESS");
  EXPECT_EQ(wrong["/field"], "address");
}

TEST_F(ApiTest, ABlockIsGivenAsAWhole) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer block = Create("node-1", R"(,"block_length":28)");
  EXPECT_EQ(block.code(), "201");
  EXPECT_EQ(block["/addresses/0/prefix_length"], "28");
  EXPECT_EQ(block["/record/prefix_length"], "28");
  EXPECT_EQ(Create("node-2", R"(,"block_length":200)").code(), "400 OUT_OF_RANGE");
  const std::string inside = absl::StrCat("/v1/networks/prod/addresses/", block["/address"]);
  EXPECT_EQ(Get(inside)["/instance"], "node-1");
}

TEST_F(ApiTest, APreservedAddressIsReassignedOrGivenBack) {
  MakeNetwork("10.0.0.0/24");
  Create("old");
  Create("older");
  EXPECT_EQ(Delete(absl::StrCat(kInstances, "/old?preserve=24h"))["/released/0/state"], "preserved");
  EXPECT_EQ(Delete(absl::StrCat(kInstances, "/older?preserve=1h"))["/released/0/state"], "preserved");
  EXPECT_EQ(Delete(absl::StrCat(kInstances, "/new?preserve=24")).code(), "400 INVALID_DURATION");
  EXPECT_EQ(Create("new")["/address"], "10.0.0.3");
  ApiAnswer reassigned = Post(absl::StrCat(kInstances, "/new:reassign"), R"({"address":"10.0.0.1"})");
  EXPECT_EQ(reassigned.code(), "200");
  EXPECT_EQ(reassigned["/address"], "10.0.0.1");
  EXPECT_EQ(Get("/v1/networks/prod/addresses/10.0.0.3")["/state"], "quarantined");
  EXPECT_EQ(Post(absl::StrCat(kInstances, "/none:reassign"), R"({"address":"10.0.0.9"})").code(), "404 INSTANCE_NOT_FOUND");
  EXPECT_EQ(Delete("/v1/networks/prod/addresses/10.0.0.2").code(), "204");
  EXPECT_EQ(Delete("/v1/networks/prod/addresses/10.0.0.2").code(), "409 NOT_PRESERVED");
  EXPECT_EQ(Get("/v1/networks/prod/addresses/10.1.0.1").code(), "404 ADDRESS_OUTSIDE_POOLS");
}

TEST_F(ApiTest, HostsAreSetListedAndForgotten) {
  EXPECT_EQ(Ask("PUT", "/v1/hosts/h1", R"({"physical_address":"2001:DB8::1"})")["/physical_address"], "2001:db8::1");
  EXPECT_EQ(Ask("PUT", "/v1/hosts/h1", R"({"physical_address":"192.0.2.1"})").code(), "200");
  EXPECT_EQ(Get("/v1/hosts/h1")["/physical_address"], "192.0.2.1");
  EXPECT_EQ(Get("/v1/hosts").size("hosts"), 1u);
  ApiAnswer wrong = Ask("PUT", "/v1/hosts/h1", R"({"physical_address":"here"})");
  EXPECT_EQ(wrong.code(), "400 INVALID_ADDRESS");
  EXPECT_EQ(wrong["/field"], "physical_address");
  EXPECT_EQ(Delete("/v1/hosts/h1").code(), "204");
  EXPECT_EQ(Get("/v1/hosts/h1").code(), "404 HOST_NOT_FOUND");
  EXPECT_EQ(Get("/v1/hosts/h1")["/field"], "host");
}

TEST_F(ApiTest, TwoClientsRaceForTheLastAddressAndOneGetsIt) {
  MakeNetwork("10.0.0.0/30");
  Create("vm-1");
  std::string codes[2];
  std::thread threads[2];
  for (int i = 0; i < 2; ++i) threads[i] = std::thread([&, i] { codes[i] = Create(absl::StrCat("race-", i)).code(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(codes, ::testing::UnorderedElementsAre("201", "409 POOL_EXHAUSTED"));
}

TEST_F(ApiTest, PatchesOfTwoClientsAtOnceAreBothKept) {
  MakeNetwork("10.0.0.0/24");
  for (int round = 1; round <= 50; ++round) {
    std::thread other([&] { Patch("/v1/networks/prod", absl::StrCat(R"({"warm_target":)", round, "}")); });
    Patch("/v1/networks/prod", absl::StrCat(R"({"warm_targets":{"web":)", round, "}}"));
    other.join();
    const ApiAnswer network = Get("/v1/networks/prod");
    ASSERT_EQ(network["/warm_target"], absl::StrCat(round));
    ASSERT_EQ(network["/warm_targets/web"], absl::StrCat(round));
  }
}

}  // namespace
}  // namespace gnomon
