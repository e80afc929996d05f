// SPDX-License-Identifier: Apache-2.0
//
// An Error is an absl::Status with what a person and a program need to act on it: a stable code, the field, a hint.
//
// The status code says what the caller should do (see docs/HACKING.md); the stable code (UPPER_SNAKE) says
// exactly what happened and never changes its meaning. Attributes travel as payloads of the status, so an error
// passes unchanged through every layer and the HTTP edge writes them out as problem+json members.
//
// Example:
//   return Error(absl::StatusCode::kInvalidArgument, "INVALID_VNI", "vni 0 is out of range")
//       .Field("vni").Value("0").Hint("use a number from 1 to 16777215");
//   return Error(failed).Before("gnomon.toml:7");   // the same error, of which more is known here
//
// Threads: a value type. Cost: allocates; meant for refusals, never for the path of a success.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gnomon {

class Error {
 public:
  // `message` names the object and the value: "pool 10.0.0.0/24 is full (254 of 254 assigned)". CHECKs that `status`
  // is not OK.
  Error(absl::StatusCode status, std::string_view code, std::string_view message);
  // An error to be amended: what is not said anew stays as it was. CHECKs that it is not OK.
  explicit Error(absl::Status error);

  Error& Message(std::string_view message);
  Error& Before(std::string_view place);  // puts "place: " before the message
  Error& Field(std::string_view name);   // the field of the request that is wrong, as "pools[2].prefix"
  Error& Value(std::string_view value);  // the value that it had
  Error& Hint(std::string_view hint);    // what would be right, or what to do next
  // Further members of the answer, as the counts of a full pool. Order is kept. `name` holds no newline.
  Error& Number(std::string_view name, int64_t value);
  Error& Item(size_t index);  // which one of a list of equals it is about, from 0

  // Implicit on purpose, so that `return Error(...)...;` works wherever a status is returned.
  operator absl::Status() const { return status_; }  // NOLINT(google-explicit-constructor)
  template <typename T>
  operator absl::StatusOr<T>() const {  // NOLINT(google-explicit-constructor)
    return status_;
  }

 private:
  absl::Status status_;
};

// What an error carries, read back at the edge. A status that was not made by Error has an empty `code`.
struct ErrorParts {
  std::string code, field, value, hint;
  std::vector<std::pair<std::string, int64_t>> numbers;
  std::optional<size_t> item;
};
ErrorParts PartsOf(const absl::Status& status);

// The stable code alone; empty if the status has none.
std::string CodeOf(const absl::Status& status);

// Text from outside as a message may show it: at most its first 64 bytes, what is not printable ASCII as \xNN.
std::string Excerpt(std::string_view text);

}  // namespace gnomon

#define GNOMON_CONCAT_INNER(a, b) a##b
#define GNOMON_CONCAT(a, b) GNOMON_CONCAT_INNER(a, b)

// The names of the temporaries carry their line, so that neither a member nor an outer use of a macro is shadowed.
#define GNOMON_RETURN_IF_ERROR(expr) GNOMON_RETURN_IF_ERROR_INNER(GNOMON_CONCAT(gnomon_status_, __LINE__), expr)
#define GNOMON_RETURN_IF_ERROR_INNER(tmp, expr)           \
  do {                                                    \
    if (absl::Status tmp = (expr); !tmp.ok()) return tmp; \
  } while (false)

#define GNOMON_ASSIGN_OR_RETURN(lhs, expr) \
  GNOMON_ASSIGN_OR_RETURN_INNER(GNOMON_CONCAT(gnomon_status_or_, __LINE__), lhs, expr)
#define GNOMON_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                                  \
  if (!tmp.ok()) return std::move(tmp).status();      \
  lhs = *std::move(tmp)
