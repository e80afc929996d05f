// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/absl_view.h"
#include "base/check.h"

namespace gnomon {
namespace {

constexpr size_t kExcerptBytes = 64;

constexpr std::string_view kCode = "gnomon/code";
constexpr std::string_view kField = "gnomon/field";
constexpr std::string_view kValue = "gnomon/value";
constexpr std::string_view kHint = "gnomon/hint";
constexpr std::string_view kItem = "gnomon/item";
// Payloads are visited in no particular order, so all the numbers share one: "name=value\n" a line.
constexpr std::string_view kNumbers = "gnomon/numbers";

std::string Payload(const absl::Status& status, std::string_view url) {
  absl::optional<absl::Cord> cord = status.GetPayload(AbslView(url));
  return cord ? std::string(*cord) : std::string();
}

}  // namespace

Error::Error(absl::StatusCode status, std::string_view code, std::string_view message)
    : status_(status, AbslView(message)) {
  GNOMON_CHECK(status != absl::StatusCode::kOk);
  status_.SetPayload(AbslView(kCode), absl::Cord(AbslView(code)));
}

Error::Error(absl::Status error) : status_(std::move(error)) { GNOMON_CHECK(!status_.ok()); }

// Abseil's messages cannot be changed.
Error& Error::Message(std::string_view message) {
  absl::Status renamed(status_.code(), AbslView(message));
  status_.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { renamed.SetPayload(url, payload); });
  status_ = std::move(renamed);
  return *this;
}

Error& Error::Before(std::string_view place) { return Message(absl::StrCat(AbslView(place), ": ", status_.message())); }

Error& Error::Field(std::string_view name) {
  status_.SetPayload(AbslView(kField), absl::Cord(AbslView(name)));
  return *this;
}

Error& Error::Value(std::string_view value) {
  status_.SetPayload(AbslView(kValue), absl::Cord(AbslView(value)));
  return *this;
}

Error& Error::Hint(std::string_view hint) {
  status_.SetPayload(AbslView(kHint), absl::Cord(AbslView(hint)));
  return *this;
}

Error& Error::Number(std::string_view name, int64_t value) {
  status_.SetPayload(AbslView(kNumbers),
                     absl::Cord(absl::StrCat(Payload(status_, kNumbers), AbslView(name), "=", value, "\n")));
  return *this;
}

Error& Error::Item(size_t index) {
  status_.SetPayload(AbslView(kItem), absl::Cord(absl::StrCat(index)));
  return *this;
}

ErrorParts PartsOf(const absl::Status& status) {
  ErrorParts parts{
      Payload(status, kCode), Payload(status, kField), Payload(status, kValue), Payload(status, kHint), {}, {}};
  if (size_t item = 0; absl::SimpleAtoi(Payload(status, kItem), &item)) parts.item = item;
  std::string numbers = Payload(status, kNumbers);
  for (std::string_view rest = numbers; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    size_t equals = line.rfind('=');
    int64_t value = 0;
    if (equals != std::string_view::npos && absl::SimpleAtoi(AbslView(line.substr(equals + 1)), &value)) {
      parts.numbers.emplace_back(line.substr(0, equals), value);
    }
  }
  return parts;
}

std::string CodeOf(const absl::Status& status) { return Payload(status, kCode); }

std::string Excerpt(std::string_view text) { return absl::CHexEscape(AbslView(text.substr(0, kExcerptBytes))); }

}  // namespace gnomon
