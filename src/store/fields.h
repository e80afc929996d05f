// SPDX-License-Identifier: Apache-2.0
//
// A FieldWriter and a FieldReader are the two ends of a stored key or value: the same fields, in the same order.
//
// The bytes of each kind of field are written down in docs/store_format.md.
//
// Threads: not thread-safe. Errors: a FieldReader never reads past its end, and remembers the first thing that was wrong.
// Cost: linear in the bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/time/time.h"
#include "ipam/address_record.h"
#include "net/ip.h"
#include "store/envelope.h"

namespace gnomon {

// What the infinite times are stored as.
inline constexpr int64_t kPastMicros = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kFutureMicros = std::numeric_limits<int64_t>::max();

// A FieldWriter appends fields to a key or value.
class FieldWriter {
 public:
  FieldWriter() = default;
  explicit FieldWriter(std::string head) : out_(std::move(head)) {}

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
  // ToUnixMicros gives kPastMicros and kFutureMicros for the infinite times, and for what it cannot hold.
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

// A FieldReader takes fields from the front of a key or value. After the first failure it gives zeros and empty strings, and
// `why` says what was wrong.
class FieldReader {
 public:
  explicit FieldReader(std::string_view rest) : rest_(rest) {}

  uint8_t Byte() { return static_cast<uint8_t>(Bytes(1)[0]); }
  bool Bool() {
    uint8_t byte = Byte();
    if (byte > 1) Fail("has a flag that is neither 0 nor 1");
    return byte == 1;
  }
  // At most `max`, in its shortest form.
  uint64_t Varint(uint64_t max = std::numeric_limits<uint64_t>::max()) {
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
  uint64_t Fixed64() { return ReadU64(Bytes(8)); }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  absl::Time Time() {
    int64_t micros = static_cast<int64_t>(Fixed64());
    if (micros == kPastMicros) return absl::InfinitePast();
    return micros == kFutureMicros ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
  }
  std::string String() { return std::string(View()); }
  // As String, but of the bytes that are read from.
  std::string_view View() {
    uint64_t size = Varint();
    if (size <= rest_.size()) return Skip(size);
    Fail("has a text that is longer than the record");
    return {};
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
  std::string_view Bytes(size_t count) {  // count: at most 8
    static constexpr std::string_view kZeros("\0\0\0\0\0\0\0\0", 8);
    if (count <= rest_.size()) return Skip(count);
    Fail("ends early");
    return kZeros.substr(0, count);
  }

  std::string_view rest_;
  const char* why_ = nullptr;
};

}  // namespace gnomon
