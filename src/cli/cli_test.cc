// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"

namespace gnomon {
namespace {

constexpr char kInstance[] =
    R"({"id":"vm-1","type":"web","zone":"z1","host":"h7","labels":{},"mac":"02:00:00:00:00:01","source":"shadow",)"
    R"("addresses":[{"address":"10.0.0.5","prefix_length":16,"gateway":"10.0.0.1"}],"address":"10.0.0.5"})";

// What a command line is to send, in its one request.
struct Sent {
  std::vector<std::string> words;
  std::string method, target, body;
};

void ExpectSent(const Sent& want) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .body = R"({"instances":[],"networks":[],"next_page_token":"","released":[],"predictions":[]})"};
  });
  CliRun run = RunGnomon(want.words, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  ASSERT_EQ(server.requests().size(), 1u) << want.words[0];
  EXPECT_EQ(server.requests()[0].method, want.method);
  EXPECT_EQ(server.requests()[0].target, want.target);
  EXPECT_EQ(server.requests()[0].body, want.body);
}

TEST(Cli, CommandsSendWhatTheyMean) {
  for (
      const Sent& c : std::vector<Sent>{
          {{"create", "network", "prod", "--account", "acme", "--vni", "42"},
           "POST",
           "/v1/networks",
           R"({"name":"prod","account":"acme","vni":42})"},
          {{"create", "pool", "a", "-n", "prod", "--prefix", "10.0.0.0/16", "--exclude", "10.0.0.2,10.0.0.4-10.0.0.9",
            "--headroom", "0.25", "--quarantine", "30s"},
           "POST",
           "/v1/networks/prod/pools",
           R"({"name":"a","prefix":"10.0.0.0/16","exclude":["10.0.0.2","10.0.0.4-10.0.0.9"],"quarantine":"30s","headroom":2.5E-1})"},
          {{"create", "host", "h7", "--physical-address", "192.0.2.7"},
           "PUT",
           "/v1/hosts/h7",
           R"({"physical_address":"192.0.2.7"})"},
          {{"get", "instances", "vm-1", "-n", "prod"}, "GET", "/v1/networks/prod/instances/vm-1", ""},
          {{"get", "vm", "-n", "prod", "--type", "web"},
           "GET",
           "/v1/networks/prod/instances?type=web&page_size=1000",
           ""},
          {{"get", "networks", "--limit", "5"}, "GET", "/v1/networks?page_size=5", ""},
          {{"describe", "address", "fd00::1", "-n", "prod"}, "GET", "/v1/networks/prod/addresses/fd00::1", ""},
          {{"allocate", "vm-1", "-n", "prod", "--type", "web", "--host", "h7", "--label", "env=prod", "--family",
            "ipv4,ipv6"},
           "POST",
           "/v1/networks/prod/instances",
           R"({"id":"vm-1","type":"web","host":"h7","families":["ipv4","ipv6"],"labels":{"env":"prod"}})"},
          {{"release", "vm-1", "-n", "prod", "--preserve", "24h"},
           "DELETE",
           "/v1/networks/prod/instances/vm-1?preserve=24h",
           ""},
          {{"reassign", "vm-1", "10.0.0.9", "-n", "prod"},
           "POST",
           "/v1/networks/prod/instances/vm-1:reassign",
           R"({"address":"10.0.0.9"})"},
          {{"delete", "address", "10.0.0.9", "-n", "prod"}, "DELETE", "/v1/networks/prod/addresses/10.0.0.9", ""},
          {{"delete", "network", "prod"}, "DELETE", "/v1/networks/prod", ""},
          {{"delete", "instance", "vm-1", "-n", "prod"}, "DELETE", "/v1/networks/prod/instances/vm-1", ""},
          {{"predict", "-n", "prod", "--type", "web", "--count", "20", "--horizon", "15m", "--vcpu", "4"},
           "POST",
           "/v1/predict_instances",
           R"({"network":"prod","predictions":[{"type":"web","count":20,"horizon":"15m","resources":{"vcpu":4E0}}]})"}}) {
    ExpectSent(c);
  }
}

TEST(Cli, UpdatesSendWhatIsGivenAlone) {
  for (const Sent& c : std::vector<Sent>{
           {{"update", "network", "prod", "--warm-target", "20", "--type-target", "web=5"},
            "PATCH",
            "/v1/networks/prod",
            R"({"warm_target":20,"warm_targets":{"web":5}})"},
           {{"update", "network", "prod", "--prediction-mode", "reserve", "--target-hit-rate", "0.95"},
            "PATCH",
            "/v1/networks/prod",
            R"({"prediction_mode":"reserve","target_hit_rate":9.5E-1})"},
           {{"update", "pool", "a", "-n", "prod", "--draining", "--quarantine", "1m", "--headroom", "0.25",
             "--strategy", "random", "--gateway", "10.0.0.1", "--exclude", "10.0.0.2,10.0.0.4-10.0.0.9"},
            "PATCH",
            "/v1/networks/prod/pools/a",
            R"({"draining":true,"gateway":"10.0.0.1","exclude":["10.0.0.2","10.0.0.4-10.0.0.9"],)"
            R"("strategy":"random","quarantine":"1m","headroom":2.5E-1})"},
           {{"update", "instance", "vm-1", "-n", "prod", "--zone", "z2", "--host", "h8", "--label", "env=prod",
             "--label", "tier=1", "--generation", "0011-7"},
            "PATCH",
            "/v1/networks/prod/instances/vm-1",
            R"({"zone":"z2","host":"h8","labels":{"env":"prod","tier":"1"},"generation":"0011-7"})"},
           {{"update", "instance", "vm-1", "-n", "prod", "--host", "", "--label", "none"},
            "PATCH",
            "/v1/networks/prod/instances/vm-1",
            R"({"host":"","labels":{}})"},
           {{"update", "pool", "a", "-n", "prod", "--no-draining", "--gateway", "none", "--exclude", "none"},
            "PATCH",
            "/v1/networks/prod/pools/a",
            R"({"draining":false,"gateway":null,"exclude":[]})"},
           {{"update", "pool", "a", "-n", "prod", "--headroom", "0.5"},
            "PATCH",
            "/v1/networks/prod/pools/a",
            R"({"headroom":5E-1})"},
           {{"update", "network", "prod", "--type-target", "none"},
            "PATCH",
            "/v1/networks/prod",
            R"({"warm_targets":{}})"},
           {{"resume-expiry"}, "POST", "/v1/expiry:resume", "{}"}}) {
    ExpectSent(c);
  }
}

TEST(Cli, AllocateWithNameOutputPrintsTheAddressAlone) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.status = 201, .body = kInstance}; });
  CliRun run = RunGnomon({"allocate", "vm-1", "-n", "prod", "--type", "web", "-o", "name"}, server.url());
  EXPECT_EQ(run.out, "10.0.0.5\n");
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(RunGnomon({"allocate", "vm-1", "-n", "prod", "--type", "web"}, server.url()).out,
            "ID    TYPE  ADDRESS   MAC                ZONE  HOST  SOURCE\n"
            "vm-1  web   10.0.0.5  02:00:00:00:00:01  z1    h7    shadow\n");
}

TEST(Cli, BothAddressesOfADualStackInstanceAreInTheTable) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.method == "DELETE") {
      return ScriptedAnswer{.body = R"({"released":[{"address":"10.0.0.5"},{"address":"fd00::5"}]})"};
    }
    return ScriptedAnswer{.body = R"({"instances":[{"id":"vm-1","address":"10.0.0.5","addresses":[{"address":"10.0.0.5"},)"
                                  R"({"address":"fd00::5"}]}],"next_page_token":""})"};
  });
  EXPECT_EQ(RunGnomon({"get", "instances", "-n", "prod"}, server.url()).out,
            "ID    TYPE  ADDRESS           MAC  ZONE  HOST  SOURCE\n"
            "vm-1  -     10.0.0.5,fd00::5  -    -     -     -\n");
  EXPECT_EQ(RunGnomon({"release", "vm-1", "-n", "prod"}, server.url()).out,
            "ADDRESS   STATE  INSTANCE  TYPE  POOL  HOST  SINCE  UNTIL\n"
            "10.0.0.5  -      -         -     -     -     -      -\n"
            "fd00::5   -      -         -     -     -     -      -\n");
}

TEST(Cli, AnUpdateOfATypesTargetIsSeenInTheTable) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .body =
            R"({"name":"prod","account":"acme","vni":1,"warm_target":0,"warm_targets":{"web":5},"prediction_mode":"off"})"};
  });
  EXPECT_EQ(RunGnomon({"update", "network", "prod", "--type-target", "web=5"}, server.url()).out,
            "NAME  ACCOUNT  VNI  WARM TARGET  TYPE TARGETS  PREDICTION\n"
            "prod  acme     1    0            web=5         off\n");
}

TEST(Cli, ListsComeInAllForms) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.body = R"({"pools":[{"name":"a","prefix":"10.0.0.0/16"}],"next_page_token":""})"};
  });
  EXPECT_EQ(RunGnomon({"get", "pools", "-n", "prod", "-o", "json"}, server.url()).out,
            "{\n  \"pools\": [\n    {\n      \"name\": \"a\",\n      \"prefix\": \"10.0.0.0/16\"\n    }\n  ]\n}\n");
  EXPECT_EQ(RunGnomon({"get", "pools", "-n", "prod", "-o", "yaml"}, server.url()).out,
            "pools:\n  - name: a\n    prefix: \"10.0.0.0/16\"\n");
  EXPECT_EQ(RunGnomon({"-o", "name", "get", "pools", "-n", "prod"}, server.url()).out, "a\n");
  EXPECT_EQ(RunGnomon({"get", "po", "-n", "prod"}, server.url()).out,
            "NAME  PREFIX       GATEWAY  STRATEGY  CAPACITY  FREE  SHADOW  HELD  DRAINING\n"
            "a     10.0.0.0/16  -        -         -         -     -       -     -\n");
}

TEST(Cli, EmptyListSaysSoOnStderrAlone) {
  ScriptedHttpServer server(
      [](const ScriptedRequest&) { return ScriptedAnswer{.body = R"({"hosts":[],"next_page_token":""})"}; });
  CliRun run = RunGnomon({"get", "hosts"}, server.url());
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "no hosts\n");
}

TEST(Cli, UsageErrorsSuggestAndExitWith2) {
  struct Case {
    std::vector<std::string> words;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {{}, "next: gnomon --help"},
           {{"gett"}, "unknown command gett (USAGE)\n  hint: did you mean \"get\"?"},
           {{"get", "pol"}, "hint: did you mean \"pool\"?"},
           {{"get", "pools"}, "--network is required"},
           {{"get", "networks", "--ouput", "json"}, "hint: did you mean \"--output\"?"},
           {{"get", "networks", "-o", "xml"}, "next: gnomon get networks --help"},
           {{"release", "vm-1", "extra", "-n", "prod"}, "unexpected argument extra"},
           {{"completion", "tcsh"}, "next: gnomon completion --help"},
           {{"allocate", "vm-1", "-n", "prod", "--type", "t", "--label", "x"}, "(BAD_LABEL)"},
           {{"update", "pool", "a", "-n", "prod"}, "nothing to change was given"},
           {{"update", "network", "prod", "--type-target", "web"}, "(BAD_TARGET)"},
           {{"update", "instance", "vm-1", "-n", "prod", "--generation", "1"}, "nothing to change was given"},
           {{"update", "instance", "vm-1", "-n", "prod", "--label", "x"}, "(BAD_LABEL)"},
           {{"predict", "-n", "prod", "--type", "t", "--horizon", "1m", "--count", "many"},
            "--count = many, which is not a number (USAGE)"},
           {{"get", "networks", "--limit", "-1"}, "--limit: "},
           {{"get", "pools", "-n", "prod", "--type", "web"}, "unknown option --type"},
           {{"get", "instances", "-n", "prod", "--state", "free"}, "unknown option --state"},
           {{"get", "shadows", "10.0.0.5", "-n", "prod"}, "unexpected argument 10.0.0.5"},
           {{"get", "networks", "--timeout", "5"}, "(INVALID_DURATION)"},
           {{"get", "networks", "--timeout", "0s"}, "(BAD_TIMEOUT)"},
           {{"-n", "prod", "get", "networks"}, "this command takes no --network (USAGE)"},
           {{"get", "networks", "-n", "prod"}, "this command takes no --network (USAGE)"},
           {{"get", "networks", "--server", "nowhere"}, "(INVALID_SERVER)"}}) {
    CliRun run = RunGnomon(c.words);
    EXPECT_EQ(run.code, 2) << run.err;
    EXPECT_NE(run.err.find(c.want), std::string::npos) << run.err;
    EXPECT_EQ(run.out, "");
  }
}

TEST(Cli, RefusalsOfTheServerKeepTheirCodes) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 404, .body = R"({"code":"NETWORK_NOT_FOUND","detail":"no network prod"})"};
  });
  CliRun run = RunGnomon({"get", "pools", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.err, "error: no network prod (NETWORK_NOT_FOUND)\n  next: gnomon get networks\n");
}

TEST(Cli, ANetworkInUseLeadsToItsInstances) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 409, .body = R"({"code":"NETWORK_IN_USE","detail":"network prod holds 2 addresses"})"};
  });
  CliRun run = RunGnomon({"delete", "network", "prod"}, server.url());
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("next: gnomon get instances -n prod\n"), std::string::npos) << run.err;
}

TEST(Cli, HelpAndVersionAreData) {
  CliRun help = RunGnomon({"create", "pool", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("--prefix"), std::string::npos);
  EXPECT_EQ(RunGnomon({"--version"}).out.substr(0, 7), "gnomon ");
  EXPECT_EQ(RunGnomon({"version", "--client"}).code, 0);
}

TEST(Cli, TokenFileIsReadAndABadOneIsAnAuthFailure) {
  std::string path = testing::TempDir() + "token";
  std::ofstream(path) << "ci.secret\n";
  ScriptedHttpServer server(
      [](const ScriptedRequest&) { return ScriptedAnswer{.body = R"({"hosts":[],"next_page_token":""})"}; });
  EXPECT_EQ(RunGnomon({"get", "hosts", "--token-file", path}, server.url()).code, 0);
  EXPECT_EQ(server.requests()[0].headers.at("authorization"), "Bearer ci.secret");
  EXPECT_EQ(RunGnomon({"get", "hosts", "--token-file", path + ".absent"}, server.url()).code, 5);
}

TEST(Cli, WatchStartsAtTheListsRevisionAndSaysWhereItEnded) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.Path().ends_with("/addresses")) {
      return ScriptedAnswer{.body = R"({"addresses":[],"next_page_token":"","revision":"00-7"})"};
    }
    return ScriptedAnswer{
        .chunks = {
            R"({"type":"put","kind":"address","revision":"00-8","object":{"address":"10.0.0.5","state":"assigned",)"
            R"("instance":"vm-1"}})"
            "\n",
            R"({"type":"heartbeat","revision":"00-9"})"
            "\n"}};
  });
  CliRun run = RunGnomon({"watch", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 6);
  EXPECT_EQ(run.out, "put address 10.0.0.5 assigned vm-1 00-8\n");
  EXPECT_NE(run.err.find("--revision 00-9"), std::string::npos) << run.err;
  EXPECT_EQ(server.requests()[1].target, "/v1/networks/prod/watch?revision=00-7");
}

TEST(Backup, FileAppearsWholeOrNotAtAll) {
  std::string path = testing::TempDir() + "backup-" + std::to_string(getpid());
  for (bool cut : {true, false}) {
    ScriptedHttpServer server([cut](const ScriptedRequest&) {
      return ScriptedAnswer{.content_type = "application/octet-stream", .chunks = {"part", "rest"}, .hang_up = cut};
    });
    CliRun run = RunGnomon({"backup", path}, server.url());
    EXPECT_EQ(run.code, cut ? 6 : 0) << run.err;
    EXPECT_EQ(std::filesystem::exists(path), !cut);
  }
  std::ifstream file(path);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), "partrest");
  for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir())) {
    EXPECT_EQ(entry.path().string().find(path + ".part"), std::string::npos);
  }
  std::filesystem::remove(path);
}

TEST(Cli, TheNetworkFlagComesBeforeTheEnvironment) {
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.chunks = {"{}"}}; });
  RunGnomon({"get", "instances", "-n", "lab"}, server.url(), "prod");
  RunGnomon({"get", "instances"}, server.url(), "prod");
  RunGnomon({"-n", "lab", "get", "instances"}, server.url(), "prod");
  RunGnomon({"get", "instances", "--network=lab"}, server.url(), "prod");
  RunGnomon({"get", "networks"}, server.url(), "prod");
  ASSERT_EQ(server.requests().size(), 5u);
  EXPECT_EQ(server.requests()[0].target.find("/v1/networks/lab/"), 0u) << server.requests()[0].target;
  EXPECT_EQ(server.requests()[1].target.find("/v1/networks/prod/"), 0u) << server.requests()[1].target;
  EXPECT_EQ(server.requests()[2].target.find("/v1/networks/lab/"), 0u) << server.requests()[2].target;
  EXPECT_EQ(server.requests()[3].target.find("/v1/networks/lab/"), 0u) << server.requests()[3].target;
}

TEST(Backup, ReplacesNothingButFiles) {
  const std::string pipe = testing::TempDir() + "backup-pipe-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ScriptedHttpServer server([](const ScriptedRequest&) { return ScriptedAnswer{.chunks = {"whole"}}; });
  CliRun run = RunGnomon({"backup", pipe}, server.url());
  EXPECT_NE(run.code, 0);
  EXPECT_NE(run.err.find("is not a file"), std::string::npos) << run.err;
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  std::filesystem::remove(pipe);
}

TEST(Restore, IsDoneByGnomondBesideTheProgram) {
  EXPECT_EQ(RunGnomon({"restore", "b.gnb", "--data-dir", "d"}).became,
            (std::vector<std::string>{"/opt/gnomon/gnomond", "--restore", "b.gnb", "--data-dir", "d"}));
  EXPECT_EQ(RunGnomon({"check", "--data-dir", "d"}).became,
            (std::vector<std::string>{"/opt/gnomon/gnomond", "--check-store", "--data-dir", "d"}));
}

TEST(Completion, EveryShellKnowsEveryCommand) {
  for (std::string shell : {"bash", "zsh", "fish"}) {
    CliRun run = RunGnomon({"completion", shell});
    EXPECT_EQ(run.code, 0);
    for (std::string word : {"allocate", "networks", "warm-target", "longest_idle", "doctor", "server"}) {
      EXPECT_NE(run.out.find(word), std::string::npos) << shell << " " << word;
    }
  }
}

TEST(Completion, BashCompletesCommandsOptionsAndChoices) {
  std::string script = testing::TempDir() + "gnomon-completion.bash";
  std::ofstream(script) << RunGnomon({"completion", "bash"}).out;
  struct Case {
    std::string words, want;
  };
  for (const Case& c : std::vector<Case>{{"gnomon re", "release reassign restore replay resume-expiry\n"},
                                         {"gnomon update n", "network\n"},
                                         {"gnomon update pool --dr", "--draining\n"},
                                         {"gnomon update i", "instance\n"},
                                         {"gnomon update instance --gen", "--generation\n"},
                                         {"gnomon get po", "pools\n"},
                                         {"gnomon get pools --net", "--network\n"},
                                         {"gnomon get networks --net", "\n"},
                                         {"gnomon create pool --pre", "--prefix\n"},
                                         {"gnomon create pool a -n prod --str", "--strategy\n"},
                                         {"gnomon get pools -o j", "json\n"},
                                         {"gnomon completion f", "fish\n"}}) {
    std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + c.words +
                          "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gnomon; echo \"${COMPREPLY[@]}\"'";
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char text[256] = {};
    size_t got = fread(text, 1, sizeof(text) - 1, pipe);
    pclose(pipe);
    EXPECT_EQ(std::string(text, got), c.want) << c.words;
  }
}

}  // namespace
}  // namespace gnomon
