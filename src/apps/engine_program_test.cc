// SPDX-License-Identifier: Apache-2.0
// Label: real time (the programs themselves, as processes)
//
// The prediction engine in the real programs: as a process of its own, stalled, and backed up.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "client/api_client.h"
#include "gmock/gmock.h"
#include "testing/run_command.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A program that runs beside the test, its output in a file, killed with the object.
class Child {
 public:
  ~Child() { End(SIGKILL); }

  void Start(const std::vector<std::string>& words, const std::string& output) {
    End(SIGKILL);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  // Its exit code; -1 if it was killed. Signal 0: it ends by itself.
  int End(int signal) {
    if (process_ <= 0) return -1;
    if (signal != 0) kill(process_, signal);
    int status = 0;
    waitpid(std::exchange(process_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_t pid() const { return process_; }

 private:
  pid_t process_ = -1;
};

class EngineProgramTest : public testing::Test {
 protected:
  EngineProgramTest() : folder_(absl::StrCat(testing::TempDir(), "gnomon-engine-", getpid())) {
    std::filesystem::create_directories(folder_);
    StartServer();
  }
  ~EngineProgramTest() override {
    engine_.End(SIGKILL);
    server_.End(SIGKILL);
    std::filesystem::remove_all(folder_);
  }

  void StartServer(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {GNOMON_GNOMOND, "--listen", url_, "--data-dir", folder_ + "/data"};
    words.insert(words.end(), more.begin(), more.end());
    server_.Start(words, folder_ + "/gnomond.log");
    EXPECT_TRUE(Soon([this] { return Gnomon("get networks -o name").code == 0; })) << ReadText(folder_ + "/gnomond.log");
  }
  void StartEngine() {
    engine_.Start({GNOMON_GNOMON, "--server", url_, "engine", "run", "-n", "n", "--state-dir", folder_ + "/state"},
                  said_);
  }
  Ran Gnomon(const std::string& words) const {
    return RunCommand(absl::StrCat(GNOMON_GNOMON, " --server ", url_, " ", words));
  }
  void Do(const std::string& words) const {
    const Ran ran = Gnomon(words);
    EXPECT_EQ(ran.code, 0) << words << ": " << ran.output;
  }
  template <typename Condition>
  static bool Soon(Condition holds, absl::Duration within = absl::Seconds(20)) {
    SystemClock clock;
    const absl::Duration end = clock.Monotonic() + within;
    while (!holds()) {
      if (clock.Monotonic() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  std::string Get(const std::string& path) const {
    int status = 0;
    return ApiClient({.server = url_}).GetText(path, &status).value_or("no answer");
  }
  // How many shadows there are that were reserved for the source; empty: for any.
  size_t Shadows(const std::string& source = "") const {
    const std::string list = Gnomon("get shadows -n n -o json").output;
    const std::string one = source.empty() ? R"("state": "shadow")" : absl::StrCat("\"source\": \"", source, "\"");
    size_t count = 0;
    for (size_t at = 0; (at = list.find(one, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  bool Said(const std::string& text) const {
    return Soon([&] { return absl::StrContains(ReadText(said_), text); });
  }

  const std::string folder_, url_ = absl::StrCat("unix:", folder_, "/s"), said_ = folder_ + "/said";
  Child server_, engine_;
};

TEST_F(EngineProgramTest, AsAProcessItsOwnItReservesAndForgetsNothingWhenKilled) {
  Do("create network n --account acme --prediction-mode observe --min-shadows 3");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  StartEngine();
  ASSERT_TRUE(Said("0 types known"));
  Do("allocate vm-1 -n n --type web");
  EXPECT_TRUE(Soon([this] { return Shadows("engine-run") == 3; })) << ReadText(said_);
  EXPECT_THAT(Gnomon("allocate vm-2 -n n --type web -o json").output, HasSubstr(R"("source": "shadow")"));
  EXPECT_TRUE(Soon([this] { return Shadows("engine-run") == 3; })) << "refilled: " << ReadText(said_);
  // While it is dead, the type is taken empty, and another one comes.
  engine_.End(SIGKILL);
  for (const char* id : {"vm-3", "vm-4", "vm-5"}) Do(absl::StrCat("allocate ", id, " -n n --type web"));
  Do("allocate db-1 -n n --type db");
  EXPECT_EQ(Shadows("engine-run"), 0u);
  StartEngine();
  EXPECT_TRUE(Said("1 types known"));
  EXPECT_TRUE(Soon([this] { return Shadows("engine-run") == 6; })) << "it goes on where it was: " << ReadText(said_);
  EXPECT_EQ(engine_.End(SIGTERM), 0);
  EXPECT_THAT(ReadText(said_), HasSubstr("stopped; "));
}

TEST_F(EngineProgramTest, AServerThatIsAwayIsWaitedFor) {
  Do("create network n --account acme --min-shadows 2");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  StartEngine();
  ASSERT_TRUE(Said("0 types known"));
  server_.End(SIGKILL);
  EXPECT_TRUE(Said("waiting for the server: ")) << ReadText(said_);
  StartServer();
  Do("allocate vm-1 -n n --type web");
  EXPECT_TRUE(Said("the server is back")) << ReadText(said_);
  EXPECT_TRUE(Soon([this] { return Shadows("engine-run") == 2; })) << ReadText(said_);
  // Another store under the same name: its revisions are not those that were seen.
  server_.End(SIGKILL);
  std::filesystem::remove_all(folder_ + "/data");
  StartServer();
  Do("create network n --account acme --min-shadows 2");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  engine_.End(SIGKILL);
  StartEngine();
  EXPECT_TRUE(Said("goes on from now")) << ReadText(said_);
  Do("allocate vm-1 -n n --type web");
  EXPECT_TRUE(Soon([this] { return Shadows("engine-run") == 2; })) << ReadText(said_);
}

TEST_F(EngineProgramTest, WhatItCannotGoOnWithEndsItAndIsSaid) {
  Do("create network n --account acme --prediction-mode reserve");
  StartEngine();
  EXPECT_EQ(engine_.End(0), 4);
  EXPECT_THAT(ReadText(said_), HasSubstr("SERVER_PREDICTS"));
  Do("update network n --prediction-mode off");
  StartEngine();
  ASSERT_TRUE(Said("following network n"));
  const Ran second = Gnomon(absl::StrCat("engine run -n n --state-dir ", folder_, "/state"));
  EXPECT_EQ(second.code, 4);
  EXPECT_THAT(second.output, HasSubstr("STATE_IN_USE"));
  Do("delete network n");
  EXPECT_EQ(engine_.End(0), 3);
  EXPECT_THAT(ReadText(said_), AllOf(HasSubstr("NETWORK_NOT_FOUND"), Not(HasSubstr("BAD_ANSWER"))));
  // A folder is one network's.
  Do("create network m --account acme");
  const Ran other = Gnomon(absl::StrCat("engine run -n m --state-dir ", folder_, "/state"));
  EXPECT_THAT(other.output, HasSubstr("holds what was learnt of network n"));
}

TEST_F(EngineProgramTest, StateThatIsDamagedIsSetAsideAndLearntAnew) {
  Do("create network n --account acme");
  std::filesystem::create_directories(folder_ + "/state");
  std::ofstream(folder_ + "/state/fleet") << "no state";
  StartEngine();
  EXPECT_TRUE(Said("is learnt anew"));
  EXPECT_TRUE(Said("following network n"));
  EXPECT_TRUE(Soon([this] { return ReadText(folder_ + "/state/fleet").size() > 8; }));
  EXPECT_EQ(engine_.End(SIGTERM), 0);
  EXPECT_EQ(ReadText(folder_ + "/state/fleet.unread"), "no state");
}

TEST_F(EngineProgramTest, OfAnImportThatReachesIntoTheFutureNothingIsLearnt) {
  Do("create network n --account acme");
  std::ofstream past(folder_ + "/past.csv");
  past << "time,type\n";
  for (int day = 0; day < 3; ++day) past << day * 86400 << ",web\n";
  past.close();
  const std::string start = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", SystemClock().Wall() - absl::Hours(30), absl::UTCTimeZone());
  const Ran refused = Gnomon(absl::StrCat("import-history ", folder_, "/past.csv -n n --start ", start));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("past.csv:4"), HasSubstr("earlier --start")));
  Do(absl::StrCat("import-history ", folder_, "/past.csv -n n --start 2026-03-01T00:00:00Z"));
}

TEST_F(EngineProgramTest, ATokenThatIsNotAcceptedAnyMoreEndsIt) {
  const std::string made = RunCommand(absl::StrCat(GNOMON_GNOMOND, " --make-token ci --role admin")).output;
  const std::string config = folder_ + "/gnomond.toml", token = folder_ + "/token";
  std::ofstream(config) << made.substr(made.find("[[tokens]]"));
  const size_t at = made.find("\n# ") + 3;  // on the second line
  std::ofstream(token) << made.substr(at, made.find('\n', at) - at) << "\n";
  Do("create network n --account acme");
  const std::string tcp = "http://127.0.0.1:18471";
  server_.Start({GNOMON_GNOMOND, "--listen", url_, "--listen", "127.0.0.1:18471", "--data-dir", folder_ + "/data",
                 "--config", config},
                folder_ + "/gnomond.log");
  auto start = [&] {
    engine_.Start({GNOMON_GNOMON, "--server", tcp, "--token-file", token, "engine", "run", "-n", "n", "--state-dir",
                   folder_ + "/state"},
                  said_);
  };
  ASSERT_TRUE(Soon([&] { return Gnomon("get networks -o name").code == 0; }));
  start();
  ASSERT_TRUE(Said("following network n")) << ReadText(said_) << made;
  // The server comes back with another token.
  const std::string next = RunCommand(absl::StrCat(GNOMON_GNOMOND, " --make-token ci --role admin")).output;
  std::ofstream(config) << next.substr(next.find("[[tokens]]"));
  server_.Start({GNOMON_GNOMOND, "--listen", url_, "--listen", "127.0.0.1:18471", "--data-dir", folder_ + "/data",
                 "--config", config},
                folder_ + "/gnomond.log");
  EXPECT_EQ(engine_.End(0), 5) << ReadText(said_);
}

// One thread of a process, stopped as by a debugger while the others run.
class StoppedThread {
 public:
  // By the name that it has.
  StoppedThread(pid_t process, const std::string& name) {
    const std::string tasks = absl::StrCat("/proc/", process, "/task");
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      if (ReadText(task.path().string() + "/comm") != name + "\n") continue;
      if (!absl::SimpleAtoi(task.path().filename().string(), &thread_)) continue;
      stopped_ = ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
                 ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 &&
                 waitpid(thread_, nullptr, __WALL) == thread_;
    }
  }
  ~StoppedThread() { Continue(); }
  void Continue() {
    if (std::exchange(stopped_, false)) ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }
  bool stopped() const { return stopped_; }

 private:
  pid_t thread_ = 0;
  bool stopped_ = false;
};

TEST_F(EngineProgramTest, AnEngineThatStallsIsReportedAndReplacedByTheReactiveFormulaUntilItIsBack) {
  server_.End(SIGKILL);
  // The server's minutes take a fifth of a second.
  StartServer({"--listen", "127.0.0.1:0", "--time-scale", "300"});
  Do("create network n --account acme --prediction-mode reserve");
  Do("create pool p -n n --prefix 10.0.0.0/22 --quarantine 1s");
  for (int i = 0; i < 30; ++i) Do(absl::StrCat("allocate vm-", i, " -n n --type web"));
  auto rounds = [this] {
    const std::string text = Get("/metrics"), name = "\ngnomon_engine_rounds_total ";
    int64_t number = 0;
    const size_t at = text.find(name);
    if (at != std::string::npos) number = std::atoll(text.c_str() + at + name.size());
    return number;
  };
  const int64_t reviewed = rounds();
  ASSERT_TRUE(Soon([&] { return rounds() > reviewed + 2 && Shadows("engine") > 0; }));
  EXPECT_THAT(Get("/metrics"), HasSubstr("\ngnomon_engine_stalled 0\n"));

  StoppedThread engine(server_.pid(), "engine");
  if (!engine.stopped()) GTEST_SKIP() << "this system lets no test stop a thread of its child";
  EXPECT_TRUE(Soon([this] { return absl::StrContains(Get("/metrics"), "\ngnomon_engine_stalled 1\n"); }));
  EXPECT_THAT(Get("/readyz?verbose"), HasSubstr("engine"));
  EXPECT_THAT(Get("/readyz?verbose"), HasSubstr("stalled"));
  // What the engine asked for has ended five minutes after; those that are held then are the reactive formula's.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_GT(Shadows(), 0u);
  EXPECT_THAT(Gnomon("allocate more-1 -n n --type web -o json").output, HasSubstr(R"("source": "shadow")"));
  // An hour of the server's time without a creation: the plain way, and no refusal.
  EXPECT_TRUE(Soon([this] { return Shadows() == 0; }, absl::Seconds(60)));
  EXPECT_THAT(Gnomon("allocate more-2 -n n --type web -o json").output, HasSubstr(R"("source": "standard")"));

  engine.Continue();
  EXPECT_TRUE(Soon([this] { return absl::StrContains(Get("/metrics"), "\ngnomon_engine_stalled 0\n"); }));
}

TEST_F(EngineProgramTest, ABackupCarriesWhatWasLearnt) {
  Do("create network n --account acme");
  std::string rows = "time,type,count\n";
  for (int minute = 0; minute < 3000; minute += 7)
    absl::StrAppend(&rows, minute * 60, ",web,12\n", minute * 60 + 9, ",db,3\n");
  std::ofstream(folder_ + "/past.csv") << rows;
  Do(absl::StrCat("import-history ", folder_, "/past.csv -n n --start 2026-03-01T00:00:00Z"));
  Do("update network n --prediction-mode observe");
  auto plans = [this] {
    std::string text;
    EXPECT_TRUE(Soon([&] {
      text = Gnomon("get plans -n n -o json").output;
      return absl::StrContains(text, "\"web\"");
    }));
    return text;
  };
  server_.End(SIGTERM);  // a start publishes the plans, a running server at its next review
  StartServer();
  const std::string before = plans();
  EXPECT_THAT(before, HasSubstr("\"db\""));
  Do(absl::StrCat("backup ", folder_, "/backup"));
  server_.End(SIGTERM);
  std::filesystem::remove_all(folder_ + "/data");
  const Ran restored =
      RunCommand(absl::StrCat(GNOMON_GNOMOND, " --restore ", folder_, "/backup --data-dir ", folder_, "/data"));
  EXPECT_EQ(restored.code, 0) << restored.output;
  StartServer();
  EXPECT_EQ(plans(), before);
}

TEST_F(EngineProgramTest, AReplayWithALeadCountsAHitOnlyIfItsShadowHadBeenHeldSoLong) {
  Do("create network n --account acme");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  Do("update network n --type-target web=5");
  std::ofstream(folder_ + "/trace.csv") << "time,type,count\n0,web,2\n";
  for (const auto& [lead, hits] :
       {std::pair("1h", R"("hits": 0,\s*"early_hits": 2)"), std::pair("10ms", R"("hits": 2,\s*"early_hits": 0)")}) {
    ASSERT_TRUE(Soon([this] { return Shadows("warm_target") == 5; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const Ran ran = Gnomon(absl::StrCat("replay ", folder_, "/trace.csv -n n -o json --lead ", lead));
    EXPECT_TRUE(std::regex_search(ran.output, std::regex(hits))) << ran.output;
  }
}

}  // namespace
}  // namespace gnomon
