// SPDX-License-Identifier: Apache-2.0
//
// StateWriter and StateReader carry an object's state into bytes and back, by one list of its fields for both ways.
//
// Example:
//   struct Tally {
//     template <class Archive, class Self>
//     static void Fields(Archive& archive, Self& self) { archive(self.hits, self.rate); }
//     int64_t hits = 0;
//     double rate = 0;
//   };
//   StateWriter writer;
//   writer(tally);
//   StateReader reader(writer.bytes());
//   reader(copy);                        // reader.ok(): copy equals tally in every bit
//
// Integers are varints of 7 bits a byte, the lowest first, signed ones as zigzag; floats are their bits; lists and texts
// begin with their length. The bytes carry neither names nor a version: whoever stores them adds a version and a checksum.
//
// Threads: not thread-safe. Errors: a reader that finds something else is no longer ok() and reads zeros; it allocates
// no more than the bytes can hold. Limits: no float beyond kLargest in size, none that is not a number.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"

namespace gnomon {

class StateWriter {
 public:
  static constexpr bool kReads = false;

  template <class... T>
  void operator()(const T&... fields) {
    (Put(fields), ...);
  }
  // The elements of a list whose length its object knows already.
  void Elements(const auto& list) {
    for (const auto& element : list) Put(element);
  }
  // What a reader refuses unless it holds.
  void Require(bool /*holds*/) {}

  const std::string& bytes() const { return bytes_; }

 private:
  template <std::integral T>
  void Put(T number) {
    uint64_t bits = static_cast<uint64_t>(number);
    if constexpr (std::is_signed_v<T>) bits = (bits << 1) ^ (number < 0 ? ~uint64_t{0} : 0);
    for (; bits >= 0x80; bits >>= 7) bytes_.push_back(static_cast<char>(bits | 0x80));
    bytes_.push_back(static_cast<char>(bits));
  }
  void Put(const std::string& text) {
    Put(text.size());
    bytes_.append(text);
  }
  void Put(double number) { AppendU64(&bytes_, std::bit_cast<uint64_t>(number)); }
  void Put(float number) { AppendU32(&bytes_, std::bit_cast<uint32_t>(number)); }
  template <class T, size_t kSize>
  void Put(const std::array<T, kSize>& list) {
    Elements(list);
  }
  template <class T>
  void Put(const std::vector<T>& list) {
    Put(list.size());
    Elements(list);
  }
  template <class T>
  void Put(const std::deque<T>& list) {
    Put(list.size());
    Elements(list);
  }
  template <class T>
  requires std::is_class_v<T>
  void Put(const T& object) { T::Fields(*this, object); }

  std::string bytes_;
};

class StateReader {
 public:
  static constexpr bool kReads = true;
  static constexpr double kLargest = 1e18;

  // The bytes outlive the reader.
  explicit StateReader(std::string_view bytes) : left_(bytes) {}

  template <class... T>
  void operator()(T&... fields) {
    (Get(&fields), ...);
  }
  void Elements(auto& list) {
    for (auto& element : list) Get(&element);
  }
  void Require(bool holds) { ok_ = ok_ && holds; }

  bool ok() const { return ok_; }
  size_t left() const { return left_.size(); }

 private:
  template <std::integral T>
  void Get(T* number) {
    uint64_t bits = 0;
    bool more = true;
    for (int shift = 0; more && shift < 64; shift += 7) {
      const uint64_t byte = static_cast<uint8_t>(Next(1)[0]);
      bits |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    if constexpr (std::is_signed_v<T>) bits = (bits >> 1) ^ ((bits & 1) != 0 ? ~uint64_t{0} : 0);
    const T value = static_cast<T>(bits);
    Require(!more && static_cast<uint64_t>(value) == bits);
    *number = ok_ ? value : T{};
  }
  void Get(std::string* text) {
    size_t size = 0;
    Get(&size);
    Require(size <= left_.size());
    text->assign(left_.substr(0, ok_ ? size : 0));
    left_.remove_prefix(text->size());
  }
  void Get(double* number) { *number = Checked(std::bit_cast<double>(ReadU64(Next(8)))); }
  void Get(float* number) { *number = Checked(std::bit_cast<float>(ReadU32(Next(4)))); }
  template <class T, size_t kSize>
  void Get(std::array<T, kSize>* list) {
    Elements(*list);
  }
  template <class T>
  void Get(std::vector<T>* list) {
    GetList(list);
  }
  template <class T>
  void Get(std::deque<T>* list) {
    GetList(list);
  }
  template <class T>
  requires std::is_class_v<T>
  void Get(T* object) { T::Fields(*this, *object); }

  void GetList(auto* list) {
    size_t size = 0;
    Get(&size);
    Require(size <= left_.size());  // an element takes a byte or more
    list->clear();
    list->resize(ok_ ? size : 0);
    Elements(*list);
  }
  template <std::floating_point T>
  T Checked(T number) {
    Require(std::abs(number) <= T{kLargest});
    return ok_ ? number : 0;
  }
  // The next bytes, zeros when there are not as many.
  std::string_view Next(size_t count) {
    static constexpr std::string_view kZeros("\0\0\0\0\0\0\0\0", 8);
    Require(left_.size() >= count);
    if (!ok_) return kZeros.substr(0, count);
    const std::string_view bytes = left_.substr(0, count);
    left_.remove_prefix(count);
    return bytes;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace gnomon
