// SPDX-License-Identifier: Apache-2.0
#include "api/json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Wanted {
  std::string name;
  std::optional<int64_t> vni;
  std::optional<absl::Duration> quarantine;
  std::vector<std::string> exclude;
  std::map<std::string, std::string> labels;
  std::optional<double> headroom;
  std::optional<bool> draining;
  std::vector<JsonObject> items;
  std::optional<JsonObject> resources;
};

absl::Status Decode(std::string_view text, Wanted* out) {
  static JsonDocument* document = nullptr;  // lives until the next call, for the objects in `out`
  delete std::exchange(document, new JsonDocument);
  GNOMON_ASSIGN_OR_RETURN(JsonObject body, document->Parse(text));
  body.RequiredName("name", &out->name).Optional("vni", &out->vni).Range("vni", out->vni, 1, 16777215);
  body.Optional("quarantine", &out->quarantine).Optional("exclude", &out->exclude).Optional("labels", &out->labels);
  body.Optional("headroom", &out->headroom).Optional("draining", &out->draining).Optional("items", &out->items);
  body.Optional("resources", &out->resources);
  for (JsonObject& item : out->items) {
    std::string id;
    GNOMON_RETURN_IF_ERROR(item.Required("id", &id).Done());
  }
  return body.Done();
}

TEST(JsonTest, EveryTypeIsRead) {
  Wanted out;
  ASSERT_TRUE(Decode(R"({"name":"a-1","vni":42,"quarantine":"1m30s","exclude":["x","y"],"labels":{"k":"v"},
                        "headroom":1,"draining":true,"items":[{"id":"i"}],"resources":{}})",
                     &out)
                  .ok());
  EXPECT_EQ(out.name, "a-1");
  EXPECT_EQ(out.vni, 42);
  EXPECT_EQ(out.quarantine, absl::Seconds(90));
  EXPECT_THAT(out.exclude, ElementsAre("x", "y"));
  EXPECT_EQ(out.labels["k"], "v");
  EXPECT_EQ(out.headroom, 1.0);
  EXPECT_EQ(out.draining, true);
  EXPECT_EQ(out.items.size(), 1u);
  EXPECT_TRUE(out.resources.has_value());
}

TEST(JsonTest, WhatIsWrongIsNamed) {
  struct Case {
    std::string name, text, code, field, value;
  };
  const Case cases[] = {
      {"missing", "{}", "MISSING_FIELD", "name", ""},
      {"null for a required one", R"({"name":null})", "WRONG_TYPE", "name", "null"},
      {"wrong type", R"({"name":5})", "WRONG_TYPE", "name", "5"},
      {"not a name", R"({"name":"a b"})", "INVALID_NAME", "name", "a b"},
      {"too long", absl::StrCat(R"({"name":")", std::string(129, 'a'), R"("})"), "INVALID_NAME", "name", ""},
      {"fraction", R"({"name":"a","vni":1.5})", "WRONG_TYPE", "vni", "1.5E0"},
      {"huge", R"({"name":"a","vni":99999999999999999999})", "WRONG_TYPE", "vni", ""},
      {"range", R"({"name":"a","vni":0})", "OUT_OF_RANGE", "vni", "0"},
      {"bare number duration", R"({"name":"a","quarantine":30})", "WRONG_TYPE", "quarantine", "30"},
      {"unitless duration", R"({"name":"a","quarantine":"30"})", "INVALID_DURATION", "quarantine", "30"},
      {"negative duration", R"({"name":"a","quarantine":"-3s"})", "INVALID_DURATION", "quarantine", "-3s"},
      {"infinite duration", R"({"name":"a","quarantine":"inf"})", "INVALID_DURATION", "quarantine", "inf"},
      {"label", R"({"name":"a","labels":{"k":1}})", "WRONG_TYPE", "labels.k", "1"},
      {"label key", R"({"name":"a","labels":{"k k":"v"}})", "INVALID_NAME", "labels.k k", ""},
      {"nested", R"({"name":"a","items":[{"id":"x"},{"id":7}]})", "WRONG_TYPE", "items[1].id", "7"},
      {"nested unknown", R"({"name":"a","items":[{"id":"x","idd":1}]})", "UNKNOWN_FIELD", "items[0].idd", ""},
      {"unknown", R"({"name":"a","quarantin":"3s"})", "UNKNOWN_FIELD", "quarantin", ""},
      {"duplicate", R"({"name":"a","name":"b"})", "DUPLICATE_FIELD", "name", ""},
      {"duplicate, escaped", R"({"name":"a","\u006eame":"b"})", "DUPLICATE_FIELD", "name", ""},
      {"duplicate below", R"({"name":"a","resources":{"x":{},"y":1,"x":2}})", "DUPLICATE_FIELD", "x", ""},
      {"not an object", "[1]", "INVALID_JSON", "", ""},
      {"garbage behind", R"({"name":"a"}x)", "INVALID_JSON", "", ""},
      {"cut", R"({"name":"a")", "INVALID_JSON", "", ""},
      {"not UTF-8", "{\"name\":\"\xff\"}", "INVALID_JSON", "", ""},
      {"deep", std::string(40, '[') + std::string(40, ']'), "INVALID_JSON", "", ""},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    Wanted out;
    const absl::Status error = Decode(test.text, &out);
    const ErrorParts parts = PartsOf(error);
    EXPECT_EQ(parts.code, test.code) << error;
    EXPECT_EQ(parts.field, test.field);
    if (!test.value.empty()) {
      EXPECT_EQ(parts.value, test.value);
    }
  }
}

TEST(JsonTest, EqualNamesInDifferentObjectsAreNoDuplicates) {
  Wanted out;
  EXPECT_TRUE(Decode(R"({"name":"a","items":[{"id":"x"},{"id":"x"}]})", &out).ok());
}

TEST(JsonTest, AnUnknownMemberGetsASuggestion) {
  Wanted out;
  EXPECT_THAT(PartsOf(Decode(R"({"name":"a","quarantin":"3s"})", &out)).hint, HasSubstr("\"quarantine\""));
  EXPECT_EQ(PartsOf(Decode(R"({"name":"a","zzzzzzz":"3s"})", &out)).hint, "");
}

TEST(JsonTest, NullIsAsIfNotSentWhereOptional) {
  Wanted out;
  EXPECT_TRUE(Decode(R"({"name":"a","vni":null})", &out).ok());
  EXPECT_FALSE(out.vni.has_value());
}

TEST(JsonWriterTest, WritesWithTheRightCommas) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject().Key("a").Int(-5).Key("b").BeginArray().Bool(true).Null().BeginObject().EndObject();
  json.BeginArray().EndArray().EndArray().Key("c").Double(0.1).Key("d").Duration(absl::Minutes(90));
  json.Key("e").Time(absl::FromUnixSeconds(0)).Key("f").Time(absl::InfiniteFuture()).EndObject();
  EXPECT_EQ(out, R"({"a":-5,"b":[true,null,{},[]],"c":0.1,"d":"1h30m","e":"1970-01-01T00:00:00Z","f":null})");
}

TEST(JsonWriterTest, EscapesWhatMustBeAndReplacesWhatIsNotUtf8) {
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"plain", "\"plain\""},
      {"q\"b\\n\nr\rt\t", R"("q\"b\\n\nr\rt\t")"},
      {std::string("\0\x1f\x7f", 3), "\"\\u0000\\u001f\\u007f\""},
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
      {"a\xff\xc3", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (const Case& test : cases) {
    std::string out;
    JsonWriter(&out).String(test.text);
    EXPECT_EQ(out, test.want);
  }
}

}  // namespace
}  // namespace gnomon
