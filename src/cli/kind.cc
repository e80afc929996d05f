// SPDX-License-Identifier: Apache-2.0
#include "cli/kind.h"

#include <algorithm>

#include "base/check.h"

namespace gnomon {
namespace {

std::vector<Column> AddressColumns() {
  return {{"ADDRESS", "address"}, {"STATE", "state"}, {"INSTANCE", "instance"}, {"TYPE", "type"},
          {"POOL", "pool"},       {"HOST", "host"},   {"SINCE", "since"},       {"UNTIL", "until"}};
}

Kind PlanKind() {
  return {"plan",
       "plans",
       "pl",
       true,
       false,
       {},
       {{"TYPE", "type"},
        {"MODE", "mode"},
        {"TARGET", "target"},
        {"HELD", "held"},
        {"FORECAST", "forecast"},
        {"SPREAD", "spread"},
        {"MULTIPLE", "multiple"},
        {"ANNOUNCED", "announced"},
        {"KEPT", "kept"}},
       "the network's prediction_mode is off, or nothing was created yet, or the first review (a minute) is not over"};
}

Kind ForecastKind() {
  return {"forecast",
          "forecasts",
          "fc",
          true,
          false,
          {"type"},
          {{"TYPE", "type"},
           {"5M P50", "horizons.300.p50"},
           {"P90", "horizons.300.p90"},
           {"P99", "horizons.300.p99"},
           {"15M P50", "horizons.900.p50"},
           {"P90", "horizons.900.p90"},
           {"P99", "horizons.900.p99"},
           {"30M P50", "horizons.1800.p50"},
           {"P90", "horizons.1800.p90"},
           {"P99", "horizons.1800.p99"},
           {"AS OF", "as_of|missing"}},
          "the network's prediction_mode is off, or nothing was created yet"};
}

Kind AnnouncementKind() {
  return {"announcement",
       "announcements",
       "ann",
       true,
       false,
       {},
       {{"ID", "id"}, {"SOURCE", "source"}, {"TYPE", "type"}, {"COUNT", "count"}, {"LEFT", "left"}, {"AT", "at"}}};
}

}  // namespace

const std::vector<Kind>& AllKinds() {
  static const auto& kKinds = *new std::vector<Kind>{
      {"network",
       "networks",
       "net",
       false,
       true,
       {},
       {{"NAME", "name"},
        {"ACCOUNT", "account"},
        {"VNI", "vni"},
        {"WARM TARGET", "warm_target"},
        {"TYPE TARGETS", "warm_targets"},
        {"PREDICTION", "prediction_mode"}}},
      {"pool",
       "pools",
       "po",
       true,
       true,
       {},
       {{"NAME", "name"},
        {"PREFIX", "prefix"},
        {"GATEWAY", "gateway"},
        {"STRATEGY", "strategy"},
        {"CAPACITY", "counts.capacity"},
        {"FREE", "counts.free"},
        {"SHADOW", "counts.shadow"},
        {"HELD", "counts.held"},
        {"DRAINING", "draining"}}},
      {"instance",
       "instances",
       "vm",
       true,
       true,
       {"type", "zone", "host", "pool"},
       {{"ID", "id"},
        {"TYPE", "type"},
        {"ADDRESS", "addresses[].address|address"},
        {"MAC", "mac"},
        {"ZONE", "zone"},
        {"HOST", "host"},
        {"SOURCE", "source"}}},
      {"shadow",
       "shadows",
       "sh",
       true,
       false,
       {"type", "zone", "host", "pool"},
       {{"ADDRESS", "address"},
        {"TYPE", "type"},
        {"ZONE", "zone"},
        {"HOST", "host"},
        {"POOL", "pool"},
        {"WARMTH", "warmth"},
        {"UNTIL", "until"}}},
      PlanKind(),
      ForecastKind(),
      AnnouncementKind(),
      {"address", "addresses", "addr", true, true, {"type", "zone", "host", "pool", "state"}, AddressColumns()},
      {"host", "hosts", "ho", false, true, {}, {{"NAME", "name|host"}, {"PHYSICAL ADDRESS", "physical_address"}}}};
  return kKinds;
}

const Kind& KindNamed(std::string_view singular) {
  auto found =
      std::find_if(AllKinds().begin(), AllKinds().end(), [&](const Kind& kind) { return kind.singular == singular; });
  GNOMON_CHECK(found != AllKinds().end());
  return *found;
}

std::vector<std::string_view> KindSegments(const Kind& kind, std::string_view network, std::string_view name) {
  std::vector<std::string_view> segments = {"v1"};
  if (kind.in_network) segments.insert(segments.end(), {"networks", network});
  segments.push_back(kind.plural);
  if (!name.empty()) segments.push_back(name);
  return segments;
}

}  // namespace gnomon
