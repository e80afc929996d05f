// SPDX-License-Identifier: Apache-2.0
#include "ipam/pool.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr int kMaxFlatHostBits = 24;

uint64_t Saturate(absl::uint128 number) {
  return number > std::numeric_limits<uint64_t>::max() ? std::numeric_limits<uint64_t>::max()
                                                       : absl::Uint128Low64(number);
}

// The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint32_t FlatSize(const Prefix& prefix) {
  return prefix.host_bits() <= kMaxFlatHostBits ? 1u << prefix.host_bits() : 0;
}

std::optional<absl::uint128> Lesser(std::optional<absl::uint128> a, std::optional<absl::uint128> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

Pool::Pool(PoolConfig config)
    : config_(std::move(config)),
      segmented_(config_.prefix.host_bits() > kMaxFlatHostBits),
      index_(FlatSize(config_.prefix)) {
  GNOMON_CHECK(Validate(config_).ok());
  index_.SetOrdered(config_.strategy == Strategy::kLongestIdle);
  excluded_ = ExcludedPlaces(config_);
  excluded_count_ = excluded_.size();
  if (segmented_) {
    RebuildUntouched();
    return;
  }
  pages_.resize((index_.size() + kSegmentSize - 1) >> kSegmentBits);
  excluded_.ForEach([&](Interval places) {
    index_.Exclude(Low32(places.first), Low32(places.last - places.first + 1));
    return true;
  });
}

absl::Status Pool::SetConfig(PoolConfig config) {
  GNOMON_RETURN_IF_ERROR(Validate(config));
  if (config.prefix != config_.prefix) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_POOL",
                 absl::StrCat("pool ", config_.prefix.ToString(), " cannot change its prefix"))
        .Field("prefix")
        .Value(config.prefix.ToString())
        .Hint("add a pool with the new prefix and drain this one");
  }
  IntervalSet excluded = ExcludedPlaces(config);
  IntervalSet added = excluded.Minus(excluded_), removed = excluded_.Minus(excluded);
  std::optional<Number> held;
  added.ForEach([&](Interval places) { return !(held = FirstHeld(places)); });
  if (held) {
    std::string ip = IpAt(*held).ToString();
    return Error(absl::StatusCode::kFailedPrecondition, "ADDRESS_HELD",
                 absl::StrCat("pool ", config_.prefix.ToString(), " cannot exclude ", ip, ": it is held"))
        .Field("exclude")
        .Value(ip)
        .Hint("release the address first, and wait until its quarantine is over");
  }
  added.ForEach([&](Interval places) {
    ForEachOpen(places, [&](uint32_t first, uint32_t count) {
      index_.Exclude(first, count);
      return true;
    });
    return true;
  });
  removed.ForEach([&](Interval places) {
    ForEachOpen(places, [&](uint32_t first, uint32_t count) {
      index_.Include(first, count);
      return true;
    });
    return true;
  });
  config_ = std::move(config);
  index_.SetOrdered(config_.strategy == Strategy::kLongestIdle);
  excluded_ = std::move(excluded);
  excluded_count_ = excluded_.size();
  if (segmented_) RebuildUntouched();
  return absl::OkStatus();
}

void Pool::OpenForNext(uint64_t random) {
  if (config_.strategy == Strategy::kRandom && index_.free_count() <= index_.size() / 2) OpenRandom(random);
  while (index_.free_count() == 0 && OpenLowest()) {
  }
}

std::optional<Prefix> Pool::ProposeBlock(int length) {
  if (length <= config_.prefix.length() || length > MaxLength(config_.prefix.family())) return std::nullopt;
  int host_bits = MaxLength(config_.prefix.family()) - length;
  if (segmented_ && host_bits >= kSegmentBits) {
    std::optional<Number> segment = untouched_.FindAligned(host_bits - kSegmentBits);
    if (!segment) return std::nullopt;
    return Prefix(IpAt(*segment << kSegmentBits), length);
  }
  std::optional<uint32_t> first = index_.FindFreeRun(static_cast<uint32_t>(host_bits));
  while (!first && segmented_ && OpenWhole()) first = index_.FindFreeRun(static_cast<uint32_t>(host_bits));
  if (!first) return std::nullopt;
  return Prefix(IpAt(PlaceAt(*first)), length);
}

std::optional<Prefix> Pool::ProposeBlockOver(int length, absl::FunctionRef<bool(Ip)> preemptible) {
  if (std::optional<Prefix> free = ProposeBlock(length)) return free;
  if (length <= config_.prefix.length() || length > MaxLength(config_.prefix.family())) return std::nullopt;
  int host_bits = MaxLength(config_.prefix.family()) - length;
  if (segmented_ && host_bits >= kSegmentBits) return std::nullopt;
  const uint32_t run = 1u << host_bits;
  auto can_have = [&](uint32_t offset) {
    if (index_.IsFree(offset)) return true;
    Number place = PlaceAt(offset);
    return !excluded_.Contains(place) && preemptible(IpAt(place));
  };
  for (uint32_t first = 0; first < index_.size(); first += run) {
    uint32_t at = first;
    while (at < first + run && can_have(at)) ++at;
    if (at == first + run) return Prefix(IpAt(PlaceAt(first)), length);
  }
  return std::nullopt;
}

Pool::Presence Pool::Check(Ip ip) const {
  if (!config_.prefix.Contains(ip)) return Presence::kOutside;
  Number place = PlaceOf(ip);
  if (const uint32_t offset = OffsetOf(place); offset != kNoOffset) {
    if (index_.IsFree(offset)) return Presence::kFree;
    return excluded_.Contains(place) ? Presence::kExcluded : Presence::kHeld;
  }
  if (excluded_.Contains(place)) return Presence::kExcluded;
  if (BlockAt(place) != nullptr) return Presence::kHeld;
  return CanOpen() ? Presence::kFree : Presence::kExcluded;
}

Pool::Presence Pool::CheckBlock(const Prefix& block) const {
  if (!config_.prefix.Contains(block)) return Presence::kOutside;
  Interval places = PlacesOf(block);
  if (excluded_.Overlaps(places)) return Presence::kExcluded;
  if (FirstHeld(places)) return Presence::kHeld;
  bool must_open = segmented_ && block.host_bits() < kSegmentBits && OffsetOf(places.first) == kNoOffset;
  return must_open && !CanOpen() ? Presence::kExcluded : Presence::kFree;
}

void Pool::Take(Ip ip, Slot slot) {
  GNOMON_CHECK(slot != 0);
  uint32_t offset = OffsetOf(ip);
  if (offset == kNoOffset) {
    GNOMON_CHECK(Check(ip) == Presence::kFree);
    Open(PlaceOf(ip) >> kSegmentBits);
    offset = OffsetOf(ip);
  }
  index_.Take(offset);
  CellAt(offset) = slot;
  ++held_count_;
}

void Pool::TakeBlock(const Prefix& block, Slot slot) {
  GNOMON_CHECK(slot != 0 && CheckBlock(block) == Presence::kFree);
  Interval places = PlacesOf(block);
  if (segmented_) {
    if (block.host_bits() >= kSegmentBits) {
      untouched_.Remove(SegmentsOf(places));
    } else if (OffsetOf(places.first) == kNoOffset) {
      Open(places.first >> kSegmentBits);
    }
  }
  ForEachOpen(places, [&](uint32_t first, uint32_t count) {
    index_.TakeRun(first, static_cast<uint32_t>(std::countr_zero(count)));
    return true;
  });
  blocks_.emplace(places.first, Block{places.last, slot});
  held_count_ += places.last - places.first + 1;
}

uint32_t Pool::ReleaseCell(Ip ip) {
  const uint32_t offset = OffsetOf(ip);
  GNOMON_CHECK(offset != kNoOffset && pages_[offset >> kSegmentBits] != nullptr && CellAt(offset) != 0);
  CellAt(offset) = 0;
  --held_count_;
  return offset;
}

void Pool::Free(Ip ip) { index_.Free(ReleaseCell(ip)); }

void Pool::Return(Ip ip, bool never_used) { index_.Return(ReleaseCell(ip), never_used); }

void Pool::FreeBlock(const Prefix& block) {
  GNOMON_CHECK(config_.prefix.Contains(block));
  Interval places = PlacesOf(block);
  auto held = blocks_.find(places.first);
  GNOMON_CHECK(held != blocks_.end() && held->second.last == places.last);
  blocks_.erase(held);
  held_count_ -= places.last - places.first + 1;
  ForEachOpen(places, [&](uint32_t first, uint32_t count) {
    index_.FreeRun(first, static_cast<uint32_t>(std::countr_zero(count)));
    return true;
  });
  if (segmented_ && block.host_bits() >= kSegmentBits) {
    Interval segments = SegmentsOf(places);
    untouched_.Add(segments);
    for (auto open = open_.lower_bound(segments.first); open != open_.end() && open->first <= segments.last; ++open) {
      untouched_.Remove({open->first, open->first});
    }
  }
}

Slot Pool::Find(Ip ip) const {
  if (const uint32_t offset = OffsetOf(ip); offset != kNoOffset) {
    const Page& page = pages_[offset >> kSegmentBits];
    Slot slot = page == nullptr ? 0 : page[offset & (kSegmentSize - 1)];
    if (slot != 0) return slot;
  }
  const Block* block = config_.prefix.Contains(ip) ? BlockAt(PlaceOf(ip)) : nullptr;
  return block == nullptr ? 0 : block->slot;
}

void Pool::SetSlot(Ip ip, Slot slot) {
  GNOMON_CHECK(slot != 0 && config_.prefix.Contains(ip));
  auto block = blocks_.find(PlaceOf(ip));
  if (block != blocks_.end()) {
    block->second.slot = slot;
    return;
  }
  GNOMON_CHECK(Find(ip) != 0 && BlockAt(PlaceOf(ip)) == nullptr);
  CellAt(OffsetOf(ip)) = slot;
}

bool Pool::IsFresh(Ip ip) const {
  if (Check(ip) != Presence::kFree) return false;
  const uint32_t offset = OffsetOf(ip);
  return offset == kNoOffset || index_.IsFresh(offset);
}

Pool::Counts Pool::counts() const {
  Number capacity = place_count() - excluded_count_;
  return {.capacity = Saturate(capacity),
          .free = Saturate(capacity - held_count_),
          .held = Saturate(held_count_),
          .excluded = Saturate(excluded_count_)};
}

std::optional<Ip> Pool::Visit(Ip from, size_t budget, absl::FunctionRef<bool(Slot)> visit) const {
  const Number end = place_count();
  Number place = from < config_.prefix.base() ? 0 : PlaceOf(from);
  auto block = blocks_.lower_bound(place);
  if (block != blocks_.begin() && std::prev(block)->second.last >= place) place = std::prev(block)->second.last + 1;
  auto open = open_.lower_bound(place >> kSegmentBits);
  while (place < end) {
    if (budget-- == 0) return IpAt(place);
    Number next = place + 1;
    Slot slot = 0;
    if (block != blocks_.end() && block->first == place) {
      slot = block->second.slot;
      next = block->second.last + 1;
      ++block;
    } else {
      const Slot* page = nullptr;
      Number page_end = ((place >> kSegmentBits) + 1) << kSegmentBits;
      if (!segmented_) {
        page = pages_[Low32(place >> kSegmentBits)].get();
      } else {
        while (open != open_.end() && open->first < place >> kSegmentBits) ++open;
        bool is_open = open != open_.end() && open->first == place >> kSegmentBits;
        if (is_open) page = pages_[open->second].get();
        if (!is_open) page_end = open == open_.end() ? end : open->first << kSegmentBits;
      }
      if (page != nullptr) {
        slot = page[Low32(place) & (kSegmentSize - 1)];
      } else {
        next = block == blocks_.end() ? page_end : std::min(page_end, block->first);
      }
    }
    place = next;
    if (slot != 0 && !visit(slot)) break;
  }
  if (place >= end) return std::nullopt;
  return IpAt(place);
}

uint64_t Pool::SinglesLeft() const {
  const uint64_t open = index_.free_count();
  if (!segmented_) return open;
  Number untouched = 0;
  untouched_.ForEach([&](Interval segments) {
    untouched += segments.last - segments.first + 1;
    return untouched < kMaxSegments;
  });
  return open + absl::Uint128Low64(std::min<Number>(untouched, kMaxSegments - open_.size())) * kSegmentSize;
}

size_t Pool::MemoryBytes() const {
  size_t pages = static_cast<size_t>(
      std::count_if(pages_.begin(), pages_.end(), [](const Page& page) { return page != nullptr; }));
  // An entry of a B-tree takes about 1.5 times its size.
  auto tree = [](size_t entries, size_t entry_bytes) { return entries * entry_bytes * 3 / 2; };
  return sizeof(*this) - sizeof(index_) + index_.MemoryBytes() + pages_.capacity() * sizeof(Page) +
         pages * kSegmentSize * sizeof(Slot) + segments_.capacity() * sizeof(Number) +
         config_.exclude.capacity() * sizeof(IpRange) + config_.name.capacity() + tree(blocks_.size(), 48) +
         tree(open_.size(), 32) +
         tree(excluded_.interval_count() + untouched_.interval_count() + partial_.interval_count(), 32);
}

uint32_t Pool::OffsetInSegment(Number place) const {
  auto open = open_.find(place >> kSegmentBits);
  if (open == open_.end()) return kNoOffset;
  return open->second << kSegmentBits | (Low32(place) & (kSegmentSize - 1));
}

void Pool::ForEachOpen(Interval places, absl::FunctionRef<bool(uint32_t first, uint32_t count)> visit) const {
  if (!segmented_) {
    visit(Low32(places.first), Low32(places.last - places.first + 1));
    return;
  }
  Interval segments = SegmentsOf(places);
  for (auto open = open_.lower_bound(segments.first); open != open_.end() && open->first <= segments.last; ++open) {
    Number base = open->first << kSegmentBits;
    uint32_t first = Low32(std::max(places.first, base) - base);
    uint32_t last = Low32(std::min(places.last, base + (kSegmentSize - 1)) - base);
    if (!visit((open->second << kSegmentBits) + first, last - first + 1)) return;
  }
}

std::optional<Pool::Number> Pool::FirstHeld(Interval places) const {
  std::optional<Number> held;
  ForEachOpen(places, [&](uint32_t first, uint32_t count) {
    if (index_.CountFree(first, count) == count) return true;
    while (index_.IsFree(first)) ++first;
    held = PlaceAt(first);
    return false;
  });
  if (BlockAt(places.first) != nullptr) return places.first;
  auto block = blocks_.lower_bound(places.first);
  if (block != blocks_.end() && block->first <= places.last) held = Lesser(held, block->first);
  return held;
}

void Pool::Open(Number segment) {
  GNOMON_CHECK(CanOpen());
  untouched_.Remove({segment, segment});
  partial_.Remove({segment, segment});
  uint32_t number = static_cast<uint32_t>(segments_.size());
  open_.emplace(segment, number);
  segments_.push_back(segment);
  pages_.emplace_back();
  index_.Grow((number + 1) << kSegmentBits);
  Number base = segment << kSegmentBits;
  excluded_.ForEach({base, base + (kSegmentSize - 1)}, [&](Interval places) {
    index_.Exclude((number << kSegmentBits) + Low32(places.first - base), Low32(places.last - places.first + 1));
    return true;
  });
}

bool Pool::OpenLowest() {
  std::optional<Number> segment = Lesser(untouched_.FindNext(0), partial_.FindNext(0));
  if (!segment || !CanOpen()) return false;
  Open(*segment);
  return true;
}

bool Pool::OpenWhole() {
  std::optional<Number> segment = untouched_.FindNext(0);
  if (!segment) return OpenLowest();
  if (!CanOpen()) return false;
  Open(*segment);
  return true;
}

bool Pool::OpenRandom(uint64_t random) {
  Number count = place_count() >> kSegmentBits;
  Number from = absl::MakeUint128(Mix(random), Mix(random + 0x9e3779b97f4a7c15)) % count;
  std::optional<Number> segment = Lesser(untouched_.FindNext(from), partial_.FindNext(from));
  if (!segment) return OpenLowest();
  if (!CanOpen()) return false;
  Open(*segment);
  return true;
}

void Pool::RebuildUntouched() {
  untouched_ = {};
  partial_ = {};
  untouched_.Add({0, (place_count() - 1) >> kSegmentBits});
  excluded_.ForEach([&](Interval places) {
    Interval segments = SegmentsOf(places);
    untouched_.Remove(segments);
    constexpr uint32_t kLow = kSegmentSize - 1;
    if ((Low32(places.first) & kLow) != 0) partial_.Add({segments.first, segments.first});
    if ((Low32(places.last) & kLow) != kLow) partial_.Add({segments.last, segments.last});
    return true;
  });
  for (const auto& [segment, number] : open_) {
    untouched_.Remove({segment, segment});
    partial_.Remove({segment, segment});
  }
  for (const auto& [first, block] : blocks_) untouched_.Remove(SegmentsOf({first, block.last}));
}

const Pool::Block* Pool::BlockAt(Number place) const {
  if (blocks_.empty()) return nullptr;
  auto after = blocks_.upper_bound(place);
  if (after == blocks_.begin() || std::prev(after)->second.last < place) return nullptr;
  return &std::prev(after)->second;
}

Slot& Pool::CellAt(uint32_t offset) {
  Page& page = pages_[offset >> kSegmentBits];
  if (page == nullptr) page = std::make_unique<Slot[]>(kSegmentSize);
  return page[offset & (kSegmentSize - 1)];
}

}  // namespace gnomon
