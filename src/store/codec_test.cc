// SPDX-License-Identifier: Apache-2.0
#include "store/codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "gtest/gtest.h"
#include "store/envelope.h"

namespace gnomon {
namespace {

constexpr NetworkId kNetwork{0x0102030405060708};
constexpr uint64_t kMaxU64 = std::numeric_limits<uint64_t>::max();
constexpr uint32_t kMaxU32 = std::numeric_limits<uint32_t>::max();

Ip IpOf(std::string_view text) { return Ip::Parse(text).value(); }
Prefix PrefixOf(std::string_view text) { return Prefix::Parse(text).value(); }
absl::Time At(int64_t micros) { return absl::FromUnixMicros(micros); }

Op Encode(NetworkId network, const Stored& stored) {
  struct Visitor {
    NetworkId network;
    Op operator()(const NetworkMeta& meta) const { return EncodeMeta(network, meta); }
    Op operator()(const AddressRecord& record) const { return EncodeChange(network, record); }
    Op operator()(const PoolConfig& config) const { return EncodeChange(network, config); }
    Op operator()(const PredictionRecord& record) const { return EncodeChange(network, PutPrediction{&record}); }
  };
  return std::visit(Visitor{network}, stored);
}

AddressRecord FullAddress() {
  return {.address = IpOf("10.0.0.5"), .length = 32, .pool = 7, .state = AddressState::kShadow, .revision = 300,
          .generation = 299, .since = At(1'700'000'000'000'000), .until = At(1'700'000'060'000'000), .used = true,
          .mac = Mac::FromBits(0x02000a000005), .partner = IpOf("2001:db8::5"), .instance = "vm-1", .from_shadow = true,
          .labels = "a=b\nc=d\n", .type = "web", .place = {"z", "h"}, .warmth = Warmth::kReady,
          .source = "daily", .prediction = "p-1", .resources = {.vcpu = 2.5, .memory_gb = 8}};
}

PoolConfig FullPool() {
  return {.id = 7, .name = "main", .prefix = PrefixOf("10.0.0.0/24"), .gateway = IpOf("10.0.0.1"),
          .exclude = {{IpOf("10.0.0.2"), IpOf("10.0.0.3")}, {IpOf("10.0.0.254"), IpOf("10.0.0.254")}},
          .strategy = Strategy::kRandom, .quarantine = absl::Seconds(90), .headroom = 0.25, .draining = true};
}

PredictionRecord FullPrediction() {
  return {.key = {.source = "daily", .type = "web", .scope = {.zone = "z", .host = "h"}}, .id = "p-1", .count = 300,
          .remaining = 2, .additive = true, .until = At(1'700'000'000'000'001), .resources = {2, 4}};
}

// One of each kind, every field of them other than its default.
std::vector<Stored> FullOnes() {
  return {FullAddress(), FullPool(), FullPrediction(), NetworkMeta{.revision = 300, .last_commit = At(-5)}};
}

std::vector<Stored> ExtremeOnes() {
  static const std::string all_bytes = [] {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
    return bytes;
  }();
  static const std::string long_labels(100'000, 'l'), nul(1, '\0');
  const absl::Time latest = At(std::numeric_limits<int64_t>::max() - 1);
  const absl::Time earliest = At(std::numeric_limits<int64_t>::min() + 1);
  std::vector<Stored> all = FullOnes();
  all.push_back(AddressRecord{.address = Ip::V4(0), .resources = {.vcpu = -0.0, .memory_gb = 5e-324}});
  all.push_back(AddressRecord{.address = Ip::V4(0), .length = 0, .since = earliest, .until = latest});
  all.push_back(AddressRecord{.address = Ip::FromBits(absl::Uint128Max()), .length = 128, .pool = kMaxU32,
                              .state = AddressState::kWithdrawing, .revision = kMaxU64, .generation = kMaxU64,
                              .since = absl::InfiniteFuture(), .until = absl::InfinitePast(),
                              .mac = Mac::FromBits(0xffffffffffff), .partner = Ip::V4(kMaxU32), .instance = all_bytes,
                              .labels = long_labels, .type = nul,
                              .place = {all_bytes, ""},
                              .resources = {.vcpu = std::numeric_limits<double>::infinity(), .memory_gb = 1.7e308}});
  all.push_back(AddressRecord{.address = IpOf("8000::"), .length = 1, .until = At(0)});
  all.push_back(PoolConfig{.prefix = PrefixOf("0.0.0.0/8"), .quarantine = absl::ZeroDuration(), .headroom = 0});
  PoolConfig wide{.id = kMaxU32, .name = all_bytes, .prefix = PrefixOf("ffff:ffff:ffff::/48"),
                  .gateway = Ip::FromBits(absl::Uint128Max()), .strategy = Strategy::kLowestFirst,
                  .quarantine = Pool::kMaxQuarantine, .headroom = 1};
  wide.exclude.assign(Pool::kMaxExclusions, {wide.prefix.base(), wide.prefix.last()});
  all.push_back(wide);
  all.push_back(PredictionRecord{});
  all.push_back(PredictionRecord{.key = {.source = all_bytes, .type = "", .scope = {.zone = all_bytes}},
                                 .count = kMaxU32, .remaining = kMaxU32, .until = absl::InfiniteFuture()});
  all.push_back(NetworkMeta{});
  all.push_back(NetworkMeta{.revision = kMaxU64, .last_commit = absl::InfiniteFuture()});
  return all;
}

TEST(CodecTest, EveryKindComesBackWithItsExtremes) {
  const NetworkId networks[] = {NetworkId{0}, kNetwork, NetworkId{kMaxU64}};
  for (NetworkId network : networks) {
    for (const Stored& stored : ExtremeOnes()) {
      Op op = Encode(network, stored);
      SCOPED_TRACE(PrintableKey(op.key));
      ASSERT_TRUE(op.value.has_value());
      absl::StatusOr<Stored> back = Decode(op.key, *op.value);
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_TRUE(*back == stored);
      EXPECT_EQ(NetworkIdOf(op.key).value(), network);
      EXPECT_TRUE(op.key.starts_with(NetworkPrefix(network)));
    }
  }
}

TEST(CodecTest, DoublesKeepTheirBits) {
  AddressRecord record = FullAddress();
  record.resources = {.vcpu = -0.0, .memory_gb = std::nan("5")};
  Op op = EncodeChange(kNetwork, record);
  AddressRecord back = std::get<AddressRecord>(Decode(op.key, *op.value).value());
  EXPECT_TRUE(std::signbit(back.resources.vcpu));
  EXPECT_EQ(std::bit_cast<uint64_t>(back.resources.memory_gb), std::bit_cast<uint64_t>(record.resources.memory_gb));
}

TEST(CodecTest, TimesAreRoundedDownToMicrosecondsAndSaturate) {
  struct Case {
    absl::Time time, want;
  };
  const Case cases[] = {{At(5) + absl::Nanoseconds(999), At(5)},
                        {At(-5) - absl::Nanoseconds(1), At(-6)},
                        {At(std::numeric_limits<int64_t>::max()) + absl::Hours(1), absl::InfiniteFuture()},
                        {At(std::numeric_limits<int64_t>::min()) - absl::Hours(1), absl::InfinitePast()}};
  for (const Case& c : cases) {
    Op op = EncodeMeta(kNetwork, {.revision = 1, .last_commit = c.time});
    EXPECT_EQ(std::get<NetworkMeta>(Decode(op.key, *op.value).value()).last_commit, c.want);
  }
}

TEST(CodecTest, BytesAreThoseOfTheFormat) {
  const std::string prefix("n\x01\x02\x03\x04\x05\x06\x07\x08", 9);
  EXPECT_EQ(NetworkPrefix(kNetwork), prefix);
  Op meta = EncodeMeta(kNetwork, {.revision = 300, .last_commit = At(0x0807)});
  EXPECT_EQ(meta.key, prefix + "m");
  EXPECT_EQ(*meta.value, std::string("\x01\xac\x02\x07\x08\0\0\0\0\0\0", 11));
  EXPECT_EQ(EncodeChange(kNetwork, FullAddress()).key,
            prefix + std::string("a" "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x05", 17));
  EXPECT_EQ(EncodeChange(kNetwork, FullPool()).key, prefix + std::string("p\0\0\0\x07", 5));
  const PredictionRecord full = FullPrediction();
  EXPECT_EQ(EncodeChange(kNetwork, PutPrediction{&full}).key, prefix + "q\x05" "daily\x03web\x01z\x01h");
}

TEST(CodecTest, ErasureErasesTheKeyOfWhatWasPut) {
  auto expect = [](const Change& erased, const Change& put) {
    Op op = EncodeChange(kNetwork, erased);
    EXPECT_EQ(op.key, EncodeChange(kNetwork, put).key);
    EXPECT_FALSE(op.value.has_value());
  };
  expect(ErasedAddress{FullAddress().address}, FullAddress());
  expect(ErasedPool{FullPool().id}, FullPool());
  const PredictionRecord full = FullPrediction();
  expect(ErasedPrediction{full.key}, PutPrediction{&full});
}

TEST(CodecTest, KeysOrderByNetworkThenAddress) {
  const uint64_t ids[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, uint64_t{1} << 32, uint64_t{1} << 63, kMaxU64};
  const char* const ips[] = {"::", "0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.255", "10.0.1.0", "255.255.255.255",
                             "2001:db8::", "2001:db8::ff", "2001:db8::1:0", "ffff::"};
  std::vector<std::string> keys;
  for (uint64_t id : ids) {
    for (const char* ip : ips) keys.push_back(EncodeChange(NetworkId{id}, ErasedAddress{IpOf(ip)}).key);
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end(), std::less_equal<>()));  // strictly
  for (const std::string& key : keys) EXPECT_NE(key[0], kReservedKeyByte);
}

TEST(CodecTest, PredictionsOfLikeNamesHaveKeysOfTheirOwn) {
  auto key = [](std::string source, std::string type, Place scope) {
    return EncodeChange(kNetwork, ErasedPrediction{{source, type, scope}}).key;
  };
  std::vector<std::string> keys = {key("ab", "c", {}), key("a", "bc", {}), key("", "abc", {}), key("ab", "", {"c", ""}),
                                   key("ab", "", {"", "c"})};
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
}

void ExpectCorrupt(std::string_view key, std::string_view value) {
  absl::StatusOr<Stored> stored = Decode(key, value);
  EXPECT_EQ(stored.status().code(), absl::StatusCode::kDataLoss) << PrintableKey(key);
  EXPECT_EQ(CodeOf(stored.status()), "STORE_CORRUPT");
  EXPECT_NE(std::string(stored.status().message()).find(PrintableKey(key)), std::string::npos) << stored.status();
}

TEST(CodecTest, TheTimeThatExpiryHasReachedIsStoredOnlyWhereItDiffers) {
  const NetworkMeta paused{.revision = 3, .last_commit = At(9), .expired = At(5)};
  const Op op = EncodeMeta(kNetwork, paused), plain = EncodeMeta(kNetwork, {.revision = 3, .last_commit = At(9)});
  EXPECT_EQ(std::get<NetworkMeta>(Decode(op.key, *op.value).value()), paused);
  EXPECT_EQ(std::get<NetworkMeta>(Decode(op.key, *plain.value).value()).expired, At(9));
  ExpectCorrupt(op.key, *plain.value + plain.value->substr(plain.value->size() - 8));
}

TEST(CodecTest, AnyCutOrAddedByteIsRefused) {
  for (const Stored& stored : FullOnes()) {
    Op op = Encode(kNetwork, stored);
    // Copies of just the size, so that a read past the end is one past an allocation.
    for (size_t size = 0; size < op.value->size(); ++size) {
      const std::vector<char> cut(op.value->begin(), op.value->begin() + static_cast<std::ptrdiff_t>(size));
      ExpectCorrupt(op.key, std::string_view(cut.data(), cut.size()));
    }
    for (size_t size = 0; size < op.key.size(); ++size) {
      const std::vector<char> cut(op.key.begin(), op.key.begin() + static_cast<std::ptrdiff_t>(size));
      ExpectCorrupt(std::string_view(cut.data(), cut.size()), *op.value);
    }
    ExpectCorrupt(op.key, *op.value + '\0');
    ExpectCorrupt(op.key + '\0', *op.value);
  }
}

// Loads a network of one record of each kind, `stored` in place of its kind's, and lets it run. It may contradict the
// others, but must not make a CHECK fail.
absl::Status LoadAndRun(const Stored& stored) {
  const auto* pool = std::get_if<PoolConfig>(&stored);
  const auto* record = std::get_if<AddressRecord>(&stored);
  const auto* prediction = std::get_if<PredictionRecord>(&stored);
  const auto* meta = std::get_if<NetworkMeta>(&stored);
  AddressRecord partner = FullAddress();
  partner.address = *FullAddress().partner;
  partner.partner = FullAddress().address;
  partner.length = 128;
  partner.pool = 8;

  Network network{kNetwork};
  GNOMON_RETURN_IF_ERROR(network.LoadPool(pool ? *pool : FullPool()));
  GNOMON_RETURN_IF_ERROR(network.LoadPool(PoolConfig{.id = 8, .prefix = PrefixOf("2001:db8::/64")}));
  GNOMON_RETURN_IF_ERROR(network.LoadRecord(record ? *record : FullAddress()));
  GNOMON_RETURN_IF_ERROR(network.LoadRecord(partner));
  GNOMON_RETURN_IF_ERROR(network.LoadPrediction(prediction ? *prediction : FullPrediction()));
  GNOMON_RETURN_IF_ERROR(network.FinishLoad(meta ? meta->revision : 300, meta ? meta->last_commit : At(0)));
  Changes changes;
  network.Advance(At(1'700'000'100'000'000), &changes);
  for (const Change& change : changes) EncodeChange(kNetwork, change);
  return absl::OkStatus();
}

TEST(CodecTest, AnyChangedByteIsRefusedOrIsAnotherRecordThatLoads) {
  for (const Stored& stored : FullOnes()) {
    const Op op = Encode(kNetwork, stored);
    ASSERT_EQ(LoadAndRun(stored), absl::OkStatus());
    int accepted = 0;
    for (size_t at = 0; at < op.key.size() + op.value->size(); ++at) {
      for (int flip = 1; flip < 256; ++flip) {
        Op changed = op;
        char& byte = at < op.key.size() ? changed.key[at] : (*changed.value)[at - op.key.size()];
        byte = static_cast<char>(byte ^ flip);
        absl::StatusOr<Stored> back = Decode(changed.key, *changed.value);
        if (!back.ok()) {
          const std::string code = CodeOf(back.status());
          ASSERT_TRUE(code == "STORE_CORRUPT" || (code == "STORE_TOO_NEW" && at == op.key.size())) << code;
          continue;
        }
        ++accepted;
        // No two encodings of one record: nothing that was changed is overlooked.
        const Op again = Encode(NetworkIdOf(changed.key).value(), *back);
        ASSERT_EQ(again.key, changed.key) << "byte " << at;
        ASSERT_EQ(*again.value, *changed.value) << "byte " << at;
        const absl::Status loaded = LoadAndRun(*back);
        ASSERT_TRUE(loaded.ok() || CodeOf(loaded) == "STORE_CONTRADICTS") << loaded;
      }
    }
    EXPECT_GT(accepted, 0);
  }
}

TEST(CodecTest, ImpossibleFieldsAreRefused) {
  const Op address = EncodeChange(kNetwork, FullAddress());
  auto changed = [&](size_t at, char byte) {
    std::string value = *address.value;
    value[at] = byte;
    return value;
  };
  ExpectCorrupt(address.key, changed(0, 0));           // version
  ExpectCorrupt(address.key, changed(1, 33));          // longer than IPv4 has
  ExpectCorrupt(address.key, changed(1, 31));          // 10.0.0.5 has a host bit then
  ExpectCorrupt(address.key, changed(3, 6));           // state

  Op block = EncodeChange(kNetwork, AddressRecord{.address = Ip(), .length = 96});
  EXPECT_TRUE(Decode(block.key, *block.value).ok());
  (*block.value)[1] = 80;  // ::/80 ends in the IPv4-mapped addresses
  ExpectCorrupt(block.key, *block.value);

  const Op pool = EncodeChange(kNetwork, FullPool());
  const size_t length_at = 1 + 5 + 16;
  for (int length = 0; length < 128; ++length) {
    std::string value = *pool.value;
    value[length_at] = static_cast<char>(length);
    // 10.0.0.0 is a base down to /7, but a pool is at most a /8; the last exclusion asks for a /24 or shorter.
    EXPECT_EQ(Decode(pool.key, value).ok(), length >= 8 && length <= 24) << length;
  }
}

TEST(CodecTest, NumbersInLongerFormsAreRefused) {
  const std::string key = NetworkPrefix(kNetwork) + kMetaKind, time(8, '\0');
  EXPECT_TRUE(Decode(key, "\x01\x05" + time).ok());
  EXPECT_TRUE(Decode(key, "\x01" + std::string(9, '\xff') + "\x01" + time).ok());  // 2^64 - 1
  ExpectCorrupt(key, "\x01\x85" + std::string(1, '\0') + time);
  ExpectCorrupt(key, "\x01" + std::string(9, '\xff') + "\x02" + time);
  ExpectCorrupt(key, "\x01" + std::string(10, '\xff') + "\x01" + time);
  ExpectCorrupt(key, "\x01" + std::string(10, '\x80') + "\x01" + time);
}

TEST(CodecTest, LengthBeyondTheValueAllocatesNothing) {
  const std::string key = EncodeChange(kNetwork, FullPool()).key;
  ExpectCorrupt(key, "\x01" + std::string(9, '\xff') + "\x01name");
}

TEST(CodecTest, KeysThatAreNobodysAreRefused) {
  const std::string value = *EncodeMeta(kNetwork, {}).value;
  const std::string keys[] = {"", "n", "m12345678m", "n12345678", "n12345678x", "n1234567", "n12345678mm"};
  for (const std::string& key : keys) ExpectCorrupt(key, value);
  EXPECT_EQ(CodeOf(NetworkIdOf("n1234567").status()), "STORE_CORRUPT");
  EXPECT_EQ(CodeOf(NetworkIdOf("x12345678").status()), "STORE_CORRUPT");
}

TEST(CodecTest, NewerRecordIsNotCalledDamage) {
  Op op = EncodeMeta(kNetwork, {});
  (*op.value)[0] = 2;
  absl::StatusOr<Stored> stored = Decode(op.key, *op.value + "of a later program");
  EXPECT_EQ(stored.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(stored.status()), "STORE_TOO_NEW");
}

TEST(CodecDeathTest, RecordThatCouldNotBeReadBackIsNotWritten) {
  AddressRecord record = FullAddress();
  record.length = 24;
  EXPECT_DEATH(EncodeChange(kNetwork, record), "");
  PoolConfig config = FullPool();
  config.headroom = 2;
  EXPECT_DEATH(EncodeChange(kNetwork, config), "");
}

}  // namespace
}  // namespace gnomon
