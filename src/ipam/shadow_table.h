// SPDX-License-Identifier: Apache-2.0
//
// A ShadowTable finds the shadow to take for a creation, and the one to give up when an address is wanted.
//
// Shadows of one (type, scope, families) form a group. In a group, ready comes before warming before cold, and older before
// younger. A dual-stack shadow is a pair of records; the table knows the pair by its IPv4 record.
//
// The lists run through the records themselves (RecordTable::Entry::links), so a shadow costs nothing here.
//
// Threads: not thread-safe; its network owns it.
// Cost: constant an operation, but for First with a filter, which is linear in the shadows that the filter refuses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "ipam/record_table.h"

namespace gnomon {

// A set of families, as bits.
using Families = uint8_t;
constexpr Families BitOf(Family family) { return family == Family::kIpv4 ? 1 : 2; }
inline constexpr Families kNoFamilies = 0, kOnlyIpv4 = 1, kOnlyIpv6 = 2, kBothFamilies = 3;

class ShadowTable {
 public:
  // A group by its texts.
  struct Group {
    std::string_view type;
    PlaceView scope;
    Families families = kOnlyIpv4;
  };

  explicit ShadowTable(RecordTable* records) : records_(*records) {}

  // The slot's record is a shadow, complete with its partner, and not in the table: it becomes its group's youngest.
  void Add(Slot slot);
  void Remove(Slot slot);  // before anything of the record changes
  void SetWarmth(Slot slot, Warmth warmth);

  // The best shadow of the group; 0 if it is empty.
  Slot Best(const Group& group) const;
  // The first of a group to be given back: cold before warming before ready, older before younger; 0 if it is empty.
  Slot Worst(const Group& group) const;
  // As Worst, over all groups, of those that `wanted` accepts.
  Slot First(absl::FunctionRef<bool(Slot)> wanted) const;

  size_t CountOf(const Group& group) const;
  Families FamiliesOf(Slot slot) const;

 private:
  struct Key {
    uint32_t type, zone, host;
    Families families;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.type, key.zone, key.host, key.families);
    }
  };
  struct List {
    Slot first = 0, last = 0;
  };
  using Lists = std::array<List, 3>;  // index: Warmth
  struct Members {
    Lists lists;
    size_t count = 0;
  };

  Key KeyOf(Slot slot) const;
  const Members* Find(const Group& group) const;

  RecordTable& records_;
  absl::flat_hash_map<Key, Members> groups_;  // no empty ones
  Lists all_;
};

}  // namespace gnomon
