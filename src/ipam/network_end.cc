// SPDX-License-Identifier: Apache-2.0
//
// How assignments and shadows end: release, preserve, quarantine, reclaim, withdrawal, and the passing of time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

absl::Status GenerationDiffers(std::string_view instance, uint64_t asked, uint64_t is) {
  return Error(absl::StatusCode::kFailedPrecondition, "GENERATION_DIFFERS",
               absl::StrCat("instance ", AbslView(instance), " is of generation ", is, ", not ", asked))
      .Field("generation")
      .Value(absl::StrCat(asked))
      .Hint("read the instance again: its id has been given anew, or its address was reassigned");
}

}  // namespace

absl::StatusOr<Records> Network::Release(absl::Time now, const ReleaseRequest& request, Changes* changes) {
  records_.Settle();
  const Slots slots = SlotsOf(request.instance);
  if (slots.empty()) return Records();
  if (request.generation && *request.generation != At(slots[0]).held.generation) {
    return GenerationDiffers(request.instance, *request.generation, At(slots[0]).held.generation);
  }
  if (request.preserve && (*request.preserve <= absl::ZeroDuration() || *request.preserve > kMaxPreserve)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_PRESERVE", "the time to preserve is out of range")
        .Field("preserve")
        .Value(absl::FormatDuration(*request.preserve))
        .Hint(absl::StrCat("use a duration of more than zero and at most ", absl::FormatDuration(kMaxPreserve)));
  }
  DropMac(slots[0]);
  instances_.erase(slots[0]);
  CountInstance(slots[0], -1);
  if (instances_.capacity() > kSpareInstances && instances_.size() < instances_.capacity() / 8) instances_.rehash(0);
  Part(slots[0]);
  Records ended;
  for (Slot slot : slots) {
    if (request.preserve) {
      SetState(now, slot, AddressState::kPreserved, now + *request.preserve);
      Put(slot, changes);
    } else {
      Quarantine(now, slot, changes);
    }
    ended.push_back(std::get<AddressRecord>(changes->back()));
  }
  return ended;
}

absl::StatusOr<Records> Network::Update(const UpdateRequest& request, Changes* changes) {
  records_.Settle();
  for (const auto& [field, text, most] : {std::tuple("zone", &request.zone, kMaxTextBytes),
                                          std::tuple("host", &request.host, kMaxTextBytes),
                                          std::tuple("labels", &request.labels, kMaxLabelsBytes)}) {
    if (!text->has_value() || (*text)->size() <= most) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_INSTANCE", absl::StrCat(field, " is longer than ", most, " bytes"))
        .Field(field)
        .Value(Excerpt(**text));
  }
  const Slots slots = SlotsOf(request.instance);
  if (slots.empty()) return InstanceNotFound(request.instance);
  if (request.generation && *request.generation != At(slots[0]).held.generation) {
    return GenerationDiffers(request.instance, *request.generation, At(slots[0]).held.generation);
  }
  for (Slot slot : slots) {
    const AddressRecord record = records_.Get(slot);
    const PlaceView place{request.zone ? std::string_view(*request.zone) : record.place.zone,
                          request.host ? std::string_view(*request.host) : record.place.host};
    const std::string_view labels = request.labels ? std::string_view(*request.labels) : record.labels;
    if (record.place == place && record.labels == labels) continue;
    records_.SetPlace(slot, place);
    records_.SetLabels(slot, labels);
    Put(slot, changes);
  }
  return Find(request.instance);
}

absl::Status Network::EndPreserve(absl::Time now, Ip address, Changes* changes) {
  records_.Settle();
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kPreserved) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRESERVED",
                 absl::StrCat(address.ToString(), " is not preserved"))
        .Field("address")
        .Value(address.ToString());
  }
  Quarantine(now, slot, changes);
  return absl::OkStatus();
}

// The slot is no shadow any more.
void Network::Quarantine(absl::Time now, Slot slot, Changes* changes) {
  const absl::Duration quarantine = PoolOf(At(slot).pool)->config().quarantine;
  At(slot).used = true;
  SetState(now, slot, AddressState::kQuarantined, now + quarantine);
  Put(slot, changes);
  if (quarantine <= absl::ZeroDuration()) SetFree(slot);
}

// The end of a quarantine is no change: the record that is stored says when it ends.
void Network::SetFree(Slot slot) {
  const RecordTable::Entry& entry = At(slot);
  Pool* pool = PoolOf(entry.pool);
  if (entry.single()) {
    pool->Free(entry.address);
  } else {
    pool->FreeBlock(Prefix(entry.address, entry.length));
  }
  DropSlot(slot);
}

// The slot is no shadow any more.
void Network::ReturnUnused(absl::Time now, Slot slot, Changes* changes) {
  withdrawing_.erase(slot);
  const RecordTable::Entry& entry = At(slot);
  const Ip address = entry.address;
  PoolOf(entry.pool)->Return(address, !entry.used);
  ++revision_;
  if (entry.used) {
    AddressRecord free{.address = address, .length = entry.length, .pool = entry.pool};
    free.revision = revision_;
    free.since = now;
    free.until = absl::UnixEpoch();  // before all others in the idle order
    free.used = true;
    changes->push_back(free);
  } else {
    changes->push_back(ErasedAddress{address});
  }
  DropSlot(slot);
}

void Network::Detach(Slot slot) {
  const Slot primary = PrimaryOf(slot);
  DropMac(primary);
  shadows_.Remove(primary);
}

// The slot is a shadow that has been detached, and has no partner any more.
void Network::GiveBack(absl::Time now, Slot slot, Changes* changes) {
  const bool cold = At(slot).warmth == Warmth::kCold;
  const absl::Duration quarantine = PoolOf(At(slot).pool)->config().quarantine;
  EndShadow(now, slot, AddressState::kWithdrawing, now + std::max(quarantine, kMaxWithdrawWait));
  if (cold) return ReturnUnused(now, slot, changes);
  withdrawing_.insert(slot);
  Put(slot, changes);
}

void Network::Reclaim(absl::Time now, Slot slot, Changes* changes) {
  Detach(slot);
  const Slots pair = PairOf(slot);
  Part(slot);
  for (Slot each : pair) GiveBack(now, each, changes);
}

absl::Status Network::SetWarmth(Ip address, Warmth warmth, Changes* changes) {
  records_.Settle();
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kShadow) return NotAShadow(address);
  const Slot primary = PrimaryOf(slot);
  if (At(primary).warmth == warmth) return absl::OkStatus();
  shadows_.SetWarmth(primary, warmth);
  for (Slot each : PairOf(primary)) {
    At(each).warmth = warmth;
    Put(each, changes);
  }
  return absl::OkStatus();
}

absl::Status Network::ConflictDetected(absl::Time now, Ip address, Changes* changes) {
  records_.Settle();
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kShadow) return NotAShadow(address);
  Detach(slot);
  const Slot partner = At(slot).partner;
  Part(slot);
  EndShadow(now, slot, AddressState::kWithdrawing, now);
  Quarantine(now, slot, changes);
  if (partner != 0) GiveBack(now, partner, changes);
  return absl::OkStatus();
}

void Network::Withdrawn(absl::Time now, Ip address, Changes* changes) {
  records_.Settle();
  const Slot slot = SlotOf(address);
  if (slot != 0 && At(slot).state == AddressState::kWithdrawing) ReturnUnused(now, slot, changes);
}

void Network::Advance(absl::Time now, Changes* changes) {
  records_.Settle();
  ExpirePredictions(now, changes);
  // What is void by now counts too, so that a step is short.
  for (size_t looked_at = 0; looked_at < kMaxEnded && !deadlines_.empty() && deadlines_.top().at() <= now;
       ++looked_at) {
    const Deadline due = deadlines_.top();
    deadlines_.Pop();
    if (IsLive(due) && At(due.slot).until() <= now) Expire(now, due.slot, changes);
  }
  CompactDeadlines();
}

void Network::Expire(absl::Time now, Slot slot, Changes* changes) {
  switch (At(slot).state) {
    case AddressState::kFree:
    case AddressState::kAssigned:
      return;
    case AddressState::kPreserved:
      return Quarantine(now, slot, changes);
    case AddressState::kQuarantined:
      return SetFree(slot);
    case AddressState::kWithdrawing:
      return ReturnUnused(now, slot, changes);
    case AddressState::kShadow:
      break;
  }
  const AddressRecord record = records_.Get(slot);
  const ShadowTable::Group group{record.type, record.place, shadows_.FamiliesOf(slot)};
  const auto [target, until] = TargetOf({std::string(record.type), record.place.Own()});
  const bool wanted = group.families == families() && shadows_.CountOf(group) <= target && until > now;
  if (!wanted) return Reclaim(now, slot, changes);
  for (Slot each : PairOf(slot)) {
    At(each).until_us = absl::ToUnixMicros(until);
    Put(each, changes);
  }
}

absl::Time Network::NextDeadline() const {
  absl::Time next = deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.top().at();
  if (!prediction_ends_.empty()) next = std::min(next, std::get<0>(*prediction_ends_.begin()));
  return next;
}

}  // namespace gnomon
