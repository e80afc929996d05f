// SPDX-License-Identifier: Apache-2.0
//
// Import makes the assignments of a CSV file known to a network, so that nobody starts empty; export writes such a
// file.
//
// Columns, by name: address, instance and type are required; prefix_length, zone, host, mac and labels (a=1;b=2) are
// optional. A row is an address, or the block that prefix_length makes it; 10.0.0.16/28 says the same in one column. Two
// rows of one instance, an IPv4 and an IPv6 address alike in all else, are a dual-stack instance. All rows are checked
// before the first is sent; they go in batches of 100 addresses, each all or nothing. Running an import again goes on
// where it ended, for what is there already counts as done.
//
// Limits: the API takes one address by its value at a creation, so the IPv6 address of a dual-stack instance follows by a
// reassignment of the one that the server chose, which rests in quarantine then. Such instances go last. If the server
// had chosen what a later one is to get, that one is refused, and the import is to be run again after the quarantine.
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
};

// Dual-stack instances come last, all else in the order of the file. Errors: CsvReader's; INVALID_ARGUMENT (BAD_CSV) names the line and the column.
absl::StatusOr<std::vector<ImportRow>> ReadImport(const std::string& path);

// The rows of the file that these are.
size_t CountRows(const std::vector<ImportRow>& rows);

// Of each row: is its address inside a pool of the network? The first that is not is INVALID_ARGUMENT (BAD_CSV).
absl::Status CheckAgainstPools(ApiClient& api, const std::string& network, const std::string& path,
                               const std::vector<ImportRow>& rows);

// Sends all rows. `*sent` counts those of the file that are done, also after an error, which names the line that the server
// refused.
absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent);

// A row an address; a block has its prefix_length.
absl::Status WriteExport(ApiClient& api, const std::string& network, std::ostream& out);

}  // namespace gnomon
