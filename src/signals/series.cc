// SPDX-License-Identifier: Apache-2.0
#include "signals/series.h"

#include "absl/strings/str_cat.h"

namespace gnomon {

std::string TextOf(const std::vector<Series::Label>& labels) {
  std::string name, others;
  for (const Series::Label& label : labels) {
    if (label.name == "__name__") {
      name = label.value;
    } else {
      absl::StrAppend(&others, others.empty() ? "" : ",", label.name, "=\"", label.value, "\"");
    }
  }
  return others.empty() ? name : absl::StrCat(name, "{", others, "}");
}

}  // namespace gnomon
