// SPDX-License-Identifier: Apache-2.0
//
// Refusals are the errors that more than one command gives, each made in one place.
//
// Threads: functions of their arguments alone.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "net/ip.h"

namespace gnomon {

// NOT_FOUND, with the name as the value. An empty name: it was known by its number, and is gone meanwhile.
absl::Status NetworkNotFound(std::string_view name = {});  // NETWORK_NOT_FOUND
absl::Status PoolNotFound(std::string_view name = {});     // POOL_NOT_FOUND
absl::Status HostNotFound(std::string_view name);          // HOST_NOT_FOUND
absl::Status InstanceNotFound(std::string_view instance);  // INSTANCE_NOT_FOUND
absl::Status NotAShadow(Ip address);                       // NOT_A_SHADOW

}  // namespace gnomon
