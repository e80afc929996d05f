// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/error.h"

namespace gnomon {

size_t BytesOf(const Op& op) { return op.key.size() + (op.value ? op.value->size() : 0); }

size_t BytesOf(absl::Span<const Transaction> transactions) {
  size_t bytes = 0;
  for (const Transaction& transaction : transactions) {
    for (const Op& op : transaction.ops) bytes += BytesOf(op);
  }
  return bytes;
}

absl::Status CheckLimits(absl::Span<const Transaction> transactions) {
  for (const Transaction& transaction : transactions) {
    if (transaction.ops.size() > kMaxTransactionOps) {
      return Error(absl::StatusCode::kInvalidArgument, "TRANSACTION_TOO_LARGE",
                   absl::StrCat("a transaction of ", transaction.ops.size(), " keys is above the limit of ",
                                kMaxTransactionOps));
    }
    size_t bytes = BytesOf(absl::MakeConstSpan(&transaction, 1));
    if (bytes > kMaxTransactionBytes) {
      return Error(absl::StatusCode::kInvalidArgument, "TRANSACTION_TOO_LARGE",
                   absl::StrCat("a transaction of ", bytes, " bytes is above the limit of ", kMaxTransactionBytes));
    }
    for (const Op& op : transaction.ops) {
      if (op.key.empty() || op.key[0] == kReservedKeyByte) {
        return Error(absl::StatusCode::kInvalidArgument, "KEY_RESERVED",
                     absl::StrCat("key \"", PrintableKey(op.key), "\" is empty or one of the store's own"));
      }
      if (op.key.size() > kMaxKeyBytes) {
        return Error(absl::StatusCode::kInvalidArgument, "TRANSACTION_TOO_LARGE",
                     absl::StrCat("a key of ", op.key.size(), " bytes is above the limit of ", kMaxKeyBytes));
      }
    }
  }
  return absl::OkStatus();
}

std::string PrintableKey(std::string_view key) {
  std::string text;
  for (char c : key) {
    if (c >= ' ' && c <= '~' && c != '\\' && c != '"') {
      text.push_back(c);
    } else {
      absl::StrAppendFormat(&text, "\\x%02x", static_cast<unsigned char>(c));
    }
  }
  return text;
}

uint64_t NewIncarnation() {
  // The system's generator, not a seeded one: two stores must differ even if all else about them is equal.
  std::random_device device;
  uint64_t id = 0;
  while (id == 0) id = (uint64_t{device()} << 32) | device();
  return id;
}

}  // namespace gnomon
