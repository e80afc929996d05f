// SPDX-License-Identifier: Apache-2.0
#include "ipam/record_table.h"

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"

namespace gnomon {
namespace {

// ToUnixMicros gives these for the infinite times.
constexpr int64_t kPast = std::numeric_limits<int64_t>::min(), kFuture = RecordTable::kNever;

bool HasReason(const AddressRecord& record) {
  return !record.source.empty() || !record.prediction.empty() || record.resources != Resources();
}

int64_t MicrosOf(absl::Time time) {
  return time == absl::InfiniteFuture() ? kFuture
                                        : absl::ToUnixMicros(time);  // which takes ten times as long for that one
}

absl::Time TimeOf(int64_t micros) {
  if (micros == kPast) return absl::InfinitePast();
  return micros == kFuture ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
}

// Why a shadow is there, as one shared text: the resources' bytes, the source's length in two bytes, source and prediction.
std::string ReasonOf(const AddressRecord& record) {
  std::string reason(sizeof(Resources) + 2, '\0');
  std::memcpy(reason.data(), &record.resources, sizeof(Resources));
  const auto size = static_cast<uint16_t>(record.source.size());
  std::memcpy(reason.data() + sizeof(Resources), &size, sizeof(size));
  return reason.append(record.source).append(record.prediction);
}

void ReadReason(std::string_view reason, AddressRecord* record) {
  if (reason.empty()) return;
  std::memcpy(&record->resources, reason.data(), sizeof(Resources));
  uint16_t size = 0;
  std::memcpy(&size, reason.data() + sizeof(Resources), sizeof(size));
  reason.remove_prefix(sizeof(Resources) + sizeof(size));
  record->source = reason.substr(0, size);
  record->prediction = reason.substr(size);
}

}  // namespace

absl::Time RecordTable::Entry::until() const { return TimeOf(until_us); }

void RecordTable::Entry::SetTimes(absl::Time since, absl::Time until) {
  since_us = MicrosOf(since);
  until_us = MicrosOf(until);
}

// Slot 0 is none: it is taken for good.
RecordTable::RecordTable() { TakeSlot(); }

Slot RecordTable::TakeSlot() {
  if (roomy_.empty()) {
    roomy_.insert(static_cast<uint32_t>(chunks_.size()));
    chunks_.emplace_back();
  }
  const uint32_t number = *roomy_.begin();
  Chunk& chunk = chunks_[number];
  if (chunk.entries == nullptr) {
    chunk.entries = std::make_unique<Entry[]>(kChunk);
    for (uint32_t i = 0; i + 1 < kChunk; ++i) chunk.entries[i].partner = i + 2;
    chunk.first_free = 1;
  }
  const uint32_t index = chunk.first_free - 1;
  chunk.first_free = std::exchange(chunk.entries[index].partner, 0);
  if (chunk.first_free == 0) roomy_.erase(roomy_.begin());
  ++chunk.held;
  return static_cast<Slot>(number * kChunk + index);
}

void RecordTable::FreeSlot(Slot slot) {
  const auto number = static_cast<uint32_t>(slot / kChunk);
  Chunk& chunk = chunks_[number];
  if (chunk.first_free == 0) roomy_.insert(number);
  chunk.entries[slot % kChunk].partner = std::exchange(chunk.first_free, slot % kChunk + 1);
  if (--chunk.held == 0) chunk.entries = nullptr;
}

Slot RecordTable::Add(const AddressRecord& record) {
  const Slot slot = TakeSlot();
  Entry& entry = (*this)[slot];
  entry.address = record.address;
  entry.revision = record.revision;
  entry.SetTimes(record.since, record.until);
  entry.pool = record.pool;
  entry.type = texts_.Hold(record.type);
  entry.zone = texts_.Hold(record.place.zone);
  entry.host = texts_.Hold(record.place.host);
  entry.reason = HasReason(record) ? texts_.Hold(ReasonOf(record)) : 0;
  entry.mac = record.mac;
  entry.length = static_cast<uint8_t>(record.length);
  entry.state = record.state;
  entry.warmth = record.warmth;
  entry.used = record.used;
  entry.from_shadow = record.from_shadow;
  if (record.state == AddressState::kShadow) {
    entry.links = {};
  } else {
    entry.held = {record.generation, ids_.Add(record.instance), texts_.Hold(record.labels)};
  }
  return slot;
}

void RecordTable::Drop(Slot slot) {
  Entry& entry = (*this)[slot];
  if (entry.state != AddressState::kShadow) {
    dropped_ids_.push_back(entry.held.instance);
    DropLater(entry.held.labels);
  }
  for (uint32_t text : {entry.type, entry.zone, entry.host, entry.reason}) DropLater(text);
  entry = Entry();
  dropped_.push_back(slot);
}

void RecordTable::Settle() {
  if (dropped_.empty() && dropped_texts_.empty() && dropped_ids_.empty()) return;
  for (uint32_t text : dropped_texts_) texts_.Drop(text);
  for (TextArena::Ref id : dropped_ids_) ids_.Drop(id);
  for (Slot slot : dropped_) FreeSlot(slot);
  // What one large command needed is not kept for ever.
  auto clear = [](auto* list) {
    constexpr size_t kKeep = 4096;
    list->clear();
    if (list->capacity() > kKeep) list->shrink_to_fit();
  };
  clear(&dropped_texts_);
  clear(&dropped_ids_);
  clear(&dropped_);
}

void RecordTable::Read(Slot slot, AddressRecord* record) const {
  const Entry& entry = (*this)[slot];
  record->address = entry.address;
  record->length = entry.length;
  record->pool = entry.pool;
  record->state = entry.state;
  record->revision = entry.revision;
  record->since = TimeOf(entry.since_us);
  record->until = TimeOf(entry.until_us);
  record->used = entry.used;
  record->mac = entry.mac;
  if (entry.partner != 0) record->partner = (*this)[entry.partner].address;
  record->from_shadow = entry.from_shadow;
  record->warmth = entry.warmth;
  if (entry.state != AddressState::kShadow) record->generation = entry.held.generation;
  ViewTexts(slot, record);
}

void RecordTable::ViewTexts(Slot slot, AddressRecord* record) const {
  const Entry& entry = (*this)[slot];
  record->type = texts_.Text(entry.type);
  record->place = PlaceOf(slot);
  ReadReason(texts_.Text(entry.reason), record);
  if (entry.state == AddressState::kShadow) return;
  record->instance = ids_.Text(entry.held.instance);
  record->labels = texts_.Text(entry.held.labels);
}

void RecordTable::SetInstance(Slot slot, std::string_view instance, std::string_view labels) {
  Entry& entry = (*this)[slot];
  dropped_ids_.push_back(entry.held.instance);
  entry.held.instance = ids_.Add(instance);
  Set(&entry.held.labels, labels);
}

void RecordTable::SetPlace(Slot slot, PlaceView place) {
  Set(&(*this)[slot].zone, place.zone);
  Set(&(*this)[slot].host, place.host);
}

void RecordTable::EndShadow(Slot slot, AddressState state) {
  Entry& entry = (*this)[slot];
  GNOMON_CHECK(entry.state == AddressState::kShadow && state != AddressState::kShadow);
  entry.held = {};
  entry.state = state;
}

void RecordTable::Set(uint32_t* number, std::string_view text) {
  const uint32_t before = *number;
  *number = texts_.Hold(text);
  DropLater(before);
}

size_t RecordTable::MemoryBytes() const {
  size_t bytes = ids_.MemoryBytes() + chunks_.size() * sizeof(Chunk);
  for (const Chunk& chunk : chunks_) bytes += chunk.entries == nullptr ? 0 : kChunk * sizeof(Entry);
  return bytes;
}

}  // namespace gnomon
