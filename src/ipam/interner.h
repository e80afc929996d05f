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

#include <cstdint>
#include <memory>
#include <optional>
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
    if (const std::optional<uint32_t> held = Find(text)) {
      ++texts_[*held].holders;
      return *held;
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
    texts_[number] = {&added->first, 1};
    return number;
  }
  void Drop(uint32_t number) {
    if (number == 0) return;
    GNOMON_CHECK(texts_[number].holders > 0);
    if (--texts_[number].holders > 0) return;
    numbers_.erase(*texts_[number].text);
    texts_[number] = {};
    free_.push_back(number);
  }
  // nullopt: nothing holds it.
  std::optional<uint32_t> Find(std::string_view text) const {
    if (text.empty()) return 0;
    auto found = numbers_.find(AbslView(text));
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string_view Text(uint32_t number) const { return number == 0 ? std::string_view() : *texts_[number].text; }

 private:
  struct Held {
    const std::string* text = nullptr;  // the key in numbers_, whose nodes do not move
    uint32_t holders = 0;
  };
  absl::node_hash_map<std::string, uint32_t> numbers_;
  std::vector<Held> texts_{1};
  std::vector<uint32_t> free_;
};

}  // namespace gnomon
