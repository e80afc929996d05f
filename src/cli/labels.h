// SPDX-License-Identifier: Apache-2.0
//
// Labels are written name=value on command lines and in CSV files, and are an object in JSON.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/api_client.h"

namespace gnomon {

// Each item is name=value; an item without '=', without a name, or naming one twice is INVALID_ARGUMENT (BAD_LABEL).
absl::StatusOr<JsonObject> ParseLabels(const std::vector<std::string>& items);

}  // namespace gnomon
