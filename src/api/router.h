// SPDX-License-Identifier: Apache-2.0
//
// A Router finds what a path is for, and the arguments in it.
//
// A pattern is segments: plain text, "{name}" for any one segment, or "{name}:verb". Segments are split first and decoded
// then, so that an encoded slash is part of an argument.
//
// A verb belongs to its own routes: "vm-1:reassign" is never the instance of that name.
//
// Example: "/v1/networks/{network}/instances/{instance}:reassign"
//
// Threads: immutable after construction. Cost: linear in the routes of as many segments.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "api/principal.h"

namespace gnomon {

class Api;
class Exchange;

struct Route {
  HttpMethod method;
  std::string_view pattern;
  Role role;
  void (Api::*run)(std::shared_ptr<Exchange>, HttpRequest&) const;
  bool takes_query = false;  // without it, any query argument is unknown
  bool checks_network = false;  // the network is in the body or the query, or the answer is filtered: `run` checks it

  bool takes_protobuf = false;  // as samples come: `run` looks at the body's type

  // Whether it names its network first, as {network}.
  bool names_network() const { return pattern.starts_with("/v1/networks/{network}"); }
  // Whether it is refused to a token that is for some networks. So is a new route, unless it says otherwise.
  bool for_all_networks() const { return role != Role::kNone && !names_network() && !checks_network; }
};

class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;        // nullptr: no route, or not with that method
    std::vector<std::string> arguments;  // decoded
    std::string allow;                   // without a route: the methods that the path has, "GET, POST"; or none
  };
  Match Find(HttpMethod method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string_view>> segments_;  // of each route's pattern
};

std::string_view NameOf(HttpMethod method);

}  // namespace gnomon
