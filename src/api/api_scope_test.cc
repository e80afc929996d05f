// SPDX-License-Identifier: Apache-2.0
//
// Who may use each route: every role, with a token for all networks, for the one that is asked about, and for another.
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ApiScopeTest = ApiFixture;
using ::testing::HasSubstr;

// Whom the network that a token is for lets in.
enum class Reach {
  kAnyone,    // without a token, too
  kNetwork,   // tokens for the network
  kFiltered,  // all tokens: the answer has what each may see
  kAll,       // tokens without a list of networks
};

struct RouteCase {
  const char* method;
  const char* pattern;
  Role role;  // the lowest
  Reach reach;
  std::string body = "";   // that is accepted, where the network is in it
  const char* query = "";  // the same; or one that is refused, where an answer would have no end
};

const std::vector<RouteCase>& AllCases() {
  constexpr Role kNone = Role::kNone, kViewer = Role::kViewer, kAllocator = Role::kAllocator, kAdmin = Role::kAdmin;
  const std::string predict = R"({"network":"prod","predictions":[]})";
  static const auto& kCases = *new std::vector<RouteCase>{
      {"GET", "/livez", kNone, Reach::kAnyone},
      {"GET", "/readyz", kNone, Reach::kAnyone},
      {"GET", "/version", kNone, Reach::kAnyone},
      {"GET", "/openapi.json", kNone, Reach::kAnyone},
      {"GET", "/metrics", kViewer, Reach::kAll},
      {"GET", "/v1/hosts", kViewer, Reach::kAll},
      {"GET", "/v1/hosts/{host}", kViewer, Reach::kAll},
      {"PUT", "/v1/hosts/{host}", kAdmin, Reach::kAll, R"({"physical_address":"192.0.2.1"})"},
      {"DELETE", "/v1/hosts/{host}", kAdmin, Reach::kAll},
      {"POST", "/v1/backup", kAdmin, Reach::kAll},
      {"POST", "/v1/expiry:resume", kAdmin, Reach::kAll},
      {"POST", "/predict_instances", kAllocator, Reach::kNetwork, predict},
      {"POST", "/v1/predict_instances", kAllocator, Reach::kNetwork, predict},
      {"GET", "/available_shadow_address", kViewer, Reach::kNetwork, "", "?network=prod&type=web"},
      {"GET", "/v1/available_shadow_address", kViewer, Reach::kNetwork, "", "?network=prod&type=web"},
      {"POST", "/v1/networks", kAdmin, Reach::kNetwork, R"({"name":"prod","account":"acme"})"},
      {"GET", "/v1/networks", kViewer, Reach::kFiltered},
      {"GET", "/v1/networks/{network}", kViewer, Reach::kNetwork},
      {"PATCH", "/v1/networks/{network}", kAdmin, Reach::kNetwork, "{}"},
      {"DELETE", "/v1/networks/{network}", kAdmin, Reach::kNetwork},  // an instance keeps it from going
      {"GET", "/v1/networks/{network}/plans", kViewer, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/announcements", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/announcements", kViewer, Reach::kNetwork},
      {"DELETE", "/v1/networks/{network}/announcements/{source}/{id}", kAllocator, Reach::kNetwork},
      {"POST", "/api/v1/write", kAllocator, Reach::kFiltered},
      {"POST", "/v1/metrics", kAllocator, Reach::kFiltered},
      {"GET", "/v1/signals", kViewer, Reach::kFiltered},
      {"POST", "/v1/networks/{network}/policies", kAdmin, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/policies", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/policies:explain", kViewer, Reach::kNetwork, "", "?type=web"},
      {"GET", "/v1/networks/{network}/policies/{policy}", kViewer, Reach::kNetwork},
      {"DELETE", "/v1/networks/{network}/policies/{policy}", kAdmin, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/receivers/github", kNone, Reach::kAnyone},  // its signature is looked at
      {"POST", "/v1/networks/{network}/receivers/alertmanager", kAllocator, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/receivers/cloudevents", kAllocator, Reach::kNetwork},
      {"PUT", "/v1/networks/{network}/calendars/{calendar}", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/calendars", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/calendars/{calendar}", kViewer, Reach::kNetwork},
      {"DELETE", "/v1/networks/{network}/calendars/{calendar}", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/forecasts", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/quality", kViewer, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/history", kAdmin, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/pools", kAdmin, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/pools", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/pools/{pool}", kViewer, Reach::kNetwork},
      {"PATCH", "/v1/networks/{network}/pools/{pool}", kAdmin, Reach::kNetwork, "{}"},
      {"DELETE", "/v1/networks/{network}/pools/{pool}", kAdmin, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/instances", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/instances", kViewer, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/instances:batch", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/instances/{instance}", kViewer, Reach::kNetwork},
      {"PATCH", "/v1/networks/{network}/instances/{instance}", kAllocator, Reach::kNetwork, "{}"},
      {"DELETE", "/v1/networks/{network}/instances/{instance}", kAllocator, Reach::kNetwork},
      {"POST", "/v1/networks/{network}/instances/{instance}:reassign", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/shadows", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/addresses", kViewer, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/addresses/{address}", kViewer, Reach::kNetwork},
      {"DELETE", "/v1/networks/{network}/addresses/{address}", kAllocator, Reach::kNetwork},
      {"GET", "/v1/networks/{network}/watch", kViewer, Reach::kNetwork, "", "?revision=none"},
  };
  return kCases;
}

// "allowed", or the code that refuses `who` the route.
std::string Want(const RouteCase& route, const Principal& who) {
  if (route.reach == Reach::kAnyone) return "allowed";
  if (who.role < route.role) return "ROLE_TOO_LOW";
  const bool shut = route.reach == Reach::kAll ? !who.networks.empty() : route.reach == Reach::kNetwork && !who.MayUse("prod");
  return shut ? "NETWORK_FORBIDDEN" : "allowed";
}

TEST_F(ApiScopeTest, TheTableHasEachRoute) {
  std::set<std::string> routes, cases;
  for (const Route& route : Api::Routes()) routes.insert(absl::StrCat(AbslView(NameOf(route.method)), " ", AbslView(route.pattern)));
  for (const RouteCase& route : AllCases()) cases.insert(absl::StrCat(route.method, " ", route.pattern));
  EXPECT_EQ(routes, cases);
}

TEST_F(ApiScopeTest, EachRouteLetsInWhomTheTableSaysAndNobodyElse) {
  MakeNetwork("10.0.0.0/24");
  ASSERT_EQ(Create("vm-1").code(), "201");
  std::vector<Principal> all;
  for (Role role : {Role::kNone, Role::kViewer, Role::kAllocator, Role::kAdmin}) {
    for (const std::vector<std::string>& networks : {std::vector<std::string>(), {"prod"}, {"other", "prod"}, {"other"}}) {
      all.push_back({"who", role, networks});
    }
  }
  for (const RouteCase& route : AllCases()) {
    const std::string target = absl::StrCat(
        absl::StrReplaceAll(route.pattern, {{"{network}", "prod"}, {"{pool}", "a"}, {"{instance}", "none"}, {"{host}", "h1"},
                                            {"{address}", "10.0.0.9"}}),
        route.query);
    for (const Principal& who : all) {
      Become(who);
      const ApiAnswer answer = Ask(route.method, target, route.body);
      // A receiver that is not configured refuses everybody, whoever it is.
      const bool refused = (answer.status == 401 || answer.status == 403) && answer["/code"] != "RECEIVER_OFF";
      EXPECT_EQ(refused ? answer["/code"] : "allowed", Want(route, who))
          << route.method << " " << target << " by a token of role " << static_cast<int>(who.role) << " for "
          << (who.networks.empty() ? "all networks" : who.networks.front());
    }
  }
}

TEST_F(ApiScopeTest, TheDocumentSaysWhichRoutesConcernAllNetworks) {
  for (const RouteCase& route : AllCases()) {
    const OpenApiCheck::Object* operation = openapi.Operation(route.pattern, route.method);
    ASSERT_NE(operation, nullptr);
    EXPECT_EQ(operation->contains("x-all-networks"), route.reach == Reach::kAll) << route.method << " " << route.pattern;
  }
}

TEST_F(ApiScopeTest, ARefusalSaysWhatTheTokenIsAndWhatIsNeeded) {
  Become({"eve", Role::kViewer, {}});
  EXPECT_EQ(Post("/v1/networks/prod/instances", "{}")["/detail"], "eve has the role viewer, and this needs allocator");
  Become({"bob", Role::kAdmin, {"test"}});
  EXPECT_THAT(Get("/v1/hosts")["/detail"], HasSubstr("all networks"));
  EXPECT_EQ(Get("/v1/networks/prod")["/value"], "prod");
}

}  // namespace
}  // namespace gnomon
