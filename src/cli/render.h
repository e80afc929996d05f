// SPDX-License-Identifier: Apache-2.0
//
// Rendering turns the server's JSON into what a person or a program reads: tables, JSON, YAML, or names alone.
//
// The JSON and YAML forms are the server's own members in the server's order, so they are as stable as the API.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "client/api_client.h"

namespace gnomon {

// A column of a table: its title, and where its cell is found, as "counts.free", or "addresses[].address" for those of all
// items; alternatives are parted by '|'.
struct Column {
  std::string_view title;
  std::string_view path;
};

// One cell's text: "-" for what is missing, null or empty; objects as a=1,b=2; lists parted by commas.
std::string Cell(const JsonValue& object, std::string_view path);

// Left-aligned columns, two spaces apart, titles first; bold titles if `colored`.
void PrintTable(const std::vector<Column>& columns, const JsonArray& rows, bool colored, std::ostream& out);

// Name and value a line, aligned; objects indented below their name.
void PrintDescription(const JsonValue& object, std::ostream& out);

// A bar that is filled to `share`, as [####......].
std::string Bar(double share);

void PrintJson(const JsonValue& value, std::ostream& out);  // indented by two
void PrintYaml(const JsonValue& value, std::ostream& out);

}  // namespace gnomon
