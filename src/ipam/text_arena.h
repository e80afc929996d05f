// SPDX-License-Identifier: Apache-2.0
//
// A TextArena keeps millions of short texts in few bytes each, and reuses the room of those that are gone.
//
// A text takes its length and one byte, rounded up to eight. Room is reused for texts of the same rounded size, and
// given back when the last text is gone.
//
// Threads: not thread-safe. Limits: kMaxBytes a text; 32 GiB in all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace gnomon {

class TextArena {
 public:
  static constexpr size_t kMaxBytes = 255;
  using Ref = uint32_t;  // 0 is the empty text

  Ref Add(std::string_view text) {
    if (text.empty()) return 0;
    GNOMON_CHECK(text.size() <= kMaxBytes);
    const size_t units = UnitsOf(text.size());
    Ref ref = free_[units];
    if (ref != 0) {
      std::memcpy(&free_[units], At(ref), sizeof(Ref));
    } else {
      if (kChunkUnits - used_ < units) {
        chunks_.push_back(std::make_unique<char[]>(kChunkUnits * kUnit));
        used_ = chunks_.size() == 1 ? 1 : 0;  // the first unit of all is never given, so that 0 is no text's
      }
      ref = static_cast<Ref>((chunks_.size() - 1) * kChunkUnits + used_);
      used_ += units;
    }
    ++texts_;
    char* to = At(ref);
    *to = static_cast<char>(text.size());
    std::memcpy(to + 1, text.data(), text.size());
    return ref;
  }
  void Drop(Ref ref) {
    if (ref == 0) return;
    if (--texts_ == 0) return Clear();
    const size_t units = UnitsOf(static_cast<unsigned char>(*At(ref)));
    std::memcpy(At(ref), &free_[units], sizeof(Ref));
    free_[units] = ref;
  }
  std::string_view Text(Ref ref) const {
    if (ref == 0) return {};
    const char* at = At(ref);
    return std::string_view(at + 1, static_cast<unsigned char>(*at));
  }
  size_t MemoryBytes() const { return chunks_.size() * kChunkUnits * kUnit; }

 private:
  static constexpr size_t kUnit = 8;
  static constexpr size_t kChunkUnits = 8192;  // 64 KiB; a text never crosses chunks

  static size_t UnitsOf(size_t bytes) { return (bytes + 1 + kUnit - 1) / kUnit; }
  char* At(Ref ref) const { return chunks_[ref / kChunkUnits].get() + (ref % kChunkUnits) * kUnit; }

  void Clear() {
    chunks_.clear();
    used_ = kChunkUnits;
    free_ = {};
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t texts_ = 0;
  size_t used_ = kChunkUnits;  // units of the last chunk
  std::array<Ref, (kMaxBytes + 1) / kUnit + 1> free_{};  // by units: a list through the rooms' first bytes
};

}  // namespace gnomon
