// SPDX-License-Identifier: Apache-2.0
//
// Import makes the assignments of a CSV file known to a network, so that nobody starts empty; export writes such a
// file.
//
// Columns, by name: address, instance and type are required; prefix_length, zone, host, mac and labels (labels.h) are
// optional. A row is an address, or the block that prefix_length makes it; 10.0.0.16/28 says the same in one column. Two
// rows of one instance, an IPv4 and an IPv6 address alike in all else, are a dual-stack instance. All rows are checked
// before the first is sent. Addresses go in batches of 100, each all or nothing, then blocks one by one, then dual-stack
// instances. Running an import again goes on where it ended, for what is there already counts as done.
//
// The API takes one address by its value at a creation. So the IPv6 addresses of the dual-stack instances are preserved
// first, all of them, by an instance of its own each that is made and released at once; no instance that is made then gets
// one that is meant for another. Each is put on its instance by a reassignment, and the one that the server had chosen rests
// in quarantine: a pool needs room for both.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/api_client.h"

namespace gnomon {

inline constexpr size_t kImportBatch = 100;  // the API's limit of addresses a batch

// An instance: one row of the file, or the two of a dual-stack one.
struct ImportRow {
  int64_t line = 0;
  JsonObject instance;      // as POST .../instances takes it
  std::string second = {};  // the IPv6 address of a dual-stack instance, else empty
  int64_t second_line = 0;

  size_t addresses() const { return second.empty() ? 1 : 2; }
  // In the order in which they are sent.
  enum class Kind { kSingle, kBlock, kDual };
  Kind kind() const { return !second.empty() ? Kind::kDual : instance.contains("block_length") ? Kind::kBlock : Kind::kSingle; }
};

// By kind, and those of a kind in the order of the file. Errors: CsvReader's; INVALID_ARGUMENT (BAD_CSV) names the line and
// the column.
absl::StatusOr<std::vector<ImportRow>> ReadImport(const std::string& path);

// The rows of the file that these are.
size_t CountRows(const std::vector<ImportRow>& rows);

// Of each row: is its address inside a pool of the network? The first that is not is INVALID_ARGUMENT (BAD_CSV).
absl::Status CheckAgainstPools(ApiClient& api, const std::string& network, const std::string& path,
                               const std::vector<ImportRow>& rows);

// Sends all rows. `*sent` counts those of the file that are done, also after an error, which names the line that the server
// refused, and the column if it is one's.
absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent);

// A row an address; a block has its prefix_length.
absl::Status WriteExport(ApiClient& api, const std::string& network, std::ostream& out);

}  // namespace gnomon
