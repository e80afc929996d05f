// SPDX-License-Identifier: Apache-2.0
//
// What a pool's configuration may be, and what it excludes.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "ipam/pool.h"

namespace gnomon {
namespace {

Error Invalid(const std::string& field, const std::string& value, const std::string& why, const std::string& hint) {
  Error error(absl::StatusCode::kInvalidArgument, "INVALID_POOL",
              absl::StrCat("pool's ", field, " \"", value, "\" is not possible: ", why));
  error.Field(field).Value(value).Hint(hint);
  return error;
}

absl::Status ValidatePrefix(const Prefix& prefix) {
  bool is_v4 = prefix.family() == Family::kIpv4;
  if (prefix.length() < (is_v4 ? 8 : 48)) {
    return Invalid("prefix", prefix.ToString(),
                   is_v4 ? "an IPv4 pool is at most a /8" : "an IPv6 pool is at most a /48",
                   is_v4 ? "use a length from 8 to 32" : "use a length from 48 to 128");
  }
  // ::ffff:0:0/96 is how IPv4 is held; an IPv6 prefix around it would hold IPv4 addresses.
  if (!is_v4 && prefix.base().bits() <= Ip::V4(0).bits() && Ip::V4(0).bits() <= prefix.last().bits()) {
    return Invalid("prefix", prefix.ToString(), "it holds the IPv4-mapped addresses",
                   "use a unique local (fd00::/8) or global prefix");
  }
  return absl::OkStatus();
}

absl::Status ValidateExclusions(const PoolConfig& config) {
  if (config.exclude.size() > Pool::kMaxExclusions) {
    return Invalid("exclude", absl::StrCat(config.exclude.size()), "too many ranges",
                   absl::StrCat("exclude at most ", Pool::kMaxExclusions, " ranges"));
  }
  for (size_t i = 0; i < config.exclude.size(); ++i) {
    const IpRange& range = config.exclude[i];
    std::string field = absl::StrCat("exclude[", i, "]");
    std::string value = absl::StrCat(range.first.ToString(), "-", range.last.ToString());
    if (!config.prefix.Contains(range.first) || !config.prefix.Contains(range.last)) {
      return Invalid(field, value, "it is not inside the prefix",
                     absl::StrCat("use addresses of ", config.prefix.ToString()));
    }
    if (range.last < range.first) {
      return Invalid(field, value, "its last address is below its first", "exchange the two");
    }
  }
  return absl::OkStatus();
}

// A point-to-point prefix (RFC 3021) and IPv6 have neither a network nor a broadcast address.
bool KeepsItsEnds(const PoolConfig& config) {
  return config.prefix.family() == Family::kIpv4 && config.prefix.length() <= 30;
}

}  // namespace

absl::Status Pool::Validate(const PoolConfig& config) {
  GNOMON_RETURN_IF_ERROR(ValidatePrefix(config.prefix));
  if (config.gateway && !config.prefix.Contains(*config.gateway)) {
    return Invalid("gateway", config.gateway->ToString(), "it is not inside the prefix",
                   absl::StrCat("use an address of ", config.prefix.ToString()));
  }
  GNOMON_RETURN_IF_ERROR(ValidateExclusions(config));
  // Written so that NaN fails.
  if (!(config.headroom >= 0 && config.headroom <= 1)) {
    return Invalid("headroom", absl::StrCat(config.headroom), "it is a part of the pool", "use a number from 0 to 1");
  }
  if (config.quarantine < absl::ZeroDuration() || config.quarantine > kMaxQuarantine) {
    return Invalid("quarantine", absl::FormatDuration(config.quarantine), "it is out of range",
                   "use a time from 0 to 30 days");
  }
  return absl::OkStatus();
}

std::string_view Pool::ExclusionOf(const PoolConfig& config, Ip ip) {
  if (config.gateway == ip) return "gateway";
  if (KeepsItsEnds(config) && ip == config.prefix.base()) return "network address";
  if (KeepsItsEnds(config) && ip == config.prefix.last()) return "broadcast address";
  const bool excluded = std::any_of(config.exclude.begin(), config.exclude.end(),
                                    [ip](const IpRange& range) { return range.first <= ip && ip <= range.last; });
  return excluded ? "exclusion" : "";
}

IntervalSet Pool::ExcludedPlaces(const PoolConfig& config) {
  absl::uint128 base = config.prefix.base().bits();
  IntervalSet places;
  auto add = [&](Ip first, Ip last) { places.Add({first.bits() - base, last.bits() - base}); };
  for (const IpRange& range : config.exclude) add(range.first, range.last);
  if (config.gateway) add(*config.gateway, *config.gateway);
  if (KeepsItsEnds(config)) {
    add(config.prefix.base(), config.prefix.base());
    add(config.prefix.last(), config.prefix.last());
  }
  return places;
}

}  // namespace gnomon
