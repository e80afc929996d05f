// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "testing/api_fixture.h"
#include "testing/metric_bodies.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;
constexpr char kWriteHeaders[] = "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n";

// Made before the server, and gone after it.
struct Book {
  std::unique_ptr<MetricBook> book;
};

class ApiSignalsTest : private Book, public ApiFixture {
 protected:
  ApiSignalsTest()
      : ApiFixture([this](Api::Parts* parts) {
          std::vector<MetricRule> rules;
          for (const char* network : {"prod", "test"}) {
            rules.push_back({.network = network, .type = "web", .use = MetricUse::kDemand, .match = MetricSelector::Parse("load").value()});
          }
          book = std::make_unique<MetricBook>(std::move(rules), std::vector<std::string>{}, &clock);
          parts->metric_book = book.get();
        }) {}

  ApiAnswer Write(const std::string& body, const std::string& headers = kWriteHeaders) {
    return Ask("POST", "/api/v1/write", body, headers);
  }
  static std::string Samples(const std::string& name, size_t count, int64_t last_s = kNow) {
    std::vector<std::pair<int64_t, double>> samples;
    for (size_t i = 0; i < count; ++i) samples.emplace_back((last_s - static_cast<int64_t>(count - 1 - i)) * 1000, static_cast<double>(i));
    if (count > 1000) samples.assign(count, {last_s * 1000, 0});  // which compresses to less than a body may have
    return WriteBody({{{"__name__", name}}}, {samples});
  }
};

TEST_F(ApiSignalsTest, WhatIsWrittenIsTheValueOfItsRule) {
  EXPECT_EQ(Write(Samples("load", 31)).code(), "204");
  const ApiAnswer list = Get("/v1/signals?points=2");
  EXPECT_EQ(list["/rules/0/network"], "prod");
  EXPECT_EQ(list["/rules/0/value"], "30");
  EXPECT_EQ(list["/rules/0/lag_seconds"], "0");
  EXPECT_EQ(list["/rules/0/points/0/time"], "2027-01-15T07:59:30Z");
  EXPECT_EQ(list["/rules/0/points/0/value"], "0");
  EXPECT_EQ(list["/sources/0/name"], "remote_write/tester");
  EXPECT_EQ(list["/sources/0/samples"], "31");
  EXPECT_EQ(Get("/v1/signals?points=1001").code(), "400 OUT_OF_RANGE");
}

TEST_F(ApiSignalsTest, ASenderIsAnsweredWhatItUnderstands) {
  struct Case {
    std::string name, body, headers, want;
  };
  const Case cases[] = {
      {"2.0", "", "Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\nContent-Encoding: snappy\r\n", "415 UNSUPPORTED_MEDIA_TYPE"},
      {"1.0 by its name", Samples("load", 1), "Content-Type: application/x-protobuf;proto=prometheus.WriteRequest\r\nContent-Encoding: snappy\r\n", "204"},
      {"JSON", "{}", "Content-Type: application/json\r\n", "415 UNSUPPORTED_MEDIA_TYPE"},
      {"no snappy", Samples("load", 1), "Content-Type: application/x-protobuf\r\n", "415 UNSUPPORTED_MEDIA_TYPE"},
      {"damaged", "hello", kWriteHeaders, "400 INVALID_SNAPPY"},
      {"too many", Samples("load", 100'001), kWriteHeaders, "413 TOO_MANY_SAMPLES"},
      {"of the future", Samples("load", 2, kNow + 1000), kWriteHeaders, "400 INVALID_SAMPLE"},
      {"unknown", Samples("other", 2), kWriteHeaders, "204"},
  };
  for (const Case& one : cases) EXPECT_EQ(Write(one.body, one.headers).code(), one.want) << one.name;
  EXPECT_EQ(Get("/v1/signals")["/sources/0/errors/too_many_samples"], "1");
  EXPECT_EQ(Get("/v1/signals")["/sources/0/unbound_names/0"], "other");
  // Other routes take JSON alone.
  EXPECT_EQ(Ask("POST", "/v1/networks", "{}", "Content-Type: application/x-protobuf\r\n").code(), "415 UNSUPPORTED_MEDIA_TYPE");
}

TEST_F(ApiSignalsTest, SomeWrongSamplesAreNamedAndTheOthersKept) {
  const std::string body = WriteBody({{{"__name__", "load"}}, {{"job", "x"}}}, {{{kNow * 1000, 4}}, {{kNow * 1000, 5}}});
  const ApiAnswer answer = Write(body);
  EXPECT_EQ(answer.code(), "400 INVALID_SAMPLE");
  EXPECT_THAT(answer["/detail"], HasSubstr("series 1 has no label __name__"));
  EXPECT_EQ(answer["/refused"], "1");
  EXPECT_EQ(answer["/taken"], "1");
  EXPECT_EQ(Get("/v1/signals")["/rules/0/value"], "4");
}

TEST_F(ApiSignalsTest, WhoSendsTooOftenIsToldWhenToComeAgain) {
  EXPECT_EQ(Write(Samples("load", 100'000)).code(), "204");
  EXPECT_EQ(Write(Samples("load", 100'000)).code(), "204");
  ApiAnswer refused = Write(Samples("load", 30'000));
  EXPECT_EQ(refused.code(), "429 SAMPLE_RATE");
  EXPECT_EQ(refused.headers["retry-after"], "2");
  clock.Pass(absl::Seconds(2));
  EXPECT_EQ(Write(Samples("load", 30'000)).code(), "204");
}

TEST_F(ApiSignalsTest, ATokenForSomeNetworksReachesAndSeesTheirRulesAlone) {
  Become({"ci", Role::kAllocator, {"test"}});
  EXPECT_EQ(Write(Samples("load", 1)).code(), "204");
  const ApiAnswer own = Get("/v1/signals");
  EXPECT_EQ(own.size("rules"), 1u);
  EXPECT_EQ(own["/rules/0/network"], "test");
  EXPECT_EQ(own["/rules/0/value"], "0");
  Become({"other", Role::kAllocator, {"prod"}});
  const ApiAnswer others = Get("/v1/signals");
  EXPECT_EQ(others.size("sources"), 0u);
  EXPECT_EQ(others["/rules/0/value"], "null");
  Become({"reader", Role::kViewer, {}});
  EXPECT_EQ(Write(Samples("load", 1)).code(), "403 ROLE_TOO_LOW");
}

TEST_F(ApiSignalsTest, AnExportOfOpenTelemetryIsTaken) {
  const std::string point = absl::StrCat(R"({"timeUnixNano":")", kNow, R"(000000000","asInt":"12"})");
  const auto metric = [&](const std::string& kind) {
    return absl::StrCat(R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"load",")", kind, R"(":{"dataPoints":[)", point, "]}}]}]}]}");
  };
  const ApiAnswer taken = Post("/v1/metrics", metric("gauge"));
  EXPECT_EQ(taken.code(), "200");
  EXPECT_EQ(taken.body, "{}");
  EXPECT_EQ(Get("/v1/signals")["/rules/0/value"], "12");
  const ApiAnswer some = Post("/v1/metrics", metric("histogram"));
  EXPECT_EQ(some.code(), "200");
  EXPECT_EQ(some["/partialSuccess/rejectedDataPoints"], "1");
  EXPECT_EQ(Post("/v1/metrics", "{").code(), "400 INVALID_JSON");
  const ApiAnswer protobuf = Ask("POST", "/v1/metrics", "", "Content-Type: application/x-protobuf\r\n");
  EXPECT_EQ(protobuf.code(), "200");
  EXPECT_EQ(protobuf.headers.at("content-type"), "application/x-protobuf");
  EXPECT_EQ(Ask("POST", "/v1/metrics", "x", "Content-Type: application/x-protobuf\r\nContent-Encoding: br\r\n").code(), "415 UNSUPPORTED_MEDIA_TYPE");
}

}  // namespace
}  // namespace gnomon
