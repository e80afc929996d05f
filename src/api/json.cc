// SPDX-License-Identifier: Apache-2.0
#include "api/json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"

namespace gnomon {
namespace json = boost::json;

namespace {

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxLabels = 64;
constexpr size_t kMaxLabelBytes = 256;
constexpr size_t kArenaBytes = 4096;

std::string_view View(json::string_view text) { return std::string_view(text.data(), text.size()); }

Error Invalid(std::string_view code, std::string_view message, std::string_view field, std::string_view value) {
  Error error(absl::StatusCode::kInvalidArgument, code, message);
  if (!field.empty()) error.Field(field);
  error.Value(Excerpt(value));
  return error;
}

std::string_view KindName(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
    default: return "a number";
  }
}

}  // namespace

absl::Status CheckName(std::string_view field, std::string_view text) {
  if (IsName(text)) return absl::OkStatus();
  return Invalid("INVALID_NAME", absl::StrCat(AbslView(field), " \"", Excerpt(text), "\" is not a name"), field, text)
      .Hint("use 1 to 128 of A-Z a-z 0-9 . _ ~ -");
}

struct JsonObject::Rep {
  const json::object* object;
  std::string path;  // of the object itself; empty for the body
  std::vector<std::string_view> asked;
  const json::value* wanted = nullptr;  // what Want() found
  absl::Status error;
};

JsonObject::JsonObject(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

std::string JsonObject::Path(std::string_view name) const {
  return rep_->path.empty() ? std::string(name) : absl::StrCat(rep_->path, ".", AbslView(name));
}

void JsonObject::Fail(absl::Status error) {
  if (rep_->error.ok()) rep_->error = std::move(error);
}

bool JsonObject::Has(std::string_view name) const {
  const json::value* value = rep_->object->if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && !value->is_null();
}

bool JsonObject::IsNull(std::string_view name) const {
  const json::value* value = rep_->object->if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_null();
}

// True if the member is there to be read, as rep_->wanted.
bool JsonObject::Want(std::string_view name, bool required) {
  rep_->asked.push_back(name);
  if (!rep_->error.ok()) return false;
  rep_->wanted = rep_->object->if_contains(json::string_view(name.data(), name.size()));
  if (rep_->wanted != nullptr && (required || !rep_->wanted->is_null())) return true;
  if (required) {
    const std::string path = Path(name);
    Fail(Error(absl::StatusCode::kInvalidArgument, "MISSING_FIELD", absl::StrCat(path, " is missing")).Field(path));
  }
  return false;
}

bool JsonObject::WrongType(std::string_view name, std::string_view wanted) {
  const std::string path = Path(name);
  Fail(Invalid("WRONG_TYPE",
               absl::StrCat(path, " is ", AbslView(KindName(*rep_->wanted)), " and must be ", AbslView(wanted)), path,
               json::serialize(*rep_->wanted)));
  return false;
}

bool JsonObject::Read(std::string_view name, std::string* out) {
  const json::string* text = rep_->wanted->if_string();
  if (text == nullptr) return WrongType(name, "a string");
  out->assign(text->data(), text->size());
  return true;
}

bool JsonObject::Read(std::string_view name, int64_t* out) {
  const int64_t* number = rep_->wanted->if_int64();
  if (number == nullptr) return WrongType(name, "an integer");
  *out = *number;
  return true;
}

bool JsonObject::Read(std::string_view name, double* out) {
  if (!rep_->wanted->is_number()) return WrongType(name, "a number");
  *out = rep_->wanted->to_number<double>();
  return true;
}

bool JsonObject::Read(std::string_view name, bool* out) {
  const bool* value = rep_->wanted->if_bool();
  if (value == nullptr) return WrongType(name, "true or false");
  *out = *value;
  return true;
}

bool JsonObject::Read(std::string_view name, absl::Duration* out) {
  const json::string* text = rep_->wanted->if_string();
  if (text == nullptr) return WrongType(name, "a duration as \"30s\"");
  const auto duration = ParseDuration(Path(name), std::string_view(text->data(), text->size()));
  if (!duration.ok()) {
    Fail(duration.status());
    return false;
  }
  *out = *duration;
  return true;
}

bool JsonObject::Read(std::string_view name, std::vector<std::string>* out) {
  const json::array* items = rep_->wanted->if_array();
  if (items == nullptr || items->size() > kMaxItems) return WrongType(name, "an array of at most 1000 strings");
  out->clear();
  for (const json::value& item : *items) {
    if (!item.is_string()) return WrongType(name, "an array of strings");
    out->emplace_back(View(item.get_string()));
  }
  return true;
}

bool JsonObject::Read(std::string_view name, std::map<std::string, std::string>* out) {
  const json::object* labels = rep_->wanted->if_object();
  if (labels == nullptr || labels->size() > kMaxLabels) return WrongType(name, "an object of at most 64 strings");
  out->clear();
  for (const auto& [key, value] : *labels) {
    const std::string path = absl::StrCat(Path(name), ".", Excerpt(View(key)));
    if (absl::Status named = CheckName(path, View(key)); !named.ok()) {
      Fail(std::move(named));
      return false;
    }
    if (!value.is_string() || value.get_string().size() > kMaxLabelBytes) {
      Fail(Invalid("WRONG_TYPE", absl::StrCat(path, " must be a string of at most 256 bytes"), path,
                   json::serialize(value)));
      return false;
    }
    out->emplace(View(key), View(value.get_string()));
  }
  return true;
}

bool JsonObject::Read(std::string_view name, std::map<std::string, int64_t>* out) {
  const json::object* members = rep_->wanted->if_object();
  if (members == nullptr || members->size() > kMaxItems) return WrongType(name, "an object of integers");
  out->clear();
  for (const auto& [key, value] : *members) {
    if (!value.is_int64()) return WrongType(name, "an object of integers");
    out->emplace(View(key), value.get_int64());
  }
  return true;
}

bool JsonObject::Read(std::string_view name, std::vector<JsonObject>* out) {
  const json::array* items = rep_->wanted->if_array();
  if (items == nullptr || items->size() > kMaxItems) return WrongType(name, "an array of at most 1000 objects");
  out->clear();
  for (size_t i = 0; i < items->size(); ++i) {
    if (!(*items)[i].is_object()) return WrongType(name, "an array of objects");
    auto rep = std::make_unique<Rep>();
    rep->object = &(*items)[i].get_object();
    rep->path = absl::StrCat(Path(name), "[", i, "]");
    out->push_back(JsonObject(std::move(rep)));
  }
  return true;
}

JsonObject& JsonObject::Optional(std::string_view name, std::optional<JsonObject>* out) {
  if (!Want(name, false)) return *this;
  if (!rep_->wanted->is_object()) {
    WrongType(name, "an object");
    return *this;
  }
  auto rep = std::make_unique<Rep>();
  rep->object = &rep_->wanted->get_object();
  rep->path = Path(name);
  out->emplace(JsonObject(std::move(rep)));
  return *this;
}

JsonObject& JsonObject::RequiredName(std::string_view name, std::string* out) {
  if (!Want(name, true) || !Read(name, out)) return *this;
  if (absl::Status named = CheckName(Path(name), *out); !named.ok()) Fail(std::move(named));
  return *this;
}

JsonObject& JsonObject::OptionalName(std::string_view name, std::string* out) {
  if (!Want(name, false) || !Read(name, out)) return *this;
  if (absl::Status named = CheckName(Path(name), *out); !named.ok()) Fail(std::move(named));
  return *this;
}

JsonObject& JsonObject::Range(std::string_view name, const std::optional<int64_t>& value, int64_t low, int64_t high) {
  if (!value.has_value() || (*value >= low && *value <= high)) return *this;
  const std::string path = Path(name);
  Fail(Invalid("OUT_OF_RANGE", absl::StrCat(path, " ", *value, " is out of range"), path, absl::StrCat(*value))
           .Hint(absl::StrCat("use a number from ", low, " to ", high)));
  return *this;
}

absl::Status JsonObject::Done() {
  // What seems to be missing is often there under a mistyped name: that is what its sender wants to hear.
  if (!rep_->error.ok() && CodeOf(rep_->error) != "MISSING_FIELD") return rep_->error;
  for (const auto& member : *rep_->object) {
    const std::string_view key = View(member.key());
    if (std::find(rep_->asked.begin(), rep_->asked.end(), key) != rep_->asked.end()) continue;
    const std::string path = Path(Excerpt(key));
    Error error(absl::StatusCode::kInvalidArgument, "UNKNOWN_FIELD", absl::StrCat(path, " is not a known field"));
    error.Field(path);
    error.Hint(SuggestionHint(key, rep_->asked));
    rep_->error = error;
    return rep_->error;
  }
  return rep_->error;
}

namespace {

// Builds the values as Boost's own handler would, and stops at a member that its object has already.
class StrictHandler {
 public:
  static constexpr size_t max_object_size = JsonObject::kMaxItems;
  static constexpr size_t max_array_size = 100000;
  static constexpr size_t max_key_size = 4096;
  static constexpr size_t max_string_size = 1 << 20;
  using Code = json::error_code;

  explicit StrictHandler(json::storage_ptr memory) : values_(memory) { values_.reset(std::move(memory)); }

  bool has_duplicate() const { return has_duplicate_; }
  const std::string& duplicate() const { return duplicate_; }
  json::value Release() { return values_.release(); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    first_key_.push_back(keys_.size());
    return true;
  }
  bool on_object_end(size_t count, Code&) {
    keys_.resize(first_key_.back());
    first_key_.pop_back();
    values_.push_object(count);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t count, Code&) {
    values_.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view part, size_t, Code&) {
    key_.append(part.data(), part.size());
    values_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, size_t, Code& error) {
    key_.append(part.data(), part.size());
    // Hashes, so that a large object costs little. Two keys of one hash count as equal: only their sender loses.
    const size_t hash = std::hash<std::string>()(key_);
    const auto first = keys_.begin() + static_cast<ptrdiff_t>(first_key_.back());
    if (std::find(first, keys_.end(), hash) != keys_.end()) {
      has_duplicate_ = true;
      duplicate_ = key_;
      error = json::error::syntax;
      return false;
    }
    keys_.push_back(hash);
    key_.clear();
    values_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, size_t, Code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, size_t, Code&) {
    values_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(int64_t number, json::string_view, Code&) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(uint64_t number, json::string_view, Code&) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view, Code&) {
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool value, Code&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(Code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  json::value_stack values_;
  std::vector<size_t> keys_, first_key_;  // hashes of the keys of all open objects; where each object's begin
  std::string key_, duplicate_;
  bool has_duplicate_ = false;
};

}  // namespace

struct JsonDocument::Rep {
  unsigned char arena[kArenaBytes];
  json::monotonic_resource memory{arena, sizeof(arena)};
  std::optional<json::value> root;  // in `memory`
};

JsonDocument::JsonDocument() : rep_(std::make_unique<Rep>()) {}
JsonDocument::~JsonDocument() = default;

absl::StatusOr<JsonObject> JsonDocument::Parse(std::string_view text) {
  if (text.empty()) text = "{}";
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<StrictHandler> parser(options, json::storage_ptr(&rep_->memory));
  json::error_code error;
  const size_t taken = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().has_duplicate()) {
    const std::string name = Excerpt(parser.handler().duplicate());
    return Error(absl::StatusCode::kInvalidArgument, "DUPLICATE_FIELD", absl::StrCat("\"", name, "\" is there twice"))
        .Field(name);
  }
  if (!error && taken < text.size()) error = json::error::extra_data;
  if (error) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                 absl::StrCat("the body is not JSON at byte ", taken, ": ", error.message()));
  }
  rep_->root.emplace(parser.handler().Release());
  if (!rep_->root->is_object()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                 absl::StrCat("the body is ", AbslView(KindName(*rep_->root)), " and must be an object"));
  }
  auto object = std::make_unique<JsonObject::Rep>();
  object->object = &rep_->root->get_object();
  return JsonObject(std::move(object));
}

}  // namespace gnomon
