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

std::string LabelsCell(const JsonObject& labels) {
  std::string cell;
  for (const auto& label : labels) {
    const std::string name(label.key());
    absl::StrAppend(&cell, cell.empty() ? "" : ";", name, "=");
    for (const char c : TextMember(labels, name)) {
      if (c == ';' || c == '\\') cell.push_back('\\');
      cell.push_back(c);
    }
  }
  return cell;
}

absl::StatusOr<JsonObject> ParseLabelsCell(std::string_view cell) {
  std::vector<std::string> items(1);
  for (size_t i = 0; i < cell.size(); ++i) {
    const bool escape = cell[i] == '\\' && i + 1 < cell.size() && (cell[i + 1] == ';' || cell[i + 1] == '\\');
    if (cell[i] == ';') {
      items.emplace_back();
    } else {
      items.back().push_back(cell[escape ? ++i : i]);
    }
  }
  return ParseLabels(items);
}

}  // namespace gnomon
