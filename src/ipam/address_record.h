// SPDX-License-Identifier: Apache-2.0
//
// An AddressRecord is all that is known of one address (or block) that is, or has been, in use.
//
// It is the unit of change and of storage: one stored key an address. A free address that was never used has none.
//
// Ownership: its texts are views: of a network's own memory, until the next command on that network; or of the bytes that it
// was decoded from. An OwnedRecord has its own.
// Threads: value types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
};

struct PlaceView {
  std::string_view zone = {};
  std::string_view host = {};
  PlaceView() = default;
  PlaceView(std::string_view in_zone, std::string_view on_host) : zone(in_zone), host(on_host) {}
  PlaceView(const Place& place) : zone(place.zone), host(place.host) {}  // NOLINT(google-explicit-constructor)
  Place Own() const { return {std::string(zone), std::string(host)}; }
  friend bool operator==(const PlaceView&, const PlaceView&) = default;
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
  std::string_view instance = {};
  bool from_shadow = false;       // the assignment was a hit
  std::string_view labels = {};   // canonical "key=value\n" lines, in the order of the keys

  // Of instances and of shadows.
  std::string_view type = {};
  PlaceView place = {};

  // Of shadows, and of what began as one.
  Warmth warmth = Warmth::kCold;
  std::string_view source = {};      // who predicted
  std::string_view prediction = {};  // the prediction's id
  Resources resources = {};

  friend bool operator==(const AddressRecord&, const AddressRecord&) = default;
};

// An AddressRecord with texts of its own. Cost: one allocation.
class OwnedRecord : public AddressRecord {
 public:
  OwnedRecord() = default;
  explicit OwnedRecord(const AddressRecord& record) : AddressRecord(record) { OwnTexts(); }
  OwnedRecord(const OwnedRecord& other) : AddressRecord(other) { OwnTexts(); }
  OwnedRecord(OwnedRecord&& other) noexcept = default;
  OwnedRecord& operator=(const OwnedRecord& other) {
    OwnedRecord copy(other);
    return *this = std::move(copy);
  }
  OwnedRecord& operator=(OwnedRecord&& other) noexcept = default;

 private:
  void OwnTexts();
  std::unique_ptr<char[]> texts_;  // does not move when the record does
};

}  // namespace gnomon
