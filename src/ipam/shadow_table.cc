// SPDX-License-Identifier: Apache-2.0
#include "ipam/shadow_table.h"

#include "base/check.h"

namespace gnomon {

void ShadowTable::Add(const Group& group, Warmth warmth, Slot slot) {
  const auto index = static_cast<size_t>(warmth);
  Order& mine = groups_[group].by_warmth[index];
  mine.push_back(slot);
  all_[index].push_back(slot);
  const bool added =
      entries_.emplace(slot, Entry{group, warmth, std::prev(mine.end()), std::prev(all_[index].end())}).second;
  GNOMON_CHECK(added);
}

void ShadowTable::Remove(Slot slot) {
  auto entry = entries_.find(slot);
  GNOMON_CHECK(entry != entries_.end());
  const auto index = static_cast<size_t>(entry->second.warmth);
  auto lists = groups_.find(entry->second.group);
  lists->second.by_warmth[index].erase(entry->second.in_group);
  all_[index].erase(entry->second.in_all);
  entries_.erase(entry);
  bool empty = true;
  for (const Order& order : lists->second.by_warmth) empty = empty && order.empty();
  if (empty) groups_.erase(lists);
}

void ShadowTable::SetWarmth(Slot slot, Warmth warmth) {
  auto entry = entries_.find(slot);
  GNOMON_CHECK(entry != entries_.end());
  const Group group = entry->second.group;
  Remove(slot);
  Add(group, warmth, slot);
}

Slot ShadowTable::Best(const Group& group) const {
  auto lists = groups_.find(group);
  if (lists == groups_.end()) return 0;
  for (Warmth warmth : {Warmth::kReady, Warmth::kWarming, Warmth::kCold}) {
    const Order& order = lists->second.by_warmth[static_cast<size_t>(warmth)];
    if (!order.empty()) return order.front();
  }
  return 0;
}

Slot ShadowTable::Worst(const Group& group) const {
  auto lists = groups_.find(group);
  if (lists == groups_.end()) return 0;
  for (const Order& order : lists->second.by_warmth) {
    if (!order.empty()) return order.front();
  }
  return 0;
}

Slot ShadowTable::Oldest(absl::FunctionRef<bool(Slot)> wanted) const {
  for (const Order& order : all_) {
    for (Slot slot : order) {
      if (wanted(slot)) return slot;
    }
  }
  return 0;
}

size_t ShadowTable::CountOf(const Group& group) const {
  auto lists = groups_.find(group);
  if (lists == groups_.end()) return 0;
  size_t count = 0;
  for (const Order& order : lists->second.by_warmth) count += order.size();
  return count;
}

}  // namespace gnomon
