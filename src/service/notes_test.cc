// SPDX-License-Identifier: Apache-2.0
//
// Notes, over each of the stores.
#include "gmock/gmock.h"
#include "store/rocksdb_store.h"
#include "testing/service_fixture.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Case {
  const char* name;
  bool on_disk;
};

class NotesTest : public ServiceFixture, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    Restart();
    network_ = CreateNetwork("prod").id;
  }
  void TearDown() override { service_ = nullptr; }
  void Restart() {
    service_ = nullptr;
    if (GetParam().on_disk) {
      rocksdb_ = nullptr;
      rocksdb_ = RocksDbStore::Open({.dir = folder_.path() + "/store"}).value();
    }
    Store* store = GetParam().on_disk ? static_cast<Store*>(rocksdb_.get()) : &store_;
    service_ = Service::Start(store, &clock_, {.shards = 2, .shard = {}}).value();
  }
  absl::Status Write(std::vector<NoteChange> changes) {
    return Wait<Done>([&](auto reply) { service_->WriteNotes(network_, changes, std::move(reply)); }).status();
  }
  absl::StatusOr<std::vector<Note>> Read(uint64_t from = 0) {
    return Wait<std::vector<Note>>([&](auto reply) { service_->ReadNotes(network_, from, std::move(reply)); });
  }

  TempFolder folder_;
  std::unique_ptr<RocksDbStore> rocksdb_;
  NetworkId network_{};
};

TEST_P(NotesTest, NotesAreKeptInTheOrderOfTheirNumbers) {
  EXPECT_THAT(Read().value(), IsEmpty());
  ASSERT_TRUE(Write({Note{300, "c"}, Note{0, std::string("a\0b", 3)}, Note{7, ""}}).ok());
  ASSERT_TRUE(Write({ErasedNote{7}, ErasedNote{8}, Note{9, "d"}}).ok());
  const uint64_t revision = Get("prod").revision;
  Restart();
  EXPECT_THAT(Read().value(), ElementsAre(Note{0, std::string("a\0b", 3)}, Note{9, "d"}, Note{300, "c"}));
  EXPECT_THAT(Read(10).value(), ElementsAre(Note{300, "c"}));
  EXPECT_THAT(Read(301).value(), IsEmpty());
  EXPECT_EQ(Get("prod").revision, revision) << "they are no change of the network";
}

TEST_P(NotesTest, ManyBytesAreReadInTurns) {
  for (uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(Write({Note{i, std::string(250'000, 'x')}}).ok());
  std::vector<uint64_t> numbers;
  int turns = 0;
  for (uint64_t from = 0;; ++turns) {
    const std::vector<Note> notes = Read(from).value();
    if (notes.empty()) break;
    for (const Note& note : notes) numbers.push_back(note.number);
    from = numbers.back() + 1;
  }
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(turns, 2);
}

TEST_P(NotesTest, TheyGoWithTheirNetworkAndStayWithTheOthers) {
  const NetworkId gone = network_;
  for (uint64_t i = 0; i < 250; ++i) ASSERT_TRUE(Write({Note{i, "x"}}).ok());
  network_ = CreateNetwork("other").id;
  ASSERT_TRUE(Write({Note{1, "y"}}).ok());
  ASSERT_TRUE(DeleteNetwork("prod").ok());
  EXPECT_THAT(Read().value(), ElementsAre(Note{1, "y"}));
  network_ = gone;
  EXPECT_EQ(CodeOf(Write({Note{1, "z"}})), "NETWORK_NOT_FOUND");
  EXPECT_EQ(CodeOf(Read().status()), "NETWORK_NOT_FOUND");
  int kept = 0;
  Store* store = GetParam().on_disk ? static_cast<Store*>(rocksdb_.get()) : &store_;
  ASSERT_TRUE(store->Snapshot([&](std::string_view key, std::string_view) {
                     kept += key.starts_with(NotesPrefix(gone)) ? 1 : 0;
                     return absl::OkStatus();
                   }).ok());
  EXPECT_EQ(kept, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, NotesTest, testing::Values(Case{"memory", false}, Case{"rocksdb", true}),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace gnomon
