// SPDX-License-Identifier: Apache-2.0
//
// An absl::string_view of a std::string_view: in Debian's abseil they are two types, with no conversion between them.
//
// Our own interfaces take std::string_view. Only where one is given to abseil (StrCat, SimpleAtoi, Status, Cord) it
// goes through AbslView(); std::string and literals convert by themselves.
//
// Ownership: the view does not own; it lives no longer than the text. Cost: none.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace gnomon {

constexpr absl::string_view AbslView(std::string_view text) { return absl::string_view(text.data(), text.size()); }

constexpr std::string_view StdView(absl::string_view text) { return std::string_view(text.data(), text.size()); }

}  // namespace gnomon
