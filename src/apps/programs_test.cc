// SPDX-License-Identifier: Apache-2.0
// Label: real time (the programs themselves, as processes)
//
// gnomond and gnomon as a user starts them.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "sim/killed_daemon.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

struct Ran {
  int code = -1;
  std::string output;  // both
};

Ran RunCommand(const std::string& command) {
  Ran ran;
  FILE* pipe = popen(absl::StrCat(command, " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof(piece), pipe)) > 0;) ran.output.append(piece, got);
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

class ProgramsTest : public testing::Test {
 protected:
  ProgramsTest() : folder_(absl::StrCat(testing::TempDir(), "gnomon-programs-", getpid())), daemon_(GNOMON_GNOMOND, folder_) {
    std::filesystem::create_directories(folder_);
    const absl::StatusOr<std::string> url = daemon_.Start();
    EXPECT_TRUE(url.ok()) << url.status();
    if (url.ok()) url_ = *url;
  }
  ~ProgramsTest() override {
    daemon_.Crash();
    std::filesystem::remove_all(folder_);
  }

  Ran Gnomon(const std::string& words) const { return RunCommand(absl::StrCat(GNOMON_GNOMON, " --server ", url_, " ", words)); }
  void Do(const std::string& words) const {
    const Ran ran = Gnomon(words);
    EXPECT_EQ(ran.code, 0) << words << ": " << ran.output;
  }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = absl::StrCat(folder_, "/", name);
    std::ofstream(path) << text;
    return path;
  }

  const std::string folder_;
  KilledDaemon daemon_;
  std::string url_;
};

TEST_F(ProgramsTest, AnExportImportedElsewhereIsTheSameAgain) {
  for (const char* network : {"here", "there"}) {
    Do(absl::StrCat("create network ", network, " --account acme"));
    Do(absl::StrCat("create pool four -n ", network, " --prefix 10.0.0.0/24 --quarantine 1h"));
    Do(absl::StrCat("create pool six -n ", network, " --prefix fd00::/64 --quarantine 1h"));
  }
  Do("allocate one -n here --type web --zone z --host h --family ipv4 --mac 0a:00:00:00:00:01 --label env=prod");
  for (const char* id : {"a", "b", "c", "d"}) {
    Do(absl::StrCat("allocate ", id, R"( -n here --type web --label 'x=1;2,"3"=\4' --label empty=)"));
    if (*id == 'a') Do("reassign a fd00::3 -n here");  // which an importing server would choose for d
  }
  Do("allocate node4 -n here --type node --family ipv4 --block-length 28");
  Do("allocate node6 -n here --type node --family ipv6 --block-length 96");
  const Ran exported = Gnomon("export -n here");
  EXPECT_EQ(exported.code, 0);
  const std::string file = Write("here.csv", exported.output);
  Do(absl::StrCat("import ", file, " -n there --dry-run"));
  EXPECT_EQ(Gnomon("get instances -n there").output, "no instances\n");
  Do(absl::StrCat("import ", file, " -n there"));
  EXPECT_EQ(Gnomon("export -n there").output, exported.output);
  Do(absl::StrCat("import ", file, " -n there"));
  EXPECT_EQ(Gnomon("export -n there").output, exported.output) << "again changes nothing";
  EXPECT_EQ(Gnomon("get addresses -n there --state preserved").output, "no addresses\n");
}

TEST_F(ProgramsTest, AnImportThatCannotBeIsRefusedByLineAndColumn) {
  Do("create network n --account acme");
  Do("create pool p -n n --prefix 10.0.0.0/24 --gateway 10.0.0.1");
  Do("allocate there -n n --type web --address 10.0.0.9 --mac 0a:00:00:00:00:09");
  struct Case {
    std::string rows, want;
  };
  for (const Case& c : {Case{"10.0.0.5,a,web,\n10.0.0.1,b,web,\n", "bad.csv:3: column address: 10.0.0.1/32 is excluded"},
                        Case{"10.0.0.5,a,web,\n10.0.0.9,b,web,\n", "bad.csv:3: column address: 10.0.0.9/32 is assigned"},
                        Case{"10.0.0.5,a,web,\n10.0.0.6,there,web,\n", "bad.csv:3: column address: instance there exists"},
                        Case{"10.0.0.5,a,web,\n10.0.0.6,b,web,0a:00:00:00:00:09\n", "bad.csv:3: column mac: "},
                        Case{"10.0.0.0/28,a,node,\n", "bad.csv:2: column address: 10.0.0.0/28 is excluded"},
                        Case{"10.0.1.5,a,web,\n", "bad.csv:2: column address: no pool of n holds 10.0.1.5"}}) {
    const Ran ran = Gnomon(absl::StrCat("import ", Write("bad.csv", "address,instance,type,mac\n" + c.rows), " -n n"));
    EXPECT_THAT(ran.output, HasSubstr(c.want));
    EXPECT_TRUE(ran.code == 2 || ran.code == 4) << ran.code;
  }
  EXPECT_EQ(Gnomon("get instances -n n -o name").output, "there\n") << "none of them left anything";
}

TEST_F(ProgramsTest, WhatWasDoneIsInTheAuditLogOfTheDataFolder) {
  Do("create network n --account acme");
  std::ifstream file(folder_ + "/data/audit.log");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(R"("path":"/v1/networks")"));
}

// A server whose minutes are short.
class FastTime {
 protected:
  FastTime() { setenv("GNOMON_TIME_SCALE", "200", 1); }
  ~FastTime() { unsetenv("GNOMON_TIME_SCALE"); }
};
class PredictingProgramTest : private FastTime, public ProgramsTest {};

TEST_F(PredictingProgramTest, WhatIsCreatedIsPredictedAndReserved) {
  Do("create network n --account acme --prediction-mode reserve --target-hit-rate 0.95");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  Do("allocate a -n n --type web");
  std::string shadows;
  for (int i = 0; i < 200 && shadows.find("web") == std::string::npos; ++i) shadows = Gnomon("get shadows -n n").output;
  EXPECT_THAT(shadows, HasSubstr("web"));
}

TEST_F(ProgramsTest, TlsToAServerWithoutItIsExplained) {
  const Ran ran = RunCommand(absl::StrCat(GNOMON_GNOMON " get networks --server https", url_.substr(url_.find(':'))));
  EXPECT_EQ(ran.code, 5);
  EXPECT_THAT(ran.output, HasSubstr("hint: the server speaks no TLS there: use http://"));
}

TEST_F(ProgramsTest, ACheckOfAFolderWithoutAStoreSaysSoAndMakesNone) {
  const std::string none = folder_ + "/none";
  for (const char* program : {GNOMON_GNOMOND " --check-store", GNOMON_GNOMON " check"}) {
    const Ran ran = RunCommand(absl::StrCat(program, " --data-dir ", none));
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.output, HasSubstr(absl::StrCat("there is no store in ", none)));
    EXPECT_FALSE(std::filesystem::exists(none));
  }
}

}  // namespace
}  // namespace gnomon
