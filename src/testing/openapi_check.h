// SPDX-License-Identifier: Apache-2.0
//
// An OpenApiCheck says where a JSON value, a request or an answer is not as openapi.json describes it.
//
// It knows the keywords that the document uses: $ref, type, enum, required, properties, additionalProperties, items,
// minimum, maximum. Others are taken for descriptions.
//
// Threads: any; constant after construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "absl/strings/str_cat.h"
#include "api/openapi.h"

namespace gnomon {

class OpenApiCheck {
 public:
  using Value = boost::json::value;
  using Object = boost::json::object;

  OpenApiCheck() : document_(boost::json::parse(boost::json::string_view(kOpenApi.data(), kOpenApi.size()))) {}

  const Object& document() const { return document_.as_object(); }

  // The operation of a path of the document, as "/v1/networks/{network}"; nullptr: there is none. `method` in capitals.
  const Object* Operation(std::string_view pattern, std::string_view method) const {
    const Value* path = document().at("paths").as_object().if_contains(View(pattern));
    if (path == nullptr) return nullptr;
    std::string name(method);
    for (char& c : name) c = static_cast<char>(tolower(c));
    const Value* operation = path->as_object().if_contains(name);
    return operation == nullptr ? nullptr : &operation->as_object();
  }

  // What is wrong with a JSON body that was accepted; empty if nothing is.
  std::string Request(const Object& operation, const std::string& body) const {
    const Value* request = operation.if_contains("requestBody");
    if (request == nullptr) return body.empty() ? "" : "the document knows no body";
    const Value* type = request->as_object().at("content").as_object().if_contains("application/json");
    return type == nullptr ? "" : Wrong(type->at("schema"), boost::json::parse(body), "request");
  }

  // What is wrong with an answer. `operation` is nullptr where the path is unknown.
  std::string Response(const Object* operation, int status, const std::string& content_type, const std::string& body) const {
    if (operation == nullptr || status >= 400) {
      if (content_type != "application/problem+json") return absl::StrCat("an error as ", content_type);
      static const Value kProblem = {{"$ref", "#/components/schemas/Problem"}};
      return Wrong(kProblem, boost::json::parse(body), "problem");
    }
    const Value* response = operation->at("responses").as_object().if_contains(std::to_string(status));
    if (response == nullptr) return absl::StrCat("the document does not know status ", status);
    const Value* content = response->as_object().if_contains("content");
    if (content == nullptr) return body.empty() ? "" : "the document knows no body";
    const std::string media = content_type.substr(0, content_type.find(';'));
    const Value* type = content->as_object().if_contains(media);
    if (type == nullptr) return absl::StrCat("the document does not know ", media);
    if (media != "application/json") return "";
    return Wrong(type->at("schema"), boost::json::parse(body), "answer");
  }

  // Where `value` is not as `schema`; empty if it is.
  std::string Wrong(const Value& schema, const Value& value, const std::string& at) const {
    const Object& rules = schema.as_object();
    if (const Value* ref = rules.if_contains("$ref")) {
      return Wrong(document_.at_pointer(std::string(ref->as_string()).substr(1)), value, at);
    }
    if (const Value* type = rules.if_contains("type"); type != nullptr && !HasType(*type, value)) {
      return absl::StrCat(at, " is ", boost::json::serialize(value), ", not of type ", boost::json::serialize(*type));
    }
    if (const Value* all = rules.if_contains("enum"); all != nullptr && !Contains(all->as_array(), value)) {
      return absl::StrCat(at, " is ", boost::json::serialize(value), ", not one of ", boost::json::serialize(*all));
    }
    if (value.is_number()) return WrongNumber(rules, value.to_number<double>(), at);
    if (value.is_object()) return WrongObject(rules, value.as_object(), at);
    if (const Value* items = rules.if_contains("items"); items != nullptr && value.is_array()) {
      for (size_t i = 0; i < value.as_array().size(); ++i) {
        std::string wrong = Wrong(*items, value.as_array()[i], absl::StrCat(at, "[", i, "]"));
        if (!wrong.empty()) return wrong;
      }
    }
    return "";
  }

 private:
  static boost::json::string_view View(std::string_view text) { return {text.data(), text.size()}; }

  static bool Contains(const boost::json::array& all, const Value& value) {
    for (const Value& one : all) {
      if (one == value) return true;
    }
    return false;
  }

  static bool HasType(const Value& type, const Value& value) {
    if (type.is_array()) {
      for (const Value& one : type.as_array()) {
        if (HasType(one, value)) return true;
      }
      return false;
    }
    const std::string name(type.as_string());
    return name == "string" ? value.is_string() : name == "integer" ? value.is_int64() || value.is_uint64()
         : name == "number" ? value.is_number() : name == "boolean" ? value.is_bool()
         : name == "object" ? value.is_object() : name == "array" ? value.is_array() : value.is_null();
  }

  static std::string WrongNumber(const Object& rules, double number, const std::string& at) {
    const Value* low = rules.if_contains("minimum");
    const Value* high = rules.if_contains("maximum");
    if (low != nullptr && number < low->to_number<double>()) return absl::StrCat(at, " is ", number, ", too low");
    if (high != nullptr && number > high->to_number<double>()) return absl::StrCat(at, " is ", number, ", too high");
    return "";
  }

  std::string WrongObject(const Object& rules, const Object& object, const std::string& at) const {
    if (const Value* required = rules.if_contains("required")) {
      for (const Value& name : required->as_array()) {
        if (!object.contains(name.as_string())) return absl::StrCat(at, " has no ", std::string(name.as_string()));
      }
    }
    const Value* properties = rules.if_contains("properties");
    const Value* additional = rules.if_contains("additionalProperties");
    for (const auto& member : object) {
      const std::string path = absl::StrCat(at, ".", std::string(member.key()));
      const Value* schema = properties == nullptr ? nullptr : properties->as_object().if_contains(member.key());
      if (schema == nullptr && additional != nullptr && additional->is_object()) schema = additional;
      if (schema == nullptr && additional != nullptr && additional->is_bool() && !additional->as_bool()) {
        return absl::StrCat(path, " is not in the document");
      }
      std::string wrong = schema == nullptr ? "" : Wrong(*schema, member.value(), path);
      if (!wrong.empty()) return wrong;
    }
    return "";
  }

  const Value document_;
};

}  // namespace gnomon
