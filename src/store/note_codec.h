// SPDX-License-Identifier: Apache-2.0
//
// A Note is what somebody who must not know the store keeps beside a network: bytes that mean nothing here, by number.
//
// Notes have a key space of their own, so that loading a network never reads them, however large or damaged they are.
// The bytes are written down in docs/store_format.md.
//
// Threads: functions of their arguments alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "ipam/network.h"
#include "store/store.h"

namespace gnomon {

struct Note {
  uint64_t number = 0;
  std::string text = {};
  friend bool operator==(const Note&, const Note&) = default;
};
struct ErasedNote {
  uint64_t number = 0;
};
using NoteChange = std::variant<Note, ErasedNote>;

// 9 bytes, with which the keys of all notes of the network begin, and no others. Notes sort by number.
std::string NotesPrefix(NetworkId network);

Op EncodeNote(NetworkId network, const NoteChange& change);

// DATA_LOSS (STORE_CORRUPT) for what EncodeNote did not write, FAILED_PRECONDITION (STORE_TOO_NEW) for what a newer
// program wrote.
absl::StatusOr<Note> DecodeNote(std::string_view key, std::string_view value);

}  // namespace gnomon
