// SPDX-License-Identifier: Apache-2.0
//
// Labels are written name=value on command lines, a=1;b=2 in one cell of a CSV file, and are an object in JSON.
//
// In a cell a ';' of a value is written \; and a '\' is \\; a '\' before anything else is itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/api_client.h"

namespace gnomon {

// Each item is name=value; an item without '=', without a name, or naming one twice is INVALID_ARGUMENT (BAD_LABEL).
absl::StatusOr<JsonObject> ParseLabels(const std::vector<std::string>& items);

std::string LabelsCell(const JsonObject& labels);
// Errors: as ParseLabels.
absl::StatusOr<JsonObject> ParseLabelsCell(std::string_view cell);

}  // namespace gnomon
