// SPDX-License-Identifier: Apache-2.0
//
// The part of an import that talks to the server.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "cli/import.h"

namespace gnomon {
namespace {

constexpr std::string_view kHold = "1h";  // how long an IPv6 address waits for its instance

using Rows = absl::Span<const ImportRow>;

// The index in "instances[17].address", and what follows it; nullopt if the field is not of an item.
std::optional<std::pair<size_t, std::string>> ItemOf(const std::string& field) {
  constexpr std::string_view kItem = "instances[";
  size_t index = 0;
  const size_t end = field.find(']');
  if (!field.starts_with(kItem) || end == std::string::npos) return std::nullopt;
  if (!absl::SimpleAtoi(field.substr(kItem.size(), end - kItem.size()), &index)) return std::nullopt;
  return std::pair(index, std::string(absl::StripPrefix(field.substr(end + 1), ".")));
}

// The column that a member of an instance is in.
std::string ColumnOf(const std::string& member) {
  return member == "id" ? "instance" : member == "block_length" ? "prefix_length" : member;
}

class Sender {
 public:
  Sender(ApiClient& api, const std::string& network, const std::string& path, size_t* sent)
      : api_(api), network_(network), path_(path), sent_(sent) {}

  absl::Status SendSingles(Rows rows) {
    for (size_t at = 0; at < rows.size(); at += kImportBatch) {
      GNOMON_RETURN_IF_ERROR(SendBatch(rows.subspan(at, kImportBatch)).status());
      *sent_ += std::min(kImportBatch, rows.size() - at);
    }
    return absl::OkStatus();
  }

  absl::Status SendBlocks(Rows rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const Rows row = rows.subspan(i, 1);
      absl::Status done = api_.Call("POST", ApiPath({"v1", "networks", network_, "instances"}), row[0].instance).status();
      if (!done.ok()) return AtLine(done, row);
      ++*sent_;
    }
    return absl::OkStatus();
  }

  absl::Status SendDuals(Rows rows) {
    for (const ImportRow& row : rows) GNOMON_RETURN_IF_ERROR(Hold(row));
    for (size_t at = 0; at < rows.size(); at += kImportBatch / 2) {
      const Rows batch = rows.subspan(at, kImportBatch / 2);
      GNOMON_ASSIGN_OR_RETURN(JsonValue made, SendBatch(batch));
      const JsonValue& instances = Member(made, "instances");
      for (size_t i = 0; i < batch.size(); ++i) {
        const bool there = instances.is_array() && i < instances.get_array().size() &&
                           HasAddress(instances.get_array()[i], batch[i].second);
        if (!there) GNOMON_RETURN_IF_ERROR(SendSecond(batch[i]));
        *sent_ += 2;
      }
    }
    return absl::OkStatus();
  }

 private:
  std::string PathOf(const std::string& instance, const Query& query = {}) const {
    return ApiPath({"v1", "networks", network_, "instances", instance}, query);
  }

  static bool HasAddress(const JsonValue& instance, const std::string& address) {
    const JsonValue& all = Member(instance, "addresses");
    return all.is_array() && std::any_of(all.get_array().begin(), all.get_array().end(), [&](const JsonValue& one) {
      return TextMember(one, "address") == address;
    });
  }

  absl::StatusOr<JsonValue> SendBatch(Rows rows) {
    JsonArray instances;
    for (const ImportRow& row : rows) instances.push_back(row.instance);
    absl::StatusOr<JsonValue> done = api_.Call("POST", ApiPath({"v1", "networks", network_, "instances:batch"}),
                                               JsonObject{{"instances", std::move(instances)}});
    if (!done.ok()) return AtLine(done.status(), rows);
    return done;
  }

  // Preserves the row's IPv6 address, unless its instance is there.
  absl::Status Hold(const ImportRow& row) {
    absl::Status there = api_.Get(PathOf(TextMember(row.instance, "id"))).status();
    if (CodeOf(there) != "INSTANCE_NOT_FOUND") return there;
    const std::string id = absl::StrCat("gnomon-import.", absl::StrReplaceAll(row.second, {{":", "-"}}));
    const JsonObject holder = {{"id", id}, {"type", TextMember(row.instance, "type")}, {"address", row.second}};
    absl::Status held = api_.Call("POST", ApiPath({"v1", "networks", network_, "instances"}), holder).status();
    if (held.ok()) held = api_.Delete(PathOf(id, {{"preserve", std::string(kHold)}})).status();
    return held.ok() ? held : AtSecondLine(held, row);
  }

  absl::Status SendSecond(const ImportRow& row) {
    absl::Status done = api_.Call("POST", PathOf(TextMember(row.instance, "id") + ":reassign"), JsonObject{{"address", row.second}})
                            .status();
    return done.ok() ? done : AtSecondLine(done, row);
  }

  absl::Status AtSecondLine(const absl::Status& refused, const ImportRow& row) const {
    return Error(refused)
        .Before(absl::StrCat(path_, ":", row.second_line, ": column address"))
        .Field("address")
        .Value(row.second);
  }

  // `refused`, with the line of the row that it means, and the column if it is one's.
  absl::Status AtLine(const absl::Status& refused, Rows rows) const {
    ErrorParts parts = PartsOf(refused);
    size_t index = rows.size() == 1 ? 0 : rows.size();
    if (const auto item = ItemOf(parts.field)) {
      index = item->first;
      parts.field = item->second;
    }
    // Without an index, these stand in a file once.
    for (size_t i = 0; i < rows.size() && (parts.field == "address" || parts.field == "mac"); ++i) {
      if (index == rows.size() && TextMember(rows[i].instance, parts.field) == parts.value) index = i;
    }
    const std::string column = ColumnOf(parts.field);
    std::string where = absl::StrCat(path_, ", lines ", rows.front().line, " to ", rows.back().line);
    if (index < rows.size()) {
      where = absl::StrCat(path_, ":", rows[index].line, column.empty() ? "" : absl::StrCat(": column ", column));
    }
    return Error(refused).Before(where).Field(column).Value(column.empty() ? "" : parts.value);
  }

  ApiClient& api_;
  const std::string &network_, &path_;
  size_t* const sent_;
};

}  // namespace

absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent) {
  *sent = 0;
  const auto first = [&](ImportRow::Kind kind) {
    return static_cast<size_t>(std::partition_point(rows.begin(), rows.end(),
                                                    [kind](const ImportRow& row) { return row.kind() < kind; }) -
                               rows.begin());
  };
  const size_t blocks = first(ImportRow::Kind::kBlock), duals = first(ImportRow::Kind::kDual);
  Sender sender(api, network, path, sent);
  const Rows all(rows);
  GNOMON_RETURN_IF_ERROR(sender.SendSingles(all.first(blocks)));
  GNOMON_RETURN_IF_ERROR(sender.SendBlocks(all.subspan(blocks, duals - blocks)));
  return sender.SendDuals(all.subspan(duals));
}

}  // namespace gnomon
