// SPDX-License-Identifier: Apache-2.0
#include "cli/state_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

class StateFolderTest : public testing::Test {
 protected:
  std::unique_ptr<StateFolder> Open(const std::string& network = "prod") {
    absl::StatusOr<std::unique_ptr<StateFolder>> folder = StateFolder::Open(path_, network);
    EXPECT_TRUE(folder.ok()) << folder.status();
    return folder.ok() ? *std::move(folder) : nullptr;
  }
  // "save|journal|revision", or the error's code.
  std::string Read() {
    const absl::StatusOr<StateFolder::Contents> contents = Open()->Read();
    if (!contents.ok()) return CodeOf(contents.status());
    return absl::StrCat(contents->save, "|", contents->journal, "|", contents->revision);
  }
  std::string Bytes(const std::string& file) const {
    std::ifstream opened(absl::StrCat(path_, "/", file), std::ios::binary);
    return {std::istreambuf_iterator<char>(opened), {}};
  }
  void Put(const std::string& file, const std::string& bytes) const {
    std::ofstream(absl::StrCat(path_, "/", file), std::ios::binary) << bytes;
  }
  void SaveAndAppend() {
    std::unique_ptr<StateFolder> folder = Open();
    EXPECT_TRUE(folder->Read().ok());
    EXPECT_TRUE(folder->Append("r0", "lost").ok()) << "the save holds it";
    EXPECT_TRUE(folder->Save("r1", "save").ok());
    EXPECT_TRUE(folder->Append("r2", "one,").ok());
    EXPECT_TRUE(folder->Append("r3", "two,").ok());
  }

  TempFolder temporary_;
  const std::string path_ = temporary_.path() + "/state";
};

TEST_F(StateFolderTest, WhatWasSavedAndAppendedIsReadAgainAndGoesOn) {
  EXPECT_EQ(Read(), "||") << "nothing yet";
  SaveAndAppend();
  EXPECT_EQ(Read(), "save|one,two,|r3");
  {
    std::unique_ptr<StateFolder> folder = Open();
    EXPECT_TRUE(folder->Read().ok());
    EXPECT_FALSE(folder->wants_save());
    EXPECT_TRUE(folder->Append("r4", "three,").ok());
  }
  EXPECT_EQ(Read(), "save|one,two,three,|r4");
}

TEST_F(StateFolderTest, AJournalCutAnywhereEndsAtItsLastWholeRecord) {
  SaveAndAppend();
  const std::string whole = Bytes("journal");
  for (size_t length = 0; length < whole.size(); ++length) {
    Put("journal", whole.substr(0, length));
    const std::string read = Read();
    EXPECT_EQ(read, length < whole.size() / 2 ? "save||r1" : "save|one,|r2") << length;
    std::unique_ptr<StateFolder> folder = Open();
    EXPECT_TRUE(folder->Read().ok());
    EXPECT_TRUE(folder->Append("r9", "more").ok());
    folder = nullptr;
    EXPECT_THAT(Read(), HasSubstr("more|r9")) << length;
  }
}

TEST_F(StateFolderTest, AKillBetweenASaveAndTheClearingOfItsJournalTellsNothingTwice) {
  SaveAndAppend();
  const std::string journal = Bytes("journal");
  {
    std::unique_ptr<StateFolder> folder = Open();
    EXPECT_TRUE(folder->Read().ok());
    EXPECT_TRUE(folder->Save("r3", "all").ok());
  }
  Put("journal", journal);
  EXPECT_EQ(Read(), "all||r3");
}

TEST_F(StateFolderTest, DamageAnotherNetworkAndAnotherProcessAreRefused) {
  SaveAndAppend();
  {
    std::unique_ptr<StateFolder> held = Open();
    EXPECT_EQ(CodeOf(StateFolder::Open(path_, "prod").status()), "STATE_IN_USE");
  }
  const absl::Status other = Open("dev")->Read().status();
  EXPECT_EQ(CodeOf(other), "STATE_IN_USE");
  EXPECT_THAT(std::string(other.message()), HasSubstr("of network prod"));
  std::string bytes = Bytes("fleet");
  bytes[bytes.size() / 2] ^= 1;
  Put("fleet", bytes);
  EXPECT_EQ(Read(), "ENGINE_STATE_CORRUPT");
}

TEST_F(StateFolderTest, WhatCannotBeReadIsNeitherTakenForNothingNorWrittenOver) {
  SaveAndAppend();
  Put("fleet", "");
  EXPECT_EQ(Read(), "ENGINE_STATE_CORRUPT");
  std::filesystem::remove(path_ + "/fleet");
  std::filesystem::create_directory(path_ + "/fleet");
  EXPECT_EQ(Read(), "FILE_FAILED");
  EXPECT_NE(Bytes("journal"), "");
}

TEST_F(StateFolderTest, AJournalWhoseFleetIsGoneIsCleared) {
  SaveAndAppend();
  std::filesystem::remove(path_ + "/fleet");
  ASSERT_TRUE(Open()->Read().ok());
  EXPECT_EQ(Bytes("journal"), "");
}

TEST_F(StateFolderTest, WhatIsSetAsideIsKeptAndTheFolderBeginsAnew) {
  SaveAndAppend();
  const std::string before = Bytes("fleet");
  std::unique_ptr<StateFolder> folder = Open();
  ASSERT_TRUE(folder->Read().ok());
  ASSERT_TRUE(folder->SetAside().ok());
  EXPECT_TRUE(folder->wants_save());
  EXPECT_EQ(Bytes("fleet.unread"), before);
  EXPECT_EQ(Bytes("journal"), "");
}

}  // namespace
}  // namespace gnomon
