// SPDX-License-Identifier: Apache-2.0
#include "client/csv.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/absl_view.h"

namespace gnomon {
namespace {

constexpr size_t kMaxLineBytes = 64 << 10;
constexpr unsigned kBufferBytes = 256 << 10;

}  // namespace

struct CsvReader::Gzip {
  ~Gzip() {
    if (file != nullptr) gzclose(file);
  }
  gzFile file = nullptr;  // reads plain files too
};

CsvReader::CsvReader(std::string path) : path_(std::move(path)), file_(std::make_unique<Gzip>()) {}

CsvReader::~CsvReader() = default;

absl::StatusOr<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path,
                                                           const std::vector<std::string_view>& required) {
  std::unique_ptr<CsvReader> reader(new CsvReader(path));
  reader->file_->file = gzopen(path.c_str(), "rbe");
  if (reader->file_->file == nullptr) {
    bool absent = errno == ENOENT;
    return Error(absent ? absl::StatusCode::kNotFound : absl::StatusCode::kUnknown,
                 absent ? "NO_SUCH_FILE" : "UNREADABLE_FILE",
                 absl::StrCat("cannot open ", path, ": ", strerror(errno)));
  }
  gzbuffer(reader->file_->file, kBufferBytes);
  GNOMON_RETURN_IF_ERROR(reader->ReadHeader(required));
  return reader;
}

absl::Status CsvReader::ReadHeader(const std::vector<std::string_view>& required) {
  GNOMON_ASSIGN_OR_RETURN(bool any, ReadLine());
  if (!any) return BadLine("the file is empty; its first line names the columns");
  if (text_.starts_with("\xef\xbb\xbf")) text_.erase(0, 3);
  GNOMON_RETURN_IF_ERROR(Split());
  columns_ = std::exchange(fields_, {});
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (std::find(columns_.begin(), columns_.begin() + i, columns_[i]) != columns_.begin() + i) {
      return BadLine(absl::StrCat("column ", Excerpt(columns_[i]), " is named twice"));
    }
  }
  for (std::string_view name : required) {
    if (std::find(columns_.begin(), columns_.end(), name) == columns_.end()) {
      return BadLine(
          absl::StrCat("no column ", AbslView(name), "; there are ", Excerpt(absl::StrJoin(columns_, ", "))));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::ReadLine() {
  text_.clear();
  std::array<char, 4096> piece;
  while (gzgets(file_->file, piece.data(), piece.size()) != nullptr) {
    text_ += piece.data();
    if (text_.size() > kMaxLineBytes) {
      ++line_;
      return BadLine(absl::StrCat("a line of more than ", kMaxLineBytes, " bytes"));
    }
    if (!text_.ends_with('\n')) continue;
    ++line_;
    while (text_.ends_with('\n') || text_.ends_with('\r')) text_.pop_back();
    return true;
  }
  int code = Z_OK;
  const char* why = gzerror(file_->file, &code);
  if (code != Z_OK && code != Z_STREAM_END) {  // a truncated stream too
    return Error(absl::StatusCode::kDataLoss, "DAMAGED_FILE",
                 absl::StrCat(path_, " is damaged after line ", line_, ": ", why))
        .Hint("fetch the file again");
  }
  if (text_.empty()) return false;
  ++line_;
  return true;
}

absl::Status CsvReader::Split() {
  fields_.clear();
  std::string_view rest = text_;
  while (true) {
    std::string field;
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      while (true) {
        size_t quote = rest.find('"');
        if (quote == std::string_view::npos) return BadLine("a quote is not closed");
        field.append(rest.substr(0, quote));
        rest.remove_prefix(quote + 1);
        if (!rest.starts_with('"')) break;
        field += '"';
        rest.remove_prefix(1);
      }
      if (!rest.empty() && rest.front() != ',') return BadLine("text follows a closing quote");
    } else {
      size_t comma = std::min(rest.find(','), rest.size());
      field = rest.substr(0, comma);
      rest.remove_prefix(comma);
    }
    fields_.push_back(std::move(field));
    if (rest.empty()) return absl::OkStatus();
    rest.remove_prefix(1);
  }
}

absl::StatusOr<bool> CsvReader::Next() {
  do {
    GNOMON_ASSIGN_OR_RETURN(bool any, ReadLine());
    if (!any) return false;
  } while (text_.empty());
  GNOMON_RETURN_IF_ERROR(Split());
  if (fields_.size() != columns_.size()) {
    return BadLine(absl::StrCat("the line has ", fields_.size(), " fields; the header has ", columns_.size()));
  }
  return true;
}

std::string_view CsvReader::Field(std::string_view column) const {
  auto found = std::find(columns_.begin(), columns_.end(), column);
  return found == columns_.end() ? std::string_view() : fields_[found - columns_.begin()];
}

Error CsvReader::Bad(std::string_view column, std::string_view why) const {
  std::string value(Field(column));
  return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV",
               absl::StrCat(path_, ":", line_, ": column ", AbslView(column), ": ", AbslView(why)))
      .Field(column)
      .Value(Excerpt(value));
}

Error CsvReader::BadLine(std::string_view why) const {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_CSV", absl::StrCat(path_, ":", line_, ": ", AbslView(why)));
}

std::string CsvField(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace gnomon
