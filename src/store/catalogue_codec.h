// SPDX-License-Identifier: Apache-2.0
//
// The catalogue codec turns what the catalogue changed into the ops that store it, and stored keys and values back.
//
// Its keys begin with kCataloguePrefix; the bytes are written down in docs/store_format.md.
//
// Threads: functions of their arguments alone. Errors: as store/codec.h.
#pragma once

#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ipam/catalogue.h"
#include "store/store.h"

namespace gnomon {

inline constexpr std::string_view kCataloguePrefix = "c";

// Stored with every change: what Catalogue::LoadLastId asks for.
struct CatalogueMeta {
  NetworkId last_id{0};
  absl::Time time = absl::InfinitePast();  // core time of the commit
};

using StoredCatalogue = std::variant<NetworkEntry, HostEntry, CatalogueMeta>;

Op EncodeCatalogueChange(const CatalogueChange& change);
Op EncodeCatalogueMeta(const CatalogueMeta& meta);
absl::StatusOr<StoredCatalogue> DecodeCatalogue(std::string_view key, std::string_view value);

}  // namespace gnomon
