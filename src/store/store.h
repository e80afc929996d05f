// SPDX-License-Identifier: Apache-2.0
//
// A Store keeps keys and values durable, and gives each shard a handle that alone may write the shard's keys.
//
// Keys and values are opaque bytes. All shards share one keyspace; which shard writes which key is the caller's rule.
//
// Example:
//   std::unique_ptr<ShardStore> shard = store->Acquire(ShardId{3}).value();
//   absl::Status loaded = shard->Load("net/7/", [&](std::string_view key, std::string_view value) { ... });
//   shard->Commit({Transaction{{Op{"net/7/a", "new"}, Op{"net/7/b", std::nullopt}}}},
//                 [](absl::Status durable) { ... });
//
// Threads: Store may be used from any thread; a ShardStore from one thread at a time. `done` runs on the store's own
//   thread: it must be short and may call Commit, but nothing else of the store.
// Ownership: a ShardStore must not outlive its Store. Destroying a ShardStore does not cancel its commits; destroying
//   a Store completes all of them first.
// Limits: the constants below.
// Errors: a commit fails with
//   ABORTED STORE_FENCED              the shard was acquired again, by whoever owns it now;
//   UNAVAILABLE STORE_FAILED          a write failed. Whether it is stored is unknown until the shard is acquired anew;
//   INVALID_ARGUMENT KEY_RESERVED, TRANSACTION_TOO_LARGE   the commit breaks a limit; nothing of it is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gnomon {

enum class ShardId : uint32_t {};

// A transaction must fit into the 128 operations of an etcd transaction: docs/decisions/0003.
inline constexpr size_t kMaxTransactionOps = 120;
// All keys and values of one transaction; an etcd request holds 1.5 MiB.
inline constexpr size_t kMaxTransactionBytes = size_t{1} << 20;
inline constexpr size_t kMaxKeyBytes = 1024;
// Commits of all shards that wait in one store; Commit waits while there are as many.
inline constexpr size_t kMaxQueuedCommits = 1024;
// Keys that begin with this byte are the store's own. No commit may write them, no visitor sees them.
inline constexpr char kReservedKeyByte = '\0';

struct Op {
  std::string key;                   // 1 to kMaxKeyBytes bytes
  std::optional<std::string> value;  // nullopt erases the key; erasing what is not there is fine
};

// What is stored whole or not at all. Two ops of one key apply in order: the last one counts.
struct Transaction {
  std::vector<Op> ops;
};

// Called with each key and its value; both are valid during the call only. An error stops the walk and is its result.
// Must not call Acquire.
using KeyVisitor = absl::FunctionRef<absl::Status(std::string_view key, std::string_view value)>;

// A ShardStore is the single owner's handle of a shard.
class ShardStore {
 public:
  ShardStore() = default;
  ShardStore(const ShardStore&) = delete;
  ShardStore& operator=(const ShardStore&) = delete;
  virtual ~ShardStore() = default;

  // Visits the keys that begin with `prefix`, in the order of their bytes, from `from` on. A commit that is not done yet may be seen
  // or not, so load before the first commit. Blocks. DATA_LOSS (STORE_CORRUPT), naming the key, stops at the first
  // damaged record; fails as a commit does if the handle is fenced or has failed.
  virtual absl::Status Load(std::string_view prefix, std::string_view from, KeyVisitor visitor) = 0;
  absl::Status Load(std::string_view prefix, KeyVisitor visitor) { return Load(prefix, prefix, visitor); }

  // Stores the transactions in their order, each whole. `done` runs exactly once, never inside this call when the store
  // has a thread; those of one handle run in the order of the calls. OK means durable. A crash, or a failure, may leave
  // the first few transactions of a commit stored and not the others. An empty commit takes its place in the order but
  // costs no sync. After the first failure all later commits of this handle fail (STORE_FAILED) until the shard is
  // acquired anew; one failed write may fail the other shards' handles too. Waits only while the queue is full.
  virtual void Commit(std::vector<Transaction> transactions, absl::AnyInvocable<void(absl::Status)> done) = 0;
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // Makes the caller the owner of `shard` and fences the owner before. When it returns, every commit of that one is
  // either stored or will fail. Reopens the store if a write has failed. Blocks for a write that is under way.
  virtual absl::StatusOr<std::unique_ptr<ShardStore>> Acquire(ShardId shard) = 0;

  // Visits every key of one consistent state, in the order of their bytes, while commits go on. Every commit that was
  // done before the call is in it. Errors as Load; also UNAVAILABLE STORE_FAILED as soon as the store is to be reopened
  // after a failed write, which does not wait for the walk.
  virtual absl::Status Snapshot(KeyVisitor visitor) = 0;

  // Random, made with the store and kept in it. A restored backup has a new one, so that revisions of the old store
  // are recognized as foreign.
  virtual uint64_t incarnation() const = 0;
};

// For implementations: OK if the transactions keep to the limits above.
absl::Status CheckLimits(absl::Span<const Transaction> transactions);

// The bytes of all keys and values.
size_t BytesOf(const Op& op);
size_t BytesOf(absl::Span<const Transaction> transactions);

// A key for people: printable ASCII as it is, any other byte as \xNN.
std::string PrintableKey(std::string_view key);

// Not zero.
uint64_t NewIncarnation();

}  // namespace gnomon
