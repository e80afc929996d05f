// SPDX-License-Identifier: Apache-2.0
#include "cli/duration_flag.h"

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {

absl::StatusOr<absl::Duration> DurationFlag(std::string_view flag, std::string_view text, absl::Duration low,
                                            absl::Duration high) {
  GNOMON_ASSIGN_OR_RETURN(const absl::Duration duration, ParseDuration(flag, text));
  if (duration >= low && duration <= high) return duration;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_DURATION",
               absl::StrCat(AbslView(flag), " ", Excerpt(text), " is too ", duration < low ? "short" : "long"))
      .Field(flag)
      .Value(Excerpt(text))
      .Hint(high == absl::InfiniteDuration()
                ? absl::StrCat("at least ", absl::FormatDuration(low))
                : absl::StrCat("from ", absl::FormatDuration(low), " to ", absl::FormatDuration(high)));
}

}  // namespace gnomon
