// SPDX-License-Identifier: Apache-2.0
#include "store/codec.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "store/envelope.h"
#include "store/fields.h"

namespace gnomon {
namespace {

constexpr char kNetworkByte = 'n';
constexpr size_t kPrefixBytes = 9;
constexpr uint64_t kRecordVersion = 1;
constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max();

// Stored by number: a strategy, state or warmth that is added goes to the end, here too.
static_assert(static_cast<int>(Strategy::kLongestIdle) == 0 && static_cast<int>(Strategy::kLowestFirst) == 1 &&
              static_cast<int>(Strategy::kRandom) == 2);
constexpr Strategy kLastStrategy = Strategy::kRandom;
constexpr AddressState kLastState = AddressState::kWithdrawing;
constexpr Warmth kLastWarmth = Warmth::kReady;

// Whether Prefix(base, length) may be made, and is of one family.
bool IsPrefix(Ip base, int length) {
  if (length < 0 || length > MaxLength(base.family())) return false;
  Prefix prefix = Prefix::Containing(base, length);
  return prefix.base() == base && prefix.last().family() == base.family();
}

// Why no network can hold the record; nullptr if one can.
const char* WhyImpossible(const AddressRecord& record) {
  if (!IsPrefix(record.address, record.length)) return "has an impossible prefix length";
  if (record.state > kLastState || record.warmth > kLastWarmth) return "has an unknown state";
  if (record.partner && record.partner->family() == record.address.family()) return "has a partner of its own family";
  return nullptr;
}

const char* WhyImpossible(const PoolConfig& config) {
  if (config.strategy > kLastStrategy) return "has an unknown strategy";
  return Pool::Validate(config).ok() ? nullptr : "is no possible pool";
}

std::string AddressKey(NetworkId network, Ip address) {
  FieldWriter key(NetworkPrefix(network) + kAddressKind);
  key.Address(address);
  return key.Take();
}

std::string PoolKey(NetworkId network, PoolId pool) {
  FieldWriter key(NetworkPrefix(network) + kPoolKind);
  key.BigEndian(pool, 4);
  return key.Take();
}

std::string PredictionKeyOf(NetworkId network, const PredictionKey& prediction) {
  FieldWriter key(NetworkPrefix(network) + kPredictionKind);
  key.String(prediction.source);
  key.String(prediction.type);
  key.String(prediction.scope.zone);
  key.String(prediction.scope.host);
  return key.Take();
}

// A field is read in the function below the one that writes it, in the same order. (Braces of an initializer keep it.)

Op Encode(NetworkId network, const AddressRecord& record) {
  GNOMON_CHECK(WhyImpossible(record) == nullptr);
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.Varint(static_cast<uint64_t>(record.length));
  value.Varint(record.pool);
  value.Enum(record.state);
  value.Varint(record.revision);
  value.Varint(record.generation);
  value.Time(record.since);
  value.Time(record.until);
  value.Bool(record.used);
  value.Varint(record.mac.bits());
  value.OptionalAddress(record.partner);
  value.String(record.instance);
  value.Bool(record.from_shadow);
  value.String(record.labels);
  value.String(record.type);
  value.String(record.place.zone);
  value.String(record.place.host);
  value.Enum(record.warmth);
  value.String(record.source);
  value.String(record.prediction);
  value.Uses(record.resources);
  return {AddressKey(network, record.address), value.Take()};
}

AddressRecord ReadAddress(FieldReader& key, FieldReader& value) {
  AddressRecord record{
      .address = key.Address(),
      .length = static_cast<int>(value.Varint(128)),
      .pool = static_cast<PoolId>(value.Varint(kMaxU32)),
      .state = value.Enum(kLastState),
      .revision = value.Varint(),
      .generation = value.Varint(),
      .since = value.Time(),
      .until = value.Time(),
      .used = value.Bool(),
      .mac = Mac::FromBits(value.Varint((uint64_t{1} << 48) - 1)),
      .partner = value.OptionalAddress(),
      .instance = value.View(),
      .from_shadow = value.Bool(),
      .labels = value.View(),
      .type = value.View(),
      .place = PlaceView{value.View(), value.View()},
      .warmth = value.Enum(kLastWarmth),
      .source = value.View(),
      .prediction = value.View(),
      .resources = value.Uses(),
  };
  if (const char* why = WhyImpossible(record)) value.Fail(why);
  return record;
}

Op Encode(NetworkId network, const PoolConfig& config) {
  GNOMON_CHECK(WhyImpossible(config) == nullptr);
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.String(config.name);
  value.Address(config.prefix.base());
  value.Varint(static_cast<uint64_t>(config.prefix.length()));
  value.OptionalAddress(config.gateway);
  value.Varint(config.exclude.size());
  for (const IpRange& range : config.exclude) {
    value.Address(range.first);
    value.Address(range.last);
  }
  value.Enum(config.strategy);
  value.Varint(static_cast<uint64_t>(absl::ToInt64Microseconds(config.quarantine)));
  value.Double(config.headroom);
  value.Bool(config.draining);
  return {PoolKey(network, config.id), value.Take()};
}

PoolConfig ReadPool(FieldReader& key, FieldReader& value) {
  PoolConfig config{.id = static_cast<PoolId>(key.BigEndian(4)), .name = value.String()};
  Ip base = value.Address();
  int length = static_cast<int>(value.Varint(128));
  if (!IsPrefix(base, length)) {
    value.Fail("has an impossible prefix length");
    return config;
  }
  config.prefix = Prefix(base, length);
  config.gateway = value.OptionalAddress();
  for (uint64_t ranges = value.Varint(Pool::kMaxExclusions); ranges > 0 && value.ok(); --ranges) {
    Ip first = value.Address();
    config.exclude.push_back({first, value.Address()});
  }
  config.strategy = value.Enum(kLastStrategy);
  config.quarantine = absl::Microseconds(static_cast<int64_t>(value.Varint(kFutureMicros)));
  config.headroom = value.Double();
  config.draining = value.Bool();
  if (const char* why = WhyImpossible(config)) value.Fail(why);
  return config;
}

Op Encode(NetworkId network, const PredictionRecord& record) {
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.String(record.id);
  value.Varint(record.count);
  value.Varint(record.remaining);
  value.Bool(record.additive);
  value.Time(record.until);
  value.Uses(record.resources);
  return {PredictionKeyOf(network, record.key), value.Take()};
}

Op Encode(NetworkId network, const PutPrediction& put) { return Encode(network, *put.record); }

PredictionRecord ReadPrediction(FieldReader& key, FieldReader& value) {
  return {
      .key = {.source = key.String(), .type = key.String(), .scope = {.zone = key.String(), .host = key.String()}},
      .id = value.String(),
      .count = static_cast<uint32_t>(value.Varint(kMaxU32)),
      .remaining = static_cast<uint32_t>(value.Varint(kMaxU32)),
      .additive = value.Bool(),
      .until = value.Time(),
      .resources = value.Uses(),
  };
}

// `expired` is there only where it differs.
NetworkMeta ReadMeta(FieldReader& value) {
  NetworkMeta meta{.revision = value.Varint(), .last_commit = value.Time()};
  if (value.left() == 0) return meta;
  meta.expired = value.Time();
  if (meta.expired == meta.last_commit) value.Fail("has a time that it should leave out");
  return meta;
}

Op Encode(NetworkId network, const ErasedAddress& erased) {
  return {AddressKey(network, erased.address), std::nullopt};
}
Op Encode(NetworkId network, const ErasedPool& erased) { return {PoolKey(network, erased.pool), std::nullopt}; }
Op Encode(NetworkId network, const ErasedPrediction& erased) {
  return {PredictionKeyOf(network, erased.key), std::nullopt};
}

Stored ReadRecord(char kind, FieldReader& key, FieldReader& value) {
  switch (kind) {
    case kAddressKind:
      return ReadAddress(key, value);
    case kPoolKind:
      return ReadPool(key, value);
    case kPredictionKind:
      return ReadPrediction(key, value);
    case kMetaKind:
      return ReadMeta(value);
    default:
      key.Fail("is of an unknown kind");
      return NetworkMeta{};
  }
}

}  // namespace

Op EncodeChange(NetworkId network, const Change& change) {
  return std::visit([network](const auto& what) { return Encode(network, what); }, change);
}

Op EncodeMeta(NetworkId network, const NetworkMeta& meta) {
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.Varint(meta.revision);
  value.Time(meta.last_commit);
  if (absl::ToUnixMicros(meta.expired) != absl::ToUnixMicros(meta.last_commit)) value.Time(meta.expired);
  return {NetworkPrefix(network) + kMetaKind, value.Take()};
}

std::string NetworkPrefix(NetworkId network) {
  FieldWriter prefix;
  prefix.Byte(kNetworkByte);
  prefix.BigEndian(static_cast<uint64_t>(network), 8);
  return prefix.Take();
}

absl::StatusOr<NetworkId> NetworkIdOf(std::string_view key) {
  if (key.size() < kPrefixBytes || key[0] != kNetworkByte) return CorruptRecord(key, "is of no network");
  return NetworkId{FieldReader(key.substr(1)).BigEndian(8)};
}

absl::StatusOr<Stored> Decode(std::string_view key, std::string_view value) {
  if (absl::StatusOr<NetworkId> network = NetworkIdOf(key); !network.ok()) return network.status();
  FieldReader key_reader(key.substr(kPrefixBytes)), reader(value);
  const char kind = static_cast<char>(key_reader.Byte());
  const uint64_t version = reader.Varint();
  if (key_reader.ok() && version > kRecordVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_TOO_NEW",
                 absl::StrCat("record \"", PrintableKey(key), "\" has version ", version,
                              " of its fields, this program knows ", kRecordVersion))
        .Hint(absl::StrCat("run the program that wrote it, or: ", kCorruptHint));
  }
  if (version == 0) reader.Fail("has version 0");
  Stored stored = ReadRecord(kind, key_reader, reader);
  key_reader.Finish();
  reader.Finish();
  if (!key_reader.ok()) return CorruptRecord(key, absl::StrCat("has a malformed key: it ", key_reader.why()));
  if (!reader.ok()) return CorruptRecord(key, reader.why());
  return stored;
}

}  // namespace gnomon
