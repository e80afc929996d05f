// SPDX-License-Identifier: Apache-2.0
// Label: crash
//
// Few rounds here; scripts/crash-test sets GNOMON_CRASH_ROUNDS and GNOMON_CRASH_SEED for many.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/crash_rounds.h"
#include "sim/killed_daemon.h"
#include "sim/powerless_server.h"

namespace gnomon {
namespace {

std::string Environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

uint64_t Number(const char* name, uint64_t otherwise) {
  uint64_t number = otherwise;
  const std::string text = Environment(name, "");
  if (!text.empty() && !absl::SimpleAtoi(text, &number)) ADD_FAILURE() << name << "=" << text << " is not a number";
  return number;
}

class CrashTest : public testing::Test {
 protected:
  CrashTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gnomon-crash-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  ~CrashTest() override {
    if (!HasFailure()) std::filesystem::remove_all(folder_);
  }

  CrashOptions Options(int rounds) {
    CrashOptions options;
    options.seed = Number("GNOMON_CRASH_SEED", std::random_device()());
    options.rounds = static_cast<int>(Number("GNOMON_CRASH_ROUNDS", static_cast<uint64_t>(rounds)));
    if (isatty(STDERR_FILENO)) {
      options.progress = [](const std::string& line) { std::fprintf(stderr, "\r\033[K%s", line.c_str()); };
    }
    std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(options.seed));
    return options;
  }

  void Run(CrashingServer* server, const CrashOptions& options) {
    const CrashReport report = CrashRounds(server, options).Run();
    if (options.progress) options.progress("");
    std::fprintf(stderr, "%s\n", report.ToString().c_str());
    for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
    if (HasFailure()) {
      ADD_FAILURE() << "Run it again (threads make it differ): ./scripts/crash-test --seed " << options.seed
                    << " --rounds " << options.rounds << "; the store is kept in " << folder_;
    }
    EXPECT_EQ(report.rounds, options.rounds);
    EXPECT_GT(report.counts.creations, 0u);
  }

  std::string folder_;
};

TEST_F(CrashTest, NothingAcknowledgedIsLostByKill9) {
  KilledDaemon daemon(Environment("GNOMON_GNOMOND", GNOMON_GNOMOND), folder_);
  Run(&daemon, Options(6));
}

TEST_F(CrashTest, NothingAcknowledgedIsLostByPowerLossAndFailingSyncs) {
  PowerlessServer server(folder_);
  CrashOptions options = Options(10);
  options.clients = 32;
  options.longest_round = absl::Milliseconds(400);
  Run(&server, options);
  std::fprintf(stderr, "  %llu unsynced bytes were lost, %llu syncs were told to fail\n",
               static_cast<unsigned long long>(server.lost_bytes()),
               static_cast<unsigned long long>(server.failed_syncs()));
  if (options.rounds >= 100) {
    EXPECT_GT(server.lost_bytes(), 0u) << "nothing was ever lost: the test tests nothing";
  }
}

}  // namespace
}  // namespace gnomon
