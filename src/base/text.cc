// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr size_t kMaxNameBytes = 128;
constexpr size_t kMaxSuggested = 64;

// Levenshtein's, by one row of the table at a time (Wagner and Fischer, The String-to-String Correction Problem, 1974).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Abseil's units are of one length each, so it knows no days.
bool ParseWithDays(std::string_view text, absl::Duration* duration) {
  const size_t d = text.find('d');
  if (d == std::string_view::npos) return absl::ParseDuration(AbslView(text), duration);
  const std::string_view rest = text.substr(d + 1);
  absl::Duration days, others;
  if (!IsNumber(text.substr(0, d)) || !absl::ParseDuration(absl::StrCat(AbslView(text.substr(0, d)), "h"), &days))
    return false;
  if (!rest.empty() && (!absl::ascii_isdigit(static_cast<unsigned char>(rest.front())) ||
                        !absl::ParseDuration(AbslView(rest), &others))) {
    return false;
  }
  *duration = 24 * days + others;
  return true;
}

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '~' || c == '-';
  });
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view field, std::string_view text) {
  absl::Duration duration;
  if (ParseWithDays(text, &duration) && duration >= absl::ZeroDuration() && duration < absl::InfiniteDuration())
    return duration;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_DURATION",
               absl::StrCat(AbslView(field), " \"", Excerpt(text), "\" is not a duration"))
      .Field(field)
      .Value(Excerpt(text))
      .Hint("write a number and a unit (s, m, h or d), as \"30s\", \"15m\", \"24h\" or \"1d12h\"");
}

std::string Counted(uint64_t count, std::string_view one, std::string_view many) {
  return absl::StrCat(count, " ", AbslView(count == 1 ? one : many));
}

std::string_view Suggest(std::string_view text, const std::vector<std::string_view>& known) {
  if (text.size() > kMaxSuggested) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, text.size() / 3) + 1;
  for (const std::string_view word : known) {
    const size_t distance = EditDistance(text, word);
    if (distance < best_distance) {
      best_distance = distance;
      best = word;
    }
  }
  return best;
}

std::string SuggestionHint(std::string_view text, const std::vector<std::string_view>& known) {
  const std::string_view meant = Suggest(text, known);
  return meant.empty() ? "" : absl::StrCat("did you mean \"", AbslView(meant), "\"?");
}

}  // namespace gnomon
