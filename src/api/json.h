// SPDX-License-Identifier: Apache-2.0
//
// JSON in and out: a JsonObject is a strictly checked object of a request, a JsonWriter appends an answer's text.
//
// Example:
//   JsonDocument document;
//   GNOMON_ASSIGN_OR_RETURN(JsonObject body, document.Parse(request.body));
//   std::string name, account;
//   std::optional<int64_t> vni;
//   body.Required("name", &name).Required("account", &account).Optional("vni", &vni);
//   GNOMON_RETURN_IF_ERROR(body.Done());   // the first error, or an unknown member
//
// Errors: INVALID_ARGUMENT with the field ("pools[2].prefix") and the value, and one of the codes INVALID_JSON,
// MISSING_FIELD, WRONG_TYPE, INVALID_NAME, INVALID_DURATION, OUT_OF_RANGE, UNKNOWN_FIELD (with a suggestion),
// DUPLICATE_FIELD. A null counts as a member that is not there where it is optional.
// Limits: 32 levels, kMaxItems elements of an array, 64 labels.
// Cost: one allocation of 4 KiB a document, and more when it needs more.
// Threads: not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gnomon {

// INVALID_ARGUMENT "INVALID_NAME" naming `field`, or OK.
absl::Status CheckName(std::string_view field, std::string_view text);

// An object of a JsonDocument, which must outlive it. Its functions ask for members; what none asked for is unknown.
// After the first error they do nothing more; Done() returns it.
class JsonObject {
 public:
  static constexpr size_t kMaxItems = 1000;

  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  // Member types: std::string, int64_t, double, bool, absl::Duration, std::vector<std::string>,
  // std::map<std::string, std::string> (labels: keys are names, values at most 256 bytes),
  // std::map<std::string, int64_t>, JsonObject (as std::optional<JsonObject>),
  // std::vector<JsonObject>. A missing optional member leaves `out` as it is.
  template <typename T>
  JsonObject& Required(std::string_view name, T* out) {
    if (Want(name, true)) Read(name, out);
    return *this;
  }
  template <typename T>
  JsonObject& Optional(std::string_view name, std::optional<T>* out) {
    if (!Want(name, false)) return *this;
    T value{};
    if (Read(name, &value)) *out = std::move(value);
    return *this;
  }
  template <typename T>
  JsonObject& Optional(std::string_view name, T* out) {
    if (Want(name, false)) Read(name, out);
    return *this;
  }
  JsonObject& Optional(std::string_view name, std::optional<JsonObject>* out);

  // As a string that is a name.
  JsonObject& RequiredName(std::string_view name, std::string* out);
  JsonObject& OptionalName(std::string_view name, std::string* out);
  // Refuses a number that is there and not in [low, high].
  JsonObject& Range(std::string_view name, const std::optional<int64_t>& value, int64_t low, int64_t high);

  // Whether the member was sent, and not as null.
  bool Has(std::string_view name) const;
  // Whether it was sent as null.
  bool IsNull(std::string_view name) const;
  // The path of a member, for errors of the caller's own: "instances[3].id".
  std::string Path(std::string_view name) const;
  // Keeps `error` as the first if there is none yet.
  void Fail(absl::Status error);
  absl::Status Done();

 private:
  friend class JsonDocument;
  struct Rep;
  explicit JsonObject(std::unique_ptr<Rep> rep);

  bool Want(std::string_view name, bool required);
  bool WrongType(std::string_view name, std::string_view wanted);
  bool Read(std::string_view name, std::string* out);
  bool Read(std::string_view name, int64_t* out);
  bool Read(std::string_view name, double* out);
  bool Read(std::string_view name, bool* out);
  bool Read(std::string_view name, absl::Duration* out);
  bool Read(std::string_view name, std::vector<std::string>* out);
  bool Read(std::string_view name, std::map<std::string, std::string>* out);
  bool Read(std::string_view name, std::map<std::string, int64_t>* out);
  bool Read(std::string_view name, std::vector<JsonObject>* out);

  std::unique_ptr<Rep> rep_;
};

// The parsed text of one body.
class JsonDocument {
 public:
  JsonDocument();
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // Once. An empty text is an empty object.
  absl::StatusOr<JsonObject> Parse(std::string_view text);

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

// Appends JSON to a string; the caller keeps the order of calls right. Text that is not UTF-8 is replaced by U+FFFD.
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Shut('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Shut(']'); }
  JsonWriter& Key(std::string_view name);
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(int64_t number);
  JsonWriter& Double(double number);  // the shortest that reads back the same; null if it is not finite
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  JsonWriter& Duration(absl::Duration duration);  // "30s"
  JsonWriter& Time(absl::Time time);              // RFC 3339 UTC, down to nanoseconds; null for an infinite one
  // Text that is JSON already.
  JsonWriter& Raw(std::string_view json);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Shut(char bracket);
  void Separate();

  std::string* out_;
  bool comma_ = false;  // a value came before, in the same object or array
};

}  // namespace gnomon
