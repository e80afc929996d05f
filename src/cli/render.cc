// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "boost/json/serialize.hpp"

namespace gnomon {
namespace {

std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }
std::string Key(const boost::json::key_value_pair& pair) { return {pair.key().data(), pair.key().size()}; }

std::string Number(double value) { return absl::StrFormat("%.10g", value); }
// For people.
std::string ShortNumber(double value) { return absl::StrFormat(std::abs(value) < 10'000 ? "%.4g" : "%.0f", value); }

const JsonValue& Find(const JsonValue& object, std::string_view path) {
  const JsonValue* at = &object;
  while (!path.empty()) {
    size_t dot = std::min(path.find('.'), path.size());
    at = &Member(*at, path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return *at;
}

std::string Text(const JsonValue& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "";
    case boost::json::kind::string:
      return std::string(View(value.get_string()));
    case boost::json::kind::double_:
      return ShortNumber(value.get_double());
    case boost::json::kind::array: {
      std::string text;
      for (const JsonValue& item : value.get_array()) absl::StrAppend(&text, text.empty() ? "" : ",", Text(item));
      return text;
    }
    case boost::json::kind::object: {
      std::string text;
      for (const auto& pair : value.get_object()) {
        absl::StrAppend(&text, text.empty() ? "" : ",", Key(pair), "=", Text(pair.value()));
      }
      return text;
    }
    default:
      return boost::json::serialize(value);
  }
}

// What is found there, or in each item of the list whose name ends with "[]".
std::string TextAt(const JsonValue& object, std::string_view path) {
  const size_t brackets = path.find("[].");
  if (brackets == std::string_view::npos) return Text(Find(object, path));
  std::string text;
  const JsonValue& list = Find(object, path.substr(0, brackets));
  for (const JsonValue& item : list.is_array() ? list.get_array() : JsonArray()) {
    absl::StrAppend(&text, text.empty() ? "" : ",", TextAt(item, path.substr(brackets + 3)));
  }
  return text;
}

bool IsScalar(const JsonValue& value) {
  if (value.is_object()) return value.get_object().empty();
  return !value.is_array() || value.get_array().empty();
}

// Whether YAML reads `text` as a string without quotes.
bool IsPlainYaml(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || !absl::ascii_isalpha(text.front())) return false;
  bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/';
  });
  return plain && std::find(kWords.begin(), kWords.end(), absl::AsciiStrToLower(AbslView(text))) == kWords.end();
}

std::string YamlScalar(const JsonValue& value) {
  if (value.is_string() && IsPlainYaml(View(value.get_string()))) return Text(value);
  if (value.is_double()) return Number(value.get_double());
  return boost::json::serialize(value);  // a JSON string is a YAML string
}

std::string YamlKey(const std::string& key) {
  return IsPlainYaml(key) ? key : boost::json::serialize(boost::json::string(key));
}

void WriteYaml(const JsonValue& value, const std::string& indent, std::ostream& out) {
  if (IsScalar(value)) {
    out << indent << YamlScalar(value) << "\n";
    return;
  }
  if (value.is_array()) {
    for (const JsonValue& item : value.get_array()) {
      if (IsScalar(item)) {
        out << indent << "- " << YamlScalar(item) << "\n";
      } else {
        std::ostringstream nested;
        WriteYaml(item, indent + "  ", nested);
        std::string text = nested.str();
        text[indent.size()] = '-';
        out << text;
      }
    }
    return;
  }
  for (const auto& pair : value.get_object()) {
    out << indent << YamlKey(Key(pair)) << ":";
    if (IsScalar(pair.value())) {
      out << " " << YamlScalar(pair.value()) << "\n";
    } else {
      out << "\n";
      WriteYaml(pair.value(), indent + "  ", out);
    }
  }
}

void WriteJson(const JsonValue& value, const std::string& indent, std::ostream& out) {
  if (IsScalar(value)) {
    out << (value.is_double() ? Number(value.get_double()) : boost::json::serialize(value));
    return;
  }
  const std::string inner = indent + "  ";
  std::string_view separator = "\n";
  if (value.is_array()) {
    out << "[";
    for (const JsonValue& item : value.get_array()) {
      out << std::exchange(separator, ",\n") << inner;
      WriteJson(item, inner, out);
    }
    out << "\n" << indent << "]";
    return;
  }
  out << "{";
  for (const auto& pair : value.get_object()) {
    out << std::exchange(separator, ",\n") << inner << boost::json::serialize(boost::json::string(pair.key())) << ": ";
    WriteJson(pair.value(), inner, out);
  }
  out << "\n" << indent << "}";
}

// "warm_target" as "Warm target".
std::string Title(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  if (!name.empty()) name[0] = absl::ascii_toupper(name[0]);
  return name;
}

// Whether the names of an object's members are the users' own, and not the API's.
bool HasNamesOfUsers(std::string_view member) { return member == "labels" || member == "warm_targets"; }

void Describe(const JsonObject& object, const std::string& indent, bool as_they_are, std::ostream& out) {
  size_t width = 0;
  for (const auto& pair : object) width = std::max(width, pair.key().size());
  for (const auto& pair : object) {
    std::string name = indent + (as_they_are ? Key(pair) : Title(Key(pair))) + ":";
    const JsonValue& value = pair.value();
    bool objects = value.is_array() && !value.get_array().empty() && value.get_array()[0].is_object();
    if (value.is_object() && !value.get_object().empty()) {
      out << name << "\n";
      Describe(value.get_object(), indent + "  ", HasNamesOfUsers(Key(pair)), out);
    } else if (objects) {
      out << name << "\n";
      for (const JsonValue& item : value.get_array()) out << indent << "  - " << Text(item) << "\n";
    } else {
      std::string text = Text(value);
      out << name << std::string(indent.size() + width + 3 - name.size(), ' ') << (text.empty() ? "-" : text) << "\n";
    }
  }
}

}  // namespace

std::string Cell(const JsonValue& object, std::string_view path) {
  while (true) {
    size_t bar = std::min(path.find('|'), path.size());
    std::string text = TextAt(object, path.substr(0, bar));
    if (!text.empty()) return text;
    if (bar == path.size()) return "-";
    path.remove_prefix(bar + 1);
  }
}

std::string Bar(double share) {
  constexpr int kWidth = 30;
  const int filled = std::clamp(static_cast<int>(kWidth * share), 0, kWidth);
  return absl::StrCat("[", std::string(filled, '#'), std::string(kWidth - filled, '.'), "]");
}

void PrintTable(const std::vector<Column>& columns, const JsonArray& rows, bool colored, std::ostream& out) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns) lines[0].emplace_back(column.title);
  for (const JsonValue& row : rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const Column& column : columns) line.push_back(Cell(row, column.path));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    bool bold = colored && &line == lines.data();
    if (bold) out << "\x1b[1m";
    for (size_t i = 0; i < line.size(); ++i) {
      out << line[i];
      if (i + 1 < line.size()) out << std::string(widths[i] + 2 - line[i].size(), ' ');
    }
    out << (bold ? "\x1b[0m\n" : "\n");
  }
}

void PrintDescription(const JsonValue& object, std::ostream& out) {
  if (object.is_object()) Describe(object.get_object(), "", false, out);
}

void PrintJson(const JsonValue& value, std::ostream& out) {
  WriteJson(value, "", out);
  out << "\n";
}

void PrintYaml(const JsonValue& value, std::ostream& out) { WriteYaml(value, "", out); }

}  // namespace gnomon
