// SPDX-License-Identifier: Apache-2.0
#include "signals/document_store.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "engine/notebook.h"
#include "gmock/gmock.h"
#include "signals/policy_shelf.h"
#include "testing/service_fixture.h"

namespace gnomon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DocumentStoreTest : public ServiceFixture {
 protected:
  absl::StatusOr<Done> Change(DocumentStore* store, NetworkId network, DocumentStore::Changes changes) {
    return Wait<Done>([&](auto reply) { store->Change(network, std::move(changes), std::move(reply)); });
  }
  absl::StatusOr<Done> WriteNotes(NetworkId network, std::vector<NoteChange> notes) {
    return Wait<Done>([&](auto reply) { service_->WriteNotes(network, std::move(notes), std::move(reply)); });
  }
  std::vector<Note> Notes(NetworkId network, uint64_t from) {
    return Wait<std::vector<Note>>([&](auto reply) { service_->ReadNotes(network, from, std::move(reply)); }).value();
  }
  // Of all that is stored, as the engine reads it.
  Notebook::Reader ReadNotebook(NetworkId network) {
    Notebook::Reader reader;
    std::optional<uint64_t> from = Notebook::Reader::kFirst;
    while (from) from = reader.Take(Notes(network, *from));
    return reader;
  }
  static DocumentStore::Warn Silent() {
    return [](const std::string&) {};
  }
};

TEST_F(DocumentStoreTest, WhatWasStoredIsReadAfterAStart) {
  Start();
  const NetworkEntry network = CreateNetwork("prod"), other = CreateNetwork("other");
  DocumentStore store(service_.get(), Silent());
  ASSERT_TRUE(Change(&store, network.id, {.put = {{"policy", "a", "1"}, {"policy", "b", "2"}, {"calendar", "a", "3"}}}).ok());
  ASSERT_TRUE(Change(&store, network.id, {.put = {{"policy", "a", "4"}}, .erase = {{"policy", "b"}, {"policy", "none"}}}).ok());
  DocumentStore again(service_.get(), Silent());
  again.Load();
  for (const DocumentStore* one : {&store, &again}) {
    EXPECT_THAT(one->Read(network.id, "policy"), ElementsAre(Document{"policy", "a", "4"}));
    EXPECT_THAT(one->Read(network.id, "calendar"), ElementsAre(Document{"calendar", "a", "3"}));
    EXPECT_THAT(one->Read(other.id, "policy"), IsEmpty());
  }
}

TEST_F(DocumentStoreTest, NeitherTheNotebookNorTheStoreTakesTheOthersNotes) {
  Start();
  const NetworkEntry network = CreateNetwork("prod");
  DocumentStore store(service_.get(), Silent());
  ASSERT_TRUE(Change(&store, network.id, {.put = {{"policy", "a", "1"}}}).ok());
  EXPECT_FALSE(ReadNotebook(network.id).contents()->has_value());
  // With a save and a journal before it, as the engine writes them.
  Notebook notebook = ReadNotebook(network.id).notebook();
  notebook.Save("saved");
  for (const char* journal : {"", "more"}) {
    notebook.Add(journal);
    ASSERT_TRUE(WriteNotes(network.id, notebook.Begin()).ok());
    notebook.End(true);
  }
  Notebook::Reader reader = ReadNotebook(network.id);
  ASSERT_TRUE(reader.contents().ok() && reader.contents()->has_value());
  EXPECT_EQ((*reader.contents())->save, "saved");
  EXPECT_EQ((*reader.contents())->journal, "more");
  // All that may be erased is far below the documents, also when what is stored was given up.
  reader.Lose(uint64_t{1} << 51, absl::DataLossError("test"));
  Notebook lost = reader.notebook();
  lost.Clear();
  for (int i = 0; i < 200; ++i) {
    std::vector<NoteChange> changes = lost.Begin();
    if (changes.empty()) break;
    ASSERT_TRUE(WriteNotes(network.id, std::move(changes)).ok());
    lost.End(true);
  }
  EXPECT_THAT(Notes(network.id, 0), SizeIs(1));
  DocumentStore again(service_.get(), Silent());
  again.Load();
  EXPECT_THAT(again.Read(network.id, "policy"), ElementsAre(Document{"policy", "a", "1"}));
}

TEST_F(DocumentStoreTest, LimitsAreKeptAndNothingIsHalfDone) {
  Start();
  const NetworkEntry network = CreateNetwork("prod");
  DocumentStore store(service_.get(), Silent());
  const std::string large(DocumentStore::kMaxDocumentBytes, 'x');
  EXPECT_EQ(CodeOf(Change(&store, network.id, {.put = {{"policy", "a", "1"}, {"policy", "b", large + "x"}}}).status()), "DOCUMENT_TOO_LARGE");
  DocumentStore::Changes five;
  for (const char* name : {"a", "b", "c", "d", "e"}) five.put.push_back({"policy", name, large});
  EXPECT_EQ(CodeOf(Change(&store, network.id, five).status()), "DOCUMENT_TOO_LARGE");
  EXPECT_THAT(store.Read(network.id, "policy"), IsEmpty());
  for (size_t sent = 0; sent < DocumentStore::kMaxDocuments; sent += 50) {
    DocumentStore::Changes some;
    for (size_t i = sent; i < sent + 50; ++i) some.put.push_back({"policy", std::to_string(i), "x"});
    ASSERT_TRUE(Change(&store, network.id, std::move(some)).ok());
  }
  EXPECT_EQ(CodeOf(Change(&store, network.id, {.put = {{"policy", "more", "x"}}}).status()), "DOCUMENTS_FULL");
  EXPECT_TRUE(absl::IsNotFound(Change(&store, NetworkId{12345}, {.put = {{"policy", "a", "1"}}}).status()));
}

TEST_F(DocumentStoreTest, ChangesAtOnceAreStoredOneAfterTheOther) {
  Start();
  const NetworkEntry network = CreateNetwork("prod");
  DocumentStore store(service_.get(), Silent());
  absl::BlockingCounter left(50);
  for (int i = 0; i < 50; ++i) {
    store.Change(network.id, {.put = {{"policy", std::to_string(i % 10), std::to_string(i)}}}, [&](absl::StatusOr<Done> done) {
      EXPECT_TRUE(done.ok()) << done.status();
      left.DecrementCount();
    });
  }
  left.Wait();
  EXPECT_THAT(store.Read(network.id, "policy"), SizeIs(10));
  EXPECT_EQ(store.Read(network.id, "policy")[3], (Document{"policy", "3", "43"}));
  EXPECT_THAT(Notes(network.id, DocumentStore::kFirstNote), SizeIs(10));
}

TEST_F(DocumentStoreTest, ADamagedNoteIsToldOfAndNothingIsWrittenOverIt) {
  Start();
  const NetworkEntry network = CreateNetwork("prod");
  ASSERT_TRUE(WriteNotes(network.id, {Note{DocumentStore::kFirstNote, "D?"}}).ok());
  std::string told;
  DocumentStore store(service_.get(), [&](const std::string& message) { told = message; });
  store.Load();
  EXPECT_THAT(told, testing::HasSubstr("network prod"));
  EXPECT_EQ(CodeOf(Change(&store, network.id, {.put = {{"policy", "a", "1"}}}).status()), "DOCUMENTS_LOST");
}

TEST_F(DocumentStoreTest, AShelfKeepsPoliciesOverAStart) {
  Start();
  const NetworkEntry network = CreateNetwork("prod");
  DocumentStore store(service_.get(), Silent());
  PolicyShelf shelf(&store);
  auto apply = [&](const std::string& text, bool dry_run) {
    return Wait<PolicyShelf::Applied>(
        [&](auto reply) { shelf.Apply(network, {.text = text, .file = "a.json", .type = "web"}, dry_run, std::move(reply)); });
  };
  const std::string text = R"({"AutoScalingGroupName": "g", "MinSize": 1, "MaxSize": 10})";
  EXPECT_EQ(apply(text, true)->policies[0].change, PolicyShelf::Change::kMade);
  EXPECT_THAT(shelf.BookOf(network.id)->policies(), IsEmpty());
  EXPECT_EQ(apply(text, false)->policies[0].change, PolicyShelf::Change::kMade);
  EXPECT_EQ(apply(text, false)->policies[0].change, PolicyShelf::Change::kNone);
  EXPECT_EQ(apply(R"({"AutoScalingGroupName": "g", "MinSize": 2, "MaxSize": 10})", false)->policies[0].change, PolicyShelf::Change::kChanged);
  DocumentStore stored(service_.get(), Silent());
  stored.Load();
  PolicyShelf again(&stored);
  EXPECT_THAT(again.Load(service_->ListNetworks()), IsEmpty());
  EXPECT_EQ(again.BookOf(network.id)->OutlookFor("web", {}).least->count, 2);
  auto remove = [&] { return Wait<Done>([&](auto reply) { again.Delete(network, "group.g", std::move(reply)); }); };
  EXPECT_TRUE(remove().ok());
  EXPECT_EQ(CodeOf(remove().status()), "POLICY_NOT_FOUND");
  EXPECT_THAT(again.BookOf(network.id)->policies(), IsEmpty());
}

}  // namespace
}  // namespace gnomon
