// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using testing::HasSubstr;

TEST(PolicyCommand, AFolderIsAppliedFileByFile) {
  TempFolder folder;
  for (const char* name : {"b.yaml", "a.json", "notes.txt"}) std::ofstream(folder.path() + "/" + name) << "kind: " << name;
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.body = R"({"policies":[{"name":"hpa.web","type":"web","change":"made","unknown":["spec.x"]}],"passed_over":["service/web"]})"};
  });
  const CliRun run = RunGnomon({"policy", "apply", "-f", folder.path(), "--type", "web", "--dry-run", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[0].target, "/v1/networks/prod/policies");
  EXPECT_THAT(server.requests()[0].body, HasSubstr("\"text\":\"kind: a.json\""));
  EXPECT_THAT(server.requests()[1].body, HasSubstr("b.yaml\",\"type\":\"web\",\"dry_run\":true"));
  EXPECT_THAT(run.out, HasSubstr("hpa.web  web   made    spec.x"));
  EXPECT_THAT(run.err, HasSubstr("service/web is no policy"));
  EXPECT_THAT(run.err, HasSubstr("dry run"));
}

TEST(PolicyCommand, AFileThatIsNotThereIsRefusedBeforeAnythingIsSent) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.body = "{}"}; });
  const CliRun run = RunGnomon({"policy", "apply", "-f", "/nowhere/hpa.yaml", "-n", "prod"}, server.url());
  EXPECT_NE(run.code, 0);
  EXPECT_THAT(run.err, HasSubstr("/nowhere/hpa.yaml"));
  EXPECT_TRUE(server.requests().empty());
}

TEST(PolicyCommand, ExplainPrintsRulesAndSteps) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.body = R"({"type":"web","at":"2026-03-02T08:00:00Z","rules":[{"rule":"hpa/web","effect":"at most 10"}],)"
                                  R"("steps":[{"at":"2026-03-02T09:00:00Z","count":10,"at_least":true,"rule":"keda-cron"}]})"};
  });
  const CliRun run = RunGnomon({"policy", "explain", "web", "--at", "2026-03-02T08:00:00Z", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(server.requests()[0].target, HasSubstr("/v1/networks/prod/policies:explain?type=web&at=2026-03-02T08"));
  EXPECT_THAT(run.out, HasSubstr("hpa/web: at most 10\n"));
  EXPECT_THAT(run.out, HasSubstr("2026-03-02T09:00:00Z  10     keda-cron"));
}

}  // namespace
}  // namespace gnomon
