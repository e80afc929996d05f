// SPDX-License-Identifier: Apache-2.0
//
// The OpenAPI document of the API, from openapi.json beside this file.
#pragma once

#include <string_view>

namespace gnomon {

extern const std::string_view kOpenApi;

}  // namespace gnomon
