// SPDX-License-Identifier: Apache-2.0
#include "cli/labels.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {

absl::StatusOr<JsonObject> ParseLabels(const std::vector<std::string>& items) {
  JsonObject labels;
  for (const std::string& item : items) {
    size_t equals = item.find('=');
    bool good = equals != std::string::npos && equals > 0;
    if (!good || labels.contains(item.substr(0, equals))) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_LABEL",
                   absl::StrCat("label ", Excerpt(item), good ? " is given twice" : " is not name=value"))
          .Field("labels")
          .Value(Excerpt(item))
          .Hint("write labels as env=prod");
    }
    labels[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return labels;
}

}  // namespace gnomon
