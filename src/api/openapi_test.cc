// SPDX-License-Identifier: Apache-2.0
//
// openapi.json against the routes and the server. That answers are as it says is checked wherever ApiFixture is used.
#include "api/openapi.h"

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "testing/api_fixture.h"

namespace gnomon {
namespace {

using OpenApiTest = ApiFixture;

TEST_F(OpenApiTest, TheDocumentHasEachRouteAndNoOther) {
  std::set<std::string> routes, operations;
  for (const Route& route : Api::Routes()) {
    routes.insert(absl::StrCat(AbslView(NameOf(route.method)), " ", AbslView(route.pattern)));
  }
  for (const auto& path : openapi.document().at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      operations.insert(absl::StrCat(absl::AsciiStrToUpper(std::string(operation.key())), " ", std::string(path.key())));
    }
  }
  EXPECT_EQ(routes, operations);
}

TEST_F(OpenApiTest, TheRoleOfEachRouteIsInTheDocument) {
  const char* names[] = {"", "viewer", "allocator", "admin"};
  for (const Route& route : Api::Routes()) {
    const OpenApiCheck::Object* operation = openapi.Operation(route.pattern, NameOf(route.method));
    ASSERT_NE(operation, nullptr);
    const auto* role = operation->if_contains("x-role");
    EXPECT_EQ(role == nullptr ? "" : std::string(role->as_string()), names[static_cast<int>(route.role)]) << route.pattern;
  }
}

// Calls `visit` with each value of the document.
template <typename Visit>
void Walk(const boost::json::value& value, const Visit& visit) {
  visit(value);
  if (value.is_object()) {
    for (const auto& member : value.as_object()) Walk(member.value(), visit);
  } else if (value.is_array()) {
    for (const auto& item : value.as_array()) Walk(item, visit);
  }
}

TEST_F(OpenApiTest, EachReferenceLeadsSomewhere) {
  const boost::json::value document = openapi.document();
  Walk(document, [&](const boost::json::value& value) {
    const boost::json::value* ref = value.is_object() ? value.as_object().if_contains("$ref") : nullptr;
    if (ref == nullptr) return;
    boost::json::error_code error;
    EXPECT_NE(document.find_pointer(std::string(ref->as_string()).substr(1), error), nullptr) << *ref;
  });
}

TEST_F(OpenApiTest, EachParameterOfAPathIsDeclared) {
  const boost::json::value document = openapi.document();
  for (const auto& path : openapi.document().at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      std::set<std::string> declared;
      if (const auto* all = operation.value().as_object().if_contains("parameters")) {
        for (const auto& one : all->as_array()) {
          const auto& parameter = document.at_pointer(std::string(one.at("$ref").as_string()).substr(1));
          if (parameter.at("in") == "path") declared.insert(parameter.at("name").as_string().c_str());
        }
      }
      std::set<std::string> named;
      const std::string text(path.key());
      for (size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
        named.insert(text.substr(at + 1, text.find('}', at) - at - 1));
      }
      EXPECT_EQ(declared, named) << path.key();
    }
  }
}

TEST_F(OpenApiTest, EachExampleOfARequestIsRightAndWorks) {
  // What is imported comes before predictions are on, what is announced after.
  MakeNetwork("10.9.0.0/16", "past");
  MakeNetwork("10.9.0.0/16", "known");
  ASSERT_EQ(Patch("/v1/networks/known", R"({"prediction_mode":"observe"})").code(), "200");
  int tried = 0;
  for (const auto& path : openapi.document().at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      const auto* request = operation.value().as_object().if_contains("requestBody");
      if (request == nullptr) continue;
      const auto* json = request->at("content").as_object().if_contains("application/json");
      if (json == nullptr) continue;  // protobuf
      const auto& content = *json;
      if (!content.as_object().contains("example")) continue;  // what other systems send
      EXPECT_EQ(openapi.Wrong(content.at("schema"), content.at("example"), "example"), "") << path.key();
      const char* network = path.key().ends_with("/history") ? "past" : path.key().ends_with("/announcements") ? "known" : "prod";
      const std::string target = absl::StrReplaceAll(
          std::string(path.key()), {{"{network}", network}, {"{pool}", "a"}, {"{instance}", "vm-1"}, {"{host}", "h7"}, {"{calendar}", "nights"}});
      ApiAnswer answer = Ask(absl::AsciiStrToUpper(std::string(operation.key())), target,
                             boost::json::serialize(content.at("example")));
      EXPECT_LT(answer.status, 300) << path.key() << " " << answer.body;
      ++tried;
    }
  }
  EXPECT_GE(tried, 10);
}

TEST_F(OpenApiTest, TheCheckFindsWhatIsWrong) {
  const boost::json::value host = {{"$ref", "#/components/schemas/Host"}};
  const char* wrong[] = {R"({"host":"h"})", R"({"host":1,"physical_address":"x"})", R"([])",
                         R"({"host":"h","physical_address":"x","more":1})"};
  for (const char* text : wrong) EXPECT_NE(openapi.Wrong(host, boost::json::parse(text), "host"), "") << text;
  EXPECT_EQ(openapi.Wrong(host, boost::json::parse(R"({"host":"h","physical_address":"x"})"), "host"), "");
  const boost::json::value pool = {{"$ref", "#/components/schemas/PoolChange"}};
  for (const char* text : {R"({"headroom":2})", R"({"strategy":"best"})", R"({"exclude":[1]})"}) {
    EXPECT_NE(openapi.Wrong(pool, boost::json::parse(text), "pool"), "") << text;
  }
}

}  // namespace
}  // namespace gnomon
