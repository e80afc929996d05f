// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/import.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct BackupArgs {
  std::string file;
};

struct RestoreArgs {
  std::string file, data_dir;
};

struct ImportArgs {
  std::string file;
  bool dry_run = false;
};

struct ExportArgs {};

absl::Status FileError(std::string_view what, const std::string& path) {
  return Error(absl::StatusCode::kUnknown, "FILE_FAILED",
               absl::StrCat("cannot ", std::string(what), " ", path, ": ", std::strerror(errno)));
}

// A WholeFile appears under its name only when all of it is on disk; until then, and after an error, it does not exist.
class WholeFile {
 public:
  explicit WholeFile(const std::string& path) : path_(path), temporary_(absl::StrCat(path, ".part-", getpid())) {
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  }
  ~WholeFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(temporary_.c_str());
  }
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  absl::Status Append(std::string_view piece) {
    if (descriptor_ < 0) return FileError("create", temporary_);
    while (!piece.empty()) {
      ssize_t written = write(descriptor_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError("write", temporary_);
      piece.remove_prefix(written);
      bytes_ += written;
    }
    return absl::OkStatus();
  }

  // Syncs it, gives it its name, syncs the folder.
  absl::Status Finish() {
    if (descriptor_ < 0) return FileError("create", temporary_);
    if (fsync(descriptor_) != 0) return FileError("sync", temporary_);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return FileError("rename to", path_);
    close(std::exchange(descriptor_, -1));
    std::string folder = std::filesystem::path(path_).parent_path().string();
    int opened = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0 || fsync(opened) != 0) return FileError("sync the folder of", path_);
    close(opened);
    return absl::OkStatus();
  }

  int64_t bytes() const { return bytes_; }

 private:
  const std::string path_, temporary_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
};

absl::Status RunBackup(Session& session, const BackupArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  // The new file takes the name of what is there, which must not be a device or a pipe.
  std::error_code ignored;
  if (std::filesystem::exists(args.file, ignored) && !std::filesystem::is_regular_file(args.file, ignored)) {
    return Error(absl::StatusCode::kInvalidArgument, "FILE_FAILED", absl::StrCat(args.file, " is there and is not a file"))
        .Field("file")
        .Value(args.file)
        .Hint("name a file that is new, or one to replace");
  }
  WholeFile file(args.file);
  GNOMON_RETURN_IF_ERROR(file.Append({}));  // fails before the server is asked
  GNOMON_RETURN_IF_ERROR(api->Backup([&](std::string_view piece) { return file.Append(piece); }));
  GNOMON_RETURN_IF_ERROR(file.Finish());
  session.err() << "wrote " << file.bytes() << " bytes to " << args.file << "\n";
  return absl::OkStatus();
}

// gnomond alone opens a store, so it does this work.
absl::Status BecomeServer(Session& session, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), session.console().program_folder + "/gnomond");
  return session.console().become(arguments);
}

absl::Status RunRestore(Session& session, const RestoreArgs& args) {
  return BecomeServer(session, {"--restore", args.file, "--data-dir", args.data_dir});
}

absl::Status RunCheck(Session& session, const RestoreArgs& args) {
  return BecomeServer(session, {"--check-store", "--data-dir", args.data_dir});
}

absl::Status RunImport(Session& session, const ImportArgs& args) {
  const std::string& network = session.flags().network;
  GNOMON_ASSIGN_OR_RETURN(std::vector<ImportRow> rows, ReadImport(args.file));
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_RETURN_IF_ERROR(CheckAgainstPools(*api, network, args.file, rows));
  size_t sent = 0;
  absl::Status done = args.dry_run ? absl::OkStatus() : SendImport(*api, network, args.file, rows, &sent);
  if (!done.ok() && sent > 0) {
    session.err() << sent << " of " << CountRows(rows) << " rows are imported; run the import again to go on\n";
  }
  GNOMON_RETURN_IF_ERROR(done);
  JsonObject report = {{"rows", CountRows(rows)}, {"imported", sent}, {"dry_run", args.dry_run}};
  if (session.flags().output == "json") {
    PrintJson(report, session.out());
  } else if (session.flags().output == "yaml") {
    PrintYaml(report, session.out());
  } else {
    session.err() << (args.dry_run ? "all rows are good: " : "imported: ") << CountRows(rows) << "\n";
  }
  return absl::OkStatus();
}

absl::Status RunExport(Session& session, const ExportArgs&) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  return WriteExport(*api, session.flags().network, session.out());
}

}  // namespace

void AddFileCommands(CommandTree& tree) {
  auto backup_args = std::make_shared<BackupArgs>();
  CLI::App* backup = tree.root.add_subcommand("backup", "Write all that the server knows to a file, while it serves");
  backup->add_option("file", backup_args->file, "The file to write")->required();
  OnRun(backup, tree, backup_args, &RunBackup);

  auto restore_args = std::make_shared<RestoreArgs>();
  CLI::App* restore = tree.root.add_subcommand("restore", "Make a data folder from a backup (runs gnomond)");
  restore->add_option("file", restore_args->file, "The backup")->required();
  restore->add_option("--data-dir", restore_args->data_dir, "The folder to make")->required();
  OnRun(restore, tree, restore_args, &RunRestore);

  auto check_args = std::make_shared<RestoreArgs>();
  CLI::App* check = tree.root.add_subcommand("check", "Check every record of a data folder (runs gnomond)");
  check->add_option("--data-dir", check_args->data_dir, "The folder")->required();
  OnRun(check, tree, check_args, &RunCheck);

  auto import_args = std::make_shared<ImportArgs>();
  CLI::App* import = tree.root.add_subcommand("import", "Make existing assignments known, from CSV");
  import->add_option("file", import_args->file, "Columns: address, instance, type, and perhaps prefix_length, zone, host, mac, labels")
      ->required();
  AddNetworkFlag(import, tree);
  import->add_flag("--dry-run", import_args->dry_run, "Check the file against the network's pools, send nothing");
  OnRun(import, tree, import_args, &RunImport);

  CLI::App* write = tree.root.add_subcommand("export", "Print the assignments of a network as CSV");
  AddNetworkFlag(write, tree);
  OnRun(write, tree, std::make_shared<ExportArgs>(), &RunExport);
}

}  // namespace gnomon
