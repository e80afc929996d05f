// SPDX-License-Identifier: Apache-2.0
//
// What the API tells of the server, its backups, and what its observers see.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using ApiSystemTest = ApiFixture;
using ::testing::HasSubstr;

TEST_F(ApiSystemTest, TheServerTellsOfItself) {
  EXPECT_EQ(Get("/livez").body, "ok\n");
  EXPECT_EQ(Get("/readyz").body, "ok\n");
  EXPECT_THAT(Get("/readyz?verbose").body, HasSubstr("[+]store ok"));
  EXPECT_THAT(Get("/readyz?verbose").body, HasSubstr("[+]engine ok"));
  EXPECT_EQ(Get("/version")["/version"], "1.2.3");
  EXPECT_EQ(Get("/metrics").body, "# metrics\n");
  EXPECT_EQ(Get("/openapi.json")["/openapi"], "3.1.0");
  EXPECT_EQ(Post("/v1/backup", "").code(), "404 PATH_NOT_FOUND") << "this server makes none";
}

TEST_F(ApiSystemTest, AStalledEngineIsToldOfAndTheServerIsReady) {
  predictor_->Stop();
  clock.Pass(Predictor::kStalledRounds * Predictor::kReview + absl::Seconds(1));
  ApiAnswer ready = Get("/readyz?verbose");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr("[-]engine stalled"));
}

TEST_F(ApiSystemTest, HeadIsAnsweredWithoutABody) {
  ApiAnswer head = Ask("HEAD", "/livez");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

class ApiBackupTest : public ApiFixture {
 protected:
  // ctest runs each test in a process of its own, at the same time as others.
  static std::string Dir() { return absl::StrCat(testing::TempDir(), "gnomon_backup_", getpid()); }

  ApiBackupTest()
      : ApiFixture([this](Api::Parts* parts) {
          std::filesystem::create_directories(Dir());
          parts->backup_dir = Dir();
          parts->backup = [this](const std::string& path) -> absl::Status {
            if (hold_) {
              begun_.Notify();
              go_on_.WaitForNotification();
            }
            if (content_.empty()) return absl::Status(absl::StatusCode::kInternal, "no space");
            std::ofstream(path, std::ios::binary) << content_;
            return absl::OkStatus();
          };
        }) {}

  ~ApiBackupTest() override { std::filesystem::remove_all(Dir()); }

  bool hold_ = false;
  absl::Notification begun_, go_on_;
  std::string content_ = std::string(3'000'001, 'x');
};

TEST_F(ApiBackupTest, ABackupIsSentWholeAndItsFileRemoved) {
  ApiAnswer backup = Post("/v1/backup", "");
  EXPECT_EQ(backup.code(), "200");
  EXPECT_EQ(backup.headers["content-type"], "application/octet-stream");
  EXPECT_EQ(backup.body, content_);
  while (Post("/v1/backup", "").status == 503) {
  }
  content_.clear();
  ApiAnswer failed = Post("/v1/backup", "");
  while (failed.status == 503) failed = Post("/v1/backup", "");
  EXPECT_EQ(failed.status, 500);
  // A further backup is refused until the file of the one before is gone.
  while (Post("/v1/backup", "").status == 503) {
  }
  EXPECT_TRUE(std::filesystem::is_empty(Dir()));
}

TEST_F(ApiBackupTest, ABackupWhileAnotherIsMadeIsToldToTryAgain) {
  hold_ = true;
  ApiAnswer first;
  std::thread client([&] { first = Post("/v1/backup", ""); });
  begun_.WaitForNotification();
  ApiAnswer second = Post("/v1/backup", "");
  EXPECT_EQ(second.code(), "503 BACKUP_RUNNING");
  EXPECT_EQ(second.headers["retry-after"], "1");
  go_on_.Notify();
  client.join();
  EXPECT_EQ(first.code(), "200");
}

class ApiObserverTest : public ApiFixture {
 protected:
  ApiObserverTest()
      : ApiFixture([this](Api::Parts* parts) {
          parts->observe = [this](const Exchange& exchange, int status, std::string_view code) {
            absl::MutexLock lock(&seen_mutex_);
            seen_.push_back(absl::StrCat(exchange.principal(), exchange.writes ? " writes " : " reads ",
                                         AbslView(exchange.route), " ", status, " ", AbslView(code)));
          };
        }) {}

  absl::Mutex seen_mutex_;
  std::vector<std::string> seen_ ABSL_GUARDED_BY(seen_mutex_);
};

TEST_F(ApiObserverTest, EachAnswerIsObservedWithItsRouteAndOutcome) {
  Post("/v1/networks", R"({"name":"prod","account":"acme"})");
  Get("/v1/networks/none");
  Get("/nothing");
  absl::MutexLock lock(&seen_mutex_);
  EXPECT_THAT(seen_, testing::ElementsAre("tester writes /v1/networks 201 ",
                                          "tester reads /v1/networks/{network} 404 NETWORK_NOT_FOUND",
                                          "tester reads none 404 PATH_NOT_FOUND"));
}

}  // namespace
}  // namespace gnomon
