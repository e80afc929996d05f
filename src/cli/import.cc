// SPDX-License-Identifier: Apache-2.0
#include "cli/import.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "cli/labels.h"
#include "cli/render.h"
#include "client/csv.h"
#include "net/ip.h"
#include "net/mac.h"
#include "net/prefix.h"

namespace gnomon {
namespace {

constexpr size_t kMaxNameBytes = 128;

// As the API: [A-Za-z0-9._~-]{1,128}.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '~' || c == '-';
  });
}

absl::Status ReadAddress(const CsvReader& csv, ImportRow* row) {
  std::string text(csv.Field("address"));
  if (std::string_view length = csv.Field("prefix_length"); !length.empty()) {
    if (text.find('/') != std::string::npos) return csv.Bad("prefix_length", "the address has a prefix length already");
    absl::StrAppend(&text, "/", AbslView(length));
  }
  const bool prefixed = text.find('/') != std::string::npos;
  absl::StatusOr<Ip> ip = Ip::Parse(text.substr(0, text.find('/')));
  if (!ip.ok()) return csv.Bad("address", StdView(ip.status().message()));
  row->instance["address"] = ip->ToString();
  if (!prefixed) return absl::OkStatus();
  absl::StatusOr<Prefix> block = Prefix::Parse(text);
  if (!block.ok()) return csv.Bad("address", StdView(block.status().message()));
  if (block->length() != MaxLength(ip->family())) row->instance["block_length"] = block->length();
  return absl::OkStatus();
}

absl::StatusOr<ImportRow> ReadRow(const CsvReader& csv) {
  ImportRow row;
  row.line = csv.line();
  for (const auto& [column, member, required] :
       {std::tuple<std::string_view, std::string_view, bool>{"instance", "id", true},
        {"type", "type", true},
        {"zone", "zone", false},
        {"host", "host", false}}) {
    std::string_view text = csv.Field(column);
    if (text.empty() && !required) continue;
    if (!IsName(text)) return csv.Bad(column, "not 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -");
    row.instance[boost::json::string_view(member.data(), member.size())] = std::string(text);
  }
  GNOMON_RETURN_IF_ERROR(ReadAddress(csv, &row));
  if (std::string_view text = csv.Field("mac"); !text.empty()) {
    absl::StatusOr<Mac> mac = Mac::Parse(text);
    if (!mac.ok()) return csv.Bad("mac", StdView(mac.status().message()));
    row.instance["mac"] = mac->ToString();
  }
  if (std::string_view text = csv.Field("labels"); !text.empty()) {
    std::vector<std::string> items = absl::StrSplit(AbslView(text), ';');
    absl::StatusOr<JsonObject> labels = ParseLabels(items);
    if (!labels.ok()) return csv.Bad("labels", StdView(labels.status().message()));
    row.instance["labels"] = *std::move(labels);
  }
  return row;
}

absl::Status CheckColumns(const CsvReader& csv, const std::string& path) {
  constexpr std::array<std::string_view, 8> kColumns = {"address", "prefix_length", "instance", "type",
                                                        "zone",    "host",          "mac",      "labels"};
  for (const std::string& column : csv.columns()) {
    if (std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end()) continue;
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV",
                 absl::StrCat(path, ":1: unknown column ", Excerpt(column)))
        .Field(Excerpt(column))
        .Hint("the columns are address, prefix_length, instance, type, zone, host, mac and labels");
  }
  return absl::OkStatus();
}

bool IsIpv6(const ImportRow& row) { return TextMember(row.instance, "address").find(':') != std::string::npos; }

// Makes `first` the dual-stack instance that it is with `row`, the row of the same instance that csv is at.
absl::Status JoinRows(const CsvReader& csv, ImportRow row, ImportRow* first) {
  const bool pair = first->second.empty() && IsIpv6(row) != IsIpv6(*first) && !row.instance.contains("block_length") &&
                    !first->instance.contains("block_length");
  if (!pair) {
    return csv.Bad("instance", absl::StrCat("named on line ", first->line,
                                            " already; an instance has one address or block, or one IPv4 and one IPv6 address"));
  }
  for (const char* member : {"type", "zone", "host", "mac", "labels"}) {
    if (Member(row.instance, member) == Member(first->instance, member)) continue;
    return csv.Bad(member, absl::StrCat("another than on line ", first->line, ", of the same instance"));
  }
  if (!IsIpv6(row)) std::swap(row, *first);
  first->second = TextMember(row.instance, "address");
  first->second_line = row.line;
  first->instance["families"] = {"ipv4", "ipv6"};
  return absl::OkStatus();
}

// The line of the file that the server's "instances[17].address" means, if it means one.
std::optional<int64_t> LineOf(const std::string& field, const ImportRow* batch, size_t size) {
  size_t index = 0;
  if (!field.starts_with("instances[")) return std::nullopt;
  std::string digits = field.substr(10, field.find(']') - 10);
  if (!absl::SimpleAtoi(digits, &index) || index >= size) return std::nullopt;
  return batch[index].line;
}

absl::Status AtLine(const absl::Status& refused, const std::string& path, const ImportRow* batch, size_t size) {
  ErrorParts parts = PartsOf(refused);
  std::optional<int64_t> line = LineOf(parts.field, batch, size);
  std::string where = line ? absl::StrCat(path, ":", *line)
                           : absl::StrCat(path, ", lines ", batch[0].line, " to ", batch[size - 1].line);
  Error error(refused.code(), parts.code, absl::StrCat(where, ": ", refused.message()));
  if (!parts.field.empty()) error.Field(parts.field).Value(parts.value);
  if (!parts.hint.empty()) error.Hint(parts.hint);
  return error;
}

// The instance that answers the batch's item `index`; null if there is none.
const JsonValue& ItemOf(const JsonValue& answer, size_t index) {
  static const auto& kNone = *new JsonValue();
  const JsonValue& items = Member(answer, "instances");
  return items.is_array() && index < items.get_array().size() ? items.get_array()[index] : kNone;
}

// Gives `row`'s instance, which is `made` now, its IPv6 address, unless it has it.
absl::Status SendSecond(ApiClient& api, const std::string& network, const std::string& path, const ImportRow& row,
                        const JsonValue& made) {
  if (const JsonValue& addresses = Member(made, "addresses"); addresses.is_array()) {
    for (const JsonValue& address : addresses.get_array()) {
      if (TextMember(address, "address") == row.second) return absl::OkStatus();
    }
  }
  const std::string id = TextMember(row.instance, "id") + ":reassign";
  absl::Status done = api.Call("POST", ApiPath({"v1", "networks", network, "instances", id}),
                               JsonObject{{"address", row.second}})
                          .status();
  if (done.ok()) return done;
  const ErrorParts parts = PartsOf(done);
  return Error(done.code(), parts.code, absl::StrCat(path, ":", row.second_line, ": ", done.message()))
      .Field("address")
      .Value(row.second)
      .Hint("if it is in quarantine, run the import again when that is over");
}

// The prefix length of the block that an instance has; empty if it has single addresses.
std::string BlockLength(const JsonValue& instance) {
  const JsonValue& record = Member(instance, "record");
  const int64_t length = NumberMember(record, "prefix_length");
  const int64_t single = TextMember(record, "address").find(':') == std::string::npos ? 32 : 128;
  return length == 0 || length == single ? std::string() : absl::StrCat(length);
}

}  // namespace

absl::StatusOr<std::vector<ImportRow>> ReadImport(const std::string& path) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> csv, CsvReader::Open(path, {"address", "instance", "type"}));
  GNOMON_RETURN_IF_ERROR(CheckColumns(*csv, path));
  std::vector<ImportRow> rows;
  std::map<std::string, int64_t> lines;     // of each address
  std::map<std::string, size_t> instances;  // their index in `rows`
  while (true) {
    GNOMON_ASSIGN_OR_RETURN(bool any, csv->Next());
    if (!any) break;
    GNOMON_ASSIGN_OR_RETURN(ImportRow row, ReadRow(*csv));
    auto [first, fresh] = lines.emplace(TextMember(row.instance, "address"), row.line);
    if (!fresh) return csv->Bad("address", absl::StrCat("named on line ", first->second, " already"));
    auto [known, single] = instances.emplace(TextMember(row.instance, "id"), rows.size());
    if (single) {
      rows.push_back(std::move(row));
    } else {
      GNOMON_RETURN_IF_ERROR(JoinRows(*csv, std::move(row), &rows[known->second]));
    }
  }
  std::stable_partition(rows.begin(), rows.end(), [](const ImportRow& row) { return row.second.empty(); });
  return rows;
}

size_t CountRows(const std::vector<ImportRow>& rows) {
  size_t count = 0;
  for (const ImportRow& row : rows) count += row.addresses();
  return count;
}

absl::Status CheckAgainstPools(ApiClient& api, const std::string& network, const std::string& path,
                               const std::vector<ImportRow>& rows) {
  std::vector<Prefix> pools;
  GNOMON_RETURN_IF_ERROR(api.List({"v1", "networks", network, "pools"}, "pools", {}, 0,
                                  [&](const JsonValue& pool) -> absl::Status {
                                    GNOMON_ASSIGN_OR_RETURN(Prefix prefix, Prefix::Parse(TextMember(pool, "prefix")));
                                    pools.push_back(prefix);
                                    return absl::OkStatus();
                                  })
                             .status());
  auto check = [&](const std::string& address, int64_t line) -> absl::Status {
    GNOMON_ASSIGN_OR_RETURN(Ip ip, Ip::Parse(address));
    if (std::any_of(pools.begin(), pools.end(), [ip](const Prefix& pool) { return pool.Contains(ip); })) {
      return absl::OkStatus();
    }
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV",
                 absl::StrCat(path, ":", line, ": column address: no pool of ", network, " holds ", address))
        .Field("address")
        .Value(address)
        .Hint(absl::StrCat("create its pool first: gnomon create pool NAME -n ", network, " --prefix PREFIX"));
  };
  for (const ImportRow& row : rows) {
    GNOMON_RETURN_IF_ERROR(check(TextMember(row.instance, "address"), row.line));
    if (!row.second.empty()) GNOMON_RETURN_IF_ERROR(check(row.second, row.second_line));
  }
  return absl::OkStatus();
}

absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent) {
  const std::string target = ApiPath({"v1", "networks", network, "instances:batch"});
  *sent = 0;
  for (size_t at = 0; at < rows.size();) {
    const ImportRow* batch = &rows[at];
    JsonArray instances;
    size_t addresses = 0;
    while (at < rows.size() && addresses + rows[at].addresses() <= kImportBatch) {
      addresses += rows[at].addresses();
      instances.push_back(rows[at++].instance);
    }
    const size_t size = instances.size();
    absl::StatusOr<JsonValue> done = api.Call("POST", target, JsonObject{{"instances", std::move(instances)}});
    if (!done.ok()) return AtLine(done.status(), path, batch, size);
    for (size_t i = 0; i < size; ++i) {
      if (!batch[i].second.empty()) GNOMON_RETURN_IF_ERROR(SendSecond(api, network, path, batch[i], ItemOf(*done, i)));
      *sent += batch[i].addresses();
    }
  }
  return absl::OkStatus();
}

absl::Status WriteExport(ApiClient& api, const std::string& network, std::ostream& out) {
  out << "address,prefix_length,instance,type,zone,host,mac,labels\n";
  auto write = [&](const JsonValue& instance) {
    JsonArray addresses = {JsonObject{{"address", TextMember(instance, "address")}}};
    if (const JsonValue& all = Member(instance, "addresses"); all.is_array() && !all.get_array().empty()) {
      addresses = all.get_array();
    }
    std::string labels;
    if (const JsonValue& all = Member(instance, "labels"); all.is_object()) {
      for (const auto& pair : all.get_object()) {
        absl::StrAppend(&labels, labels.empty() ? "" : ";", std::string(pair.key()), "=",
                        TextMember(all, std::string(pair.key())));
      }
    }
    for (const JsonValue& address : addresses) {
      out << CsvField(TextMember(address, "address")) << "," << BlockLength(instance);
      for (std::string_view member : {"id", "type", "zone", "host", "mac"}) {
        out << "," << CsvField(TextMember(instance, member));
      }
      out << "," << CsvField(labels) << "\n";
    }
    return out ? absl::OkStatus() : Error(absl::StatusCode::kUnknown, "OUTPUT_FAILED", "cannot write the export");
  };
  return api.List({"v1", "networks", network, "instances"}, "instances", {}, 0, write).status();
}

}  // namespace gnomon
