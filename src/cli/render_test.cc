// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <sstream>

#include "boost/json/parse.hpp"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

const JsonValue& Pool() {
  static const auto& kPool = *new JsonValue(boost::json::parse(
      R"({"name":"a","prefix":"10.0.0.0/16","gateway":null,"counts":{"free":65000,"held":3},"headroom":0.1,
          "labels":{"env":"prod","on":"yes"},"exclude":["10.0.0.2"],"rows":[{"x":1,"y":[]}],"draining":false})"));
  return kPool;
}

TEST(Cell, MissingNullAndEmptyAreADash) {
  EXPECT_EQ(Cell(Pool(), "name"), "a");
  EXPECT_EQ(Cell(Pool(), "counts.free"), "65000");
  EXPECT_EQ(Cell(Pool(), "counts.nothing"), "-");
  EXPECT_EQ(Cell(Pool(), "gateway"), "-");
  EXPECT_EQ(Cell(Pool(), "gateway|prefix"), "10.0.0.0/16");
  EXPECT_EQ(Cell(Pool(), "labels"), "env=prod,on=yes");
  EXPECT_EQ(Cell(Pool(), "exclude"), "10.0.0.2");
  EXPECT_EQ(Cell(Pool(), "draining"), "false");
  EXPECT_EQ(Cell(Pool(), "rows[].x"), "1");
  EXPECT_EQ(Cell(Pool(), "none[].x|name"), "a");
  EXPECT_EQ(Cell(boost::json::parse(R"({"list":[{"x":"a"},{"x":"b"}]})"), "list[].x"), "a,b");
  EXPECT_EQ(Cell(Pool(), "headroom"), "0.1");
  EXPECT_EQ(Cell(boost::json::parse(R"({"x":3.14159265,"y":123456.7})"), "x"), "3.142");
  EXPECT_EQ(Cell(boost::json::parse(R"({"x":3.14159265,"y":123456.7})"), "y"), "123457");
}

TEST(PrintTable, AlignsColumnsAndLeavesNoTrailingSpace) {
  std::ostringstream out;
  PrintTable({{"NAME", "name"}, {"FREE", "counts.free"}, {"X", "name"}}, {Pool(), JsonObject{{"name", "longer"}}},
             false, out);
  EXPECT_EQ(out.str(),
            "NAME    FREE   X\n"
            "a       65000  a\n"
            "longer  -      longer\n");
}

TEST(PrintJson, IsIndentedAndKeepsTheOrder) {
  std::ostringstream out;
  PrintJson(Pool(), out);
  EXPECT_EQ(out.str(),
            "{\n"
            "  \"name\": \"a\",\n"
            "  \"prefix\": \"10.0.0.0/16\",\n"
            "  \"gateway\": null,\n"
            "  \"counts\": {\n"
            "    \"free\": 65000,\n"
            "    \"held\": 3\n"
            "  },\n"
            "  \"headroom\": 0.1,\n"
            "  \"labels\": {\n"
            "    \"env\": \"prod\",\n"
            "    \"on\": \"yes\"\n"
            "  },\n"
            "  \"exclude\": [\n"
            "    \"10.0.0.2\"\n"
            "  ],\n"
            "  \"rows\": [\n"
            "    {\n"
            "      \"x\": 1,\n"
            "      \"y\": []\n"
            "    }\n"
            "  ],\n"
            "  \"draining\": false\n"
            "}\n");
}

TEST(PrintYaml, QuotesWhatYamlWouldReadOtherwise) {
  std::ostringstream out;
  PrintYaml(Pool(), out);
  EXPECT_EQ(out.str(),
            "name: a\n"
            "prefix: \"10.0.0.0/16\"\n"
            "gateway: null\n"
            "counts:\n"
            "  free: 65000\n"
            "  held: 3\n"
            "headroom: 0.1\n"
            "labels:\n"
            "  env: prod\n"
            "  \"on\": \"yes\"\n"
            "exclude:\n"
            "  - \"10.0.0.2\"\n"
            "rows:\n"
            "  - x: 1\n"
            "    \"y\": []\n"
            "draining: false\n");
}

TEST(PrintDescription, AlignsValuesAndIndentsObjects) {
  std::ostringstream out;
  PrintDescription(Pool(), out);
  EXPECT_EQ(out.str(),
            "Name:      a\n"
            "Prefix:    10.0.0.0/16\n"
            "Gateway:   -\n"
            "Counts:\n"
            "  Free:  65000\n"
            "  Held:  3\n"
            "Headroom:  0.1\n"
            "Labels:\n"
            "  env:  prod\n"
            "  on:   yes\n"
            "Exclude:   10.0.0.2\n"
            "Rows:\n"
            "  - x=1,y=\n"
            "Draining:  false\n");
}

}  // namespace
}  // namespace gnomon
