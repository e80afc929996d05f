// SPDX-License-Identifier: Apache-2.0
#include "cli/input_text.h"

#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace gnomon {

absl::StatusOr<std::string> ReadInput(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& stream = path == "-" ? std::cin : file;
  std::string text(kMaxInputBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (path != "-" && !file.is_open())) return UnreadableFile(path, "it is not there, or not to be read");
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kMaxInputBytes) return UnreadableFile(path, absl::StrCat("it has more than ", kMaxInputBytes, " bytes"));
  return text;
}

Error UnreadableFile(const std::string& path, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "UNREADABLE_FILE", absl::StrCat("cannot read ", path, ": ", std::string(why)))
      .Value(path)
      .Hint("name a file that can be read, or - for what is piped in");
}

}  // namespace gnomon
