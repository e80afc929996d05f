// SPDX-License-Identifier: Apache-2.0
//
// A Batch gathers the changes of many commands into transactions that fit the store.
//
// The changes of a group (a network, or the catalogue) share transactions, each of which ends with the group's meta key.
// A command's changes stand in one transaction if they fit into one.
//
// Threads: not thread-safe; the shard's thread owns it.
// Limits: kMaxKeys changed keys and kMaxBytes of them a transaction, beside the meta key. One op alone that is larger is
// passed on as it is, and the store refuses it: a command must never make one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "store/store.h"

namespace gnomon {

class Batch {
 public:
  static constexpr size_t kMaxKeys = 100;
  static constexpr size_t kMaxBytes = kMaxTransactionBytes - 1024;  // 1024: far more than a meta key needs

  // The meta key of a group as it is now; called when a transaction of the group is complete.
  using Meta = absl::FunctionRef<Op(uint64_t group)>;

  // The changes of one command.
  void Add(uint64_t group, std::vector<Op> ops, Meta meta);
  // Ops that need no meta key, in a transaction of their own.
  void AddAlone(std::vector<Op> ops) { transactions_.push_back(Transaction{std::move(ops)}); }
  // Runs when all of the batch is durable, before anything of it is answered, in the order of these calls; never if the
  // commit fails. Must be short.
  void WhenDurable(absl::AnyInvocable<void()> effect) { effects_.push_back(std::move(effect)); }

  // All transactions, in an order that keeps each group's.
  std::vector<Transaction> Finish(Meta meta);
  std::vector<absl::AnyInvocable<void()>> TakeEffects() { return std::move(effects_); }

 private:
  struct Open {
    std::vector<Op> ops = {};
    size_t bytes = 0;
  };
  void Close(uint64_t group, Meta meta);

  std::vector<Transaction> transactions_;
  std::vector<absl::AnyInvocable<void()>> effects_;
  std::map<uint64_t, Open> open_;  // none is empty
};

}  // namespace gnomon
