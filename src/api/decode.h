// SPDX-License-Identifier: Apache-2.0
//
// QueryArguments and the Decode functions turn what a client sent into what the service is asked.
//
// Errors: INVALID_ARGUMENT with the field and the value, as api/json.h; an unknown query argument is UNKNOWN_ARGUMENT.
// Threads: functions of their arguments alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/http_message.h"
#include "api/json.h"
#include "engine/announced.h"
#include "engine/fleet.h"
#include "service/service.h"

namespace gnomon {

// The query of a request. Functions ask for arguments; what none asked for is unknown. After the first error they give
// nothing more; Done() returns it.
class QueryArguments {
 public:
  explicit QueryArguments(const HttpRequest& request) : query_(request.query) {}

  std::optional<std::string> Text(std::string_view name);
  std::string Name(std::string_view name);          // a name, or empty if it was not sent
  std::string RequiredName(std::string_view name);
  std::optional<absl::Duration> Duration(std::string_view name);
  int64_t Int(std::string_view name, int64_t otherwise, int64_t low, int64_t high);
  std::optional<Ip> Address(std::string_view name);
  void Fail(absl::Status error);
  absl::Status Done();

 private:
  const std::vector<std::pair<std::string, std::string>>& query_;
  std::vector<std::string_view> known_;
  absl::Status status_;
};

// `status` as an error about `field`.
absl::Status InField(const absl::Status& status, std::string_view field);

absl::Status NetworkForbidden(std::string_view network);

// As AddressRecord::labels. "INVALID_LABEL" if a value has a line break, or all have more than Network::kMaxLabelsBytes.
absl::StatusOr<std::string> CanonicalLabels(const std::map<std::string, std::string>& labels);

// An address or range of "exclude".
absl::StatusOr<IpRange> ParseRange(std::string_view text);

// The members of an instance that is to be created, into all but `call->network`.
absl::Status DecodeInstance(JsonObject& body, CreateInstanceCall* call);

// The members of a pool that may be changed, into `config`; those that were not sent stay as they are. A gateway of null
// takes it away.
absl::Status DecodePoolMembers(JsonObject& body, PoolConfig* config);

// One of "predictions". Errors: also those of Network::Validate.
absl::Status DecodePrediction(JsonObject& body, Prediction* prediction);

// All of an announcement, "at" an RFC 3339 time. What was not sent of "source", "id" and "at" stays as it is.
absl::Status DecodeAnnouncement(JsonObject& body, Announced* announced);

// "id" and "creations"; an id that was not sent stays as it is.
absl::Status DecodeHistory(JsonObject& body, std::string* id, std::vector<PastCreations>* past);

// "warm_target", "warm_targets", "prediction_mode", "target_hit_rate" or the two costs, "min_shadows", "max_shadows" and
// "types", into `warm`; those that were not sent stay as they are. A hit rate takes the costs away, and they it.
absl::Status DecodeWarmPool(JsonObject& body, WarmPool* warm);

}  // namespace gnomon
