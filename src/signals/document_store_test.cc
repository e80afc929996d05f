// SPDX-License-Identifier: Apache-2.0
#include "signals/document_store.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "testing/predictor_fixture.h"

namespace gnomon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DocumentStoreTest : public PredictorFixture {
 protected:
  absl::Status Put(std::vector<Document> documents) {
    return Wait<Done>([&](auto reply) { documents_->Put(network_, documents, std::move(reply)); }).status();
  }
  absl::Status Erase(const std::string& name) {
    return Wait<Done>([&](auto reply) { documents_->Erase(network_, "policy", name, std::move(reply)); }).status();
  }
  void Open() {
    documents_ = std::make_unique<DocumentStore>(service_.get());
    documents_->Load([&](const std::string& warning) { told_.push_back(warning); });
  }
  std::vector<std::string> All() {
    std::vector<std::string> all;
    for (const Document& one : documents_->All(network_.id)) all.push_back(one.kind + "/" + one.name + "=" + one.text);
    return all;
  }

  std::unique_ptr<DocumentStore> documents_;
  std::vector<std::string> told_;
};

TEST_F(DocumentStoreTest, WhatIsPutIsThereAfterARestartAndWhatIsErasedIsNot) {
  Make(PredictionMode::kOff);
  Open();
  EXPECT_THAT(All(), IsEmpty());
  ASSERT_TRUE(Put({{"policy", "hpa.web", "a"}, {"policy", "hpa.db", "b"}, {"calendar", "sales", "c"}}).ok());
  ASSERT_TRUE(Put({{"policy", "hpa.web", "a2"}}).ok());
  ASSERT_TRUE(Erase("hpa.db").ok());
  EXPECT_EQ(CodeOf(Erase("hpa.db")), "DOCUMENT_NOT_FOUND");
  EXPECT_THAT(All(), ElementsAre("calendar/sales=c", "policy/hpa.web=a2"));
  EXPECT_EQ(documents_->Version(network_.id), 3u);
  Open();
  EXPECT_THAT(All(), ElementsAre("calendar/sales=c", "policy/hpa.web=a2"));
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(DocumentStoreTest, TheEngineAndTheDocumentsLeaveEachOthersNotesAlone) {
  Make(PredictionMode::kObserve);
  Open();
  ASSERT_TRUE(Put({{"policy", "hpa.web", "a"}}).ok());
  ASSERT_TRUE(Create("prod", "vm-0").ok());
  for (int minute = 0; minute < 15; ++minute) Minute();
  const double learnt = PlanOf().spread;
  predictor_->Stop();
  predictor_ = std::make_unique<Predictor>(service_.get(), &clock_, [](const std::string&) {});
  predictor_->Step();
  EXPECT_EQ(PlanOf().spread, learnt) << "what was learnt is read, and ends where documents begin";
  EXPECT_EQ(predictor_->lost(), 0u);
  Mode(PredictionMode::kOff);
  for (int minute = 0; minute < 3; ++minute) Minute();
  Open();
  EXPECT_THAT(All(), ElementsAre("policy/hpa.web=a")) << "what the engine forgets is its own";
}

TEST_F(DocumentStoreTest, WhatIsTooMuchIsRefusedAndNothingIsStored) {
  Make(PredictionMode::kOff);
  Open();
  const absl::Status large = Put({{"policy", "a", "x"}, {"policy", "b", std::string(DocumentStore::kMaxBytes + 1, 'x')}});
  EXPECT_EQ(CodeOf(large), "DOCUMENT_TOO_LARGE");
  EXPECT_THAT(All(), IsEmpty());
  std::vector<Document> many;
  for (size_t i = 0; i < DocumentStore::kMaxDocuments; ++i) {
    many.push_back({"policy", std::to_string(i), ""});
    if (many.size() < DocumentStore::kMaxACall && i + 1 < DocumentStore::kMaxDocuments) continue;
    ASSERT_TRUE(Put(std::exchange(many, {})).ok());
  }
  EXPECT_EQ(CodeOf(Put({{"policy", "one more", ""}})), "TOO_MANY_DOCUMENTS");
  ASSERT_TRUE(Erase("7").ok());
  EXPECT_TRUE(Put({{"policy", "one more", ""}}).ok());
}

TEST_F(DocumentStoreTest, AWriteThatFailsChangesNothing) {
  Make(PredictionMode::kOff);
  Open();
  disk_->FailCommit(1);
  EXPECT_FALSE(Put({{"policy", "a", "x"}}).ok());
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_TRUE(Eventually([&] { return Put({{"policy", "a", "y"}}).ok(); }));
  EXPECT_THAT(All(), ElementsAre("policy/a=y"));
}

}  // namespace
}  // namespace gnomon
