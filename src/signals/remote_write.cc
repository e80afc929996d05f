// SPDX-License-Identifier: Apache-2.0
#include "signals/remote_write.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <snappy.h>

#include <bit>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "signals/remote_write.pb.h"

namespace gnomon {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr uint64_t kStaleMarker = 0x7ff0000000000002;
// 100,000 samples of one series have 2 MB. Above it, a series of nothing but empty labels would take much memory.
constexpr int kMaxSeriesBytes = 2 << 20;

Error TooMuch(std::string_view code, std::string_view what, uint64_t count, uint64_t most) {
  return std::move(Error(absl::StatusCode::kOutOfRange, code,
                         absl::StrCat("the request has ", count, " ", AbslView(what), "; at most ", most))
                       .Value(absl::StrCat(count))
                       .Hint("send less in a request: max_samples_per_send of Prometheus' queue_config"));
}

Error Malformed(std::string_view code, std::string_view message) {
  return std::move(Error(absl::StatusCode::kInvalidArgument, code, message)
                       .Field("body")
                       .Hint("send a WriteRequest of Prometheus remote write 1.0, compressed as one snappy block"));
}

// Why the labels cannot be those of a series; empty if they can.
std::string WrongLabels(const std::vector<Series::Label>& labels, size_t bytes, const PushLimits& limits) {
  if (labels.size() > limits.labels) return absl::StrCat("has ", labels.size(), " labels; at most ", limits.labels);
  if (bytes > limits.label_bytes) return absl::StrCat("has labels of ", bytes, " bytes; at most ", limits.label_bytes);
  bool named = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].name.empty()) return "has a label without a name";
    if (labels[i].value.empty()) return absl::StrCat("has an empty label ", Excerpt(labels[i].name));
    if (i > 0 && labels[i].name == labels[i - 1].name) return absl::StrCat("has the label ", Excerpt(labels[i].name), " twice");
    if (i > 0 && labels[i].name < labels[i - 1].name) return "has labels that are not sorted by name";
    named = named || labels[i].name == "__name__";
  }
  return named ? "" : "has no label __name__";
}

class Decoder {
 public:
  explicit Decoder(const PushLimits& limits) : limits_(limits) {}

  absl::StatusOr<MetricPush> Decode(std::string_view message) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(message.data());
    bytes_ = static_cast<int>(message.size());
    CodedInputStream in(bytes, bytes_);
    while (const uint32_t tag = in.ReadTag()) {
      if (tag == WireFormatLite::MakeTag(1, WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) {
        GNOMON_RETURN_IF_ERROR(ReadSeries(in));
      } else if (!WireFormatLite::SkipField(&in, tag)) {  // metadata, which nothing here needs
        return Malformed("INVALID_PROTOBUF", "the body is not a whole WriteRequest");
      }
    }
    if (!in.ConsumedEntireMessage()) return Malformed("INVALID_PROTOBUF", "the body is not a whole WriteRequest");
    return std::move(push_);
  }

 private:
  absl::Status ReadSeries(CodedInputStream& in) {
    if (++series_ > limits_.series) return TooMuch("TOO_MANY_SERIES", "series", series_, limits_.series);
    int size = 0;
    if (!in.ReadVarintSizeAsInt(&size) || size > bytes_ - in.CurrentPosition()) {
      return Malformed("INVALID_PROTOBUF", absl::StrCat("series ", series_ - 1, " is cut short"));
    }
    if (size > kMaxSeriesBytes) return TooMuch("PUSH_TOO_LARGE", "bytes in one series", static_cast<uint64_t>(size), kMaxSeriesBytes);
    const CodedInputStream::Limit outer = in.PushLimit(size);
    wire_.Clear();
    if (!wire_.MergePartialFromCodedStream(&in) || !in.ConsumedEntireMessage()) {
      return Malformed("INVALID_PROTOBUF", absl::StrCat("series ", series_ - 1, " cannot be read"));
    }
    in.PopLimit(outer);
    samples_ += static_cast<uint64_t>(wire_.samples_size());
    if (samples_ > limits_.samples) return TooMuch("TOO_MANY_SAMPLES", "samples or more", samples_, limits_.samples);
    Take();
    return absl::OkStatus();
  }

  void Take() {
    Series series;
    size_t bytes = 0;
    for (const auto& label : wire_.labels()) bytes += label.name().size() + label.value().size();
    if (static_cast<size_t>(wire_.labels_size()) <= limits_.labels && bytes <= limits_.label_bytes) {
      for (const auto& label : wire_.labels()) series.labels.push_back({label.name(), label.value()});
    } else {
      series.labels.resize(static_cast<size_t>(wire_.labels_size()) <= limits_.labels ? 0 : limits_.labels + 1);
    }
    if (const std::string wrong = WrongLabels(series.labels, bytes, limits_); !wrong.empty()) {
      push_.dropped["labels"] += static_cast<uint64_t>(wire_.samples_size());
      if (push_.first_fault.empty()) push_.first_fault = absl::StrCat("series ", series_ - 1, " ", wrong);
      return;
    }
    for (const auto& sample : wire_.samples()) {
      const bool ends = std::bit_cast<uint64_t>(sample.value()) == kStaleMarker;
      if (!ends && !std::isfinite(sample.value())) {
        ++push_.dropped["not_finite"];
        continue;
      }
      series.samples.push_back({sample.timestamp(), ends ? 0 : sample.value(), ends});
    }
    if (series.samples.empty()) return;
    push_.samples += series.samples.size();
    push_.series.push_back(std::move(series));
  }

  const PushLimits& limits_;
  int bytes_ = 0;  // of the message
  MetricPush push_;
  wire::WrittenSeries wire_;  // of each series in turn
  uint64_t series_ = 0, samples_ = 0;
};

}  // namespace

absl::StatusOr<MetricPush> DecodeRemoteWrite(std::string_view body, const PushLimits& limits) {
  size_t length = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &length)) {
    return Malformed("INVALID_SNAPPY", "the body is not a snappy block");
  }
  if (length > limits.bytes) return TooMuch("PUSH_TOO_LARGE", "bytes, decompressed,", length, limits.bytes);
  std::string message;
  if (!snappy::Uncompress(body.data(), body.size(), &message)) {
    return Malformed("INVALID_SNAPPY", "the body is a damaged snappy block");
  }
  return Decoder(limits).Decode(message);
}

}  // namespace gnomon
