// SPDX-License-Identifier: Apache-2.0
#include "signals/github_events.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using What = SignalEvent::What;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);  // 2027-01-15T08:00:00Z

GithubEvents Make(std::optional<absl::Duration> after = {}) {
  return GithubEvents({{.network = "prod",
                        .secret = "It's a Secret to Everybody",
                        .rules = {{{"self-hosted", "linux"}, "small"}, {{"self-hosted", "linux", "gpu"}, "gpu"}},
                        .expect_after = after}});
}

std::string Job(const std::string& action, int64_t id, const std::string& labels, int64_t started_s = 0) {
  return absl::StrCat(R"({"action":")", action, R"(","workflow_job":{"id":)", id, R"(,"labels":[)", labels,
                      R"(],"created_at":"2027-01-15T08:00:00Z","started_at":")",
                      absl::FormatTime(absl::RFC3339_sec, kNow + absl::Seconds(started_s), absl::UTCTimeZone()), R"("}})");
}

absl::StatusOr<SignalEvent> Decode(GithubEvents& github, const std::string& body) {
  return github.Decode("prod", "workflow_job", body, kNow);
}

// The pair of docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
TEST(GithubEvents, SignaturesAreThoseOfTheDocumentedExample) {
  const std::string right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  EXPECT_EQ(GithubEvents::Sign("It's a Secret to Everybody", "Hello, World!"), right);
  const GithubEvents github = Make();
  EXPECT_TRUE(github.CheckSignature("prod", "Hello, World!", right).ok());
  struct Case {
    std::string network, body, signature, code;
  };
  for (const Case& c : {Case{"prod", "Hello, World", right, "SIGNATURE_WRONG"},
                        Case{"prod", "Hello, World!", right.substr(0, 70), "SIGNATURE_WRONG"},
                        Case{"prod", "Hello, World!", right.substr(7), "SIGNATURE_WRONG"},
                        Case{"prod", "Hello, World!", "", "SIGNATURE_MISSING"},
                        Case{"test", "Hello, World!", right, "RECEIVER_OFF"}}) {
    EXPECT_EQ(CodeOf(github.CheckSignature(c.network, c.body, c.signature)), c.code);
  }
}

TEST(GithubEvents, AJobIsOfTheFirstTypeWhoseRunnersHaveAllItsLabels) {
  struct Case {
    std::string action, labels;
    What what;
    std::string type;
  };
  GithubEvents github = Make();
  for (const Case& c : {Case{"queued", R"("self-hosted")", What::kAnnounce, "small"},
                        Case{"queued", R"("linux","self-hosted","linux")", What::kAnnounce, "small"},
                        Case{"queued", R"("gpu","self-hosted")", What::kAnnounce, "gpu"},
                        Case{"queued", R"("ubuntu-latest")", What::kNothing, ""},
                        Case{"in_progress", R"("linux")", What::kStarted, "small"},
                        Case{"completed", R"("linux")", What::kCancel, "small"},
                        Case{"waiting", R"("linux")", What::kNothing, ""},
                        Case{"completed", R"("windows")", What::kNothing, ""}}) {
    const absl::StatusOr<SignalEvent> event = Decode(github, Job(c.action, 7, c.labels));
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(event->what, c.what) << c.action << c.labels;
    EXPECT_EQ(event->type, c.type) << c.labels;
    if (c.what != What::kNothing) {
      EXPECT_EQ(event->id, (AnnouncementId{"github", "7"}));
    }
  }
  EXPECT_EQ(github.Decode("prod", "ping", "{}", kNow)->what, What::kNothing);
}

TEST(GithubEvents, AJobIsExpectedAsEarlyAsTheEarliestOfTheLastHundredWithItsLabels) {
  GithubEvents github = Make();
  const auto expected_s = [&](const std::string& labels) {
    return absl::ToInt64Seconds(Decode(github, Job("queued", 1, labels))->at - kNow);
  };
  EXPECT_EQ(expected_s(R"("linux")"), 0) << "nothing is known yet";
  for (int64_t lag : {40, 30, 90}) ASSERT_TRUE(Decode(github, Job("in_progress", 1, R"("linux")", lag)).ok());
  EXPECT_EQ(expected_s(R"("linux")"), 30);
  EXPECT_EQ(expected_s(R"("gpu")"), 0) << "of other labels";
  for (size_t i = 0; i < GithubEvents::kLags; ++i) ASSERT_TRUE(Decode(github, Job("in_progress", 1, R"("linux")", 50)).ok());
  EXPECT_EQ(expected_s(R"("linux")"), 50);
  ASSERT_TRUE(Decode(github, Job("in_progress", 1, R"("linux")", -5)).ok());
  EXPECT_EQ(expected_s(R"("linux")"), 50) << "clocks that disagree teach nothing";
  GithubEvents told = Make(absl::Seconds(12));
  EXPECT_EQ(Decode(told, Job("queued", 1, R"("linux")"))->at, kNow + absl::Seconds(12));
}

TEST(GithubEvents, WhatIsNoJobIsRefusedByField) {
  struct Case {
    std::string body, code, field;
  };
  GithubEvents github = Make();
  const std::string many = R"({"action":"queued","workflow_job":{"id":1,"labels":[)" + [] {
    std::string labels = "\"a\"";
    for (size_t i = 0; i < GithubEvents::kMaxLabels; ++i) labels += ",\"a\"";
    return labels;
  }() + "]}}";
  for (const Case& c : {Case{"", "INVALID_JSON", ""}, Case{"{", "INVALID_JSON", ""}, Case{"3", "WRONG_TYPE", ""},
                        Case{"[]", "MISSING_FIELD", "action"}, Case{R"({"action":"queued"})", "MISSING_FIELD", "workflow_job.id"},
                        Case{R"({"action":"queued","workflow_job":{"id":"1"}})", "MISSING_FIELD", "workflow_job.id"},
                        Case{R"({"action":"queued","workflow_job":{"id":1}})", "MISSING_FIELD", "workflow_job.labels"},
                        Case{R"({"action":"queued","workflow_job":{"id":1,"labels":[1]}})", "WRONG_TYPE", "workflow_job.labels"},
                        Case{many, "OUT_OF_RANGE", "workflow_job.labels"},
                        Case{std::string(100, '['), "INVALID_JSON", ""}}) {
    const absl::Status status = Decode(github, c.body).status();
    EXPECT_EQ(CodeOf(status), c.code) << c.body.substr(0, 50);
    EXPECT_EQ(PartsOf(status).field, c.field) << c.body.substr(0, 50);
  }
  EXPECT_EQ(CodeOf(github.Decode("prod", "push", "{}", kNow).status()), "UNKNOWN_EVENT");
}

}  // namespace
}  // namespace gnomon
