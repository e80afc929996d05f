// SPDX-License-Identifier: Apache-2.0
#include "ipam/shadow_table.h"

#include "base/check.h"

namespace gnomon {
namespace {

using Links = RecordTable::Entry::Links;

// Appends to, and takes from, a list that runs through two members of Links.
template <Slot Links::*kPrevious, Slot Links::*kNext, typename List>
void Append(RecordTable& records, List* list, Slot slot) {
  Links& links = records[slot].links;
  links.*kPrevious = list->last;
  links.*kNext = 0;
  if (list->last == 0) {
    list->first = slot;
  } else {
    records[list->last].links.*kNext = slot;
  }
  list->last = slot;
}

template <Slot Links::*kPrevious, Slot Links::*kNext, typename List>
void Unlink(RecordTable& records, List* list, Slot slot) {
  const Links& links = records[slot].links;
  const Slot previous = links.*kPrevious, next = links.*kNext;
  (previous == 0 ? list->first : records[previous].links.*kNext) = next;
  (next == 0 ? list->last : records[next].links.*kPrevious) = previous;
}

}  // namespace

void ShadowTable::Add(Slot slot) {
  const auto warmth = static_cast<size_t>(records_[slot].warmth);
  Members& members = groups_[KeyOf(slot)];
  Append<&Links::group_previous, &Links::group_next>(records_, &members.lists[warmth], slot);
  Append<&Links::all_previous, &Links::all_next>(records_, &all_[warmth], slot);
  ++members.count;
}

void ShadowTable::Remove(Slot slot) {
  const auto warmth = static_cast<size_t>(records_[slot].warmth);
  auto members = groups_.find(KeyOf(slot));
  GNOMON_CHECK(members != groups_.end());
  Unlink<&Links::group_previous, &Links::group_next>(records_, &members->second.lists[warmth], slot);
  Unlink<&Links::all_previous, &Links::all_next>(records_, &all_[warmth], slot);
  if (--members->second.count == 0) groups_.erase(members);
}

void ShadowTable::SetWarmth(Slot slot, Warmth warmth) {
  Remove(slot);
  records_[slot].warmth = warmth;
  Add(slot);
}

Slot ShadowTable::Best(const Group& group) const {
  const Members* members = Find(group);
  if (members == nullptr) return 0;
  for (Warmth warmth : {Warmth::kReady, Warmth::kWarming, Warmth::kCold}) {
    const Slot first = members->lists[static_cast<size_t>(warmth)].first;
    if (first != 0) return first;
  }
  return 0;
}

Slot ShadowTable::Worst(const Group& group) const {
  const Members* members = Find(group);
  if (members == nullptr) return 0;
  for (const List& list : members->lists) {
    if (list.first != 0) return list.first;
  }
  return 0;
}

Slot ShadowTable::First(absl::FunctionRef<bool(Slot)> wanted) const {
  for (const List& list : all_) {
    for (Slot slot = list.first; slot != 0; slot = records_[slot].links.all_next) {
      if (wanted(slot)) return slot;
    }
  }
  return 0;
}

size_t ShadowTable::CountOf(const Group& group) const {
  const Members* members = Find(group);
  return members == nullptr ? 0 : members->count;
}

Families ShadowTable::FamiliesOf(Slot slot) const {
  const RecordTable::Entry& entry = records_[slot];
  if (entry.is_pair()) return kBothFamilies;
  return BitOf(entry.address().family());
}

ShadowTable::Key ShadowTable::KeyOf(Slot slot) const {
  const RecordTable::Entry& entry = records_[slot];
  return {entry.type, entry.zone, entry.host, FamiliesOf(slot)};
}

// A text that nothing holds is no shadow's.
const ShadowTable::Members* ShadowTable::Find(const Group& group) const {
  if (groups_.empty()) return nullptr;
  const Interner& texts = records_.texts();
  const std::optional<uint32_t> type = texts.Find(group.type), zone = texts.Find(group.scope.zone),
                                host = texts.Find(group.scope.host);
  if (!type || !zone || !host) return nullptr;
  auto members = groups_.find(Key{*type, *zone, *host, group.families});
  return members == groups_.end() ? nullptr : &members->second;
}

}  // namespace gnomon
