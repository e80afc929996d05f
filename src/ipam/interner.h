// SPDX-License-Identifier: Apache-2.0
//
// An Interner gives each distinct text a small number for as long as it is held.
//
// Example:
//   uint32_t web = interner.Hold("web");   // held once
//   interner.Text(web);                    // "web"
//   interner.Drop(web);                    // forgotten: nothing else holds it
//
// Threads: not thread-safe. Cost: one hash lookup to hold or find; constant to read or drop, but for the last drop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "base/absl_view.h"
#include "base/check.h"

namespace gnomon {

class Interner {
 public:
  // 0 is the empty text, and always there.
  uint32_t Hold(std::string_view text) {
    if (text.empty()) return 0;
    uint32_t& recent = recent_[PlaceOf(text)];
    if (const uint32_t held = Find(text); held != kUnknown) {
      ++texts_[held].holders;
      return recent = held;
    }
    uint32_t number = 0;
    if (free_.empty()) {
      number = static_cast<uint32_t>(texts_.size());
      texts_.emplace_back();
    } else {
      number = free_.back();
      free_.pop_back();
    }
    auto added = numbers_.emplace(std::string(text), number).first;
    texts_[number] = {added->first, 1};
    return recent = number;
  }
  void Drop(uint32_t number) {
    if (number == 0) return;
    GNOMON_CHECK(texts_[number].holders > 0);
    if (--texts_[number].holders > 0) return;
    uint32_t& recent = recent_[PlaceOf(texts_[number].text)];
    if (recent == number) recent = 0;
    numbers_.erase(AbslView(texts_[number].text));
    texts_[number] = {};
    free_.push_back(number);
  }
  static constexpr uint32_t kUnknown = UINT32_MAX;
  // kUnknown: nothing holds it.
  uint32_t Find(std::string_view text) const {
    if (text.empty()) return 0;
    const uint32_t recent = recent_[PlaceOf(text)];
    if (recent != 0 && texts_[recent].text == text) return recent;
    auto found = numbers_.find(AbslView(text));
    return found == numbers_.end() ? kUnknown : found->second;
  }
  std::string_view Text(uint32_t number) const { return texts_[number].text; }

 private:
  // Most texts that are asked for are a few, again and again: where the last one of each place is kept, no hash is
  // needed.
  static constexpr size_t kRecent = 32;
  static size_t PlaceOf(std::string_view text) {  // which is not empty
    auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    return (((text.size() * 31 + at(0)) * 31 + at(text.size() / 2)) * 31 + at(text.size() - 1)) % kRecent;
  }
  struct Held {
    std::string_view text = {};  // the key in numbers_, whose nodes do not move
    uint32_t holders = 0;
  };
  absl::node_hash_map<std::string, uint32_t> numbers_;
  std::vector<Held> texts_{1};
  std::vector<uint32_t> free_;
  std::array<uint32_t, kRecent> recent_{};  // 0: none
};

}  // namespace gnomon
