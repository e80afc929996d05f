// SPDX-License-Identifier: Apache-2.0
//
// An AddressRecord is all that is known of one address (or block) that is, or has been, in use.
//
// It is the unit of change and of storage: one stored key an address. A free address that was never used has none.
//
// Threads: a value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "ipam/pool.h"
#include "net/ip.h"
#include "net/mac.h"

namespace gnomon {

// The states of docs/ARCHITECTURE.md, "The life of an address". Stored; never renumber.
enum class AddressState : uint8_t {
  kFree = 0,         // was used; kept for the order of longest idle
  kShadow = 1,       // reserved for a predicted instance
  kAssigned = 2,     // an instance's
  kPreserved = 3,    // kept for another instance of the account, until `until`
  kQuarantined = 4,  // cooling until `until`; free from then on, without another change
  kWithdrawing = 5,  // a shadow given back whose outside effects are being undone, until `until` at most
};

// How far a shadow has been made ready. Stored; never renumber.
enum class Warmth : uint8_t { kCold = 0, kWarming = 1, kReady = 2 };

// What a predicted instance is expected to use; 0 is unknown.
struct Resources {
  double vcpu = 0;
  double memory_gb = 0;
  friend bool operator==(const Resources&, const Resources&) = default;
};

// Where an instance runs, or where a shadow may be used: on a host, in a zone, or anywhere (both empty). A shadow's scope
// names its host alone or its zone alone.
struct Place {
  std::string zone = {};
  std::string host = {};
  friend bool operator==(const Place&, const Place&) = default;
  friend auto operator<=>(const Place&, const Place&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Place& place) {
    return H::combine(std::move(h), place.zone, place.host);
  }
};

struct AddressRecord {
  Ip address = {};
  int length = 32;  // prefix length: 32 or 128 for one address, shorter for a block
  PoolId pool = 0;
  AddressState state = AddressState::kFree;
  uint64_t revision = 0;    // the network's revision of the last change
  uint64_t generation = 0;  // the revision at which the assignment began; 0 if none
  absl::Time since = absl::InfinitePast();       // when the state began
  absl::Time until = absl::InfiniteFuture();     // when the state ends by itself; kFree: its place in the idle order
  bool used = false;                             // some instance has had it; a shadow of it is not fresh when given back
  Mac mac = {};
  std::optional<Ip> partner = {};  // the other address of a dual-stack pair

  // Of instances; a preserved or quarantined address keeps the id of its last one.
  std::string instance = {};
  bool from_shadow = false;  // the assignment was a hit
  std::string labels = {};        // canonical "key=value\n" lines, in the order of the keys

  // Of instances and of shadows.
  std::string type = {};
  Place place = {};

  // Of shadows.
  Warmth warmth = Warmth::kCold;
  std::string source = {};      // who predicted
  std::string prediction = {};  // the prediction's id
  Resources resources = {};

  friend bool operator==(const AddressRecord&, const AddressRecord&) = default;
};

}  // namespace gnomon
