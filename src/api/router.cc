// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include <utility>

namespace gnomon {
namespace {

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// Whether the segment fits; an argument in it is appended.
bool Fits(std::string_view pattern, std::string_view segment, std::vector<std::string>* arguments) {
  if (!pattern.starts_with('{')) return pattern == segment;
  const std::string_view verb = pattern.substr(pattern.find('}') + 1);
  if (!segment.ends_with(verb)) return false;
  segment.remove_suffix(verb.size());
  std::string decoded;
  if (segment.empty() || !PercentDecode(segment, false, &decoded)) return false;
  arguments->push_back(std::move(decoded));
  return true;
}

bool HasVerb(std::string_view pattern) { return pattern.starts_with('{') && !pattern.ends_with('}'); }

}  // namespace

std::string_view NameOf(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet: return "GET";
    case HttpMethod::kHead: return "HEAD";
    case HttpMethod::kPost: return "POST";
    case HttpMethod::kPut: return "PUT";
    case HttpMethod::kPatch: return "PATCH";
    case HttpMethod::kDelete: return "DELETE";
    case HttpMethod::kOther: break;
  }
  return "?";
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) segments_.push_back(Split(route.pattern));
}

Router::Match Router::Find(HttpMethod method, std::string_view path) const {
  Match match;
  const std::vector<std::string_view> segments = Split(path);
  bool verb_found = false;
  if (method == HttpMethod::kHead) method = HttpMethod::kGet;  // the server sends no body then
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (segments_[i].size() != segments.size()) continue;
    std::vector<std::string> arguments;
    bool fits = true;
    for (size_t s = 0; fits && s < segments.size(); ++s) fits = Fits(segments_[i][s], segments[s], &arguments);
    if (!fits) continue;
    const bool verb = HasVerb(segments_[i].back());
    if (verb_found && !verb) continue;
    if (verb && !verb_found) match = {};  // what fitted so far took the verb for a part of a name
    verb_found = verb;
    if (routes_[i].method == method && match.route == nullptr) {
      match.route = &routes_[i];
      match.arguments = std::move(arguments);
      if (verb || segments.back().find(':') == std::string_view::npos) return match;
    }
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += NameOf(routes_[i].method);
  }
  return match;
}

}  // namespace gnomon
