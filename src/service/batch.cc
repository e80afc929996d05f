// SPDX-License-Identifier: Apache-2.0
#include "service/batch.h"

#include <utility>

namespace gnomon {

void Batch::Add(uint64_t group, std::vector<Op> ops, Meta meta) {
  size_t bytes = 0;
  for (const Op& op : ops) bytes += BytesOf(op);
  auto make_room = [&](size_t more_keys, size_t more_bytes) {
    auto open = open_.find(group);
    if (open == open_.end()) return;
    if (open->second.ops.size() + more_keys > kMaxKeys || open->second.bytes + more_bytes > kMaxBytes) Close(group, meta);
  };
  make_room(ops.size(), bytes);
  for (Op& op : ops) {
    const size_t op_bytes = BytesOf(op);
    make_room(1, op_bytes);
    Open& open = open_[group];
    open.ops.push_back(std::move(op));
    open.bytes += op_bytes;
    if (open.ops.size() == kMaxKeys) Close(group, meta);
  }
}

std::vector<Transaction> Batch::Finish(Meta meta) {
  while (!open_.empty()) Close(open_.begin()->first, meta);
  return std::move(transactions_);
}

void Batch::Close(uint64_t group, Meta meta) {
  Transaction transaction{std::move(open_[group].ops)};
  open_.erase(group);
  transaction.ops.push_back(meta(group));
  transactions_.push_back(std::move(transaction));
}

}  // namespace gnomon
