// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "absl/time/time.h"
#include "api/json.h"

namespace gnomon {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// The length of the UTF-8 character at the start of `text`; 0 if there is none. Table 3-7 of the Unicode standard.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void AppendEscape(char c, std::string* out) {
  switch (c) {
    case '"': out->append("\\\""); return;
    case '\\': out->append("\\\\"); return;
    case '\n': out->append("\\n"); return;
    case '\r': out->append("\\r"); return;
    case '\t': out->append("\\t"); return;
    default:
      out->append("\\u00");
      out->push_back(kHexDigits[(c >> 4) & 0xf]);
      out->push_back(kHexDigits[c & 0xf]);
  }
}

bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// How many bytes at the start of `text` stand in JSON as they are, or fewer.
size_t PlainBytes(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has = [](uint64_t word, uint64_t byte) {
    const uint64_t difference = word ^ (kOnes * byte);
    return (difference - kOnes) & ~difference & kHigh;
  };
  size_t i = 0;
  for (uint64_t word; i + sizeof(word) <= text.size(); i += sizeof(word)) {
    std::memcpy(&word, text.data() + i, sizeof(word));
    const uint64_t control = (word - kOnes * 0x20) & ~word & kHigh;
    if ((control | has(word, '"') | has(word, '\\') | has(word, 0x7f) | (word & kHigh)) != 0) return i;
  }
  while (i < text.size() && IsPlain(text[i])) ++i;
  return i;
}

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t plain = 0;  // [plain, i) needs no change and has not been appended
  for (size_t i = PlainBytes(text); i < text.size();) {
    const char c = text[i];
    if (IsPlain(c)) {
      ++i;
      continue;
    }
    const size_t length = Utf8Length(text.substr(i));
    if (length > 1) {
      i += length;
      continue;
    }
    out->append(text.substr(plain, i - plain));
    if (length == 0) {
      out->append("\xef\xbf\xbd");
    } else {
      AppendEscape(c, out);
    }
    plain = ++i;
  }
  out->append(text.substr(plain));
  out->push_back('"');
}

// "" or ".5": no more digits than it takes.
void AppendFraction(int64_t nanoseconds, std::string* out) {
  if (nanoseconds == 0) return;
  char text[10] = {'.'};
  for (size_t i = sizeof(text) - 1; i > 0; --i, nanoseconds /= 10) text[i] = static_cast<char>('0' + nanoseconds % 10);
  size_t size = sizeof(text);
  while (text[size - 1] == '0') --size;
  out->append(text, size);
}

}  // namespace

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_->push_back(bracket);
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Shut(char bracket) {
  out_->push_back(bracket);
  comma_ = true;
  return *this;
}

void JsonWriter::Separate() {
  if (comma_) out_->push_back(',');
  comma_ = true;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name, out_);
  out_->push_back(':');
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  AppendQuoted(text, out_);
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t number) {
  Separate();
  char text[24];
  out_->append(text, std::to_chars(text, text + sizeof(text), number).ptr);
  return *this;
}

JsonWriter& JsonWriter::Double(double number) {
  if (!std::isfinite(number)) return Null();
  Separate();
  char text[40];
  out_->append(text, std::to_chars(text, text + sizeof(text), number).ptr);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) { return Raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_->append(json);
  return *this;
}

JsonWriter& JsonWriter::Duration(absl::Duration duration) { return String(absl::FormatDuration(duration)); }

JsonWriter& JsonWriter::Time(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return Null();
  Separate();
  const absl::TimeZone::CivilInfo civil = absl::UTCTimeZone().At(time);
  out_->push_back('"');
  char year[24];
  out_->append(year, std::to_chars(year, year + sizeof(year), civil.cs.year()).ptr);
  const std::pair<char, int> parts[] = {{'-', civil.cs.month()},
                                        {'-', civil.cs.day()},
                                        {'T', civil.cs.hour()},
                                        {':', civil.cs.minute()},
                                        {':', civil.cs.second()}};
  for (const auto& [before, number] : parts) {
    const char text[] = {before, static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
    out_->append(text, sizeof(text));
  }
  AppendFraction(absl::ToInt64Nanoseconds(civil.subsecond), out_);
  out_->append("Z\"");
  return *this;
}

}  // namespace gnomon
