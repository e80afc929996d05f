// SPDX-License-Identifier: Apache-2.0
#include "cli/import.h"

#include <algorithm>
#include <map>
#include <optional>

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
  std::string_view text = csv.Field("address");
  if (text.find('/') == std::string_view::npos) {
    absl::StatusOr<Ip> ip = Ip::Parse(text);
    if (!ip.ok()) return csv.Bad("address", StdView(ip.status().message()));
    row->instance["address"] = ip->ToString();
    return absl::OkStatus();
  }
  absl::StatusOr<Prefix> block = Prefix::Parse(text);
  if (!block.ok()) return csv.Bad("address", StdView(block.status().message()));
  row->instance["address"] = block->base().ToString();
  row->instance["block_length"] = block->length();
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

}  // namespace

absl::StatusOr<std::vector<ImportRow>> ReadImport(const std::string& path) {
  GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<CsvReader> csv, CsvReader::Open(path, {"address", "instance", "type"}));
  constexpr std::array<std::string_view, 7> kColumns = {"address", "instance", "type", "zone", "host", "mac", "labels"};
  for (const std::string& column : csv->columns()) {
    if (std::find(kColumns.begin(), kColumns.end(), column) != kColumns.end()) continue;
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV",
                 absl::StrCat(path, ":1: unknown column ", Excerpt(column)))
        .Field(Excerpt(column))
        .Hint("the columns are address, instance, type, zone, host, mac and labels");
  }
  std::vector<ImportRow> rows;
  std::map<std::string, int64_t, std::less<>>
      lines;  // of "address ..." and "instance ...", to find what is named twice
  while (true) {
    GNOMON_ASSIGN_OR_RETURN(bool any, csv->Next());
    if (!any) return rows;
    GNOMON_ASSIGN_OR_RETURN(ImportRow row, ReadRow(*csv));
    for (const auto& [column, member] :
         {std::pair<std::string_view, std::string_view>{"address", "address"}, {"instance", "id"}}) {
      std::string key = absl::StrCat(AbslView(column), " ", TextMember(row.instance, member));
      auto [first, fresh] = lines.emplace(key, row.line);
      if (!fresh) return csv->Bad(column, absl::StrCat("named on line ", first->second, " already"));
    }
    rows.push_back(std::move(row));
  }
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
  for (const ImportRow& row : rows) {
    std::string address = TextMember(row.instance, "address");
    GNOMON_ASSIGN_OR_RETURN(Ip ip, Ip::Parse(address));
    if (std::any_of(pools.begin(), pools.end(), [ip](const Prefix& pool) { return pool.Contains(ip); })) continue;
    return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV",
                 absl::StrCat(path, ":", row.line, ": column address: no pool of ", network, " holds ", address))
        .Field("address")
        .Value(address)
        .Hint(absl::StrCat("create its pool first: gnomon create pool NAME -n ", network, " --prefix PREFIX"));
  }
  return absl::OkStatus();
}

absl::Status SendImport(ApiClient& api, const std::string& network, const std::string& path,
                        const std::vector<ImportRow>& rows, size_t* sent) {
  const std::string target = ApiPath({"v1", "networks", network, "instances:batch"});
  for (*sent = 0; *sent < rows.size();) {
    const ImportRow* batch = &rows[*sent];
    size_t size = std::min(kImportBatch, rows.size() - *sent);
    JsonArray instances;
    for (size_t i = 0; i < size; ++i) instances.push_back(batch[i].instance);
    absl::Status done = api.Call("POST", target, JsonObject{{"instances", std::move(instances)}}).status();
    if (!done.ok()) return AtLine(done, path, batch, size);
    *sent += size;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> WriteExport(ApiClient& api, const std::string& network, std::ostream& out) {
  int64_t several = 0;
  out << "address,instance,type,zone,host,mac,labels\n";
  auto write = [&](const JsonValue& instance) {
    JsonArray addresses = {JsonObject{{"address", TextMember(instance, "address")}}};
    if (const JsonValue& all = Member(instance, "addresses"); all.is_array() && !all.get_array().empty()) {
      addresses = all.get_array();
    }
    if (addresses.size() > 1) ++several;
    std::string labels;
    if (const JsonValue& all = Member(instance, "labels"); all.is_object()) {
      for (const auto& pair : all.get_object()) {
        absl::StrAppend(&labels, labels.empty() ? "" : ";", std::string(pair.key()), "=",
                        TextMember(all, std::string(pair.key())));
      }
    }
    for (const JsonValue& address : addresses) {
      out << CsvField(TextMember(address, "address"));
      for (std::string_view member : {"id", "type", "zone", "host", "mac"}) {
        out << "," << CsvField(TextMember(instance, member));
      }
      out << "," << CsvField(labels) << "\n";
    }
    return out ? absl::OkStatus() : Error(absl::StatusCode::kUnknown, "OUTPUT_FAILED", "cannot write the export");
  };
  GNOMON_RETURN_IF_ERROR(api.List({"v1", "networks", network, "instances"}, "instances", {}, 0, write).status());
  return several;
}

}  // namespace gnomon
