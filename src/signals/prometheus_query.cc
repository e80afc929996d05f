// SPDX-License-Identifier: Apache-2.0
#include "signals/prometheus_query.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "client/http_client.h"

namespace gnomon {
namespace {

namespace json = boost::json;

constexpr size_t kMaxWarnings = 10;
constexpr double kMaxSeconds = 1e11;  // of 1970 UTC: beyond it, milliseconds would not be whole in a double

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

absl::Status BadAnswer(std::string_view why) {
  return Error(absl::StatusCode::kInternal, "BAD_QUERY_ANSWER",
               absl::StrCat("the answer is not that of a Prometheus: ", AbslView(why)))
      .Hint("url is the address before /api/v1, as http://127.0.0.1:9090 or https://host/prometheus");
}

std::string TextMember(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(json::string_view(name.data(), name.size()));
  return found == nullptr || !found->is_string() ? "" : std::string(View(found->as_string()));
}

absl::Status Refusal(int http_status, const json::object& answer) {
  const std::string type = TextMember(answer, "errorType"), text = TextMember(answer, "error");
  const bool later = http_status >= 500 || type == "timeout" || type == "canceled" || type == "unavailable";
  Error error(later ? absl::StatusCode::kUnavailable : absl::StatusCode::kInvalidArgument,
              later ? "QUERY_FAILED" : "QUERY_REFUSED",
              absl::StrCat("the query was refused (", http_status, " ", Excerpt(type), "): ", Excerpt(text)));
  error.Field("query");
  return error;
}

class AnswerReader {
 public:
  explicit AnswerReader(const PushLimits& limits) : limits_(limits) {}

  absl::Status Read(const json::object& answer) {
    const json::value* data = answer.if_contains("data");
    if (data == nullptr || !data->is_object()) return BadAnswer("it has no data");
    const std::string type = TextMember(data->as_object(), "resultType");
    const json::value* result = data->as_object().if_contains("result");
    if (result == nullptr || !result->is_array()) return BadAnswer("its data has no result");
    const json::array& items = result->as_array();
    if (type == "scalar") {
      answer_.found.series.emplace_back();
      GNOMON_RETURN_IF_ERROR(ReadPoint(*result));
      Done();
    } else if (type == "vector" || type == "matrix") {
      if (items.size() > limits_.series) {
        return Error(absl::StatusCode::kInvalidArgument, "TOO_MANY_SERIES",
                     absl::StrCat("the query gives ", items.size(), " series; at most ", limits_.series))
            .Field("query")
            .Hint("combine them in the query, as sum(...)");
      }
      for (const json::value& item : items) GNOMON_RETURN_IF_ERROR(ReadSeries(item, type == "matrix"));
    } else {
      return BadAnswer(absl::StrCat("its resultType is \"", Excerpt(type), "\""));
    }
    if (const json::value* warnings = answer.if_contains("warnings"); warnings != nullptr && warnings->is_array()) {
      for (const json::value& one : warnings->as_array()) {
        if (one.is_string() && answer_.warnings.size() < kMaxWarnings) {
          answer_.warnings.push_back(Excerpt(View(one.as_string())));
        }
      }
    }
    return absl::OkStatus();
  }
  QueryAnswer Take() { return std::move(answer_); }

 private:
  absl::Status ReadSeries(const json::value& item, bool matrix) {
    if (!item.is_object()) return BadAnswer("a series is not an object");
    answer_.found.series.emplace_back();
    const json::value* metric = item.as_object().if_contains("metric");
    if (metric == nullptr || !metric->is_object()) return BadAnswer("a series has no metric");
    std::vector<Series::Label>& labels = answer_.found.series.back().labels;
    for (const auto& member : metric->as_object()) {
      if (!member.value().is_string()) return BadAnswer("a label is not a text");
      labels.push_back({std::string(member.key()), std::string(View(member.value().as_string()))});
    }
    std::sort(labels.begin(), labels.end());
    const json::value* points = item.as_object().if_contains(matrix ? "values" : "value");
    if (points == nullptr || !points->is_array()) return BadAnswer("a series has no values");
    if (!matrix) GNOMON_RETURN_IF_ERROR(ReadPoint(*points));
    if (matrix) {
      for (const json::value& point : points->as_array()) GNOMON_RETURN_IF_ERROR(ReadPoint(point));
    }
    Done();
    return absl::OkStatus();
  }

  // [seconds, "value"]
  absl::Status ReadPoint(const json::value& point) {
    if (!point.is_array() || point.as_array().size() != 2) return BadAnswer("a value is not a pair");
    const json::value &time = point.as_array()[0], &value = point.as_array()[1];
    if (!time.is_number() || !value.is_string()) return BadAnswer("a value is not a number and a text");
    const double seconds = time.to_number<double>();
    double number = 0;
    if (!(std::abs(seconds) < kMaxSeconds)) return BadAnswer("a time is out of range");
    if (!absl::SimpleAtod(AbslView(View(value.as_string())), &number)) {
      return BadAnswer(absl::StrCat("\"", Excerpt(View(value.as_string())), "\" is no value"));
    }
    if (!std::isfinite(number)) {
      ++answer_.found.dropped["not_finite"];
      return absl::OkStatus();
    }
    answer_.found.series.back().samples.push_back({std::llround(seconds * 1000), number});
    return absl::OkStatus();
  }

  void Done() { answer_.found.samples += answer_.found.series.back().samples.size(); }

  const PushLimits& limits_;
  QueryAnswer answer_;
};

}  // namespace

std::vector<QueryRange> ChunksOf(const QueryRange& range, int64_t step_s, int64_t most) {
  std::vector<QueryRange> chunks;
  for (int64_t begin = range.begin_s; begin <= range.end_s; begin += most * step_s) {
    chunks.push_back({begin, std::min(range.end_s, begin + (most - 1) * step_s)});
  }
  return chunks;
}

std::string_view QueryPath(const QueryRange& range) {
  return range.begin_s == range.end_s ? "/api/v1/query" : "/api/v1/query_range";
}

std::string QueryForm(std::string_view query, const QueryRange& range, int64_t step_s, int64_t timeout_s) {
  std::string form = absl::StrCat("query=", PercentEncode(query), "&timeout=", timeout_s, "s");
  if (range.begin_s == range.end_s) {
    absl::StrAppend(&form, "&time=", range.end_s);
  } else {
    absl::StrAppend(&form, "&start=", range.begin_s, "&end=", range.end_s, "&step=", step_s);
  }
  return form;
}

absl::StatusOr<QueryAnswer> DecodeQueryAnswer(int http_status, std::string_view body, const PushLimits& limits) {
  const auto failed = [&](std::string_view why) -> absl::Status {
    if (http_status == 200) return BadAnswer(why);
    return Error(http_status >= 500 || http_status == 429 ? absl::StatusCode::kUnavailable : absl::StatusCode::kInvalidArgument,
                 http_status >= 500 || http_status == 429 ? "QUERY_FAILED" : "QUERY_REFUSED",
                 absl::StrCat("the query was answered by status ", http_status, ": ", Excerpt(body)));
  };
  try {
    json::error_code error;
    const json::value answer = json::parse(json::string_view(body.data(), body.size()), error);
    if (error) return failed("it is no JSON");
    if (!answer.is_object()) return failed("it is no object");
    const std::string status = TextMember(answer.as_object(), "status");
    if (status == "error") return Refusal(http_status, answer.as_object());
    if (status != "success" || http_status != 200) return failed("its status is not \"success\"");
    AnswerReader reader(limits);
    GNOMON_RETURN_IF_ERROR(reader.Read(answer.as_object()));
    return reader.Take();
  } catch (const std::exception& thrown) {
    return failed(thrown.what());
  }
}

}  // namespace gnomon
