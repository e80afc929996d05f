// SPDX-License-Identifier: Apache-2.0
#include "signals/event_json.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "engine/predictor.h"

namespace gnomon {

absl::StatusOr<EventJson> EventJson::Parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::error_code failed;
  boost::json::value value = boost::json::parse(boost::json::string_view(text.data(), text.size()), failed, {}, options);
  if (failed) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                 absl::StrCat("the body is not JSON: ", failed.message()))
        .Value(Excerpt(text));
  }
  if (value.is_object() || value.is_array()) return EventJson(std::move(value));
  return Error(absl::StatusCode::kInvalidArgument, "WRONG_TYPE", "the body is neither an object nor an array")
      .Value(Excerpt(text));
}

const boost::json::value* EventJson::Find(const boost::json::value& value, Path path) {
  const boost::json::value* found = &value;
  for (const std::string_view name : path) {
    if (!found->is_object()) return nullptr;
    found = found->get_object().if_contains(boost::json::string_view(name.data(), name.size()));
    if (found == nullptr) return nullptr;
  }
  return found->is_null() ? nullptr : found;
}

std::string EventJson::Text(const boost::json::value& value, Path path) {
  const boost::json::value* found = Find(value, path);
  return found == nullptr || !found->is_string() ? std::string() : std::string(found->get_string());
}

std::optional<int64_t> EventJson::Int(const boost::json::value& value, Path path) {
  const boost::json::value* found = Find(value, path);
  if (found == nullptr) return std::nullopt;
  if (found->is_int64()) return found->get_int64();
  const bool fits = found->is_uint64() && found->get_uint64() <= uint64_t{std::numeric_limits<int64_t>::max()};
  return fits ? std::optional(static_cast<int64_t>(found->get_uint64())) : std::nullopt;
}

std::optional<absl::Time> EventTime(std::string_view text) {
  constexpr size_t kLongest = 40;  // with nanoseconds and an offset
  absl::Time time;
  std::string unused;
  if (text.size() > kLongest || !absl::ParseTime(absl::RFC3339_full, AbslView(text), &time, &unused)) return std::nullopt;
  const bool finite = time != absl::InfiniteFuture() && time != absl::InfinitePast();
  return finite ? std::optional(time) : std::nullopt;
}

std::optional<uint32_t> EventCount(int64_t count) {
  const bool right = count >= 1 && count <= int64_t{Predictor::kMaxAnnounced};
  return right ? std::optional(static_cast<uint32_t>(count)) : std::nullopt;
}

std::optional<uint32_t> EventCount(std::string_view text) {
  int64_t count = 0;
  return absl::SimpleAtoi(AbslView(text), &count) ? EventCount(count) : std::nullopt;
}

}  // namespace gnomon
