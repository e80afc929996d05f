// SPDX-License-Identifier: Apache-2.0
//
// An Encoder writes what the service answers as the JSON of the API.
//
// The shapes are those of openapi.json; revisions and generations go out as opaque text.
//
// Threads: its functions only read; one writer at a time.
#pragma once

#include <string>
#include <vector>

#include "api/json.h"
#include "engine/announced.h"
#include "engine/type_forecast.h"
#include "engine/type_plan.h"
#include "engine/type_quality.h"
#include "service/service.h"

namespace gnomon {

class Encoder {
 public:
  explicit Encoder(const Service* service) : service_(service) {}

  void Write(const NetworkView& view, JsonWriter* json) const;
  void Write(const NetworkEntry& entry, JsonWriter* json) const;  // without what only its shard knows
  void Write(const PoolView& view, JsonWriter* json) const;
  void Write(const TypePlan& plan, JsonWriter* json) const;
  void Write(const SignalPlan& signal, JsonWriter* json) const;
  void Write(const TypeForecast& forecast, JsonWriter* json) const;
  void Write(const TypeQuality& quality, JsonWriter* json) const;
  void Write(const Announced& announced, JsonWriter* json) const;
  void Write(const PoolConfig& config, JsonWriter* json) const;
  void Write(const std::string& network, const RecordView& view, JsonWriter* json) const;
  void Write(const std::string& network, const InstanceView& view, JsonWriter* json) const;
  void Write(const PredictionView& view, JsonWriter* json) const;
  void Write(const HostEntry& entry, JsonWriter* json) const;

 private:
  void WriteEntryMembers(const NetworkEntry& entry, JsonWriter* json) const;
  void WriteConfigMembers(const PoolConfig& config, JsonWriter* json) const;
  void WriteLabels(std::string_view labels, JsonWriter* json) const;

  const Service* service_;
};

// Of a quantile in kLevels, as p99.
std::string LevelName(size_t level);

std::string_view NameOf(AddressState state);
std::string_view NameOf(Warmth warmth);
std::string_view NameOf(PredictionMode mode);
std::string_view NameOf(Strategy strategy);

}  // namespace gnomon
