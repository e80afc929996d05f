// SPDX-License-Identifier: Apache-2.0
#include "ipam/record_table.h"

#include <cstring>
#include <limits>
#include <string>

#include "base/check.h"

namespace gnomon {
namespace {

// ToUnixMicros gives these for the infinite times.
constexpr int64_t kPast = std::numeric_limits<int64_t>::min(), kFuture = std::numeric_limits<int64_t>::max();

absl::Time TimeOf(int64_t micros) {
  if (micros == kPast) return absl::InfinitePast();
  return micros == kFuture ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
}

// Why a shadow is there, as one shared text: the resources' bytes, the source's length in two bytes, source and prediction.
std::string ReasonOf(const AddressRecord& record) {
  if (record.source.empty() && record.prediction.empty() && record.resources == Resources()) return "";
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
  since_us = absl::ToUnixMicros(since);
  until_us = absl::ToUnixMicros(until);
}

Mac RecordTable::Entry::mac_address() const {
  uint64_t bits = 0;
  for (uint8_t byte : mac) bits = bits << 8 | byte;
  return Mac::FromBits(bits);
}

void RecordTable::Entry::SetMac(Mac mac_address) {
  for (size_t i = 0; i < sizeof(mac); ++i) mac[i] = static_cast<uint8_t>(mac_address.bits() >> (40 - 8 * i));
}

Slot RecordTable::Add(const AddressRecord& record) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = end_++;
    if (slot / kChunk >= chunks_.size()) chunks_.push_back(std::make_unique<Entry[]>(kChunk));
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Entry& entry = (*this)[slot];
  entry.address_high = absl::Uint128High64(record.address.bits());
  entry.address_low = absl::Uint128Low64(record.address.bits());
  entry.revision = record.revision;
  entry.SetTimes(record.since, record.until);
  entry.pool = record.pool;
  entry.type = texts_.Hold(record.type);
  entry.zone = texts_.Hold(record.place.zone);
  entry.host = texts_.Hold(record.place.host);
  entry.reason = texts_.Hold(ReasonOf(record));
  entry.SetMac(record.mac);
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
    dropped_texts_.push_back(entry.held.labels);
  }
  for (uint32_t text : {entry.type, entry.zone, entry.host, entry.reason}) dropped_texts_.push_back(text);
  entry = Entry();
  dropped_.push_back(slot);
}

void RecordTable::Settle() {
  if (dropped_texts_.empty() && dropped_ids_.empty()) return;
  for (uint32_t text : dropped_texts_) texts_.Drop(text);
  for (TextArena::Ref id : dropped_ids_) ids_.Drop(id);
  free_.insert(free_.end(), dropped_.begin(), dropped_.end());
  dropped_texts_.clear();
  dropped_ids_.clear();
  dropped_.clear();
}

AddressRecord RecordTable::Get(Slot slot) const {
  const Entry& entry = (*this)[slot];
  AddressRecord record{.address = entry.address(), .length = entry.length, .pool = entry.pool, .state = entry.state};
  record.revision = entry.revision;
  record.since = TimeOf(entry.since_us);
  record.until = TimeOf(entry.until_us);
  record.used = entry.used;
  record.mac = entry.mac_address();
  if (entry.partner != 0) record.partner = (*this)[entry.partner].address();
  record.from_shadow = entry.from_shadow;
  record.type = texts_.Text(entry.type);
  record.place = PlaceOf(slot);
  record.warmth = entry.warmth;
  ReadReason(texts_.Text(entry.reason), &record);
  if (entry.state != AddressState::kShadow) {
    record.generation = entry.held.generation;
    record.instance = ids_.Text(entry.held.instance);
    record.labels = texts_.Text(entry.held.labels);
  }
  return record;
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
  dropped_texts_.push_back(before);
}

size_t RecordTable::MemoryBytes() const {
  return chunks_.size() * kChunk * sizeof(Entry) + free_.capacity() * sizeof(Slot) + ids_.MemoryBytes();
}

}  // namespace gnomon
