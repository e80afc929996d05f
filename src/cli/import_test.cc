// SPDX-License-Identifier: Apache-2.0
#include "cli/import.h"

#include <fstream>
#include <sstream>

#include "base/error.h"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "gtest/gtest.h"
#include "testing/cli_run.h"
#include "testing/scripted_http_server.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

std::string Write(const std::string& text) {
  static const TempFolder folder;
  const std::string path = folder.path() + "/hosts.csv";
  std::ofstream(path) << text;
  return path;
}

std::string ManyRows(int count) {
  std::string text = "address,instance,type\n";
  for (int i = 0; i < count; ++i) {
    text +=
        "10.0." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1) + ",vm-" + std::to_string(i) + ",web\n";
  }
  return text;
}

std::string ManyLabels(int count, int bytes) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "k" : ";k") + std::to_string(i) + "=" + std::string(static_cast<size_t>(bytes), 'v');
  }
  return text;
}

ScriptedAnswer OnePool(const ScriptedRequest& request) {
  if (request.method == "GET") return {.body = R"({"pools":[{"prefix":"10.0.0.0/16"}],"next_page_token":""})"};
  return {.status = 201, .body = R"({"instances":[]})"};
}

TEST(ReadImport, ColumnsAreFoundByNameAndValuesMadeCanonical) {
  absl::StatusOr<std::vector<ImportRow>> rows =
      ReadImport(Write("labels,mac,host,zone,type,instance,address\na=1;b=2,02-00-00-00-00-01,h1,z1,web,vm-1,10.0.0."
                       "5\n,,,,db,vm-2,fd00:0::1\n"
                       ",,,,db,vm-3,10.0.0.16/28\n"));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].line, 2);
  EXPECT_EQ(boost::json::serialize((*rows)[0].instance),
            R"({"id":"vm-1","type":"web","zone":"z1","host":"h1","address":"10.0.0.5","mac":"02:00:00:00:00:01",)"
            R"("labels":{"a":"1","b":"2"}})");
  EXPECT_EQ(boost::json::serialize((*rows)[1].instance), R"({"id":"vm-2","type":"db","address":"fd00::1"})");
  EXPECT_EQ(boost::json::serialize((*rows)[2].instance),
            R"({"id":"vm-3","type":"db","address":"10.0.0.16","block_length":28})");
}

TEST(ReadImport, BadRowIsNamedByLineAndColumn) {
  struct Case {
    std::string text, want;
  };
  for (const Case& c : std::vector<Case>{
           {"address,instance\n", ":1: no column type; there are address, instance"},
           {"address,instance,type,vlan\n", ":1: unknown column vlan"},
           {"address,instance,type\n10.0.0.5,vm 1,web\n", ":2: column instance: not 1 to 128 of the characters"},
           {"address,instance,type\n10.0.0.5,vm-1,\n", ":2: column type: not 1 to 128 of the characters"},
           {"address,instance,type\n10.0.0.5,vm-1,web\n10.0.0.300,vm-2,web\n", ":3: column address: "},
           {"address,instance,type\n10.0.0.5/99,vm-1,web\n", ":2: column address: "},
           {"address,instance,type,mac\n10.0.0.5,vm-1,web,zz\n", ":2: column mac: "},
           {"address,instance,type,labels\n10.0.0.5,vm-1,web,env\n", ":2: column labels: label env is not name=value"},
           {"address,instance,type,labels\n10.0.0.5,vm-1,web,a b=c\n", ":2: column labels: label a b is not named by 1 to 128"},
           {"address,instance,type,labels\n10.0.0.5,vm-1,web,a=" + std::string(257, 'v') + "\n",
            ":2: column labels: label a has more than 256 bytes"},
           {"address,instance,type,labels\n10.0.0.5,vm-1,web," + ManyLabels(65, 1) + "\n", ":2: column labels: more than 64"},
           {"address,instance,type,labels\n10.0.0.5,vm-1,web," + ManyLabels(16, 256) + "\n",
            ":2: column labels: all together more than 4096"},
           {"address,instance,type,mac\n10.0.0.5,vm-1,web,0a:00:00:00:00:01\n10.0.0.6,vm-2,web,0A-00-00-00-00-01\n",
            ":3: column mac: named on line 2 already"},
           {"address,instance,type\n10.0.0.5,vm-1,web\n10.0.0.5,vm-2,web\n",
            ":3: column address: named on line 2 already"},
           {"address,instance,type\n10.0.0.5,vm-1,web\n10.0.0.6,vm-1,web\n",
            ":3: column instance: named on line 2 already"},
           {"address,instance,type\n10.0.0.5,vm-1,web\nfd00::5,vm-1,web\nfd00::6,vm-1,web\n",
            ":4: column instance: named on line 2 already"},
           {"address,instance,type\n10.0.0.16/28,vm-1,web\nfd00::5,vm-1,web\n",
            ":3: column instance: named on line 2 already"},
           {"address,instance,type\n10.0.0.5,vm-1,web\nfd00::5,vm-1,db\n", ":3: column type: another than on line 2"},
           {"address,prefix_length,instance,type\n10.0.0.16/28,28,vm-1,web\n", ":2: column prefix_length: "},
           {"address,prefix_length,instance,type\n10.0.0.17,28,vm-1,web\n", ":2: column address: "}}) {
    std::string path = Write(c.text);
    absl::Status status = ReadImport(path).status();
    EXPECT_EQ(CodeOf(status), "BAD_CSV") << c.text;
    EXPECT_TRUE(std::string(status.message()).starts_with(path + c.want)) << status;
  }
}

TEST(Import, GoesInBatchesOfAHundred) {
  ScriptedHttpServer server(OnePool);
  CliRun run = RunGnomon({"import", Write(ManyRows(250)), "-n", "prod", "-o", "json"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, "{\n  \"rows\": 250,\n  \"imported\": 250,\n  \"dry_run\": false\n}\n");
  std::vector<size_t> sizes;
  for (const ScriptedRequest& request : server.requests()) {
    if (request.method != "POST") continue;
    EXPECT_EQ(request.target, "/v1/networks/prod/instances:batch");
    sizes.push_back(boost::json::parse(request.body).at("instances").as_array().size());
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{100, 100, 50}));
}

TEST(Import, BadRowAnywhereSendsNothing) {
  ScriptedHttpServer server(OnePool);
  CliRun run = RunGnomon({"import", Write(ManyRows(250) + "10.0.9.9,,web\n"), "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("hosts.csv:252: column instance"), std::string::npos) << run.err;
  EXPECT_TRUE(server.requests().empty());
}

TEST(Import, AddressOutsideEveryPoolSendsNothing) {
  ScriptedHttpServer server(OnePool);
  CliRun run = RunGnomon({"import", Write(ManyRows(2) + "192.0.2.1,vm-x,web\n"), "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("hosts.csv:4: column address: no pool of prod holds 192.0.2.1"), std::string::npos) << run.err;
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(Import, DryRunSendsNothing) {
  ScriptedHttpServer server(OnePool);
  CliRun run = RunGnomon({"import", Write(ManyRows(250)), "-n", "prod", "--dry-run"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(server.requests().size(), 1u);
}

// "METHOD path body" of the requests from `first` on.
std::vector<std::string> Sent(const ScriptedHttpServer& server, size_t first) {
  std::vector<std::string> sent;
  const std::vector<ScriptedRequest> requests = server.requests();
  for (size_t i = first; i < requests.size(); ++i) {
    const std::string target = requests[i].target.substr(std::string("/v1/networks/prod/instances").size());
    sent.push_back(requests[i].method + " " + target + " " + requests[i].body);
  }
  return sent;
}

ScriptedAnswer TwoPools() {
  return {.body = R"({"pools":[{"prefix":"10.0.0.0/16"},{"prefix":"fd00::/64"}],"next_page_token":""})"};
}

TEST(Import, DualStackInstancesGetBothTheirAddressesWhicheverTheServerChooses) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.Path().ends_with("/pools")) return TwoPools();
    if (request.Path().ends_with("/vm-1")) return ScriptedAnswer{.body = "{}"};
    if (request.method == "GET") return ScriptedAnswer{.status = 404, .body = R"({"code":"INSTANCE_NOT_FOUND"})"};
    if (!request.Path().ends_with(":batch")) return ScriptedAnswer{.body = "{}"};
    return ScriptedAnswer{.status = 201, .body = R"({"instances":[
        {"id":"vm-1","addresses":[{"address":"10.0.0.5"},{"address":"fd00::5"}]},
        {"id":"vm-2","addresses":[{"address":"10.0.0.6"},{"address":"fd00::1"}]}]})"};
  });
  const std::string path =
      Write("address,instance,type\nfd00::5,vm-1,web\n10.0.0.6,vm-2,web\n10.0.0.5,vm-1,web\nfd00::6,vm-2,web\n");
  CliRun run = RunGnomon({"import", path, "-n", "prod", "-o", "json"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, "{\n  \"rows\": 4,\n  \"imported\": 4,\n  \"dry_run\": false\n}\n");
  const std::vector<std::string> want = {
      "GET /vm-1 ",  // it is there already
      "GET /vm-2 ",
      R"(POST  {"id":"gnomon-import.fd00--6","type":"web","address":"fd00::6"})",
      "DELETE /gnomon-import.fd00--6?preserve=1h ",
      R"(POST :batch {"instances":[{"id":"vm-1","type":"web","address":"10.0.0.5","families":["ipv4","ipv6"]},)"
      R"({"id":"vm-2","type":"web","address":"10.0.0.6","families":["ipv4","ipv6"]}]})",
      R"(POST /vm-2:reassign {"address":"fd00::6"})"};
  EXPECT_EQ(Sent(server, 1), want);
}

TEST(Import, BlocksGoOneByOneAfterTheAddresses) {
  ScriptedHttpServer server(OnePool);
  CliRun run = RunGnomon({"import", Write("address,instance,type\n10.0.0.16/28,n-1,k8s\n10.0.0.5,vm-1,web\n"), "-n", "prod"},
                         server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  const std::vector<std::string> want = {R"(POST :batch {"instances":[{"id":"vm-1","type":"web","address":"10.0.0.5"}]})",
                                         R"(POST  {"id":"n-1","type":"k8s","address":"10.0.0.16","block_length":28})"};
  EXPECT_EQ(Sent(server, 1), want);
}

TEST(Import, ARefusalNamesLineAndColumnOfEachKindOfRow) {
  struct Case {
    std::string rows, problem, want;
  };
  for (const Case& c : std::vector<Case>{
           {"10.0.0.5,a,web\n10.0.0.6,b,web\n", R"("detail":"in use","field":"instances[1].mac")",
            "hosts.csv:3: column mac: in use (C)\n"},
           {"10.0.0.5,a,web\n10.0.0.6,b,web\n", R"("detail":"in use","field":"address","value":"10.0.0.6")",
            "hosts.csv:3: column address: in use (C)\n"},
           {"10.0.0.5,a,web\n10.0.0.6,b,web\n", R"("detail":"it differs","field":"instances[0].type")",
            "hosts.csv:2: column type: it differs (C)\n"},
           {"10.0.0.5,a,web\n10.0.0.6,b,web\n", R"("detail":"full")", "hosts.csv, lines 2 to 3: full (C)\n"},
           {"10.0.0.16/28,a,web\n", R"("detail":"no block","field":"block_length")",
            "hosts.csv:2: column prefix_length: no block (C)\n"},
           {"10.0.0.5,a,web\nfd00::5,a,web\n", R"("detail":"in use","field":"address","value":"fd00::5")",
            "hosts.csv:3: column address: in use (C)\n"}}) {
    ScriptedHttpServer server([&](const ScriptedRequest& request) {
      if (request.Path().ends_with("/pools")) return TwoPools();
      if (request.method == "GET") return ScriptedAnswer{.status = 404, .body = R"({"code":"INSTANCE_NOT_FOUND"})"};
      return ScriptedAnswer{.status = 409, .body = R"({"code":"C",)" + c.problem + "}"};
    });
    CliRun run = RunGnomon({"import", Write("address,instance,type\n" + c.rows), "-n", "prod"}, server.url());
    EXPECT_EQ(run.code, 4);
    EXPECT_NE(run.err.find(c.want), std::string::npos) << run.err;
  }
}

TEST(Import, RefusalNamesTheLineAndWhatIsDone) {
  ScriptedHttpServer server([](const ScriptedRequest& request) {
    if (request.body.find("\"vm-100\"") == std::string::npos) return OnePool(request);
    return ScriptedAnswer{.status = 409, .body = R"({"code":"ADDRESS_TAKEN","detail":"10.0.0.118 is vm-z's",
        "field":"instances[17].address","value":"10.0.0.118"})"};
  });
  CliRun run = RunGnomon({"import", Write(ManyRows(250)), "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("100 of 250 rows are imported"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("hosts.csv:119: column address: 10.0.0.118 is vm-z's (ADDRESS_TAKEN)"), std::string::npos) << run.err;
}

TEST(Export, OfANetworkThatIsNotThereWritesNothing) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{.status = 404, .body = R"({"code":"NETWORK_NOT_FOUND","detail":"no network prod"})"};
  });
  CliRun run = RunGnomon({"export", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.out, "");
  ScriptedHttpServer empty([](const ScriptedRequest&) { return ScriptedAnswer{.body = R"({"instances":[],"next_page_token":""})"}; });
  EXPECT_EQ(RunGnomon({"export", "-n", "prod"}, empty.url()).out, "address,prefix_length,instance,type,zone,host,mac,labels\n");
}

TEST(Export, WritesWhatImportReads) {
  ScriptedHttpServer server([](const ScriptedRequest&) {
    return ScriptedAnswer{
        .body = R"({"instances":[{"id":"vm-1","type":"web","zone":"z1","host":"h1","mac":"02:00:00:00:00:01",
        "labels":{"a":"x,y","b":"2;c=3","d":"e\\f"},"addresses":[{"address":"10.0.0.5"}],"address":"10.0.0.5"},
        {"id":"vm-2","type":"db","address":"fd00::1"},
        {"id":"vm-3","type":"db","addresses":[{"address":"10.0.0.7","prefix_length":16},
         {"address":"fd00::7","prefix_length":64}],"record":{"address":"10.0.0.7","prefix_length":32}},
        {"id":"node-1","type":"k8s","addresses":[{"address":"10.0.0.16","prefix_length":28}],
         "record":{"address":"10.0.0.16","prefix_length":28}}],"next_page_token":""})"};
  });
  CliRun run = RunGnomon({"export", "-n", "prod"}, server.url());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out,
            "address,prefix_length,instance,type,zone,host,mac,labels\n"
            "10.0.0.5,,vm-1,web,z1,h1,02:00:00:00:00:01,\"a=x,y;b=2\\;c=3;d=e\\\\f\"\n"
            "fd00::1,,vm-2,db,,,,\n"
            "10.0.0.7,,vm-3,db,,,,\n"
            "fd00::7,,vm-3,db,,,,\n"
            "10.0.0.16,28,node-1,k8s,,,,\n");
  absl::StatusOr<std::vector<ImportRow>> rows = ReadImport(Write(run.out));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ(CountRows(*rows), 5u);
  EXPECT_EQ(boost::json::serialize((*rows)[0].instance.at("labels")), R"({"a":"x,y","b":"2;c=3","d":"e\\f"})");
  EXPECT_EQ(boost::json::serialize((*rows)[2].instance),
            R"({"id":"node-1","type":"k8s","address":"10.0.0.16","block_length":28})");
  EXPECT_EQ(boost::json::serialize((*rows)[3].instance),
            R"({"id":"vm-3","type":"db","address":"10.0.0.7","families":["ipv4","ipv6"]})");
  EXPECT_EQ((*rows)[3].second, "fd00::7");
}

}  // namespace
}  // namespace gnomon
