// SPDX-License-Identifier: Apache-2.0
#include "service/batch.h"

#include <utility>

namespace gnomon {

void Batch::Add(uint64_t group, std::vector<Op> ops, Meta meta) {
  auto open = open_.find(group);
  if (open != open_.end() && open->second.size() + ops.size() > kMaxKeys) Close(group, meta);
  for (Op& op : ops) {
    std::vector<Op>& current = open_[group];
    current.push_back(std::move(op));
    if (current.size() == kMaxKeys) Close(group, meta);
  }
}

std::vector<Transaction> Batch::Finish(Meta meta) {
  while (!open_.empty()) Close(open_.begin()->first, meta);
  return std::move(transactions_);
}

void Batch::Close(uint64_t group, Meta meta) {
  Transaction transaction{std::move(open_[group])};
  open_.erase(group);
  transaction.ops.push_back(meta(group));
  transactions_.push_back(std::move(transaction));
}

}  // namespace gnomon
