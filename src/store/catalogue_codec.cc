// SPDX-License-Identifier: Apache-2.0
#include "store/catalogue_codec.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "store/envelope.h"
#include "store/fields.h"

namespace gnomon {
namespace {

constexpr char kHostKind = 'h', kMetaKind = 'm', kNetworkKind = 'n';
constexpr uint64_t kRecordVersion = 1;
constexpr uint64_t kNetworkVersion = 3;  // 1 had no prediction mode and no hit rate, 2 nothing that comes after these
// Which of a type's settings follow.
constexpr uint64_t kHasMode = 1, kHasHitRate = 2, kHasCosts = 4, kHasMin = 8, kHasMax = 16, kHasAll = 31;

FieldWriter Key(char kind) {
  FieldWriter key{std::string(kCataloguePrefix)};
  key.Byte(kind);
  return key;
}

std::string NetworkKey(NetworkId id) {
  FieldWriter key = Key(kNetworkKind);
  key.BigEndian(static_cast<uint64_t>(id), 8);
  return key.Take();
}

std::string HostKey(std::string_view name) {
  FieldWriter key = Key(kHostKind);
  key.String(name);
  return key.Take();
}

void Write(const Costs& costs, FieldWriter* value) {
  value->Double(costs.miss);
  value->Double(costs.idle);
}

void Write(const TypeSettings& set, FieldWriter* value) {
  value->Varint((set.mode ? kHasMode : 0) | (set.hit_rate ? kHasHitRate : 0) | (set.costs ? kHasCosts : 0) |
                (set.min_shadows ? kHasMin : 0) | (set.max_shadows ? kHasMax : 0));
  if (set.mode) value->Enum(*set.mode);
  if (set.hit_rate) value->Double(*set.hit_rate);
  if (set.costs) Write(*set.costs, value);
  if (set.min_shadows) value->Varint(*set.min_shadows);
  if (set.max_shadows) value->Varint(*set.max_shadows);
}

Op Encode(const NetworkEntry& entry) {
  FieldWriter value;
  value.Varint(kNetworkVersion);
  value.String(entry.name);
  value.String(entry.account);
  value.Varint(entry.vni);
  value.Varint(entry.warm.target);
  value.Varint(entry.warm.by_type.size());
  for (const auto& [type, target] : entry.warm.by_type) {
    value.String(type);
    value.Varint(target);
  }
  value.Bool(entry.deleting);
  value.Enum(entry.warm.mode);
  value.Double(entry.warm.hit_rate);
  value.Bool(entry.warm.costs.has_value());
  if (entry.warm.costs) Write(*entry.warm.costs, &value);
  value.Varint(entry.warm.min_shadows);
  value.Varint(entry.warm.max_shadows);
  value.Varint(entry.warm.types.size());
  for (const auto& [type, settings] : entry.warm.types) {
    value.String(type);
    Write(settings, &value);
  }
  return {NetworkKey(entry.id), value.Take()};
}

Op Encode(const HostEntry& entry) {
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.Address(entry.physical_address);
  return {HostKey(entry.name), value.Take()};
}

Op Encode(const ErasedNetwork& erased) { return {NetworkKey(erased.id), std::nullopt}; }
Op Encode(const ErasedHost& erased) { return {HostKey(erased.name), std::nullopt}; }

WarmPool ReadWarmPool(FieldReader& value) {
  WarmPool warm{.target = static_cast<uint32_t>(value.Varint(Catalogue::kMaxWarmTarget))};
  for (uint64_t left = value.Varint(Catalogue::kMaxWarmTypes); left > 0 && value.ok(); --left) {
    const std::string type = value.String();
    warm.by_type[type] = static_cast<uint32_t>(value.Varint(Catalogue::kMaxWarmTarget));
  }
  return warm;
}

double ReadHitRate(FieldReader& value) {
  const double rate = value.Double();
  if (!(rate >= Catalogue::kMinHitRate && rate <= Catalogue::kMaxHitRate)) value.Fail("has a hit rate that is out of range");
  return rate;
}

Costs ReadCosts(FieldReader& value) {
  Costs costs{.miss = value.Double()};
  costs.idle = value.Double();
  if (!(costs.miss > 0 && costs.idle > 0)) value.Fail("has costs that are not above zero");
  return costs;
}

TypeSettings ReadSettings(FieldReader& value) {
  TypeSettings set;
  const uint64_t has = value.Varint(kHasAll);
  if ((has & kHasMode) != 0) set.mode = value.Enum(PredictionMode::kReserve);
  if ((has & kHasHitRate) != 0) set.hit_rate = ReadHitRate(value);
  if ((has & kHasCosts) != 0) set.costs = ReadCosts(value);
  if ((has & kHasMin) != 0) set.min_shadows = static_cast<uint32_t>(value.Varint(Catalogue::kMaxWarmTarget));
  if ((has & kHasMax) != 0) set.max_shadows = static_cast<uint32_t>(value.Varint(Network::kMaxPredicted));
  return set;
}

void ReadPlanSettings(FieldReader& value, WarmPool* warm) {
  if (value.Bool()) warm->costs = ReadCosts(value);
  warm->min_shadows = static_cast<uint32_t>(value.Varint(Catalogue::kMaxWarmTarget));
  warm->max_shadows = static_cast<uint32_t>(value.Varint(Network::kMaxPredicted));
  for (uint64_t left = value.Varint(Catalogue::kMaxWarmTypes); left > 0 && value.ok(); --left) {
    const std::string type = value.String();
    warm->types[type] = ReadSettings(value);
  }
}

StoredCatalogue Read(char kind, uint64_t version, FieldReader& key, FieldReader& value) {
  if (kind == kMetaKind) {
    CatalogueMeta meta{.last_id = NetworkId{value.Varint()}};
    meta.time = value.Time();
    return meta;
  }
  if (kind == kHostKind) {
    HostEntry host{.name = key.String()};
    host.physical_address = value.Address();
    return host;
  }
  if (kind != kNetworkKind) key.Fail("is of an unknown kind");
  NetworkEntry network{.id = NetworkId{key.BigEndian(8)}};
  network.name = value.String();
  network.account = value.String();
  network.vni = static_cast<uint32_t>(value.Varint(Catalogue::kMaxVni));
  network.warm = ReadWarmPool(value);
  network.deleting = value.Bool();
  if (version == 1) return network;
  network.warm.mode = value.Enum(PredictionMode::kReserve);
  network.warm.hit_rate = ReadHitRate(value);
  if (version > 2) ReadPlanSettings(value, &network.warm);
  return network;
}

}  // namespace

Op EncodeCatalogueChange(const CatalogueChange& change) {
  return std::visit([](const auto& what) { return Encode(what); }, change);
}

Op EncodeCatalogueMeta(const CatalogueMeta& meta) {
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.Varint(static_cast<uint64_t>(meta.last_id));
  value.Time(meta.time);
  return {Key(kMetaKind).Take(), value.Take()};
}

absl::StatusOr<StoredCatalogue> DecodeCatalogue(std::string_view key, std::string_view value) {
  if (!key.starts_with(kCataloguePrefix)) return CorruptRecord(key, "is not of the catalogue");
  FieldReader key_reader(key.substr(kCataloguePrefix.size())), reader(value);
  const char kind = static_cast<char>(key_reader.Byte());
  const uint64_t version = reader.Varint();
  const uint64_t known = kind == kHostKind || kind == kMetaKind ? kRecordVersion : kNetworkVersion;
  if (version > known) {
    return Error(
               absl::StatusCode::kFailedPrecondition, "STORE_TOO_NEW",
               absl::StrCat("record \"", PrintableKey(key), "\" has version ", version, ", this program knows ", known))
        .Hint("run the program that wrote it");
  }
  if (version == 0) reader.Fail("has version 0");
  StoredCatalogue stored = Read(kind, version, key_reader, reader);
  key_reader.Finish();
  reader.Finish();
  if (!key_reader.ok()) return CorruptRecord(key, absl::StrCat("has a malformed key: it ", key_reader.why()));
  if (!reader.ok()) return CorruptRecord(key, reader.why());
  return stored;
}

}  // namespace gnomon
