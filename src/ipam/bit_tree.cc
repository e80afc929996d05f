// SPDX-License-Identifier: Apache-2.0
#include "ipam/bit_tree.h"

#include "base/check.h"

namespace gnomon {

void BitTree::Grow(uint32_t new_size) {
  GNOMON_CHECK(new_size >= size_ && new_size <= 1u << 24);
  uint32_t words = (new_size + 63) / 64;
  levels_[0].resize(words == 0 ? 1 : words);
  int depth = 1;
  for (; levels_[depth - 1].size() > 1; ++depth) {
    const std::vector<uint64_t>& below = levels_[depth - 1];
    levels_[depth].resize((below.size() + 63) / 64);
    if (depth < depth_) continue;
    for (size_t i = 0; i < below.size(); ++i) {
      if (below[i] != 0) levels_[depth][i >> 6] |= uint64_t{1} << (i & 63);
    }
  }
  depth_ = depth;
  ForEachWord(size_, new_size - size_, [&](uint32_t word, uint64_t mask) { SetBits(word, mask); });
  size_ = new_size;
}

uint32_t BitTree::FindNext(uint32_t from) const {
  if (from >= size_) return kNone;
  // Up, until a word has a member at or after the place that we come from.
  uint32_t at = from;
  int level = 0;
  for (;; ++level) {
    if (level == depth_ || (at >> 6) >= levels_[level].size()) return kNone;
    uint64_t rest = levels_[level][at >> 6] & (~uint64_t{0} << (at & 63));
    if (rest != 0) {
      at = (at & ~63u) | LowestOf(rest);
      break;
    }
    at = (at >> 6) + 1;
  }
  // Down, to the first of it.
  while (level-- > 0) at = at << 6 | LowestOf(levels_[level][at]);
  return at;
}

void BitTree::SetBits(uint32_t word, uint64_t mask) {
  for (int level = 0; level < depth_; ++level) {
    uint64_t& bits = levels_[level][word];
    bool was_empty = bits == 0;
    bits |= mask;
    if (!was_empty) return;
    mask = uint64_t{1} << (word & 63);
    word >>= 6;
  }
}

void BitTree::ClearBits(uint32_t word, uint64_t mask) {
  uint64_t& bits = levels_[0][word];
  bits &= ~mask;
  if (bits == 0) ClearAbove(0, word);
}

void BitTree::ClearAbove(int level, uint32_t word) {
  while (++level < depth_) {
    uint64_t& bits = levels_[level][word >> 6];
    bits &= ~(uint64_t{1} << (word & 63));
    if (bits != 0) return;
    word >>= 6;
  }
}

size_t BitTree::MemoryBytes() const {
  size_t bytes = 0;
  for (const std::vector<uint64_t>& level : levels_) bytes += level.capacity() * sizeof(uint64_t);
  return bytes;
}

}  // namespace gnomon
