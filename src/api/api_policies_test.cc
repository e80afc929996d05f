// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

class ApiPoliciesTest : public ApiFixture {
 protected:
  static std::string Body(const std::string& text, const std::string& more = "") {
    return absl::StrCat(R"({"text":)", boost::json::serialize(boost::json::string(text)), more, "}");
  }
  static constexpr char kHpa[] =
      "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
      "spec: {scaleTargetRef: {name: web}, minReplicas: 2, maxReplicas: 100, odd: 1}\n";
};

TEST_F(ApiPoliciesTest, AppliedListedExplainedAndDeleted) {
  MakeNetwork("10.0.0.0/24");
  ApiAnswer applied = Post("/v1/networks/prod/policies", Body(std::string(kHpa) + "---\nkind: Service\nmetadata: {name: web}\n"));
  EXPECT_EQ(applied.code(), "200") << applied.body;
  EXPECT_EQ(applied["/policies/0/name"], "hpa.web");
  EXPECT_EQ(applied["/policies/0/change"], "made");
  EXPECT_EQ(applied["/policies/0/unknown/0"], "spec.odd");
  EXPECT_EQ(applied["/passed_over/0"], "service/web");
  EXPECT_EQ(Post("/v1/networks/prod/policies", Body(kHpa))["/policies/0/change"], "none");
  EXPECT_EQ(Get("/v1/networks/prod/policies?type=web")["/policies/0/name"], "hpa.web");
  EXPECT_EQ(Get("/v1/networks/prod/policies?type=other").size("policies"), 0U);
  EXPECT_EQ(Get("/v1/networks/prod/policies/hpa.web")["/document/spec/odd"], "1");
  Create("vm-1");
  const ApiAnswer explained = Get("/v1/networks/prod/policies:explain?type=web&at=2026-03-02T08:00:00Z");
  EXPECT_EQ(explained["/rules/0/rule"], "hpa/web") << explained.body;
  EXPECT_EQ(explained["/rules/0/effect"], "at least 2 (minReplicas), at most 100 (maxReplicas); from 1 at most 12 within 30 s");
  EXPECT_EQ(explained["/least/count"], "2");
  EXPECT_EQ(Get("/v1/networks/prod/policies:explain?type=none").size("rules"), 0U);
  EXPECT_EQ(Delete("/v1/networks/prod/policies/hpa.web").code(), "204");
  EXPECT_EQ(Delete("/v1/networks/prod/policies/hpa.web").code(), "404 POLICY_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/policies/hpa.web").code(), "404 POLICY_NOT_FOUND");
}

TEST_F(ApiPoliciesTest, RefusalsNameTheLineAndStoreNothing) {
  MakeNetwork("10.0.0.0/24");
  const std::string wrong = std::string(kHpa) + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: b}\n"
                                                "spec: {scaleTargetRef: {name: b}, maxReplicas: many}\n";
  ApiAnswer refused = Post("/v1/networks/prod/policies", Body(wrong, R"(,"file":"hpa.yaml")"));
  EXPECT_EQ(refused.code(), "400 INVALID_POLICY");
  EXPECT_EQ(refused["/detail"], "hpa.yaml:9: spec.maxReplicas: \"many\" is not a whole number");
  EXPECT_EQ(refused["/field"], "spec.maxReplicas");
  EXPECT_EQ(Get("/v1/networks/prod/policies").size("policies"), 0U);
  EXPECT_EQ(Post("/v1/networks/prod/policies", Body(kHpa, R"(,"dry_run":true)"))["/policies/0/change"], "made");
  EXPECT_EQ(Get("/v1/networks/prod/policies").size("policies"), 0U);
  EXPECT_EQ(Post("/v1/networks/none/policies", Body(kHpa)).code(), "404 NETWORK_NOT_FOUND");
  EXPECT_EQ(Get("/v1/networks/prod/policies:explain?type=web&at=noon").code(), "400 INVALID_TIME");
  EXPECT_EQ(Post("/v1/networks/prod/policies", Body(kHpa + std::string("---\n") + kHpa)).code(), "400 POLICY_TWICE");
}

}  // namespace
}  // namespace gnomon
