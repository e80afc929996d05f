// SPDX-License-Identifier: Apache-2.0
#include "api/encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace gnomon {
namespace {

constexpr std::array<std::string_view, 6> kStates{"free", "shadow", "assigned", "preserved", "quarantined", "withdrawing"};
constexpr std::array<std::string_view, 3> kWarmths{"cold", "warming", "ready"};
constexpr std::array<std::string_view, 3> kModes{"off", "observe", "reserve"};
constexpr std::array<std::string_view, 3> kStrategies{"longest_idle", "lowest_first", "random"};

// An IPv6 pool has more addresses than many a JSON reader's integers can tell.
int64_t AtMostInt64(uint64_t count) { return static_cast<int64_t>(std::min<uint64_t>(count, INT64_MAX)); }

JsonWriter& Text(JsonWriter* json, std::string_view key, std::string_view value) {
  return json->Key(key).String(value);
}

void WriteCosts(const std::optional<Costs>& costs, JsonWriter* json) {
  if (!costs) return;
  json->Key("miss_cost").Double(costs->miss);
  json->Key("idle_cost").Double(costs->idle);
}

}  // namespace

std::string_view NameOf(AddressState state) { return kStates[static_cast<size_t>(state)]; }
std::string_view NameOf(Warmth warmth) { return kWarmths[static_cast<size_t>(warmth)]; }
std::string_view NameOf(PredictionMode mode) { return kModes[static_cast<size_t>(mode)]; }
std::string_view NameOf(Strategy strategy) { return kStrategies[static_cast<size_t>(strategy)]; }

void Encoder::WriteEntryMembers(const NetworkEntry& entry, JsonWriter* json) const {
  Text(json, "name", entry.name);
  Text(json, "account", entry.account);
  json->Key("vni").Int(entry.vni);
  json->Key("warm_target").Int(entry.warm.target);
  json->Key("warm_targets").BeginObject();
  for (const auto& [type, target] : entry.warm.by_type) json->Key(type).Int(target);
  json->EndObject();
  Text(json, "prediction_mode", NameOf(entry.warm.mode));
  json->Key("target_hit_rate").Double(entry.warm.SettingsOf("").hit_rate);
  WriteCosts(entry.warm.costs, json);
  json->Key("min_shadows").Int(entry.warm.min_shadows);
  json->Key("max_shadows").Int(entry.warm.max_shadows);
  json->Key("types").BeginObject();
  for (const auto& [type, settings] : entry.warm.types) {
    json->Key(type).BeginObject();
    if (settings.mode) Text(json, "prediction_mode", NameOf(*settings.mode));
    if (settings.hit_rate) json->Key("target_hit_rate").Double(*settings.hit_rate);
    WriteCosts(settings.costs, json);
    if (settings.min_shadows) json->Key("min_shadows").Int(*settings.min_shadows);
    if (settings.max_shadows) json->Key("max_shadows").Int(*settings.max_shadows);
    json->EndObject();
  }
  json->EndObject();
}

void Encoder::Write(const NetworkEntry& entry, JsonWriter* json) const {
  json->BeginObject();
  WriteEntryMembers(entry, json);
  json->EndObject();
}

void Encoder::Write(const NetworkView& view, JsonWriter* json) const {
  json->BeginObject();
  WriteEntryMembers(view.entry, json);
  Text(json, "revision", service_->RevisionText(view.revision));
  json->Key("addresses").BeginObject();
  for (size_t state = 1; state < view.counts.size(); ++state) {
    json->Key(kStates[state]).Int(static_cast<int64_t>(view.counts[state]));
  }
  json->EndObject();
  json->EndObject();
}

void Encoder::Write(const TypePlan& plan, JsonWriter* json) const {
  json->BeginObject();
  Text(json, "type", plan.type);
  Text(json, "mode", NameOf(plan.mode));
  json->Key("target").Int(plan.target);
  json->Key("held").Int(plan.held);
  json->Key("forecast").Double(plan.forecast);
  json->Key("spread").Double(plan.spread);
  json->Key("multiple").Double(plan.multiple);
  json->Key("announced").Int(plan.announced);
  json->Key("kept").Double(plan.kept);
  json->Key("target_hit_rate").Double(plan.hit_rate);
  json->Key("raised").Int(plan.raised);
  json->Key("capped").Int(plan.capped);
  json->Key("lead_seconds").Double(absl::ToDoubleSeconds(plan.lead));
  if (plan.signal) Write(*plan.signal, &json->Key("signal"));
  json->EndObject();
}

void Encoder::Write(const SignalPlan& signal, JsonWriter* json) const {
  json->BeginObject();
  json->Key("expected").Int(signal.expected);
  json->Key("chance").Double(signal.chance);
  json->Key("followed").Bool(signal.followed);
  if (signal.worth.known) {
    json->Key("loss_with").Double(signal.worth.with);
    json->Key("loss_without").Double(signal.worth.without);
  }
  if (signal.most) json->Key("most").Int(*signal.most);
  json->Key("rules").BeginArray();
  for (const std::string& rule : signal.rules) json->String(rule);
  json->EndArray().EndObject();
}

void Encoder::Write(const TypeForecast& forecast, JsonWriter* json) const {
  json->BeginObject();
  Text(json, "type", forecast.type);
  if (!forecast.missing.empty()) {
    Text(json, "missing", forecast.missing);
    json->EndObject();
    return;
  }
  json->Key("as_of").Time(forecast.as_of);
  json->Key("steps").Int(forecast.steps);
  json->Key("step_seconds").Int(std::lround(HorizonForecaster::kStepS));
  json->Key("horizons").BeginObject();
  for (const TypeForecast::Horizon& horizon : forecast.horizons) {
    json->Key(absl::StrCat(absl::ToInt64Seconds(horizon.length))).BeginObject();
    for (size_t i = 0; i < kLevels.size(); ++i) json->Key(LevelName(i)).Int(horizon.quantiles[i]);
    json->EndObject();
  }
  json->EndObject().Key("recent").BeginArray();
  for (int64_t count : forecast.recent) json->Int(count);
  json->EndArray().EndObject();
}

void Encoder::Write(const Announced& announced, JsonWriter* json) const {
  json->BeginObject();
  Text(json, "source", announced.id.source);
  Text(json, "id", announced.id.id);
  Text(json, "type", announced.type);
  json->Key("count").Int(announced.count);
  json->Key("at").Time(announced.at);
  json->Key("left").Int(announced.left);
  json->Key("cancelled").Bool(announced.cancelled);
  json->EndObject();
}

void Encoder::WriteConfigMembers(const PoolConfig& config, JsonWriter* json) const {
  Text(json, "name", config.name);
  Text(json, "prefix", config.prefix.ToString());
  json->Key("gateway");
  config.gateway ? json->String(config.gateway->ToString()) : json->Null();
  json->Key("exclude").BeginArray();
  for (const IpRange& range : config.exclude) {
    const std::string first = range.first.ToString();
    json->String(range.first == range.last ? first : absl::StrCat(first, "-", range.last.ToString()));
  }
  json->EndArray();
  Text(json, "strategy", NameOf(config.strategy));
  json->Key("quarantine").Duration(config.quarantine);
  json->Key("headroom").Double(config.headroom);
  json->Key("draining").Bool(config.draining);
}

void Encoder::Write(const PoolConfig& config, JsonWriter* json) const {
  json->BeginObject();
  WriteConfigMembers(config, json);
  json->EndObject();
}

void Encoder::Write(const PoolView& view, JsonWriter* json) const {
  json->BeginObject();
  WriteConfigMembers(view.config, json);
  json->Key("counts").BeginObject();
  json->Key("capacity").Int(AtMostInt64(view.counts.capacity));
  json->Key("free").Int(AtMostInt64(view.counts.free));
  json->Key("shadow").Int(AtMostInt64(view.shadows));
  json->Key("held").Int(AtMostInt64(view.counts.held));
  json->Key("excluded").Int(AtMostInt64(view.counts.excluded));
  json->EndObject();
  Text(json, "revision", service_->RevisionText(view.revision));
  json->EndObject();
}

// Labels are stored as "key=value\n" lines; a key has no '='.
void Encoder::WriteLabels(std::string_view labels, JsonWriter* json) const {
  json->Key("labels").BeginObject();
  for (std::string_view rest = labels; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    Text(json, line.substr(0, equals), line.substr(equals + 1));
  }
  json->EndObject();
}

void Encoder::Write(const std::string& network, const RecordView& view, JsonWriter* json) const {
  const AddressRecord& record = view.record;
  json->BeginObject();
  Text(json, "network", network);
  Text(json, "address", record.address.ToString());
  json->Key("prefix_length").Int(record.length);
  Text(json, "pool", view.pool);
  Text(json, "state", view.exclusion.empty() ? NameOf(record.state) : "excluded");
  if (!view.exclusion.empty()) Text(json, "exclusion", view.exclusion);
  json->Key("mac");
  record.mac.IsNone() ? json->Null() : json->String(record.mac.ToString());
  Text(json, "instance", record.instance);
  Text(json, "type", record.type);
  Text(json, "zone", record.place.zone);
  Text(json, "host", record.place.host);
  json->Key("physical_address");
  view.physical_address ? json->String(view.physical_address->ToString()) : json->Null();
  WriteLabels(record.labels, json);
  Text(json, "generation", service_->RevisionText(record.generation));
  Text(json, "revision", service_->RevisionText(record.revision));
  json->Key("since").Time(record.since);
  json->Key("until").Time(record.until);
  Text(json, "source", record.from_shadow ? "shadow" : "standard");
  if (record.state == AddressState::kShadow || record.state == AddressState::kWithdrawing) {
    Text(json, "warmth", NameOf(record.warmth));
    json->Key("prediction").BeginObject();
    Text(json, "source", record.source);
    Text(json, "id", record.prediction);
    json->Key("resources").BeginObject();
    json->Key("vcpu").Double(record.resources.vcpu);
    json->Key("memory_gb").Double(record.resources.memory_gb);
    json->EndObject();
    json->EndObject();
  }
  json->EndObject();
}

void Encoder::Write(const std::string& network, const InstanceView& view, JsonWriter* json) const {
  const AddressRecord& first = view.addresses.front().record;
  json->BeginObject();
  Text(json, "id", first.instance);
  Text(json, "type", first.type);
  Text(json, "zone", first.place.zone);
  Text(json, "host", first.place.host);
  WriteLabels(first.labels, json);
  Text(json, "mac", first.mac.ToString());
  Text(json, "source", view.hit ? "shadow" : "standard");
  json->Key("addresses").BeginArray();
  for (const RecordView& one : view.addresses) {
    const bool single = one.record.length == MaxLength(one.record.address.family());
    json->BeginObject();
    Text(json, "address", one.record.address.ToString());
    json->Key("prefix_length").Int(single ? one.pool_length : one.record.length);
    json->Key("gateway");
    one.gateway ? json->String(one.gateway->ToString()) : json->Null();
    json->EndObject();
  }
  json->EndArray();
  Text(json, "address", first.address.ToString());
  json->Key("record");
  Write(network, view.addresses.front(), json);
  Text(json, "generation", service_->RevisionText(first.generation));
  Text(json, "revision", service_->RevisionText(view.revision));
  json->EndObject();
}

void Encoder::Write(const PredictionView& view, JsonWriter* json) const {
  const uint32_t now_held = view.fill.held + view.fill.reserved - view.fill.reclaimed;
  json->BeginObject();
  Text(json, "type", view.type);
  Text(json, "zone", view.scope.zone);
  Text(json, "host", view.scope.host);
  json->Key("target").Int(view.fill.target);
  json->Key("held").Int(view.fill.held);
  json->Key("reserved").Int(view.fill.reserved);
  json->Key("reclaimed").Int(view.fill.reclaimed);
  json->Key("shortfall").Int(now_held < view.fill.target ? view.fill.target - now_held : 0);
  Text(json, "reason", view.fill.shortfall);
  json->EndObject();
}

void Encoder::Write(const HostEntry& entry, JsonWriter* json) const {
  json->BeginObject();
  Text(json, "host", entry.name);
  Text(json, "physical_address", entry.physical_address.ToString());
  json->EndObject();
}

}  // namespace gnomon
