// SPDX-License-Identifier: Apache-2.0
// Label: real time (the programs themselves, as processes)
//
// gnomond and gnomon as a user starts them.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "gmock/gmock.h"
#include "sim/killed_daemon.h"
#include "testing/run_command.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

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
  static std::string InAnHour() {
    return absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", SystemClock().Wall() + absl::Hours(1), absl::UTCTimeZone());
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
  EXPECT_THAT(ReadText(folder_ + "/data/audit.log"), HasSubstr(R"("path":"/v1/networks")"));
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

TEST_F(ProgramsTest, OutputThatCannotBeWrittenIsAFailure) {
  Do("create network n --account acme");
  for (const char* words : {"get networks", "get networks -o json", "get networks -o name", "describe network n",
                            "version", "doctor", "completion bash", "--help", "--version", "export -n n"}) {
    const Ran full = RunCommand(absl::StrCat("{ " GNOMON_GNOMON " --server ", url_, " ", words, " 2>&1 >/dev/full; }"));
    EXPECT_EQ(full.code, 1) << words;
    EXPECT_THAT(full.output, HasSubstr("(OUTPUT_FAILED)")) << words;
  }
  EXPECT_EQ(Gnomon("get instances -n n >/dev/full").code, 0) << "nothing was to be written";
  // Nobody reads the pipe any more when printf can write to it no longer.
  const std::string code = folder_ + "/code";
  RunCommand(absl::StrCat("{ { trap '' PIPE; while printf x; do :; done; trap - PIPE; " GNOMON_GNOMON " --server ",
                          url_, " get networks; echo $? >", code, "; } 2>/dev/null | true; }"));
  EXPECT_EQ(ReadText(code), "1\n");
  EXPECT_THAT(RunCommand("{ " GNOMON_GNOMOND " --make-token t 2>&1 >/dev/full; }").output,
              HasSubstr("(OUTPUT_FAILED)"));
}

TEST_F(ProgramsTest, WhatIsMistypedForGnomondIsRefusedWithASuggestion) {
  struct Case {
    std::string environment, flags, want, hint;
  };
  for (const Case& c :
       std::vector<Case>{{"", "--data-dri x", "unknown argument --data-dri (USAGE)", "did you mean \"--data-dir\"?"},
                         {"", "serve", "unknown argument serve (USAGE)", "gnomond --help"},
                         {"", "--data-dir ''", "data_dir \"\" is not the path of a folder (INVALID_SETTING)", ""},
                         {"", "--config ''", "cannot read the configuration \"\" (NO_CONFIG)", "name a TOML file"},
                         {"GNOMON_DATADIR=x", "", "the variable GNOMON_DATADIR is not a setting (UNKNOWN_SETTING)",
                          "did you mean GNOMON_DATA_DIR?"}}) {
    const Ran ran = RunCommand(absl::StrCat(c.environment, " " GNOMON_GNOMOND " ", c.flags));
    EXPECT_EQ(ran.code, 2) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(c.want));
    EXPECT_THAT(ran.output, HasSubstr(c.hint));
  }
}

TEST_F(ProgramsTest, AServerWhoseAddressIsTakenMakesNoStore) {
  const std::string data = folder_ + "/second/data", socket = folder_ + "/second.sock";
  const Ran ran = RunCommand(absl::StrCat(GNOMON_GNOMOND " --data-dir ", data, " --listen unix:", socket, " --listen ",
                                          url_.substr(url_.find("127."))));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.output, HasSubstr("the data folder is " + data));
  EXPECT_THAT(ran.output, HasSubstr("(LISTEN_FAILED)"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/second"));
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(ProgramsTest, ARestoreThatFailsNamesTheFileAndLeavesNoFolder) {
  const std::string junk = Write("junk.gnb", "this is no backup"), none = folder_ + "/none.gnb";
  for (const std::string& file : {junk, none}) {
    const Ran ran = RunCommand(absl::StrCat(GNOMON_GNOMON " restore ", file, " --data-dir ", folder_, "/new/data"));
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.output, HasSubstr(file));
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/new")) << ran.output;
  }
  std::filesystem::create_directories(folder_ + "/there");
  RunCommand(absl::StrCat(GNOMON_GNOMON " restore ", junk, " --data-dir ", folder_, "/there"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/there"));
}

TEST_F(ProgramsTest, ANewUsersMistakesAreExplained) {
  Do("create network n --account acme");
  Do("create pool p -n n --prefix 10.0.0.0/24 --gateway 10.0.0.1");
  Do("allocate vm-1 -n n --type web");
  struct Case {
    std::string words;
    int code;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"release vm-9 -n n", 0, "nothing to release: network n has no instance vm-9\n"},
           {"delete instance vm-9 -n n", 0, "nothing to release: network n has no instance vm-9\n"},
           {"allocate vm-1 -n n --type db", 4, "  field: type = db\n"},
           {"allocate vm-1 -n n --type db", 4, "  next: gnomon describe instance vm-1 -n n\n"},
           {"allocate vm-2 -n n --type web --family ipv6", 4, "the network has no IPv6 pool (POOL_EXHAUSTED)"},
           {"predict -n n --type web --count 1 --horizon 1d", 0, "web"},
           {"predict -n n --type web --count 1 --horizon 1week", 2,
            "(INVALID_DURATION)\n  field: predictions[0].horizon = 1week\n"},
           {"get networks --token-file /none", 5,
            "the token file /none cannot be read: No such file or directory (BAD_TOKEN_FILE)"},
           {"delete network n", 4, "network n holds 1 address that is assigned or preserved (NETWORK_IN_USE)"},
           {"delete pool p -n n", 4, "pool p holds 1 address that is assigned, preserved or quarantined (POOL_IN_USE)"},
           {"describe address 10.0.0.1 -n n", 0, "excluded"}}) {
    const Ran ran = Gnomon(c.words);
    EXPECT_EQ(ran.code, c.code) << c.words;
    EXPECT_THAT(ran.output, HasSubstr(c.want)) << c.words;
  }
  EXPECT_THAT(RunCommand(GNOMON_GNOMON " get networks --server unix:/none").output,
              HasSubstr("cannot reach unix:/none: No such file or directory (SERVER_UNREACHABLE)"));
}

TEST_F(ProgramsTest, ANetworksQuarantinesEndWithItAndAPoolsDoNot) {
  Do("create network n --account acme");
  Do("create pool p -n n --prefix 10.0.0.0/24 --quarantine 1h");
  Do("allocate vm-1 -n n --type web");
  Do("release vm-1 -n n");
  EXPECT_EQ(Gnomon("delete pool p -n n").code, 4);
  Do("delete network n");
}

TEST_F(ProgramsTest, WhatTheEngineKnowsSurvivesAKill) {
  Do("create network n --account acme");
  std::string rows = "time,type,count\n";
  for (int minute = 0; minute < 600; minute += 7) absl::StrAppend(&rows, minute * 60, ",web,12\n", minute * 60 + 9, ",db,3\n");
  const std::string file = Write("past.csv", rows);
  Do(absl::StrCat("import-history ", file, " -n n --start 2026-03-01T00:00:00Z"));
  Do(absl::StrCat("import-history ", file, " -n n --start 2026-03-01T00:00:00Z"));  // again changes nothing
  Do("update network n --prediction-mode observe");
  Do("create pool p -n n --prefix 10.0.0.0/24");
  Do("announce web 30 -n n --source ci --id build-77 --at " + InAnHour());
  Do("announce web 5 -n n --source ci --id build-78 --at " + InAnHour());
  Do("delete announcement ci build-78 -n n");
  auto restart = [this] {
    daemon_.Crash();
    const absl::StatusOr<std::string> url = daemon_.Start();
    ASSERT_TRUE(url.ok()) << url.status();
    url_ = *url;
  };
  auto plans = [this] {
    std::string text = "no plans";
    for (int i = 0; i < 200 && text.find("no plans") != std::string::npos; ++i) text = Gnomon("get plans -n n -o json").output;
    return text;
  };
  restart();
  const std::string before = plans();
  EXPECT_THAT(before, HasSubstr("\"type\": \"web\""));
  EXPECT_THAT(before, HasSubstr("\"type\": \"db\""));
  Do("allocate vm-1 -n n --type web");
  const std::string forecasts = Gnomon("get forecasts -n n -o json").output;
  EXPECT_THAT(forecasts, HasSubstr("\"1800\": {"));
  EXPECT_THAT(Gnomon("get forecasts -n n --type web").output, HasSubstr("30M P50"));
  const std::string quality = Gnomon("get quality -n n -o json").output;
  EXPECT_THAT(quality, HasSubstr("\"creations\": 1,"));
  EXPECT_THAT(Gnomon("get quality -n n").output, HasSubstr("(all)"));
  EXPECT_THAT(Gnomon("get announcements -n n -o name").output, "build-77\n");
  restart();
  EXPECT_EQ(plans(), before);
  EXPECT_EQ(Gnomon("get forecasts -n n -o json").output, forecasts);
  EXPECT_EQ(Gnomon("get quality -n n -o json").output, quality);
  EXPECT_THAT(Gnomon("get announcements -n n -o name").output, "build-77\n");
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
