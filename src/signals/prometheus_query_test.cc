// SPDX-License-Identifier: Apache-2.0
#include "signals/prometheus_query.h"

#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PrometheusQuery, AFormIsOfARangeOrOfOneTime) {
  EXPECT_EQ(QueryForm("sum(a{b=\"c\"})", {15, 45}, 15, 30),
            "query=sum%28a%7Bb%3D%22c%22%7D%29&timeout=30s&start=15&end=45&step=15");
  EXPECT_EQ(QueryForm("up", {60, 60}, 15, 30), "query=up&timeout=30s&time=60");
  EXPECT_EQ(QueryPath({15, 45}), "/api/v1/query_range");
  EXPECT_EQ(QueryPath({45, 45}), "/api/v1/query");
}

TEST(PrometheusQuery, FourteenDaysComeInChunksOfElevenThousandPoints) {
  constexpr int64_t kDays = 14 * 86'400;
  const std::vector<QueryRange> chunks = ChunksOf({0, kDays}, 15);
  ASSERT_EQ(chunks.size(), 8u);
  int64_t next = 0;
  for (const QueryRange& chunk : chunks) {
    EXPECT_EQ(chunk.begin_s, next);
    EXPECT_LE((chunk.end_s - chunk.begin_s) / 15 + 1, kMaxQueryPoints);
    next = chunk.end_s + 15;
  }
  EXPECT_EQ(chunks.back().end_s, kDays);
  EXPECT_THAT(ChunksOf({30, 30}, 15), ElementsAre(QueryRange{30, 30}));
}

TEST(PrometheusQuery, EachKindOfAnswerIsRead) {
  const auto matrix = DecodeQueryAnswer(200, R"({"status":"success","data":{"resultType":"matrix","result":[
      {"metric":{"job":"b","__name__":"up"},"values":[[15,"1"],[30.5,"-2.5e3"],[45,"NaN"],[60,"+Inf"]]},
      {"metric":{},"values":[]}]},"warnings":["w"]})");
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  ASSERT_EQ(matrix->found.series.size(), 2u);
  EXPECT_EQ(TextOf(matrix->found.series[0].labels), "up{job=\"b\"}");
  EXPECT_THAT(matrix->found.series[0].samples, ElementsAre(Sample{15'000, 1}, Sample{30'500, -2500}));
  EXPECT_EQ(matrix->found.dropped.at("not_finite"), 2u);
  EXPECT_EQ(matrix->found.samples, 2u);
  EXPECT_THAT(matrix->warnings, ElementsAre("w"));
  const auto vector = DecodeQueryAnswer(
      200, R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"7"]}]}})");
  ASSERT_TRUE(vector.ok()) << vector.status();
  EXPECT_THAT(vector->found.series.at(0).samples, ElementsAre(Sample{1500, 7}));
  const auto scalar = DecodeQueryAnswer(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})");
  ASSERT_TRUE(scalar.ok()) << scalar.status();
  EXPECT_THAT(scalar->found.series.at(0).samples, ElementsAre(Sample{1000, 7}));
}

TEST(PrometheusQuery, WhatCannotBeUsedSaysWhoseFaultItIs) {
  const std::string begin = R"({"status":"success","data":{"resultType":"matrix","result":)";
  struct Case {
    int status;
    std::string body, code, message;
  };
  const Case cases[] = {
      {400, R"({"status":"error","errorType":"bad_data","error":"parse error"})", "QUERY_REFUSED", "bad_data): parse error"},
      {422, R"({"status":"error","errorType":"execution","error":"too many"})", "QUERY_REFUSED", "422"},
      {503, R"({"status":"error","errorType":"timeout","error":"slow"})", "QUERY_FAILED", "slow"},
      {502, "<html>bad gateway", "QUERY_FAILED", "502"},
      {404, "not here", "QUERY_REFUSED", "404"},
      {200, "<html>hello", "BAD_QUERY_ANSWER", "no JSON"},
      {200, "[]", "BAD_QUERY_ANSWER", "no object"},
      {200, R"({"status":"success"})", "BAD_QUERY_ANSWER", "no data"},
      {200, R"({"status":"success","data":{"resultType":"string","result":[1,"x"]}})", "BAD_QUERY_ANSWER", "\"string\""},
      {200, begin + R"([{"metric":{},"values":[[1,2]]}]}})", "BAD_QUERY_ANSWER", "a number and a text"},
      {200, begin + R"([{"metric":{},"values":[[1e300,"2"]]}]}})", "BAD_QUERY_ANSWER", "out of range"},
      {200, begin + R"([{"metric":{},"values":[[1,"x"]]}]}})", "BAD_QUERY_ANSWER", "no value"},
      {200, begin + R"([{"metric":{"a":1},"values":[]}]}})", "BAD_QUERY_ANSWER", "label"},
      {200, begin + std::string(100, '['), "BAD_QUERY_ANSWER", "no JSON"},
  };
  for (const Case& one : cases) {
    const absl::Status error = DecodeQueryAnswer(one.status, one.body).status();
    EXPECT_EQ(CodeOf(error), one.code) << one.body << error;
    EXPECT_THAT(std::string(error.message()), HasSubstr(one.message));
  }
  EXPECT_EQ(CodeOf(DecodeQueryAnswer(200, begin + R"([{"metric":{},"values":[]},{"metric":{},"values":[]}]}})", {.series = 1}).status()),
            "TOO_MANY_SERIES");
}

}  // namespace
}  // namespace gnomon
