// SPDX-License-Identifier: Apache-2.0
//
// How assignments and shadows end: release, preserve, quarantine, reclaim, withdrawal, and the passing of time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"

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

absl::StatusOr<std::vector<AddressRecord>> Network::Release(absl::Time now, const ReleaseRequest& request,
                                                            Changes* changes) {
  const std::vector<Slot> slots = SlotsOf(request.instance);
  if (slots.empty()) return std::vector<AddressRecord>();
  if (request.generation && *request.generation != At(slots[0]).generation) {
    return GenerationDiffers(request.instance, *request.generation, At(slots[0]).generation);
  }
  if (request.preserve && (*request.preserve <= absl::ZeroDuration() || *request.preserve > kMaxPreserve)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_PRESERVE", "the time to preserve is out of range")
        .Field("preserve")
        .Value(absl::FormatDuration(*request.preserve))
        .Hint(absl::StrCat("use a duration of more than zero and at most ", absl::FormatDuration(kMaxPreserve)));
  }
  instances_.erase(request.instance);
  std::vector<AddressRecord> ended;
  for (Slot slot : slots) {
    At(slot).partner.reset();
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

absl::StatusOr<std::vector<AddressRecord>> Network::Update(absl::Time now, const UpdateRequest& request,
                                                           Changes* changes) {
  const std::vector<Slot> slots = SlotsOf(request.instance);
  if (slots.empty()) {
    return Error(absl::StatusCode::kNotFound, "INSTANCE_NOT_FOUND",
                 absl::StrCat("no instance ", request.instance, " in this network"));
  }
  if (request.generation && *request.generation != At(slots[0]).generation) {
    return GenerationDiffers(request.instance, *request.generation, At(slots[0]).generation);
  }
  for (Slot slot : slots) {
    AddressRecord& record = At(slot);
    const Place& place = request.place ? *request.place : record.place;
    const std::string& labels = request.labels ? *request.labels : record.labels;
    if (record.place == place && record.labels == labels) continue;
    record.place = place;
    record.labels = labels;
    record.since = now;
    Put(slot, changes);
  }
  return Find(request.instance);
}

absl::Status Network::EndPreserve(absl::Time now, Ip address, Changes* changes) {
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kPreserved) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOT_PRESERVED",
                 absl::StrCat(address.ToString(), " is not preserved"));
  }
  Quarantine(now, slot, changes);
  return absl::OkStatus();
}

void Network::Quarantine(absl::Time now, Slot slot, Changes* changes) {
  const absl::Duration quarantine = PoolOf(At(slot).pool)->config().quarantine;
  At(slot).used = true;
  SetState(now, slot, AddressState::kQuarantined, now + quarantine);
  Put(slot, changes);
  if (quarantine <= absl::ZeroDuration()) SetFree(now, slot, changes);
}

// The end of a quarantine is no change: the record that is stored says when it ends.
void Network::SetFree(absl::Time, Slot slot, Changes*) {
  const AddressRecord& record = At(slot);
  Pool* pool = PoolOf(record.pool);
  if (record.length == MaxLength(record.address.family())) {
    pool->Free(record.address);
  } else {
    pool->FreeBlock(Prefix(record.address, record.length));
  }
  DropSlot(slot);
}

void Network::ReturnUnused(absl::Time now, Slot slot, Changes* changes) {
  withdrawing_.erase(slot);
  const AddressRecord& record = At(slot);
  PoolOf(record.pool)->Return(record.address, !record.used);
  ++revision_;
  if (record.used) {
    AddressRecord free{.address = record.address, .length = record.length, .pool = record.pool};
    free.revision = revision_;
    free.since = now;
    free.until = absl::UnixEpoch();  // before all others in the idle order
    free.used = true;
    changes->push_back(std::move(free));
  } else {
    changes->push_back(ErasedAddress{record.address});
  }
  DropSlot(slot);
}

void Network::Detach(Slot slot) {
  const Slot primary = PrimaryOf(slot);
  shadows_.Remove(primary);
  --shadows_by_pool_[At(primary).pool];
  if (At(primary).partner) --shadows_by_pool_[At(SlotOf(*At(primary).partner)).pool];
}

void Network::GiveBack(absl::Time now, Slot slot, bool withdraw, Changes* changes) {
  AddressRecord& record = At(slot);
  record.partner.reset();
  if (!withdraw || record.warmth == Warmth::kCold) return ReturnUnused(now, slot, changes);
  const absl::Duration quarantine = PoolOf(record.pool)->config().quarantine;
  SetState(now, slot, AddressState::kWithdrawing, now + std::max(quarantine, kMaxWithdrawWait));
  withdrawing_.insert(slot);
  Put(slot, changes);
}

void Network::Reclaim(absl::Time now, Slot slot, bool withdraw, Changes* changes) {
  Detach(slot);
  const Slot partner = At(slot).partner ? SlotOf(*At(slot).partner) : 0;
  GiveBack(now, slot, withdraw, changes);
  if (partner != 0) GiveBack(now, partner, withdraw, changes);
}

absl::Status Network::SetWarmth(Ip address, Warmth warmth, Changes* changes) {
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kShadow) {
    return Error(absl::StatusCode::kNotFound, "NOT_A_SHADOW", absl::StrCat(address.ToString(), " is not a shadow"));
  }
  const Slot primary = PrimaryOf(slot);
  if (At(primary).warmth == warmth) return absl::OkStatus();
  std::vector<Slot> pair{primary};
  if (At(primary).partner) pair.push_back(SlotOf(*At(primary).partner));
  shadows_.SetWarmth(primary, warmth);
  for (Slot each : pair) {
    At(each).warmth = warmth;
    Put(each, changes);
  }
  return absl::OkStatus();
}

absl::Status Network::ConflictDetected(absl::Time now, Ip address, Changes* changes) {
  const Slot slot = SlotOf(address);
  if (slot == 0 || At(slot).state != AddressState::kShadow) {
    return Error(absl::StatusCode::kNotFound, "NOT_A_SHADOW", absl::StrCat(address.ToString(), " is not a shadow"));
  }
  Detach(slot);
  const Slot partner = At(slot).partner ? SlotOf(*At(slot).partner) : 0;
  At(slot).partner.reset();
  Quarantine(now, slot, changes);
  if (partner != 0) GiveBack(now, partner, true, changes);
  return absl::OkStatus();
}

void Network::Withdrawn(absl::Time now, Ip address, Changes* changes) {
  const Slot slot = SlotOf(address);
  if (slot != 0 && At(slot).state == AddressState::kWithdrawing) ReturnUnused(now, slot, changes);
}

void Network::Advance(absl::Time now, Changes* changes) {
  ExpirePredictions(now, changes);
  while (!deadlines_.empty() && deadlines_.top().at <= now) {
    const Deadline due = deadlines_.top();
    deadlines_.pop();
    if (At(due.slot).revision == due.revision && At(due.slot).until <= now) Expire(now, due.slot, changes);
  }
}

void Network::Expire(absl::Time now, Slot slot, Changes* changes) {
  switch (At(slot).state) {
    case AddressState::kFree:
    case AddressState::kAssigned:
      return;
    case AddressState::kPreserved:
      return Quarantine(now, slot, changes);
    case AddressState::kQuarantined:
      return SetFree(now, slot, changes);
    case AddressState::kWithdrawing:
      return ReturnUnused(now, slot, changes);
    case AddressState::kShadow:
      break;
  }
  const ShadowTable::Group group = GroupOf(At(slot));
  const auto [target, until] = TargetOf({group.type, group.scope});
  const bool wanted = group.families == families() && shadows_.CountOf(group) <= target && until > now;
  if (!wanted) return Reclaim(now, slot, true, changes);
  const Slot partner = At(slot).partner ? SlotOf(*At(slot).partner) : 0;
  for (Slot each : {slot, partner}) {
    if (each == 0) continue;
    At(each).until = until;
    Put(each, changes);
  }
}

absl::Time Network::NextDeadline() const {
  absl::Time next = deadlines_.empty() ? absl::InfiniteFuture() : deadlines_.top().at;
  if (!prediction_ends_.empty()) next = std::min(next, std::get<0>(*prediction_ends_.begin()));
  return next;
}

}  // namespace gnomon
