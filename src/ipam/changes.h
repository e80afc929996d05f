// SPDX-License-Identifier: Apache-2.0
//
// Changes is what commands did to a network's state, in order: what must be stored before anything is answered.
//
// Predictions, and the texts of records, view the network's memory: changes are read before its next command.
//
// Loading all that was ever put and not erased gives the state back (Network::Load*).
//
// Threads: a value type.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "ipam/address_record.h"
#include "ipam/pool.h"

namespace gnomon {

// Identifies a prediction: a newer one of the same key replaces the older.
struct PredictionKey {
  std::string source = {};
  std::string type = {};
  Place scope = {};
  friend bool operator==(const PredictionKey&, const PredictionKey&) = default;
  friend auto operator<=>(const PredictionKey&, const PredictionKey&) = default;
};

struct PredictionRecord {
  PredictionKey key = {};
  std::string id = {};
  uint32_t count = 0;      // as predicted
  uint32_t remaining = 0;  // count less the hits since
  bool additive = false;   // adds to other sources, which otherwise combine by their maximum
  absl::Time until = {};        // the end of the horizon
  Resources resources = {};
  friend bool operator==(const PredictionRecord&, const PredictionRecord&) = default;
};

struct ErasedAddress {
  Ip address = {};
};
struct ErasedPool {
  PoolId pool;
};
struct ErasedPrediction {
  PredictionKey key = {};
};

// The network's own record: each hit changes one, and its texts are many.
struct PutPrediction {
  const PredictionRecord* record;
};

using Change = std::variant<AddressRecord, ErasedAddress, PoolConfig, ErasedPool, PutPrediction, ErasedPrediction>;
using Changes = std::vector<Change>;

// Adds a record to the changes. (Copied, as it takes longer to zero it first.)
inline AddressRecord& AddRecord(Changes* changes) {
  static const AddressRecord kNew;
  return std::get<AddressRecord>(changes->emplace_back(kNew));
}

// A Change with texts of its own.
using OwnedChange =
    std::variant<OwnedRecord, ErasedAddress, PoolConfig, ErasedPool, PredictionRecord, ErasedPrediction>;
inline OwnedChange Own(const Change& change) {
  return std::visit(
      [](const auto& one) -> OwnedChange {
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, AddressRecord>) {
          return OwnedRecord(one);
        } else if constexpr (std::is_same_v<std::decay_t<decltype(one)>, PutPrediction>) {
          return *one.record;
        } else {
          return one;
        }
      },
      change);
}

}  // namespace gnomon
