// SPDX-License-Identifier: Apache-2.0
#include "store/note_codec.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "store/envelope.h"
#include "store/fields.h"

namespace gnomon {
namespace {

constexpr char kNoteByte = 's';
constexpr size_t kPrefixBytes = 9;
constexpr uint64_t kRecordVersion = 1;

std::string NoteKey(NetworkId network, uint64_t number) {
  FieldWriter key(NotesPrefix(network));
  key.BigEndian(number, 8);
  return key.Take();
}

}  // namespace

std::string NotesPrefix(NetworkId network) {
  FieldWriter prefix;
  prefix.Byte(kNoteByte);
  prefix.BigEndian(static_cast<uint64_t>(network), 8);
  return prefix.Take();
}

Op EncodeNote(NetworkId network, const NoteChange& change) {
  if (const auto* erased = std::get_if<ErasedNote>(&change)) return {NoteKey(network, erased->number), std::nullopt};
  const Note& note = std::get<Note>(change);
  FieldWriter value;
  value.Varint(kRecordVersion);
  value.String(note.text);
  return {NoteKey(network, note.number), value.Take()};
}

absl::StatusOr<Note> DecodeNote(std::string_view key, std::string_view value) {
  if (key.size() < kPrefixBytes || key[0] != kNoteByte) return CorruptRecord(key, "is no note");
  FieldReader key_reader(key.substr(kPrefixBytes)), reader(value);
  if (const uint64_t version = reader.Varint(); version > kRecordVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORE_TOO_NEW",
                 absl::StrCat("record \"", PrintableKey(key), "\" has version ", version, ", this program knows ",
                              kRecordVersion))
        .Hint("run the program that wrote it");
  }
  Note note{.number = key_reader.BigEndian(8), .text = reader.String()};
  key_reader.Finish();
  reader.Finish();
  if (!key_reader.ok()) return CorruptRecord(key, absl::StrCat("has a malformed key: it ", key_reader.why()));
  if (!reader.ok()) return CorruptRecord(key, reader.why());
  return note;
}

}  // namespace gnomon
