// SPDX-License-Identifier: Apache-2.0
#include "api/audit_log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
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
          before_sending = [this] { audit_->Flush(); };
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

// A request that changes something, as the log sees it.
struct SomeWrite {
  static HttpRequest From(const HttpPeer* peer) {
    HttpRequest request;
    request.peer = peer;
    return request;
  }
  SomeWrite() { exchange.writes = true; }
  HttpPeer peer;
  Exchange exchange{From(&peer), HttpResponder(nullptr), nullptr};
};

TEST(AuditLog, AFullDiskIsCountedAndToldOnceAMinute) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  std::vector<std::string> told;
  absl::StatusOr<std::unique_ptr<AuditLog>> audit =
      AuditLog::Open("/dev/full", &clock, [&](const std::string& message) { told.push_back(message); });
  ASSERT_TRUE(audit.ok()) << audit.status();
  const SomeWrite write;
  for (int i = 0; i < 3; ++i) {
    (*audit)->Note(write.exchange, 201, "");
    (*audit)->Flush();
  }
  EXPECT_EQ(told.size(), 1u);
  clock.Pass(absl::Minutes(1));
  (*audit)->Note(write.exchange, 201, "");
  (*audit)->Note(write.exchange, 201, "");
  (*audit)->Flush();
  EXPECT_EQ(told.size(), 2u);
  EXPECT_EQ((*audit)->lost(), 5u);
  EXPECT_NE((*audit)->MetricsText().find("gnomon_audit_lines_lost_total 5\n"), std::string::npos);
}

TEST(AuditLog, LinesThatTheDiskHasNoRoomForAreCountedAndTheNextIsWhole) {
  const std::string path = absl::StrCat(testing::TempDir(), "audit-cut-", getpid(), ".log");
  std::filesystem::remove(path);
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  auto audit = AuditLog::Open(path, &clock, nullptr).value();
  const SomeWrite write;
  audit->Note(write.exchange, 201, "");
  audit->Flush();
  const rlim_t line = std::filesystem::file_size(path);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit room{2 * line + line / 2, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &room), 0);
  for (int i = 0; i < 3; ++i) audit->Note(write.exchange, 201, "");
  audit->Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(audit->lost(), 2u) << "one that is cut, and one that was not begun";
  audit->Note(write.exchange, 202, "");
  EXPECT_EQ(std::filesystem::file_size(path), room.rlim_cur) << "nothing is written before it is flushed";
  audit->Flush();
  EXPECT_EQ(audit->lost(), 2u);
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) lines.push_back(text);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_LT(lines[2].size() + 1, line);
  EXPECT_EQ(boost::json::parse(lines[3]).at("status").as_int64(), 202);
  std::filesystem::remove(path);
}

TEST(AuditLog, ManyLinesDoNotGatherWithoutBound) {
  const std::string path = absl::StrCat(testing::TempDir(), "audit-many-", getpid(), ".log");
  std::filesystem::remove(path);
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  auto audit = AuditLog::Open(path, &clock, nullptr).value();
  const SomeWrite write;
  for (int i = 0; i < 10'000; ++i) audit->Note(write.exchange, 201, "");
  EXPECT_GT(std::filesystem::file_size(path), AuditLog::kMaxGathered);
  audit = nullptr;
  std::ifstream file(path);
  EXPECT_EQ(std::count(std::istreambuf_iterator<char>(file), {}, '\n'), 10'000) << "the end flushes";
  std::filesystem::remove(path);
}

TEST(AuditLog, AFileThatCannotBeOpenedIsAnError) {
  ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(CodeOf(AuditLog::Open("/proc/none/audit.log", &clock, nullptr).status()), "AUDIT_FAILED");
}

}  // namespace
}  // namespace gnomon
