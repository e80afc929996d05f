// SPDX-License-Identifier: Apache-2.0
#include "store/codec.h"

#include <bit>
#include <limits>
#include <optional>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "store/envelope.h"

namespace gnomon {
namespace {

constexpr char kNetworkByte = 'n';
constexpr size_t kPrefixBytes = 9;
constexpr uint64_t kRecordVersion = 1;
constexpr int64_t kPast = std::numeric_limits<int64_t>::min(), kFuture = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max(), kMaxU64 = std::numeric_limits<uint64_t>::max();

// Stored by number: a strategy, state or warmth that is added goes to the end, here too.
static_assert(static_cast<int>(Strategy::kLongestIdle) == 0 && static_cast<int>(Strategy::kLowestFirst) == 1 &&
              static_cast<int>(Strategy::kRandom) == 2);
constexpr Strategy kLastStrategy = Strategy::kRandom;
constexpr AddressState kLastState = AddressState::kWithdrawing;
constexpr Warmth kLastWarmth = Warmth::kReady;

// A Writer appends fields to a key or value.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::string head) : out_(std::move(head)) {}

  void Byte(char byte) { out_.push_back(byte); }
  void Bool(bool value) { Byte(value ? 1 : 0); }
  void Varint(uint64_t number) {
    for (; number >= 0x80; number >>= 7) Byte(static_cast<char>(0x80 | (number & 0x7f)));
    Byte(static_cast<char>(number));
  }
  template <typename E>
  void Enum(E value) {
    Varint(static_cast<uint64_t>(value));
  }
  void BigEndian(uint64_t number, int bytes) {
    for (int shift = 8 * bytes - 8; shift >= 0; shift -= 8) Byte(static_cast<char>(number >> shift));
  }
  void Address(Ip ip) {
    BigEndian(absl::Uint128High64(ip.bits()), 8);
    BigEndian(absl::Uint128Low64(ip.bits()), 8);
  }
  void OptionalAddress(const std::optional<Ip>& ip) {
    Bool(ip.has_value());
    if (ip) Address(*ip);
  }
  void Fixed64(uint64_t number) { AppendU64(&out_, number); }
  void Double(double value) { Fixed64(std::bit_cast<uint64_t>(value)); }
  // ToUnixMicros gives kPast and kFuture for the infinite times, and for what it cannot hold.
  void Time(absl::Time time) { Fixed64(static_cast<uint64_t>(absl::ToUnixMicros(time))); }
  void String(std::string_view text) {
    Varint(text.size());
    out_.append(text);
  }
  void Uses(const Resources& resources) {
    Double(resources.vcpu);
    Double(resources.memory_gb);
  }

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// A Reader takes fields from the front of a key or value. After the first failure it gives zeros and empty strings, and
// `why` says what was wrong.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  uint8_t Byte() { return static_cast<uint8_t>(Bytes(1, "ends early")[0]); }
  bool Bool() {
    uint8_t byte = Byte();
    if (byte > 1) Fail("has a flag that is neither 0 nor 1");
    return byte == 1;
  }
  // At most `max`, in its shortest form.
  uint64_t Varint(uint64_t max = kMaxU64) {
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && ok(); shift += 7) {
      uint8_t byte = Byte();
      uint64_t part = byte & 0x7f;
      if ((part << shift) >> shift != part) break;
      number |= part << shift;
      if (byte >= 0x80) continue;
      if (!ok() || number > max || (byte == 0 && shift > 0)) break;
      return number;
    }
    Fail("has a number that is out of range, or not in its shortest form");
    return 0;
  }
  template <typename E>
  E Enum(E last) {
    return static_cast<E>(Varint(static_cast<uint64_t>(last)));
  }
  uint64_t BigEndian(size_t bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; ++i) number = number << 8 | Byte();
    return number;
  }
  Ip Address() {
    uint64_t high = BigEndian(8);
    return Ip::FromBits(absl::MakeUint128(high, BigEndian(8)));
  }
  std::optional<Ip> OptionalAddress() { return Bool() ? std::optional<Ip>(Address()) : std::nullopt; }
  uint64_t Fixed64() { return ReadU64(Bytes(8, "ends early")); }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  absl::Time Time() {
    int64_t micros = static_cast<int64_t>(Fixed64());
    if (micros == kPast) return absl::InfinitePast();
    return micros == kFuture ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
  }
  std::string String() {
    uint64_t size = Varint();
    if (size <= rest_.size()) return std::string(Skip(size));
    Fail("has a text that is longer than the record");
    return std::string();
  }
  Resources Uses() {
    double vcpu = Double();
    return {.vcpu = vcpu, .memory_gb = Double()};
  }

  void Finish() {
    if (!rest_.empty()) Fail("has bytes after its end");
  }
  void Fail(const char* why) {
    if (ok()) why_ = why;
    rest_ = {};
  }
  bool ok() const { return why_ == nullptr; }
  const char* why() const { return why_; }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view Skip(size_t count) {
    std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view Bytes(size_t count, const char* why) {  // count: at most 8
    static constexpr std::string_view kZeros("\0\0\0\0\0\0\0\0", 8);
    if (count <= rest_.size()) return Skip(count);
    Fail(why);
    return kZeros.substr(0, count);
  }

  std::string_view rest_;
  const char* why_ = nullptr;
};

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
  Writer key(NetworkPrefix(network) + kAddressKind);
  key.Address(address);
  return key.Take();
}

std::string PoolKey(NetworkId network, PoolId pool) {
  Writer key(NetworkPrefix(network) + kPoolKind);
  key.BigEndian(pool, 4);
  return key.Take();
}

std::string PredictionKeyOf(NetworkId network, const PredictionKey& prediction) {
  Writer key(NetworkPrefix(network) + kPredictionKind);
  key.String(prediction.source);
  key.String(prediction.type);
  key.String(prediction.scope.zone);
  key.String(prediction.scope.host);
  return key.Take();
}

// A field is read in the function below the one that writes it, in the same order. (Braces of an initializer keep it.)

Op Encode(NetworkId network, const AddressRecord& record) {
  GNOMON_CHECK(WhyImpossible(record) == nullptr);
  Writer value;
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

AddressRecord ReadAddress(Reader& key, Reader& value) {
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
      .instance = value.String(),
      .from_shadow = value.Bool(),
      .labels = value.String(),
      .type = value.String(),
      .place = {.zone = value.String(), .host = value.String()},
      .warmth = value.Enum(kLastWarmth),
      .source = value.String(),
      .prediction = value.String(),
      .resources = value.Uses(),
  };
  if (const char* why = WhyImpossible(record)) value.Fail(why);
  return record;
}

Op Encode(NetworkId network, const PoolConfig& config) {
  GNOMON_CHECK(WhyImpossible(config) == nullptr);
  Writer value;
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

PoolConfig ReadPool(Reader& key, Reader& value) {
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
  config.quarantine = absl::Microseconds(static_cast<int64_t>(value.Varint(kFuture)));
  config.headroom = value.Double();
  config.draining = value.Bool();
  if (const char* why = WhyImpossible(config)) value.Fail(why);
  return config;
}

Op Encode(NetworkId network, const PredictionRecord& record) {
  Writer value;
  value.Varint(kRecordVersion);
  value.String(record.id);
  value.Varint(record.count);
  value.Varint(record.remaining);
  value.Bool(record.additive);
  value.Time(record.until);
  value.Uses(record.resources);
  return {PredictionKeyOf(network, record.key), value.Take()};
}

PredictionRecord ReadPrediction(Reader& key, Reader& value) {
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

NetworkMeta ReadMeta(Reader& value) { return {.revision = value.Varint(), .last_commit = value.Time()}; }

Op Encode(NetworkId network, const ErasedAddress& erased) {
  return {AddressKey(network, erased.address), std::nullopt};
}
Op Encode(NetworkId network, const ErasedPool& erased) { return {PoolKey(network, erased.pool), std::nullopt}; }
Op Encode(NetworkId network, const ErasedPrediction& erased) {
  return {PredictionKeyOf(network, erased.key), std::nullopt};
}

Stored ReadRecord(char kind, Reader& key, Reader& value) {
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
  Writer value;
  value.Varint(kRecordVersion);
  value.Varint(meta.revision);
  value.Time(meta.last_commit);
  return {NetworkPrefix(network) + kMetaKind, value.Take()};
}

std::string NetworkPrefix(NetworkId network) {
  Writer prefix;
  prefix.Byte(kNetworkByte);
  prefix.BigEndian(static_cast<uint64_t>(network), 8);
  return prefix.Take();
}

absl::StatusOr<NetworkId> NetworkIdOf(std::string_view key) {
  if (key.size() < kPrefixBytes || key[0] != kNetworkByte) return CorruptRecord(key, "is of no network");
  return NetworkId{Reader(key.substr(1)).BigEndian(8)};
}

absl::StatusOr<Stored> Decode(std::string_view key, std::string_view value) {
  if (absl::StatusOr<NetworkId> network = NetworkIdOf(key); !network.ok()) return network.status();
  Reader key_reader(key.substr(kPrefixBytes)), reader(value);
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
