// SPDX-License-Identifier: Apache-2.0
#include "cli/import.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/labels.h"
#include "cli/session.h"
#include "client/csv.h"
#include "net/ip.h"
#include "net/mac.h"
#include "net/prefix.h"

namespace gnomon {
namespace {

constexpr std::string_view kNameIs = "1 to 128 of the characters A-Z a-z 0-9 . _ ~ -";
// As the API, which checks them again.
constexpr size_t kMaxLabels = 64, kMaxLabelBytes = 256, kMaxLabelsBytes = 4096;

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

absl::Status CheckLabels(const CsvReader& csv, const JsonObject& labels) {
  size_t bytes = 0;
  for (const auto& label : labels) {
    const std::string name(label.key()), value = TextMember(labels, name);
    if (!IsName(name)) return csv.Bad("labels", absl::StrCat("label ", Excerpt(name), " is not named by ", AbslView(kNameIs)));
    if (value.size() > kMaxLabelBytes) {
      return csv.Bad("labels", absl::StrCat("label ", name, " has more than ", kMaxLabelBytes, " bytes"));
    }
    bytes += name.size() + value.size() + 2;
  }
  if (labels.size() > kMaxLabels) return csv.Bad("labels", absl::StrCat("more than ", kMaxLabels, " labels"));
  if (bytes > kMaxLabelsBytes) return csv.Bad("labels", absl::StrCat("all together more than ", kMaxLabelsBytes, " bytes"));
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
    if (!IsName(text)) return csv.Bad(column, absl::StrCat("not ", AbslView(kNameIs)));
    row.instance[boost::json::string_view(member.data(), member.size())] = std::string(text);
  }
  GNOMON_RETURN_IF_ERROR(ReadAddress(csv, &row));
  if (std::string_view text = csv.Field("mac"); !text.empty()) {
    absl::StatusOr<Mac> mac = Mac::Parse(text);
    if (!mac.ok()) return csv.Bad("mac", StdView(mac.status().message()));
    row.instance["mac"] = mac->ToString();
  }
  if (std::string_view text = csv.Field("labels"); !text.empty()) {
    absl::StatusOr<JsonObject> labels = ParseLabelsCell(text);
    if (!labels.ok()) return csv.Bad("labels", StdView(labels.status().message()));
    GNOMON_RETURN_IF_ERROR(CheckLabels(csv, *labels));
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
  std::map<std::string, size_t> macs;       // their row
  std::map<std::string, size_t> instances;  // their index in `rows`
  while (true) {
    GNOMON_ASSIGN_OR_RETURN(bool any, csv->Next());
    if (!any) break;
    GNOMON_ASSIGN_OR_RETURN(ImportRow row, ReadRow(*csv));
    auto [first, fresh] = lines.emplace(TextMember(row.instance, "address"), row.line);
    if (!fresh) return csv->Bad("address", absl::StrCat("named on line ", first->second, " already"));
    auto [known, single] = instances.emplace(TextMember(row.instance, "id"), rows.size());
    if (const std::string mac = TextMember(row.instance, "mac"); !mac.empty()) {
      auto [owner, unique] = macs.emplace(mac, known->second);
      if (!unique && owner->second != known->second) {
        return csv->Bad("mac", absl::StrCat("named on line ", rows[owner->second].line, " already, of another instance"));
      }
    }
    if (single) {
      rows.push_back(std::move(row));
    } else {
      GNOMON_RETURN_IF_ERROR(JoinRows(*csv, std::move(row), &rows[known->second]));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ImportRow& a, const ImportRow& b) { return a.kind() < b.kind(); });
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

absl::Status WriteExport(ApiClient& api, const std::string& network, std::ostream& out) {
  std::string_view header = "address,prefix_length,instance,type,zone,host,mac,labels\n";
  auto write = [&](const JsonValue& instance) {
    JsonArray addresses = {JsonObject{{"address", TextMember(instance, "address")}}};
    if (const JsonValue& all = Member(instance, "addresses"); all.is_array() && !all.get_array().empty()) {
      addresses = all.get_array();
    }
    const JsonValue& all_labels = Member(instance, "labels");
    const std::string labels = all_labels.is_object() ? LabelsCell(all_labels.get_object()) : "";
    out << std::exchange(header, "");
    for (const JsonValue& address : addresses) {
      out << CsvField(TextMember(address, "address")) << "," << BlockLength(instance);
      for (std::string_view member : {"id", "type", "zone", "host", "mac"}) {
        out << "," << CsvField(TextMember(instance, member));
      }
      out << "," << CsvField(labels) << "\n";
    }
    return out ? absl::OkStatus() : FlushOutput(out);  // no more pages for an output that has failed
  };
  GNOMON_RETURN_IF_ERROR(api.List({"v1", "networks", network, "instances"}, "instances", {}, 0, write).status());
  out << header;  // of a network without instances
  return absl::OkStatus();
}

}  // namespace gnomon
