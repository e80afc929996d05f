// SPDX-License-Identifier: Apache-2.0
//
// What is asked of the server itself.
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "api/answer.h"
#include "api/api.h"
#include "api/decode.h"
#include "api/openapi.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "service/open_metrics.h"

namespace gnomon {

void Api::Livez(Call call, HttpRequest&) const { call->SendAs("text/plain; charset=utf-8", "ok\n"); }

// Ready: the catalogue's shard and those of the networks answer, which they do only when the store takes commits.
void Api::Readyz(Call call, HttpRequest& request) const {
  QueryArguments query(request);
  const bool verbose = query.Text("verbose").has_value();
  if (absl::Status done = query.Done(); !done.ok()) return call->Fail(done);
  parts_.service->Ping([this, call, verbose](absl::StatusOr<Done> done) {
    if (!done.ok()) return call->Fail(done.status());
    if (!verbose) return call->SendAs("text/plain; charset=utf-8", "ok\n");
    // Neither keeps anything from being served: they are told, but the check passes.
    const bool paused = parts_.service->expiry_paused();
    const bool stalled = parts_.engine != nullptr && parts_.engine->stalled();
    call->SendAs(
        "text/plain; charset=utf-8",
        absl::StrCat("[+]store ok\n[+]shards ok\n",
                     paused ? "[-]expiry paused: the wall clock had moved by more than an hour at the start; set it "
                              "right, or POST /v1/expiry:resume\n"
                            : "[+]expiry ok\n",
                     stalled ? "[-]engine stalled: it has missed three reviews; the reactive formula holds "
                               "shadows by the last known rates, its own end within five minutes\n"
                             : "[+]engine ok\n",
                     "readyz check passed\n"));
  });
}

void Api::ResumeExpiry(Call call, HttpRequest&) const { parts_.service->ResumeExpiry(AnsweringNothing(call)); }

void Api::Version(Call call, HttpRequest&) const {
  Answer(*call, 200, [this](JsonWriter* json) {
    json->BeginObject()
        .Key("name")
        .String("gnomon")
        .Key("version")
        .String(parts_.version)
        .Key("api")
        .String("v1")
        .EndObject();
  });
}

void Api::MetricsText(Call call, HttpRequest& request) const {
  const std::string text = parts_.metrics ? parts_.metrics() : "";
  if (absl::StrContains(AbslView(request.Header("Accept")), "application/openmetrics-text")) {
    return call->SendAs("application/openmetrics-text; version=1.0.0; charset=utf-8", OpenMetricsOf(text));
  }
  call->SendAs("text/plain; version=0.0.4; charset=utf-8", text);
}

void Api::OpenApi(Call call, HttpRequest&) const { call->SendAs("application/json", std::string(kOpenApi)); }

void Api::Backup(Call call, HttpRequest&) const {
  if (!parts_.backup) return call->Fail(404, "PATH_NOT_FOUND", "this server makes no backups");
  // One at a time, on a thread of its own: reading the whole store takes long.
  static constexpr std::string_view kName = "backup.tmp";
  absl::MutexLock lock(&backup_mutex_);
  if (backing_up_) {
    return call->Fail(Error(absl::StatusCode::kUnavailable, "BACKUP_RUNNING", "another backup is being made"));
  }
  if (backup_thread_.joinable()) backup_thread_.join();
  backing_up_ = true;
  backup_thread_ = std::thread([this, call] {
    const std::string path = absl::StrCat(parts_.backup_dir, "/", std::string(kName));
    absl::Status made = parts_.backup(path);
    if (!made.ok()) {
      call->Fail(made);
    } else {
      SendFile(call, path);
    }
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    absl::MutexLock done(&backup_mutex_);
    backing_up_ = false;
  });
}

void Api::SendFile(const Call& call, const std::string& path) const {
  std::ifstream file(path, std::ios::binary);
  if (!file) return call->Fail(absl::InternalError("the backup cannot be read"));
  HttpResponse head;
  head.content_type = "application/octet-stream";
  HttpStream stream = call->Stream(std::move(head));
  std::string piece(256 << 10, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    const std::string_view data(piece.data(), static_cast<size_t>(file.gcount()));
    for (;;) {
      const HttpStream::Write written = stream.Send(data);
      if (written == HttpStream::Write::kAccepted) break;
      if (written == HttpStream::Write::kClosed) return;
      absl::Notification drained;
      stream.OnDrain([&] { drained.Notify(); });
      drained.WaitForNotification();
    }
  }
  if (file.eof()) stream.Finish();  // else it could not be read to its end, and the client sees it cut
}

}  // namespace gnomon
