// SPDX-License-Identifier: Apache-2.0
#include "signals/document_fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr size_t kMaxUnknown = 200;

const DocumentNode& Nothing() {
  static const DocumentNode* const nothing = [] {
    auto* node = new DocumentNode();
    node->kind = DocumentNode::Kind::kMap;
    return node;
  }();
  return *nothing;
}

std::optional<int64_t> ParseWhole(std::string_view text) {
  int64_t value = 0;
  const std::string_view digits = text.starts_with("-") ? text.substr(1) : text;
  const bool whole = !digits.empty() && std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
  if (!whole || !absl::SimpleAtoi(AbslView(text), &value)) return std::nullopt;
  return value;
}

// Source: kubernetes.io, "Quantity".
std::optional<double> ParseQuantity(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 15> kSuffixes = {{
      {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60}, {"n", 1e-9}, {"u", 1e-6},
      {"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"E", 1e18},
  }};
  double factor = 1;
  for (const auto& [suffix, value] : kSuffixes) {
    if (!text.ends_with(suffix)) continue;
    factor = value;
    text.remove_suffix(suffix.size());
    break;
  }
  double value = 0;
  const bool number = !text.empty() && text.find_first_not_of("+-.0123456789eE") == text.npos;
  if (!number || !absl::SimpleAtod(AbslView(text), &value) || !std::isfinite(value * factor)) return std::nullopt;
  return value * factor;
}

std::string_view Described(const DocumentNode& node) {
  switch (node.kind) {
    case DocumentNode::Kind::kMap: return "a map";
    case DocumentNode::Kind::kList: return "a list";
    default: return node.text;
  }
}

}  // namespace

DocumentFields::DocumentFields(const DocumentNode& node, std::string path, ReadContext* context)
    : node_(&node), path_(std::move(path)), context_(context) {}

bool DocumentFields::Has(std::string_view name) const {
  const DocumentNode* const member = node_->Find(name);
  return member != nullptr && member->kind != DocumentNode::Kind::kNull;
}

std::string DocumentFields::Path(std::string_view name) const {
  if (path_.empty()) return std::string(name);
  return absl::StrCat(path_, ".", AbslView(name));
}

void DocumentFields::Refuse(int line, std::string_view path, std::string_view value, std::string_view why,
                            std::string_view hint) {
  if (!ok()) return;
  const std::string shown = value.empty() ? "" : absl::StrCat("\"", Excerpt(value), "\" ");
  context_->status = Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY",
                           absl::StrCat(context_->file, ":", line, ": ", AbslView(path), ": ", shown, AbslView(why)))
                         .Field(path)
                         .Value(Excerpt(value))
                         .Hint(hint);
}

void DocumentFields::Fail(std::string_view name, std::string_view why, std::string_view hint) {
  const DocumentNode* const member = node_->Find(name);
  Refuse(member == nullptr ? node_->line : member->line, Path(name), member == nullptr ? "" : Described(*member), why, hint);
}

void DocumentFields::Lacks(std::string_view name, std::string_view hint) {
  Refuse(node_->line, Path(name), "", "is missing", hint);
}

const DocumentNode* DocumentFields::Want(std::string_view name, DocumentNode::Kind kind, std::string_view wanted) {
  asked_.emplace(name);
  if (!ok() || !Has(name)) return nullptr;
  const DocumentNode* const member = node_->Find(name);
  if (member->kind == kind) return member;
  Refuse(member->line, Path(name), Described(*member), absl::StrCat("is not ", AbslView(wanted)), absl::StrCat("write ", AbslView(wanted)));
  return nullptr;
}

std::optional<std::string> DocumentFields::Text(std::string_view name) {
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kScalar, "text");
  return member == nullptr ? std::nullopt : std::optional(member->text);
}

std::optional<int64_t> DocumentFields::Int(std::string_view name, int64_t low, int64_t high) {
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kScalar, "a whole number");
  if (member == nullptr) return std::nullopt;
  const std::optional<int64_t> value = ParseWhole(member->text);
  const std::string hint = absl::StrCat("use one from ", low, " to ", high);
  if (!value) {
    Fail(name, "is not a whole number", hint);
  } else if (*value < low || *value > high) {
    Fail(name, "is out of range", hint);
  } else {
    return value;
  }
  return std::nullopt;
}

std::optional<double> DocumentFields::Number(std::string_view name) {
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kScalar, "a number");
  if (member == nullptr) return std::nullopt;
  const std::optional<double> value = ParseQuantity(member->text);
  if (!value) Fail(name, "is not a number", "use one as 50, 0.5, \"500m\" or \"1k\"");
  return value;
}

std::optional<bool> DocumentFields::Bool(std::string_view name) {
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kScalar, "true or false");
  if (member == nullptr) return std::nullopt;
  if (member->text == "true") return true;
  if (member->text != "false") Fail(name, "is neither true nor false", "use true or false");
  return false;
}

DocumentFields DocumentFields::Map(std::string_view name) {
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kMap, "a map");
  return {member == nullptr ? Nothing() : *member, Path(name), context_};
}

std::vector<DocumentFields> DocumentFields::List(std::string_view name) {
  std::vector<DocumentFields> list;
  const DocumentNode* const member = Want(name, DocumentNode::Kind::kList, "a list");
  if (member == nullptr) return list;
  for (size_t i = 0; i < member->items.size(); ++i) {
    const std::string path = absl::StrCat(Path(name), "[", i, "]");
    const DocumentNode& item = member->items[i];
    if (item.kind != DocumentNode::Kind::kMap) Refuse(item.line, path, Described(item), "is not a map", "write a map");
    list.emplace_back(item, path, context_);
  }
  return list;
}

void DocumentFields::Skip(std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) asked_.emplace(name);
}

void DocumentFields::SkipRest() {
  for (const auto& [name, value] : node_->members) asked_.insert(name);
}

void DocumentFields::Done() {
  for (const auto& [name, value] : node_->members) {
    if (asked_.contains(name) || context_->unknown.size() == kMaxUnknown) continue;
    context_->unknown.push_back(Path(Excerpt(name)));
  }
}

std::optional<CountOrPercent> ParseCountOrPercent(std::string_view text) {
  CountOrPercent parsed;
  if (text.ends_with("%")) {
    parsed.percent = true;
    text.remove_suffix(1);
  }
  const std::optional<int64_t> value = ParseWhole(text);
  if (!value || *value < 0 || *value > DocumentFields::kMaxCount) return std::nullopt;
  parsed.value = *value;
  return parsed;
}

}  // namespace gnomon
