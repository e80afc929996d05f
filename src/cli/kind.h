// SPDX-License-Identifier: Apache-2.0
//
// A Kind is one of the kinds of objects that the API lists: its names, its place in the API, the columns of its table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/render.h"

namespace gnomon {

struct Kind {
  std::string_view singular;  // "pool"
  std::string_view plural;    // "pools": the API's segment and the member of its pages
  std::string_view alias;     // "po"
  bool in_network;
  bool by_name;  // the API has one of them by its name; else they are only listed
  std::vector<std::string_view> filters;  // arguments of the list
  std::vector<Column> columns;  // the first is the name
  std::string_view if_none = {};  // why there may be none
};

// networks, pools, instances, shadows, plans, forecasts, announcements, addresses, hosts.
const std::vector<Kind>& AllKinds();

// CHECKs that there is one.
const Kind& KindNamed(std::string_view singular);

// The API's path of the list of a kind, or with `name` of one object.
std::vector<std::string_view> KindSegments(const Kind& kind, std::string_view network, std::string_view name = {});

}  // namespace gnomon
