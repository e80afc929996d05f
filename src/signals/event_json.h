// SPDX-License-Identifier: Apache-2.0
//
// An EventJson is the JSON of another system's event: what we do not know is left alone, what we read is checked.
//
// Example:
//   GNOMON_ASSIGN_OR_RETURN(EventJson body, EventJson::Parse(text));
//   const std::string status = body.Text({"workflow_job", "status"});
//
// Errors: INVALID_ARGUMENT with the codes INVALID_JSON, WRONG_TYPE.
// Limits: kMaxDepth levels; what was sent bounds the memory.
// Threads: a value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

class EventJson {
 public:
  static constexpr size_t kMaxDepth = 32;
  using Path = std::initializer_list<std::string_view>;

  explicit EventJson(boost::json::value value) : value_(std::move(value)) {}
  // WRONG_TYPE unless it is an object, or an array.
  static absl::StatusOr<EventJson> Parse(std::string_view text);

  const boost::json::value& value() const { return value_; }
  // What is at the path of members; nullptr: nothing, or null.
  const boost::json::value* Find(Path path) const { return Find(value_, path); }
  static const boost::json::value* Find(const boost::json::value& value, Path path);

  // Empty: there is nothing, or it is no string.
  std::string Text(Path path) const { return Text(value_, path); }
  static std::string Text(const boost::json::value& value, Path path);
  // nullopt: there is nothing, or it is no whole number that fits.
  std::optional<int64_t> Int(Path path) const { return Int(value_, path); }
  static std::optional<int64_t> Int(const boost::json::value& value, Path path);

 private:
  boost::json::value value_;
};

// An RFC 3339 time; nullopt for any other text, infinite ones too.
std::optional<absl::Time> EventTime(std::string_view text);

// A number of creations as text, 1 to Predictor::kMaxAnnounced; nullopt for any other.
std::optional<uint32_t> EventCount(std::string_view text);
std::optional<uint32_t> EventCount(int64_t count);

}  // namespace gnomon
