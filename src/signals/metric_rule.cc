// SPDX-License-Identifier: Apache-2.0
#include "signals/metric_rule.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr std::string_view kMetricName = "__name__";
constexpr size_t kMaxSelectorBytes = 4096;

bool IsNameChar(char c, bool first, bool colon) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalpha(byte) || c == '_' || (colon && c == ':') || (!first && absl::ascii_isdigit(byte));
}

// Reads a selector from its beginning to its end.
class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : text_(text), rest_(text) {}

  absl::Status Fail(std::string_view why) const {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_SELECTOR",
                 absl::StrCat("\"", Excerpt(text_), "\" ", AbslView(why)))
        .Field("match")
        .Value(Excerpt(text_))
        .Hint("write name{label=\"value\",other=\"begin*\"}; expressions need query and source instead");
  }
  void Space() {
    while (!rest_.empty() && absl::ascii_isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
  }
  bool Take(char c) {
    Space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string Name(bool colon) {
    Space();
    size_t size = 0;
    while (size < rest_.size() && IsNameChar(rest_[size], size == 0, colon)) ++size;
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }
  std::optional<std::string> Quoted() {
    if (!Take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) break;
        c = rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      }
      value.push_back(c);
    }
    return std::nullopt;
  }
  bool AtEnd() {
    Space();
    return rest_.empty();
  }
  std::string_view rest() const { return rest_; }

 private:
  const std::string_view text_;
  std::string_view rest_;
};

}  // namespace

absl::StatusOr<MetricSelector> MetricSelector::Parse(std::string_view text) {
  SelectorReader reader(text);
  if (text.size() > kMaxSelectorBytes) return reader.Fail(absl::StrCat("is longer than ", kMaxSelectorBytes, " bytes"));
  MetricSelector selector;
  selector.text_ = text;
  if (const std::string name = reader.Name(true); !name.empty()) {
    const bool begins = reader.rest().starts_with('*');
    if (begins) reader.Take('*');
    selector.labels_.push_back({std::string(kMetricName), name, begins});
  }
  if (reader.Take('{')) {
    while (!reader.Take('}')) {
      const std::string label = reader.Name(false);
      if (label.empty()) return reader.Fail("has no label's name where one should be");
      if (!reader.Take('=')) return reader.Fail("compares by something else than =");
      if (reader.rest().starts_with('~')) return reader.Fail("has a regular expression; a value may end in * instead");
      std::optional<std::string> value = reader.Quoted();
      if (!value.has_value()) return reader.Fail("has a value that is not in double quotes");
      const bool begins = value->ends_with('*');
      if (begins) value->pop_back();
      selector.labels_.push_back({label, *std::move(value), begins});
      if (!reader.Take(',') && !reader.rest().starts_with('}')) return reader.Fail("has no , or } after a value");
    }
  }
  if (!reader.AtEnd()) return reader.Fail("is not a selector");
  if (selector.labels_.empty()) return reader.Fail("names neither a metric nor a label");
  std::sort(selector.labels_.begin(), selector.labels_.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  for (size_t i = 1; i < selector.labels_.size(); ++i) {
    if (selector.labels_[i].name == selector.labels_[i - 1].name) {
      return reader.Fail(absl::StrCat("names ", selector.labels_[i].name, " twice"));
    }
  }
  return selector;
}

bool MetricSelector::Matches(const std::vector<Series::Label>& labels) const {
  auto at = labels.begin();
  for (const Label& wanted : labels_) {
    while (at != labels.end() && at->name < wanted.name) ++at;
    const std::string_view value = at != labels.end() && at->name == wanted.name ? std::string_view(at->value) : "";
    if (wanted.begins ? !value.starts_with(wanted.value) : value != wanted.value) return false;
  }
  return true;
}

std::optional<std::string> MetricSelector::ExactName() const {
  for (const Label& label : labels_) {
    if (label.name == kMetricName && !label.begins) return label.value;
  }
  return std::nullopt;
}

std::string_view NameOf(MetricUse use) {
  switch (use) {
    case MetricUse::kDemand: return "demand";
    case MetricUse::kDriver: return "driver";
    case MetricUse::kDesired: break;
  }
  return "desired";
}

std::string_view NameOf(MetricCount of) { return of == MetricCount::kInstances ? "instances" : "creations_total"; }

std::string_view NameOf(MetricCombine combine) {
  switch (combine) {
    case MetricCombine::kSum: return "sum";
    case MetricCombine::kMax: return "max";
    case MetricCombine::kMean: break;
  }
  return "mean";
}

}  // namespace gnomon
