// SPDX-License-Identifier: Apache-2.0
#include "api/audit_log.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

// Before the fixture, which is given what writes to it.
struct AuditFile {
  const std::string path_ = absl::StrCat(testing::TempDir(), "audit-", getpid(), ".log");
  std::unique_ptr<AuditLog> audit_ = {};
};

class AuditLogTest : protected AuditFile, public ApiFixture {
 protected:
  AuditLogTest()
      : ApiFixture([this](Api::Parts* parts) {
          std::filesystem::remove(path_);
          audit_ = AuditLog::Open(path_, &clock, nullptr).value();
          parts->observe = [this](const Exchange& exchange, int status, std::string_view code) {
            audit_->Note(exchange, status, code);
          };
        }) {}
  ~AuditLogTest() override { std::filesystem::remove(path_); }

  // What any other process would read now.
  std::vector<boost::json::value> Lines() const {
    std::vector<boost::json::value> lines;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) lines.push_back(boost::json::parse(line));
    return lines;
  }
  static std::string Text(const boost::json::value& line, const char* member) {
    const boost::json::value& value = line.at(member);
    return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
  }

};

TEST_F(AuditLogTest, ALineSaysWhoDidWhatToWhichIdsAndIsThereBeforeTheAnswer) {
  MakeNetwork("10.0.0.0/24");
  Become({"ci", Role::kAdmin, {}});
  EXPECT_EQ(Ask("POST", "/v1/networks/prod/instances", R"({"id":"vm-1","type":"web"})", "X-Request-Id: r-1\r\n").code(), "201");
  const boost::json::value line = Lines().back();
  EXPECT_EQ(Text(line, "time"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(Text(line, "principal"), "ci");
  EXPECT_EQ(Text(line, "peer").substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(Text(line, "method"), "POST");
  EXPECT_EQ(Text(line, "path"), "/v1/networks/prod/instances");
  EXPECT_EQ(Text(line, "route"), "/v1/networks/{network}/instances");
  EXPECT_EQ(Text(line, "network"), "prod");
  EXPECT_EQ(Text(line, "ids"), R"(["vm-1"])");
  EXPECT_EQ(Text(line, "status"), "201");
  EXPECT_EQ(Text(line, "code"), "");
  EXPECT_EQ(Text(line, "request_id"), "r-1");
}

TEST_F(AuditLogTest, BatchesAndPredictionsNameTheirIdsAndReadsLeaveNoLine) {
  MakeNetwork("10.0.0.0/24");
  Post("/v1/networks/prod/instances:batch", R"({"instances":[{"id":"a","type":"t"},{"id":"b","type":"t"}]})");
  EXPECT_EQ(Text(Lines().back(), "ids"), R"(["a","b"])");
  Post("/predict_instances", R"({"network":"prod","source":"cron","id":"nine","predictions":[]})");
  EXPECT_EQ(Text(Lines().back(), "ids"), R"(["cron/nine"])");
  EXPECT_EQ(Text(Lines().back(), "network"), "prod");
  EXPECT_EQ(Delete("/v1/networks/prod/instances/a?preserve=1h").code(), "200");
  EXPECT_EQ(Text(Lines().back(), "path"), "/v1/networks/prod/instances/a?preserve=1h");
  const size_t before = Lines().size();
  Get("/v1/networks/prod/instances");
  EXPECT_EQ(Lines().size(), before);
}

TEST_F(AuditLogTest, ARefusalIsKeptWithItsCode) {
  MakeNetwork("10.0.0.0/24");
  Become({"eve", Role::kViewer, {}});
  EXPECT_EQ(Create("vm-1").code(), "403 ROLE_TOO_LOW");
  EXPECT_EQ(Text(Lines().back(), "code"), "ROLE_TOO_LOW");
  EXPECT_EQ(Text(Lines().back(), "status"), "403");
}

TEST(AuditLog, AFullDiskIsCountedAndToldOnceAMinute) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  std::vector<std::string> told;
  absl::StatusOr<std::unique_ptr<AuditLog>> audit =
      AuditLog::Open("/dev/full", &clock, [&](const std::string& message) { told.push_back(message); });
  ASSERT_TRUE(audit.ok()) << audit.status();
  HttpPeer peer;
  HttpRequest request;
  request.peer = &peer;
  Exchange exchange(request, HttpResponder(nullptr), nullptr);
  exchange.writes = true;
  for (int i = 0; i < 3; ++i) (*audit)->Note(exchange, 201, "");
  EXPECT_EQ(told.size(), 1u);
  clock.Pass(absl::Minutes(1));
  (*audit)->Note(exchange, 201, "");
  EXPECT_EQ(told.size(), 2u);
  EXPECT_EQ((*audit)->lost(), 4u);
  EXPECT_NE((*audit)->MetricsText().find("gnomon_audit_lines_lost_total 4\n"), std::string::npos);
}

TEST(AuditLog, AFileThatCannotBeOpenedIsAnError) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(CodeOf(AuditLog::Open("/proc/none/audit.log", &clock, nullptr).status()), "AUDIT_FAILED");
}

}  // namespace
}  // namespace gnomon
