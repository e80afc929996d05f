// SPDX-License-Identifier: Apache-2.0
//
// A CsvReader gives the rows of a CSV file, plain or gzip, with columns found by name and errors that say where.
//
// The first line names the columns. Fields may be quoted (RFC 4180) but hold no line break; empty lines are skipped.
//
// Example:
//   absl::StatusOr<std::unique_ptr<CsvReader>> csv = CsvReader::Open("hosts.csv.gz", {"address", "instance"});
//   while ((*csv)->Next().value()) Use((*csv)->Field("address"));
//
// Threads: not thread-safe.
// Limits: a line has at most 64 KiB.
// Errors: NOT_FOUND (NO_SUCH_FILE), INVALID_ARGUMENT (BAD_CSV), DATA_LOSS (DAMAGED_FILE) for a broken gzip stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/error.h"

namespace gnomon {

class CsvReader {
 public:
  // Refuses a file that lacks one of the columns `required`, or names one twice.
  static absl::StatusOr<std::unique_ptr<CsvReader>> Open(const std::string& path,
                                                         const std::vector<std::string_view>& required);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  // Goes to the next row; false at the end of the file.
  absl::StatusOr<bool> Next();

  const std::vector<std::string>& columns() const { return columns_; }
  // Of the row that Next() went to: empty where the file has no such column.
  std::string_view Field(std::string_view column) const;
  int64_t line() const { return line_; }  // from 1, the header's

  // An error about the field `column` of this row: "hosts.csv:17: column mac: <why>".
  Error Bad(std::string_view column, std::string_view why) const;

 private:
  struct Gzip;
  explicit CsvReader(std::string path);

  absl::StatusOr<bool> ReadLine();
  absl::Status Split();
  absl::Status ReadHeader(const std::vector<std::string_view>& required);
  Error BadLine(std::string_view why) const;

  const std::string path_;
  std::unique_ptr<Gzip> file_;
  std::vector<std::string> columns_;
  std::string text_;  // of the line
  std::vector<std::string> fields_;
  int64_t line_ = 0;
};

// `text` as one field, quoted if it must be.
std::string CsvField(std::string_view text);

}  // namespace gnomon
