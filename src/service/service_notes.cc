// SPDX-License-Identifier: Apache-2.0
//
// Notes.
#include <utility>

#include "base/check.h"
#include "service/service.h"

namespace gnomon {

void Service::WriteNotes(NetworkId network, std::vector<NoteChange> changes, Reply<Done> reply) {
  GNOMON_CHECK(changes.size() <= kMaxNotesACall);
  size_t bytes = 0;
  for (const NoteChange& change : changes) {
    if (const Note* note = std::get_if<Note>(&change)) bytes += note->text.size();
  }
  GNOMON_CHECK(bytes <= kMaxNoteBytes);
  ShardOf(network).Call<Done>(
      [network, changes = std::move(changes)](NetworksState& state, absl::Time, Batch* batch) -> absl::StatusOr<Done> {
        GNOMON_RETURN_IF_ERROR(state.WriteNotes(network, changes, batch));
        return Done();
      },
      std::move(reply));
}

void Service::ReadNotes(NetworkId network, uint64_t from, Reply<std::vector<Note>> reply) {
  ShardOf(network).Call<std::vector<Note>>(
      [network, from](NetworksState& state, absl::Time, Batch*) { return state.ReadNotes(network, from, kMaxNoteBytes); },
      std::move(reply));
}

}  // namespace gnomon
