// SPDX-License-Identifier: Apache-2.0
#include "signals/otlp_metrics.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/util/json_util.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "signals/otlp_metrics.pb.h"

namespace gnomon {
namespace {

using google::protobuf::RepeatedPtrField;
using LabelMap = std::map<std::string, std::string>;

constexpr size_t kInflateBytes = 64 << 10;
constexpr uint32_t kNoRecordedValue = 1;
// Each point carries the labels of its resource: without a bound, few bytes would become many.
constexpr size_t kMaxAllLabelBytes = 32 << 20;

Error TooMuch(std::string_view code, std::string_view what, size_t most) {
  Error error(absl::StatusCode::kOutOfRange, code, absl::StrCat("the export has more than ", most, " ", AbslView(what)));
  error.Hint("send less in an export: a smaller batch");
  return error;
}

Error Malformed(std::string_view code, std::string_view message) {
  Error error(absl::StatusCode::kInvalidArgument, code, message);
  error.Field("body").Hint("send an ExportMetricsServiceRequest, as Content-Type and Content-Encoding say");
  return error;
}

absl::StatusOr<std::string> Inflate(std::string_view body, size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return absl::ResourceExhaustedError("no memory to decompress");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string text, piece(kInflateBytes, '\0');
  int result = Z_OK;
  while (result == Z_OK && text.size() <= most) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(piece, 0, piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (text.size() > most) return TooMuch("PUSH_TOO_LARGE", "bytes, decompressed", most);
  if (result != Z_STREAM_END) return Malformed("INVALID_GZIP", "the body is not whole gzip data");
  return text;
}

std::string LabelName(std::string_view key) {
  std::string name;
  for (const char c : key) name.push_back(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ? c : '_');
  if (!name.empty() && absl::ascii_isdigit(static_cast<unsigned char>(name.front()))) name.insert(0, "_");
  return name;
}

std::string ValueText(const wire::AnyValue& value) {
  switch (value.value_case()) {
    case wire::AnyValue::kStringValue: return value.string_value();
    case wire::AnyValue::kBoolValue: return value.bool_value() ? "true" : "false";
    case wire::AnyValue::kIntValue: return absl::StrCat(value.int_value());
    case wire::AnyValue::kDoubleValue: return absl::StrCat(value.double_value());
    case wire::AnyValue::VALUE_NOT_SET: break;
  }
  return "";  // lists and the like: no label
}

void AddLabels(const RepeatedPtrField<wire::KeyValue>& attributes, LabelMap* labels) {
  for (const wire::KeyValue& attribute : attributes) {
    const std::string name = LabelName(attribute.key());
    std::string value = ValueText(attribute.value());
    if (!name.empty() && name != "__name__" && !value.empty()) (*labels)[name] = std::move(value);
  }
}

class Decoder {
 public:
  explicit Decoder(const PushLimits& limits) : limits_(limits) {}

  absl::StatusOr<MetricPush> Decode(const wire::ExportMetrics& all) {
    for (const wire::ResourceMetrics& resource : all.resource_metrics()) {
      LabelMap labels;
      if (static_cast<size_t>(resource.resource().attributes_size()) <= limits_.labels) {
        AddLabels(resource.resource().attributes(), &labels);
      } else {
        fault_ = absl::StrCat("a resource has more than ", limits_.labels, " attributes");
      }
      for (const wire::ScopeMetrics& scope : resource.scope_metrics()) {
        for (const wire::Metric& metric : scope.metrics()) GNOMON_RETURN_IF_ERROR(Read(metric, labels));
      }
      fault_.clear();
    }
    return std::move(push_);
  }

 private:
  absl::Status Read(const wire::Metric& metric, const LabelMap& resource) {
    switch (metric.kind_case()) {
      case wire::Metric::kGauge: return Points(metric, metric.gauge().data_points(), resource, false);
      case wire::Metric::kSum: {
        const wire::Sum& sum = metric.sum();
        if (sum.aggregation_temporality() != wire::DELTA && sum.aggregation_temporality() != wire::CUMULATIVE) {
          Drop("temporality", sum.data_points_size(), absl::StrCat("the sum ", Excerpt(metric.name()), " is neither delta nor cumulative"));
          return absl::OkStatus();
        }
        return Points(metric, sum.data_points(), resource, sum.aggregation_temporality() == wire::DELTA);
      }
      case wire::Metric::kHistogram: Kind(metric, metric.histogram()); break;
      case wire::Metric::kExponentialHistogram: Kind(metric, metric.exponential_histogram()); break;
      case wire::Metric::kSummary: Kind(metric, metric.summary()); break;
      case wire::Metric::KIND_NOT_SET: break;
    }
    return absl::OkStatus();
  }

  void Kind(const wire::Metric& metric, const wire::Other& other) {
    Drop("kind", other.data_points_size(), absl::StrCat(Excerpt(metric.name()), " is neither a gauge nor a sum"));
  }
  void Drop(const std::string& reason, int points, const std::string& why) {
    if (points == 0) return;
    push_.dropped[reason] += static_cast<uint64_t>(points);
    if (push_.first_fault.empty()) push_.first_fault = why;
  }

  absl::Status Points(const wire::Metric& metric, const RepeatedPtrField<wire::NumberDataPoint>& points,
                      const LabelMap& resource, bool increases) {
    for (const wire::NumberDataPoint& point : points) {
      if (++points_ > limits_.samples) return TooMuch("TOO_MANY_SAMPLES", "points", limits_.samples);
      Take(metric, point, resource, increases);
      if (label_bytes_ > kMaxAllLabelBytes) return TooMuch("PUSH_TOO_LARGE", "bytes of labels", kMaxAllLabelBytes);
    }
    return absl::OkStatus();
  }

  void Take(const wire::Metric& metric, const wire::NumberDataPoint& point, const LabelMap& resource, bool increases) {
    Sample sample{.time_ms = static_cast<int64_t>(point.time_unix_nano() / 1'000'000)};
    sample.ends = (point.flags() & kNoRecordedValue) != 0;
    if (!sample.ends) {
      if (point.value_case() == wire::NumberDataPoint::VALUE_NOT_SET) return Silent("no_value");
      sample.value = point.value_case() == wire::NumberDataPoint::kAsInt ? static_cast<double>(point.as_int()) : point.as_double();
      if (!std::isfinite(sample.value)) return Silent("not_finite");
    }
    std::string wrong = fault_;
    if (metric.name().empty()) wrong = "a metric has no name";
    LabelMap labels;
    if (static_cast<size_t>(point.attributes_size()) > limits_.labels) {
      wrong = absl::StrCat("a point of ", Excerpt(metric.name()), " has more than ", limits_.labels, " attributes");
    } else {
      labels = resource;
      AddLabels(point.attributes(), &labels);
    }
    Series series{.increases = increases};
    size_t bytes = 0;
    labels["__name__"] = metric.name();
    for (auto& [name, value] : labels) {
      bytes += name.size() + value.size();
      series.labels.push_back({name, std::move(value)});
    }
    if (bytes > limits_.label_bytes) wrong = absl::StrCat("the labels of a point of ", Excerpt(metric.name()), " have more than ", limits_.label_bytes, " bytes");
    if (!wrong.empty()) return Drop("labels", 1, wrong);
    label_bytes_ += bytes;
    series.samples.push_back(sample);
    ++push_.samples;
    push_.series.push_back(std::move(series));
  }

  void Silent(const std::string& reason) { ++push_.dropped[reason]; }

  const PushLimits& limits_;
  MetricPush push_;
  std::string fault_;  // of the resource that is read
  uint64_t points_ = 0;
  size_t label_bytes_ = 0;  // of all series
};

}  // namespace

absl::StatusOr<MetricPush> DecodeOtlpMetrics(std::string_view body, OtlpEncoding encoding, const PushLimits& limits) {
  std::string inflated;
  if (encoding.gzip) {
    GNOMON_ASSIGN_OR_RETURN(inflated, Inflate(body, limits.bytes));
    body = inflated;
  }
  if (body.size() > limits.bytes) return TooMuch("PUSH_TOO_LARGE", "bytes", limits.bytes);
  google::protobuf::Arena arena;
  auto* all = google::protobuf::Arena::CreateMessage<wire::ExportMetrics>(&arena);
  if (encoding.json) {
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    try {
      const auto read = google::protobuf::util::JsonStringToMessage(
          google::protobuf::StringPiece(body.data(), body.size()), all, options);
      if (!read.ok()) return Malformed("INVALID_JSON", Excerpt(std::string_view(read.message().data(), read.message().size())));
    } catch (const std::exception& thrown) {
      return Malformed("INVALID_JSON", Excerpt(thrown.what()));
    }
  } else if (!all->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Malformed("INVALID_PROTOBUF", "the body is not a whole ExportMetricsServiceRequest");
  }
  return Decoder(limits).Decode(*all);
}

std::string OtlpAnswer(bool json, uint64_t rejected, const std::string& why) {
  wire::ExportAnswer answer;
  if (rejected > 0) {
    answer.mutable_partial_success()->set_rejected_data_points(static_cast<int64_t>(rejected));
    answer.mutable_partial_success()->set_error_message(why);
  }
  if (!json) return answer.SerializeAsString();
  std::string text;
  return google::protobuf::util::MessageToJsonString(answer, &text).ok() ? text : "{}";
}

}  // namespace gnomon
