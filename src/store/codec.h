// SPDX-License-Identifier: Apache-2.0
//
// The codec turns what a network changed into the ops that store it, and stored keys and values back.
//
// Every key of a network begins with NetworkPrefix(id); networks sort by id, a network's addresses numerically. A value
// does not repeat what its key says. The bytes are written down in docs/store_format.md. Against damage, and a value
// under the wrong key, there is the envelope (store/envelope.h), with its own version and checksum; the version in
// here is that of the record's fields.
//
// Example:
//   Transaction transaction;
//   for (const Change& change : changes) transaction.ops.push_back(EncodeChange(id, change));
//   transaction.ops.push_back(EncodeMeta(id, {.revision = network.revision(), .last_commit = now}));
//   ...
//   GNOMON_ASSIGN_OR_RETURN(Stored stored, Decode(key, value));   // in a KeyVisitor
//
// Threads: functions of their arguments alone.
// Time: kept in whole microseconds, rounded down; a time beyond those that 64 bits of them hold becomes infinite. The
//   same goes for a pool's quarantine, rounded towards zero.
// Limits: only a commit checks kMaxKeyBytes, which a prediction's source, type, zone and host share with at most 18
//   bytes of ours.
// Cost: linear in the bytes. Decode allocates strings and exclusions, never more than the value is long.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ipam/address_record.h"
#include "ipam/changes.h"
#include "ipam/network.h"
#include "ipam/pool.h"
#include "store/store.h"

namespace gnomon {

// The byte after NetworkPrefix. Stored; never change. Network wants its pools first, but they do not sort first: load
// NetworkPrefix(id) + kPoolKind before the rest.
inline constexpr char kAddressKind = 'a', kMetaKind = 'm', kPoolKind = 'p', kPredictionKind = 'q';

// What is stored of a network beside its changes: what Network::FinishLoad asks for.
struct NetworkMeta {
  uint64_t revision = 0;
  absl::Time last_commit = absl::InfinitePast();  // core time
  // Up to when everything has ended whose time had come: what ends later is still held. Earlier than last_commit while
  // expiry is paused.
  absl::Time expired = last_commit;
  friend bool operator==(const NetworkMeta&, const NetworkMeta&) = default;
};

using Stored = std::variant<AddressRecord, PoolConfig, PredictionRecord, NetworkMeta>;

// An Erased* erases its one key and nothing else: ErasedPool leaves the keys of the pool's addresses (of its free and
// quarantined ones, which loading skips when their pool is gone). CHECKs that Decode would accept what it writes.
Op EncodeChange(NetworkId network, const Change& change);
Op EncodeMeta(NetworkId network, const NetworkMeta& meta);

// 9 bytes, with which all keys of the network begin, and no others.
std::string NetworkPrefix(NetworkId network);

// The network of a key, whatever follows its prefix. DATA_LOSS (STORE_CORRUPT) if it has none.
absl::StatusOr<NetworkId> NetworkIdOf(std::string_view key);

// The texts of an AddressRecord view `value`. What Encode* made the key and value of; of each there is one encoding, and any other is refused. What is returned
// keeps the rules that its own type CHECKs: a record's block is a Prefix, a pool passes Pool::Validate. Whether records
// agree with one another is Network::Load*'s to tell. Errors name the key: DATA_LOSS (STORE_CORRUPT) for malformed
// bytes, FAILED_PRECONDITION (STORE_TOO_NEW) for a record version of a newer program.
absl::StatusOr<Stored> Decode(std::string_view key, std::string_view value);

}  // namespace gnomon
