// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/import.h"
#include "cli/render.h"
#include "cli/whole_file.h"

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

absl::Status RunBackup(Session& session, const BackupArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
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
  if (WantsData(session)) {
    PrintData(session, report);
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
