// SPDX-License-Identifier: Apache-2.0
//
// A NamePage is what a request asks of a list by name: from where on, and how many.
//
// Threads: free functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "api/decode.h"
#include "api/json.h"
#include "base/error.h"
#include "service/service.h"

namespace gnomon {

// At most `page_size` of those after the token, which is a name, or several parted by slashes.
struct NamePage {
  size_t page_size = 0;
  std::string after;
};

// Of a list by type: of one type alone, if `type` was sent.
struct TypePage {
  NamePage page;
  std::optional<std::string> type;
};

inline absl::StatusOr<NamePage> DecodePage(QueryArguments& query) {
  NamePage page;
  page.page_size = static_cast<size_t>(query.Int("page_size", 100, 1, Service::kMaxPage));
  page.after = query.Text("page_token").value_or("");
  GNOMON_RETURN_IF_ERROR(query.Done());
  if (page.after.empty()) return page;
  for (const absl::string_view name : absl::StrSplit(page.after, '/')) {
    GNOMON_RETURN_IF_ERROR(CheckName("page_token", {name.data(), name.size()}));
  }
  return page;
}

inline absl::StatusOr<NamePage> DecodePage(const HttpRequest& request) {
  QueryArguments query(request);
  return DecodePage(query);
}

inline absl::StatusOr<TypePage> DecodeTypePage(const HttpRequest& request) {
  QueryArguments query(request);
  TypePage page;
  if (std::string type = query.Name("type"); !type.empty()) page.type = std::move(type);
  GNOMON_ASSIGN_OR_RETURN(page.page, DecodePage(query));
  return page;
}

// The members of a page of things with a name, into an object that was begun; `write` writes one.
template <typename T, typename NameOf, typename Write>
void WritePageMembers(std::string_view member, const std::vector<T>& all, const NamePage& page, NameOf name_of,
                      Write write, JsonWriter* json) {
  std::string next;
  json->Key(member).BeginArray();
  size_t count = 0;
  std::string last;
  for (const T& one : all) {
    if (name_of(one) <= page.after) continue;
    if (count == page.page_size) {
      next = last;
      break;
    }
    write(one, json);
    last = name_of(one);
    ++count;
  }
  json->EndArray().Key("next_page_token").String(next);
}

// Those members as an object.
template <typename T, typename NameOf, typename Write>
std::string WritePage(std::string_view member, const std::vector<T>& all, const NamePage& page, NameOf name_of,
                      Write write, const std::string& revision = "") {
  std::string answer;
  JsonWriter json(&answer);
  json.BeginObject();
  WritePageMembers(member, all, page, name_of, write, &json);
  if (!revision.empty()) json.Key("revision").String(revision);
  json.EndObject();
  return answer;
}

}  // namespace gnomon
