// SPDX-License-Identifier: Apache-2.0
//
// A MetricRule binds a metric to a type of a network, and says what its values mean.
//
// A rule is fed either by a PromQL query to a Prometheus that is polled, or by the pushed series (remote write, OTLP)
// that its selector matches.
//
// Example: MetricSelector::Parse("http_requests_total{job=\"web\",pod=\"web-*\"}")
//
// Errors: INVALID_ARGUMENT INVALID_SELECTOR. Threads: value types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signals/series.h"

namespace gnomon {

enum class MetricUse : uint8_t {
  kDemand,   // it counts the instances, or the creations, of the type themselves
  kDriver,   // requests, load, queue length: what demand follows
  kDesired,  // how many instances someone wants there to be
};
enum class MetricCount : uint8_t { kInstances, kCreationsTotal };  // what demand counts; the total only grows
enum class MetricCombine : uint8_t { kSum, kMax, kMean };          // of several series at one time

// Which series are meant: their name, and labels that they must have. A value that ends in '*' is a beginning.
class MetricSelector {
 public:
  static absl::StatusOr<MetricSelector> Parse(std::string_view text);

  bool Matches(const std::vector<Series::Label>& labels) const;  // sorted by name
  const std::string& text() const { return text_; }
  // The metric's name where only one can match, as an index needs it.
  std::optional<std::string> ExactName() const;

 private:
  struct Label {
    std::string name, value;
    bool begins = false;
  };
  std::string text_;
  std::vector<Label> labels_;  // by name; the first is "__name__" unless a label sorts before it
};

struct MetricRule {
  static constexpr absl::Duration kStep = absl::Seconds(15);

  std::string network = {}, type = {};
  MetricUse use = MetricUse::kDriver;
  MetricCount of = MetricCount::kInstances;      // of demand
  MetricCombine combine = MetricCombine::kSum;
  absl::Duration step = kStep;  // between two kept values: whole seconds
  std::string source = {}, query = {};           // of a Prometheus; both empty if pushed
  std::optional<MetricSelector> match = {};      // of pushed series

  bool increases() const { return use == MetricUse::kDemand && of == MetricCount::kCreationsTotal; }
};

std::string_view NameOf(MetricUse use);
std::string_view NameOf(MetricCount of);
std::string_view NameOf(MetricCombine combine);

}  // namespace gnomon
