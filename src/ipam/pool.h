// SPDX-License-Identifier: Apache-2.0
//
// A Pool gives out the addresses of one prefix, and remembers which record holds each.
//
// An IPv4 pool, and an IPv6 one of at most 2^24 addresses, keeps a bit or two an address. A larger IPv6 pool is cut in
// segments of 256 addresses, and only the segments in use are kept: one is opened when nothing in the open ones is
// free (kRandom: when they are half full), or when an address in it is asked for. So in such a pool kLongestIdle and
// kLowestFirst choose among the open segments, in the order of their opening, which ascends but for explicit addresses.
// Blocks of 256 addresses or more come from untouched space and open nothing.
//
// Example:
//   Pool pool(PoolConfig{.prefix = Prefix::Parse("10.0.0.0/24").value()});
//   std::optional<Ip> ip = pool.Propose(random);   // nullopt: nothing is free. 10.0.0.1
//   pool.Take(*ip, slot);
//   pool.Find(*ip);                                // slot
//   pool.Free(*ip);                                // given again when all others have been
//
// Threads: not thread-safe; its shard owns it.
// Limits: IPv4 /8 to /32, IPv6 /48 to /128; kMaxExclusions; kMaxSegments open segments, after which the untouched
// rest of a large IPv6 pool can be given in blocks of 256 or more only.
// Errors: only the configuration can be wrong. To take what is not free, or free what is not held, is the caller's
// mistake and CHECKed.
// Cost: constant an operation in small pools, logarithmic in open segments in large ones, unless said otherwise.
// Memory: a FreeIndex's, and 1 KiB for each 256 addresses of which one has been held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ipam/free_index.h"
#include "ipam/interval_set.h"
#include "net/ip.h"
#include "net/prefix.h"

namespace gnomon {

using PoolId = uint32_t;
using Slot = uint32_t;  // the caller's number of a record; 0 is none

struct IpRange {
  Ip first, last;  // both included
  friend bool operator==(const IpRange&, const IpRange&) = default;
};

struct PoolConfig {
  PoolId id = 0;
  std::string name = {};
  Prefix prefix = {};
  std::optional<Ip> gateway = {};     // never given
  std::vector<IpRange> exclude = {};  // never given; may overlap
  Strategy strategy = Strategy::kLongestIdle;
  absl::Duration quarantine = absl::Seconds(30);  // how long a released address cools before it is free
  double headroom = 0.1;                          // the part, 0 to 1, that shadows never use
  bool draining = false;                          // gives nothing new; its caller sees to that
  friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

class Pool {
 public:
  static constexpr size_t kMaxExclusions = 1000;
  static constexpr uint32_t kMaxSegments = 65536;
  static constexpr absl::Duration kMaxQuarantine = absl::Hours(24 * 30);

  // INVALID_ARGUMENT (code INVALID_POOL, with field, value and hint) if a pool cannot be made of it.
  static absl::Status Validate(const PoolConfig& config);

  // CHECKs Validate. Beside config.exclude and the gateway, an IPv4 pool of /30 or shorter excludes its first (network)
  // and last (broadcast) address.
  explicit Pool(PoolConfig config);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Why `ip`, of the prefix, is never given: "gateway", "network address", "broadcast address" or "exclusion"; empty if
  // it may be given.
  static std::string_view ExclusionOf(const PoolConfig& config, Ip ip);

  const PoolConfig& config() const { return config_; }

  // Changes all but the prefix. Nothing changes on an error: INVALID_ARGUMENT (code INVALID_POOL), or
  // FAILED_PRECONDITION (code ADDRESS_HELD) when an address that would be excluded is held. Under a new strategy
  // kLongestIdle, what is free counts as freed now. Cost: linear in the exclusions and open segments;
  // in the pool if kLongestIdle comes or goes.
  absl::Status SetConfig(PoolConfig config);

  // A free address by the strategy; nullopt when nothing is free. Takes nothing (a segment may be opened).
  std::optional<Ip> Propose(uint64_t random);
  // The lowest block of `length`, longer than the pool's prefix, all of whose addresses are free; nullopt when there is
  // none. Cost: as FreeIndex::FindFreeRun; of 256 addresses or more in a large pool, linear in the gaps.
  std::optional<Prefix> ProposeBlock(int length);
  // As ProposeBlock, but where each address is free or held and `preemptible`. Addresses inside held blocks are asked
  // for too. Large pools look so in open segments only. Cost: linear in the pool.
  std::optional<Prefix> ProposeBlockOver(int length, absl::FunctionRef<bool(Ip)> preemptible);

  enum class Presence : uint8_t {
    kOutside,   // of another prefix
    kExcluded,  // never given; also when kMaxSegments are open and it is in none of them
    kFree,
    kHeld,
  };
  Presence Check(Ip ip) const;
  // kFree if all its addresses are free; else kExcluded if any is excluded; else kHeld. Cost: linear in its open part.
  Presence CheckBlock(const Prefix& block) const;

  // CHECK that Check or CheckBlock is kFree. The slot is not 0. A block is at most as large as the pool.
  void Take(Ip ip, Slot slot);
  void TakeBlock(const Prefix& block, Slot slot);
  // CHECK that it was taken in just this way. What is freed is used, and comes last in the order of kLongestIdle; but a
  // block's untouched space in a large pool is untouched again.
  void Free(Ip ip);
  void FreeBlock(const Prefix& block);
  // Gives back an address that was taken for a shadow and never used; see FreeIndex::Return.
  void Return(Ip ip, bool never_used);

  // The slot of the address, or of the held block around it; 0 if it is not held or not of this pool.
  Slot Find(Ip ip) const;
  // Replaces the slot of an address, or of a block by its first address. CHECKs that it is held.
  void SetSlot(Ip ip, Slot slot);

  // Free and not used since the pool was made, or excluded and included again since.
  bool IsFresh(Ip ip) const;

  // How many single addresses Propose can give, one after the other; never too many, in a large pool perhaps too few.
  uint64_t SinglesLeft() const;
  // Whether taking the address opens a segment.
  bool OpensSegmentFor(Ip ip) const { return segmented_ && !OffsetOf(PlaceOf(ip)); }
  static constexpr int kSegmentBits = 8;
  static constexpr uint32_t kSegmentSize = 1u << kSegmentBits;  // addresses

  struct Counts {
    uint64_t capacity, free, held, excluded;  // addresses; each saturates. capacity = free + held, without excluded
  };
  Counts counts() const;

  // Calls `visit` for held addresses and blocks (once, at its first address) in address order, from `from` on, until it
  // returns false. Looks at no more than `budget` cells (an address, an empty page of 256, or a block). Returns the
  // place after the last one looked at, nullopt at the end.
  std::optional<Ip> Visit(Ip from, size_t budget, absl::FunctionRef<bool(Slot)> visit) const;

  size_t MemoryBytes() const;

 private:
  using Number = absl::uint128;
  using Interval = IntervalSet::Interval;
  struct Block {
    Number last;
    Slot slot;
  };
  using Page = std::unique_ptr<Slot[]>;  // kSegmentSize slots; null while none was held

  // Distances from the prefix's base are "places"; a place's segment is place >> kSegmentBits.
  Number PlaceOf(Ip ip) const { return ip.bits() - config_.prefix.base().bits(); }
  Ip IpAt(Number place) const { return Ip::FromBits(config_.prefix.base().bits() + place); }
  Interval PlacesOf(const Prefix& block) const { return {PlaceOf(block.base()), PlaceOf(block.last())}; }
  static Interval SegmentsOf(Interval places) { return {places.first >> kSegmentBits, places.last >> kSegmentBits}; }
  Number place_count() const { return Number(1) << config_.prefix.host_bits(); }
  static IntervalSet ExcludedPlaces(const PoolConfig& config);

  std::optional<uint32_t> OffsetOf(Number place) const;  // nullopt: its segment is not open
  Number PlaceAt(uint32_t offset) const;
  // The offsets of the open parts of `places`, as ranges, in address order, until `visit` returns false.
  void ForEachOpen(Interval places, absl::FunctionRef<bool(uint32_t first, uint32_t count)> visit) const;
  std::optional<Number> FirstHeld(Interval places) const;  // cost: linear in the open part

  bool CanOpen() const { return open_.size() < kMaxSegments; }
  void Open(Number segment);
  // Open an untouched or partial segment: the lowest (a whole one if there is any), or one by `random`. False: none.
  bool OpenLowest();
  bool OpenWhole();
  bool OpenRandom(uint64_t random);
  void RebuildUntouched();

  const Block* BlockAt(Number place) const;
  Slot& CellAt(uint32_t offset);
  uint32_t ReleaseCell(Ip ip);  // empties the cell of a held address and returns its offset

  PoolConfig config_;
  const bool segmented_;
  IntervalSet excluded_;      // places
  Number excluded_count_ = 0;
  Number held_count_ = 0;
  FreeIndex index_;           // offsets: places if not segmented_, else open segment * 256 + the place's low 8 bits
  std::vector<Page> pages_;   // by offset >> 8
  absl::btree_map<Number, Block> blocks_;  // by first place; held, disjoint, and their cells hold 0

  // Of segmented pools only. A segment is in one of open_, untouched_, partial_, a held block, or wholly excluded;
  // only an open one may be inside a held block as well, its offsets being taken then.
  absl::btree_map<Number, uint32_t> open_;  // segment -> its number in the order of opening
  std::vector<Number> segments_;            // the inverse
  IntervalSet untouched_;                   // segments
  IntervalSet partial_;                     // segments with an excluded address and one that is not
};

}  // namespace gnomon
