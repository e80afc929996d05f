// SPDX-License-Identifier: Apache-2.0
//
// A ShadowTable finds the shadow to take for a creation, and the one to give up when an address is wanted.
//
// Shadows of one (type, scope, families) form a group. In a group, ready comes before warming before cold, and older before
// younger. A dual-stack shadow is a pair of records; the table knows the pair by its IPv4 record.
//
// Threads: not thread-safe; its network owns it.
// Cost: constant an operation, but for Oldest with a filter, which is linear in the shadows that the filter refuses.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "ipam/address_record.h"
#include "ipam/pool.h"

namespace gnomon {

// A set of families, as bits.
using Families = uint8_t;
inline constexpr Families kNoFamilies = 0, kOnlyIpv4 = 1, kOnlyIpv6 = 2, kBothFamilies = 3;

class ShadowTable {
 public:
  struct Group {
    std::string type;
    Place scope;
    Families families = kOnlyIpv4;
    friend bool operator==(const Group&, const Group&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Group& group) {
      return H::combine(std::move(h), group.type, group.scope, group.families);
    }
  };

  // The slot is not in the table; it becomes its group's youngest of that warmth.
  void Add(const Group& group, Warmth warmth, Slot slot);
  void Remove(Slot slot);  // CHECKs that it is in the table
  void SetWarmth(Slot slot, Warmth warmth);

  // The best shadow of the group; 0 if it is empty.
  Slot Best(const Group& group) const;
  // The first of a group to be given back: cold before warming before ready, older before younger; 0 if it is empty.
  Slot Worst(const Group& group) const;
  // As Worst, over all groups, of those that `wanted` accepts.
  Slot Oldest(absl::FunctionRef<bool(Slot)> wanted) const;

  size_t CountOf(const Group& group) const;
  size_t size() const { return entries_.size(); }

 private:
  using Order = std::list<Slot>;
  struct Lists {
    std::array<Order, 3> by_warmth;  // index: Warmth
  };
  struct Entry {
    Group group;
    Warmth warmth;
    Order::iterator in_group, in_all;
  };

  absl::flat_hash_map<Group, Lists> groups_;  // no empty ones
  std::array<Order, 3> all_;                  // index: Warmth
  absl::flat_hash_map<Slot, Entry> entries_;
};

}  // namespace gnomon
