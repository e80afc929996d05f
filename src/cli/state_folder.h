// SPDX-License-Identifier: Apache-2.0
//
// A StateFolder keeps what an engine has learnt of one network, and up to which revision, on disk.
//
// It holds three files: `fleet`, all of it, sealed (base/sealed_state.h), which is replaced as a whole; `journal`, what
// was told since, as records of a u32 length and sealed bytes; and `lock`. Each record says its number and the revision
// of the network's watch that it ends at, and `fleet` the number of the last record in it, so that a kill at any moment
// leaves a fleet and the revision at which it goes on: no creation is lost or counted twice.
//
// Example:
//   GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<StateFolder> folder, StateFolder::Open("state", "prod"));
//   GNOMON_ASSIGN_OR_RETURN(StateFolder::Contents contents, folder->Read());
//   GNOMON_RETURN_IF_ERROR(folder->Append(revision, fleet.TakeJournal()));
//
// Threads: not thread-safe. Ownership: one process a folder, by a lock that ends with it.
// Errors: FAILED_PRECONDITION (STATE_IN_USE): another process has it, or it is another network's; DATA_LOSS
//   (ENGINE_STATE_CORRUPT), FAILED_PRECONDITION (ENGINE_STATE_DIFFERS): `fleet` is damaged, or of another version;
//   UNKNOWN (FILE_FAILED). A record at the journal's end that is not whole was being written, and does not count.
// Durability: Append and Save return when the disk has it. After a failed Append nothing is appended until Save
// succeeds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gnomon {

class StateFolder {
 public:
  // Makes the folder if need be.
  static absl::StatusOr<std::unique_ptr<StateFolder>> Open(const std::string& path, const std::string& network);
  ~StateFolder();
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;

  struct Contents {
    std::string save = {}, journal = {};  // a fleet's; `save` is empty if there is none
    std::string revision = {};
  };
  // Once, before the rest.
  absl::StatusOr<Contents> Read();

  // Renames a `fleet` that cannot be used to `fleet.unread`, so that the next Save begins anew.
  absl::Status SetAside();

  absl::Status Append(const std::string& revision, const std::string& journal);
  // `saved` holds all that was appended.
  absl::Status Save(const std::string& revision, const std::string& saved);
  bool wants_save() const { return wants_save_; }  // there is none, the journal is long, or a write has failed

 private:
  static constexpr int64_t kMaxJournalBytes = 8 << 20;

  StateFolder(std::string path, std::string network) : path_(std::move(path)), network_(std::move(network)) {}
  absl::Status Lock();
  absl::Status ReadJournal(Contents* contents);
  absl::Status ClearJournal();
  absl::Status WriteRecord(std::string_view record);

  const std::string path_, network_;
  int lock_ = -1, journal_ = -1;
  uint64_t last_ = 0;  // number of the last record
  int64_t journal_bytes_ = 0;
  bool wants_save_ = true;
};

}  // namespace gnomon
