// SPDX-License-Identifier: Apache-2.0
#include "signals/otlp_metrics.h"

#include <zlib.h>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "signals/otlp_metrics.pb.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr OtlpEncoding kJson{.json = true}, kProtobuf{};

// An export of one metric, whose kind and points are `kind`.
std::string Json(const std::string& kind) {
  return absl::StrCat(R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}],
      "droppedAttributesCount":1},"scopeMetrics":[{"scope":{"name":"x"},"metrics":[{"name":"load","unit":"1",)", kind, "}]}]}]}");
}

std::string Gzip(const std::string& text) {
  std::string out(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(OtlpMetrics, APointIsASampleWithTheAttributesOfItsResource) {
  // 64-bit numbers as texts and as numbers.
  const auto push = DecodeOtlpMetrics(
      Json(R"("gauge":{"dataPoints":[{"timeUnixNano":"1800000000123456789","asDouble":1.5,
            "attributes":[{"key":"http.code","value":{"intValue":"200"}},{"key":"ok","value":{"boolValue":true}},
                          {"key":"list","value":{"arrayValue":{"values":[]}}}]},
           {"timeUnixNano":1800000001000000000,"asInt":"-7"},{"timeUnixNano":"1800000002000000000","asInt":8},
           {"timeUnixNano":"1800000003000000000","flags":1},{"timeUnixNano":"1800000003000000000"}]})"), kJson);
  ASSERT_TRUE(push.ok()) << push.status();
  ASSERT_THAT(push->series, SizeIs(4));
  EXPECT_EQ(TextOf(push->series[0].labels), "load{http_code=\"200\",ok=\"true\",service_name=\"web\"}");
  EXPECT_EQ(push->series[0].samples[0], (Sample{1'800'000'000'123, 1.5}));
  EXPECT_EQ(TextOf(push->series[1].labels), "load{service_name=\"web\"}");
  EXPECT_EQ(push->series[1].samples[0].value, -7);
  EXPECT_EQ(push->series[2].samples[0].value, 8);
  EXPECT_TRUE(push->series[3].samples[0].ends);
  EXPECT_EQ(push->dropped.at("no_value"), 1u);
  EXPECT_EQ(push->faulty(), 0u);
}

TEST(OtlpMetrics, ASumIsATotalOrAnIncrease) {
  for (const auto& [temporality, increases] : std::map<int, bool>{{1, true}, {2, false}}) {
    const auto push = DecodeOtlpMetrics(Json(absl::StrCat(R"("sum":{"aggregationTemporality":)", temporality,
                                                          R"(,"isMonotonic":true,"dataPoints":[{"timeUnixNano":"5000000","asInt":"3"}]})")), kJson);
    ASSERT_TRUE(push.ok()) << push.status();
    EXPECT_EQ(push->series.at(0).increases, increases);
    EXPECT_EQ(push->series.at(0).samples.at(0), (Sample{5, 3}));
  }
}

TEST(OtlpMetrics, WhatIsNotTakenIsCountedAndNamed) {
  struct Case {
    std::string kind, reason, want;
  };
  for (const Case& one : {Case{R"("histogram":{"dataPoints":[{"count":"3"}]})", "kind", "load is neither a gauge nor a sum"},
                          Case{R"("summary":{"dataPoints":[{"count":"3"}]})", "kind", "load is neither"},
                          Case{R"("sum":{"dataPoints":[{"asInt":"3"}]})", "temporality", "neither delta nor cumulative"}}) {
    const auto push = DecodeOtlpMetrics(Json(one.kind), kJson);
    ASSERT_TRUE(push.ok()) << push.status();
    EXPECT_EQ(push->dropped.at(one.reason), 1u);
    EXPECT_THAT(push->first_fault, HasSubstr(one.want));
  }
}

TEST(OtlpMetrics, ProtobufAndGzipGiveTheSame) {
  wire::ExportMetrics all;
  wire::ResourceMetrics& resource = *all.add_resource_metrics();
  wire::KeyValue& attribute = *resource.mutable_resource()->add_attributes();
  attribute.set_key("service.name");
  attribute.mutable_value()->set_string_value("web");
  wire::Metric& metric = *resource.add_scope_metrics()->add_metrics();
  metric.set_name("load");
  wire::NumberDataPoint& point = *metric.mutable_gauge()->add_data_points();
  point.set_time_unix_nano(5'000'000);
  point.set_as_int(3);
  const std::string protobuf = all.SerializeAsString();
  const std::string json = Json(R"("gauge":{"dataPoints":[{"timeUnixNano":"5000000","asInt":"3"}]})");
  const MetricPush want = DecodeOtlpMetrics(json, kJson).value();
  EXPECT_EQ(DecodeOtlpMetrics(protobuf, kProtobuf)->series, want.series);
  EXPECT_EQ(DecodeOtlpMetrics(Gzip(protobuf), {.gzip = true})->series, want.series);
  EXPECT_EQ(DecodeOtlpMetrics(Gzip(json), {.json = true, .gzip = true})->series, want.series);
}

TEST(OtlpMetrics, WhatIsDamagedOrTooMuchIsRefused) {
  const std::string point = R"({"timeUnixNano":"5","asInt":"3"})";
  const std::string two = Json(absl::StrCat(R"("gauge":{"dataPoints":[)", point, ",", point, "]}"));
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics("{", kJson).status()), "INVALID_JSON");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(R"({"resourceMetrics":7})", kJson).status()), "INVALID_JSON");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(std::string(100'000, '['), kJson).status()), "INVALID_JSON");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics("\x0a\x05x", kProtobuf).status()), "INVALID_PROTOBUF");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics("hello", {.gzip = true}).status()), "INVALID_GZIP");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(Gzip(two).substr(0, 60), {.json = true, .gzip = true}).status()), "INVALID_GZIP");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(two, kJson, {.bytes = 100}).status()), "PUSH_TOO_LARGE");
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(two, kJson, {.samples = 1}).status()), "TOO_MANY_SAMPLES");
  const std::string bomb = Gzip(std::string(64 << 20, ' '));
  EXPECT_LT(bomb.size(), 100'000u);
  EXPECT_EQ(CodeOf(DecodeOtlpMetrics(bomb, {.json = true, .gzip = true}).status()), "PUSH_TOO_LARGE");
}

TEST(OtlpMetrics, TheAnswerSaysWhatWasRejected) {
  EXPECT_EQ(OtlpAnswer(true, 0, ""), "{}");
  EXPECT_EQ(OtlpAnswer(true, 3, "why"), R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"why"}})");
  EXPECT_EQ(OtlpAnswer(false, 0, ""), "");
  wire::ExportAnswer answer;
  EXPECT_TRUE(answer.ParseFromString(OtlpAnswer(false, 3, "why")));
  EXPECT_EQ(answer.partial_success().rejected_data_points(), 3);
}

}  // namespace
}  // namespace gnomon
