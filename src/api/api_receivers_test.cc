// SPDX-License-Identifier: Apache-2.0
//
// Events of GitHub, Alertmanager and CloudEvents, with an engine that runs.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

constexpr const char* kSecret = "a secret of a test";

class ApiReceiversTest : public ApiFixture {
 protected:
  ApiReceiversTest()
      : ApiFixture([this](Api::Parts* parts) {
          receivers_ = std::make_unique<Receivers>(
              &clock, std::vector<GithubSource>{{.network = "prod",
                                                 .secret = kSecret,
                                                 .rules = {{{"self-hosted", "linux"}, "runner"}},
                                                 .expect_after = {}}});
          parts->receivers = receivers_.get();
        }) {
    MakeNetwork("10.0.0.0/16");
  }
  void Reserve() { EXPECT_EQ(Patch("/v1/networks/prod", R"({"prediction_mode":"reserve"})").code(), "200"); }
  ApiAnswer Send(const std::string& receiver, const std::string& body, const std::string& headers = "") {
    return Ask("POST", "/v1/networks/prod/receivers/" + receiver, body, headers);
  }
  ApiAnswer Job(const std::string& action, int id, const std::string& secret = kSecret) {
    const std::string body = absl::StrCat(R"({"action":")", action, R"(","workflow_job":{"id":)", id,
                                          R"(,"labels":["linux"],"created_at":"2027-01-15T08:00:00Z"}})");
    return Send("github", body,
                absl::StrCat("X-GitHub-Event: workflow_job\r\nX-Hub-Signature-256: ", GithubEvents::Sign(secret, body), "\r\n"));
  }
  size_t Open() { return Get("/v1/networks/prod/announcements").size("announcements"); }
  static std::string Counts(const ApiAnswer& answer) {
    if (answer.status != 200) return answer.code();
    return absl::StrCat(answer["/announced"], answer["/cancelled"], answer["/unchanged"], answer["/ignored"]);
  }
};

TEST_F(ApiReceiversTest, AQueuedJobIsAnnouncedOnceAndEndsWhenItRuns) {
  EXPECT_EQ(Job("queued", 7).code(), "409 PREDICTIONS_OFF");
  Reserve();
  EXPECT_EQ(Counts(Job("queued", 7)), "1000");
  clock.Pass(absl::Seconds(3));
  EXPECT_EQ(Counts(Job("queued", 7)), "0010") << "delivered again, later";
  EXPECT_EQ(Counts(Job("queued", 8)), "1000");
  EXPECT_EQ(Open(), 2u);
  EXPECT_EQ(Counts(Job("in_progress", 7)), "0100");
  EXPECT_EQ(Counts(Job("completed", 8)), "0100") << "cancelled before it started";
  EXPECT_EQ(Counts(Job("completed", 9)), "0010") << "nobody announced it";
  EXPECT_EQ(Open(), 0u);
}

TEST_F(ApiReceiversTest, AWebhookThatIsNotSignedByTheSecretIsRefusedWhoeverSendsIt) {
  Reserve();
  Become({"", Role::kNone, {}});
  EXPECT_EQ(Job("queued", 7, "another secret").code(), "401 SIGNATURE_WRONG");
  EXPECT_EQ(Send("github", "{}", "X-GitHub-Event: ping\r\n").code(), "401 SIGNATURE_MISSING");
  EXPECT_EQ(Ask("POST", "/v1/networks/test/receivers/github", "{}").code(), "403 RECEIVER_OFF");
  EXPECT_EQ(Counts(Job("queued", 7)), "1000") << "without a token";
  EXPECT_EQ(Counts(Send("github", "{}", absl::StrCat("X-GitHub-Event: ping\r\nX-Hub-Signature-256: ",
                                                     GithubEvents::Sign(kSecret, "{}"), "\r\n"))), "0001");
  EXPECT_EQ(Send("alertmanager", "{}").code(), "403 ROLE_TOO_LOW");
  EXPECT_EQ(Send("cloudevents", "{}").code(), "403 ROLE_TOO_LOW");
}

TEST_F(ApiReceiversTest, AlertsAnnounceWhileTheyFireAndBadOnesKeepNobodyAway) {
  Reserve();
  const auto webhook = [](const char* status) {
    return absl::StrCat(R"({"version":"4","alerts":[{"status":")", status,
                        R"(","labels":{"gnomon_type":"web","gnomon_count":"5"},"startsAt":"2027-01-15T08:00:00Z",)"
                        R"("fingerprint":"f1"},{"status":"firing","labels":{"gnomon_type":"a b"}},{"labels":{}}]})");
  };
  const ApiAnswer firing = Send("alertmanager", webhook("firing"));
  EXPECT_EQ(Counts(firing), "1002");
  EXPECT_EQ(firing["/why/0"], R"(gnomon_type "a b" cannot be used)");
  EXPECT_EQ(Counts(Send("alertmanager", webhook("firing"))), "0012");
  EXPECT_EQ(Get("/v1/networks/prod/announcements")["/announcements/0/count"], "5");
  EXPECT_EQ(Counts(Send("alertmanager", webhook("resolved"))), "0102");
  EXPECT_EQ(Open(), 0u);
}

TEST_F(ApiReceiversTest, CloudEventsComeInAllModes) {
  Reserve();
  const std::string data = R"({"type":"web","count":2})";
  const std::string event = R"({"specversion":"1.0","type":"t","source":"/ci","id":"1","data":)" + data + "}";
  EXPECT_EQ(Counts(Send("cloudevents", data, "ce-specversion: 1.0\r\nce-type: t\r\nce-source: %2Fci\r\nce-id: 1\r\n")), "1000");
  // The first Content-Type counts; the fixture adds one of its own.
  EXPECT_EQ(Counts(Send("cloudevents", event, "Content-Type: application/cloudevents+json\r\n")), "0010") << "the same";
  EXPECT_EQ(Counts(Send("cloudevents", absl::StrCat("[", event, "]"), "Content-Type: application/cloudevents-batch+json\r\n")), "0010");
  EXPECT_EQ(Get("/v1/networks/prod/announcements")["/announcements/0/source"], "~2Fci");
  EXPECT_EQ(Send("cloudevents", data).code(), "400 UNKNOWN_VERSION");
}

}  // namespace
}  // namespace gnomon
