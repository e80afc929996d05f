// SPDX-License-Identifier: Apache-2.0
//
// Import makes the assignments of a CSV file known to a network, so that nobody starts empty; export writes such a
// file.
//
// Columns, by name: address, instance and type are required; zone, host, mac and labels (a=1;b=2) are optional. An
// address may be a block, as 10.0.0.16/28. All rows are checked before the first is sent; they go in batches of 100,
// each all or nothing. Running an import again goes on where it ended, for what is there already counts as done.
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

struct ImportRow {
  int64_t line = 0;
  JsonObject instance;  // as POST .../instances takes it
};

// Errors: CsvReader's; INVALID_ARGUMENT (BAD_CSV) names the line and the column.
absl::StatusOr<std::vector<ImportRow>> ReadImport(const std::string& path);

// Of each row: is its address inside a pool of the network? The first that is not is INVALID_ARGUMENT (BAD_CSV).
absl::Status CheckAgainstPools(ApiClient& api, const std::string& network, const std::string& path,
                               const std::vector<ImportRow>& rows);

// Sends all rows. `*sent` counts those that are done, also after an error, which names the line that the server
// refused.
absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent);

// Returns the number of instances that have several addresses: each is a row, and an import refuses the second.
absl::StatusOr<int64_t> WriteExport(ApiClient& api, const std::string& network, std::ostream& out);

}  // namespace gnomon
