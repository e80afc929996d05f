// SPDX-License-Identifier: Apache-2.0
//
// Reassignment, and the MACs that go with instances.
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/network.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

// Locally administered unicast addresses, by their first octet.
constexpr uint64_t kOfIpv4 = 0x02ull << 40, kOfIpv6 = 0x06ull << 40, kDrawn = 0x0aull << 40;
constexpr uint64_t kLow40 = 0xffffffffffull;

}  // namespace

// An IPv4 address is part of its MAC, so two addresses of a network never share one.
uint64_t Network::MacOf(Ip address) const {
  if (address.IsV4()) return kOfIpv4 | (static_cast<uint64_t>(id_) & 0xff) << 32 | address.v4_bits();
  const uint64_t low = absl::Uint128Low64(address.bits()) ^ absl::Uint128High64(address.bits()) * 0x9e3779b97f4a7c15ull;
  return kOfIpv6 | ((low ^ low >> 40) & kLow40);
}

bool Network::MacIsHeld(Mac mac) const {
  if (other_macs_.contains(mac.bits())) return true;
  if ((mac.bits() & ~kLow40) != kOfIpv4) return false;
  const Slot slot = SlotOf(Ip::V4(static_cast<uint32_t>(mac.bits())));
  return slot != 0 && At(slot).mac == mac &&
         (At(slot).state == AddressState::kAssigned || At(slot).state == AddressState::kShadow);
}

// Of the address if that is free, as it is but for what clients chose themselves or took along; else one that is drawn.
uint64_t Network::MakeMac(Ip address) const {
  uint64_t mac = MacOf(address);
  if (!other_macs_.empty()) {
    for (uint64_t draw = NextRandom(); other_macs_.contains(mac); ++draw)
      mac = kDrawn | draw * 0x9e3779b97f4a7c15ull >> 24;
  }
  return mac;
}

bool Network::HasOwnMac(Slot slot) const {
  const RecordTable::Entry& entry = At(slot);
  return entry.address.IsV4() && entry.mac.bits() == MacOf(entry.address);
}

void Network::HoldMac(Slot slot) {
  if (!HasOwnMac(slot)) other_macs_.insert(At(slot).mac.bits());
}

void Network::DropMac(Slot slot) {
  if (!HasOwnMac(slot)) other_macs_.erase(At(slot).mac.bits());
}

absl::StatusOr<Assignment> Network::Reassign(absl::Time now, std::string_view instance, Ip address, Changes* changes) {
  records_.Settle();
  const Slots slots = SlotsOf(instance);
  if (slots.empty()) return InstanceNotFound(instance);
  Slot old = 0;
  for (Slot slot : slots) {
    if (At(slot).address.family() == address.family() && At(slot).single()) old = slot;
  }
  if (old == 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "NOTHING_TO_REPLACE",
                 absl::StrCat("instance ", AbslView(instance), " has no single ", AbslView(NameOf(address.family())),
                              " address to replace"))
        .Field("address")
        .Value(address.ToString());
  }
  if (At(old).address == address) return Describe(slots);
  absl::StatusOr<Choice> choice = ChooseExplicit(address, MaxLength(address.family()), "");
  if (!choice.ok()) return choice.status();
  DropMac(slots[0]);
  instances_.erase(slots[0]);
  CountInstance(slots[0], -1);
  const Slot other = At(old).partner;
  Part(old);
  Assignment assignment;
  Preempt(now, *choice, &assignment, changes);
  AddressRecord wanted = records_.Get(old);
  wanted.generation = revision_ + 1;
  wanted.from_shadow = false;
  wanted.warmth = Warmth::kCold;
  const Slot fresh = Assign(now, *choice, &wanted);
  if (other != 0) {
    Join(fresh, other);
    At(other).held.generation = wanted.generation;
  }
  const Slots pair = PairOf(other != 0 && At(other).address.IsV4() ? other : fresh);
  HoldMac(pair[0]);
  for (Slot slot : pair) Put(slot, changes);
  instances_.insert(pair[0]);
  CountInstance(pair[0], 1);
  Quarantine(now, old, changes);
  assignment.addresses = Describe(pair).addresses;
  assignment.created = true;
  return assignment;
}

}  // namespace gnomon
