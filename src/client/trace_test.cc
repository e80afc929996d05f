// SPDX-License-Identifier: Apache-2.0
#include "client/trace.h"

#include <zlib.h>

#include <fstream>

#include "base/error.h"
#include "client/csv.h"
#include "gtest/gtest.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

std::string Folder() {
  static const TempFolder folder;
  return folder.path() + "/";
}

std::string Write(const std::string& text, const std::string& name = "trace.csv") {
  const std::string path = Folder() + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string WriteGzip(const std::string& text) {
  const std::string path = Folder() + "trace.csv.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), text.size());
  gzclose(file);
  return path;
}

TEST(ReadTrace, ColumnsAreFoundByName) {
  absl::StatusOr<std::vector<TraceRow>> rows =
      ReadTrace(Write("lifetime,batch,type,count,time\n60,x,web,2,5\n,y,db,1,7.5\n"));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].time, absl::Seconds(5));
  EXPECT_EQ((*rows)[0].type, "web");
  EXPECT_EQ((*rows)[0].count, 2);
  EXPECT_EQ((*rows)[0].lifetime, absl::Seconds(60));
  EXPECT_EQ((*rows)[0].batch, "x");
  EXPECT_EQ((*rows)[0].line, 2);
  EXPECT_EQ((*rows)[1].time, absl::Milliseconds(7500));
  EXPECT_EQ((*rows)[1].lifetime, std::nullopt);
}

TEST(ReadTrace, CountAndLifetimeMayBeMissing) {
  absl::StatusOr<std::vector<TraceRow>> rows = ReadTrace(Write("time,type\n1,web\n"));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)[0].count, 1);
  EXPECT_EQ((*rows)[0].lifetime, std::nullopt);
}

TEST(ReadTrace, GzipIsRead) {
  std::string text = "time,type\n";
  for (int i = 0; i < 10000; ++i) text += std::to_string(i) + ",web\n";
  absl::StatusOr<std::vector<TraceRow>> rows = ReadTrace(WriteGzip(text));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 10000u);
}

TEST(ReadTrace, TruncatedGzipIsDataLoss) {
  std::string text = "time,type\n";
  for (int i = 0; i < 10000; ++i) text += std::to_string(i) + ",web\n";
  std::ifstream whole(WriteGzip(text), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(whole)), {});
  absl::Status status = ReadTrace(Write(bytes.substr(0, bytes.size() / 2), "cut.csv.gz")).status();
  EXPECT_EQ(CodeOf(status), "DAMAGED_FILE") << status;
}

TEST(ReadTrace, WindowKeepsFromInclusiveToExclusive) {
  absl::StatusOr<std::vector<TraceRow>> rows =
      ReadTrace(Write("time,type\n1,a\n2,b\n3,c\n"), {.from = absl::Seconds(2), .to = absl::Seconds(3)});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].type, "b");
}

TEST(ReadTrace, LineEndsOfWindowsMarksAndEmptyLinesAreFine) {
  absl::StatusOr<std::vector<TraceRow>> rows = ReadTrace(Write("\xef\xbb\xbftime,type\r\n1,web\r\n\r\n2,\"a,\"\"b\""));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].type, "a,\"b");
}

TEST(ReadTrace, BadRowIsNamedByLineAndColumn) {
  struct Case {
    std::string text, want;
  };
  for (const Case& c : std::vector<Case>{
           {"", ":0: the file is empty; its first line names the columns"},
           {"type\nweb\n", ":1: no column time; there are type"},
           {"time,type,time\n", ":1: column time is named twice"},
           {"time,type\n1,web\nx,web\n", ":3: column time: not a number of seconds"},
           {"time,type\n-1,web\n", ":2: column time: not between 0 and 10^10 seconds"},
           {"time,type\nnan,web\n", ":2: column time: not between 0 and 10^10 seconds"},
           {"time,type\n5,web\n4,web\n", ":3: column time: earlier than the row before; rows are sorted by time"},
           {"time,type\n1,\n", ":2: column type: not of 1 to 128 characters"},
           {"time,type,count\n1,web,0\n", ":2: column count: not a whole number from 1 to 10000000"},
           {"time,type,count\n1,web,1.5\n", ":2: column count: not a whole number from 1 to 10000000"},
           {"time,type,count\n1,a,9000000\n1,b,9000000\n", ":3: column count: more than 10000000 creations in all"},
           {"time,type,lifetime\n1,web,soon\n", ":2: column lifetime: not a number of seconds"},
           {"time,type\n1,web,3\n", ":2: the line has 3 fields; the header has 2"},
           {"time,type\n1,\"web\n", ":2: a quote is not closed"},
           {"time,type\n1,\"web\"x\n", ":2: text follows a closing quote"},
           {"time,type\n1," + std::string(70000, 'x') + "\n", ":2: a line of more than 65536 bytes"}}) {
    std::string path = Write(c.text);
    absl::Status status = ReadTrace(path).status();
    EXPECT_EQ(status.message(), path + c.want);
    EXPECT_EQ(CodeOf(status), "BAD_CSV");
  }
}

TEST(ReadTrace, FileThatIsNotThereIsNotFound) {
  absl::Status status = ReadTrace(Folder() + "no-such-trace.csv").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(status), "NO_SUCH_FILE");
}

TEST(CsvField, IsQuotedOnlyWhereItMustBe) {
  EXPECT_EQ(CsvField("plain"), "plain");
  EXPECT_EQ(CsvField("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvField("say \"a\""), "\"say \"\"a\"\"\"");
}

}  // namespace
}  // namespace gnomon
