// SPDX-License-Identifier: Apache-2.0
//
// A RecordTable keeps the records of a network's held addresses, in 88 bytes each and their instance's id.
//
// Texts that many records share are kept once. A record is known by its slot, which is used again after Drop.
//
// Threads: not thread-safe; its network owns it.
// Ownership: what Get returns views the table, until Settle.
// Cost: constant an operation; Add hashes the shared texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ipam/address_record.h"
#include "ipam/interner.h"
#include "ipam/text_arena.h"

namespace gnomon {

class RecordTable {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();  // absl::InfiniteFuture
  // What the table keeps of a record. Times are microseconds since the epoch; the least and the greatest are infinite.
  struct Entry {
    // Members of lists of shadows; see ShadowTable.
    struct Links {
      Slot group_previous, group_next, all_previous, all_next;
    };
    struct Held {
      uint64_t generation;
      TextArena::Ref instance;
      uint32_t labels;
    };

    Ip address = {};
    uint64_t revision = 0;
    int64_t since_us = 0, until_us = 0;
    union {
      Held held{};  // of any state but kShadow
      Links links;  // of kShadow
    };
    Slot partner = 0;
    PoolId pool = 0;
    uint32_t type = 0, zone = 0, host = 0, reason = 0;
    Mac mac = {};
    uint8_t length = 0;
    AddressState state : 3 = AddressState::kFree;
    Warmth warmth : 2 = Warmth::kCold;
    bool used : 1 = false;
    bool from_shadow : 1 = false;

    bool single() const { return length == MaxLength(address.family()); }
    bool is_pair() const { return partner != 0; }
    absl::Time until() const;
    void SetTimes(absl::Time since, absl::Time until);
  };
  static_assert(sizeof(Entry) == 88);

  RecordTable();

  // A copy of the record, but for its partner, which is set by slot.
  Slot Add(const AddressRecord& record);
  // The record is gone, but what Get returned of it stays readable until Settle; so do texts that were replaced.
  void Drop(Slot slot);
  void Settle();

  // The slot has been given and, since then, its chunk has never been empty; slot 0 may be looked at, and is none.
  Entry& operator[](Slot slot) { return chunks_[slot / kChunk].entries[slot % kChunk]; }
  const Entry& operator[](Slot slot) const { return chunks_[slot / kChunk].entries[slot % kChunk]; }
  // Whether the slot may be looked at: a slot that was dropped may have lost its room.
  bool Exists(Slot slot) const { return slot / kChunk < chunks_.size() && chunks_[slot / kChunk].entries != nullptr; }
  AddressRecord Get(Slot slot) const {
    AddressRecord record;
    Read(slot, &record);
    return record;
  }
  void Read(Slot slot, AddressRecord* record) const;  // into a record that is new
  // The record, which is the slot's but for its revision and partner, views the table instead of what it was added
  // from.
  void ViewTexts(Slot slot, AddressRecord* record) const;

  // Of records of any state but kShadow.
  std::string_view InstanceOf(Slot slot) const { return ids_.Text((*this)[slot].held.instance); }
  void SetInstance(Slot slot, std::string_view instance, std::string_view labels);
  void SetLabels(Slot slot, std::string_view labels) { Set(&(*this)[slot].held.labels, labels); }
  // Of all records.
  void SetPlace(Slot slot, PlaceView place);
  PlaceView PlaceOf(Slot slot) const { return {texts_.Text((*this)[slot].zone), texts_.Text((*this)[slot].host)}; }

  // From kShadow, and only from it: the links are gone, and nothing is held yet.
  void EndShadow(Slot slot, AddressState state);

  const Interner& texts() const { return texts_; }
  // One more than the greatest slot that there can be now.
  Slot end() const { return static_cast<Slot>(chunks_.size() * kChunk); }
  size_t MemoryBytes() const;

 private:
  static constexpr size_t kChunk = 4096;  // entries
  // Room for kChunk records. The free ones are a list through Entry::partner, by their index plus one.
  struct Chunk {
    std::unique_ptr<Entry[]> entries;  // null while none is held
    uint32_t held = 0;
    uint32_t first_free = 0;
  };

  Slot TakeSlot();
  void FreeSlot(Slot slot);
  void Set(uint32_t* number, std::string_view text);
  void DropLater(uint32_t text) {
    if (text != 0) dropped_texts_.push_back(text);
  }

  std::vector<Chunk> chunks_;
  std::set<uint32_t> roomy_;  // chunks with a free entry, also those without memory; the lowest is used first
  std::vector<Slot> dropped_;  // until Settle
  std::vector<uint32_t> dropped_texts_;
  std::vector<TextArena::Ref> dropped_ids_;
  Interner texts_;             // types, zones, hosts, labels, reasons
  TextArena ids_;
};

}  // namespace gnomon
