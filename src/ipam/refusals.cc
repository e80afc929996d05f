// SPDX-License-Identifier: Apache-2.0
#include "ipam/refusals.h"

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

Error NotFound(std::string_view code, std::string_view field, std::string_view value, std::string_view message) {
  Error error(absl::StatusCode::kNotFound, code, message);
  if (!value.empty()) error.Field(field).Value(value);
  return error;
}

}  // namespace

absl::Status NetworkNotFound(std::string_view name) {
  const std::string shown = Excerpt(name);
  return NotFound("NETWORK_NOT_FOUND", "network", shown,
                  name.empty() ? "the network is being deleted" : absl::StrCat("no network ", shown))
      .Hint("create it first, or list the networks that there are");
}

absl::Status PoolNotFound(std::string_view name) {
  const std::string shown = Excerpt(name);
  return NotFound("POOL_NOT_FOUND", "pool", shown,
                  name.empty() ? "the pool has been deleted" : absl::StrCat("no pool ", shown, " in this network"))
      .Hint("create it first, or list the network's pools");
}

absl::Status HostNotFound(std::string_view name) {
  const std::string shown = Excerpt(name);
  return NotFound("HOST_NOT_FOUND", "host", shown, absl::StrCat("no host ", shown));
}

absl::Status InstanceNotFound(std::string_view instance) {
  const std::string shown = Excerpt(instance);
  return NotFound("INSTANCE_NOT_FOUND", "id", shown, absl::StrCat("no instance ", shown, " in this network"));
}

absl::Status NotAShadow(Ip address) {
  const std::string shown = address.ToString();
  return NotFound("NOT_A_SHADOW", "address", shown, absl::StrCat(shown, " is not a shadow"));
}

}  // namespace gnomon
