// SPDX-License-Identifier: Apache-2.0
#include "sim/crash_rounds.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr int kNetworks = 2;
constexpr int kWarmTarget = 4;
constexpr absl::Duration kLongestDrain = absl::Seconds(20);
constexpr int kMaxCountAttempts = 100;
const char* const kTypes[] = {"web", "db", "batch"};

}  // namespace

std::string CrashReport::ToString() const {
  return absl::StrCat(rounds, " crashes, ", checked, " records checked after them, counts compared ", counted,
                      " times, ", drains, " times all released and free again\n  acknowledged: ", counts.creations, " creations (",
                      counts.batches, " batches), ", counts.releases, " releases, ", counts.preserves, " preserves, ",
                      counts.reassigns, " reassigns, ", counts.predictions, " predictions, ", counts.reads,
                      " reads\n  asked again: ", counts.repeats, ", refused: ", counts.refused,
                      ", without an answer: ", counts.unanswered);
}

CrashRounds::CrashRounds(CrashingServer* server, CrashOptions options)
    : server_(server), options_(std::move(options)), rng_(options_.seed) {
  for (int n = 0; n < kNetworks; ++n) {
    Side side;
    side.network = absl::StrCat("net", n);
    side.history = std::make_unique<History>(side.network, options_.quarantine, &clock_);
    for (int i = 0; i < options_.clients / kNetworks; ++i) {
      side.clients.push_back(std::make_unique<CrashClient>(side.history.get(), side.network, n * 1000 + i, rng_()));
    }
    sides_.push_back(std::move(side));
  }
}

void CrashRounds::Wait(absl::Duration time) { absl::Notification().WaitForNotificationWithTimeout(time); }

bool CrashRounds::Failed() {
  bool failed = !failures_.empty();
  for (Side& side : sides_) failed |= !side.history->failures().empty();
  return failed;
}

CrashReport CrashRounds::Report(int rounds) {
  CrashReport report{.rounds = rounds,
                     .counts = {},
                     .checked = checked_,
                     .counted = counted_,
                     .drains = drains_,
                     .failures = failures_};
  for (Side& side : sides_) {
    for (const std::string& failure : side.history->failures()) report.failures.push_back(failure);
    for (const auto& client : side.clients) report.counts += client->counts();
  }
  return report;
}

CrashReport CrashRounds::Run() {
  for (int round = 0;; ++round) {
    absl::StatusOr<std::string> server = server_->Start();
    if (!server.ok()) {
      failures_.push_back(absl::StrCat("the server does not start: ", server.status().ToString()));
      return Report(round);
    }
    if (absl::Status made = Prepare(*server); !made.ok()) failures_.push_back(made.ToString());
    const bool last = round == options_.rounds;
    for (Side& side : sides_) {
      Check(*server, &side);
      if (Failed() || (!last && (round + 1) % options_.rounds_a_drain != 0)) continue;
      if (absl::Status drained = Drain(*server, &side); !drained.ok()) {
        failures_.push_back(absl::StrCat(side.network, ": ", drained.ToString()));
      }
    }
    if (Failed() || last) {
      server_->Crash();
      server_->Clear(rng_);
      if (!Failed() && counted_ == 0) failures_.push_back("the pools' counts were never compared with the records");
      return Report(round);
    }
    Round(*server);
    if (options_.progress) {
      const CrashReport report = Report(round + 1);
      options_.progress(absl::StrCat("round ", round + 1, " of ", options_.rounds, ": ", report.counts.writes(),
                                     " writes acknowledged, ", checked_, " records checked"));
    }
  }
}

absl::Status CrashRounds::Prepare(const std::string& server) {
  for (Side& side : sides_) {
    NetworkClient client(server, side.network);
    GNOMON_RETURN_IF_ERROR(client.MakeNetwork());
    GNOMON_RETURN_IF_ERROR(client.MakePool("a", "10.0.0.0/23", options_.quarantine));
    GNOMON_RETURN_IF_ERROR(client.MakePool("b", "10.0.2.0/24", options_.quarantine));
    GNOMON_RETURN_IF_ERROR(client.MakePool("six", "fd00::/119", options_.quarantine));
    GNOMON_RETURN_IF_ERROR(client.SetWarmTarget("web", kWarmTarget));
  }
  return absl::OkStatus();
}

void CrashRounds::Round(const std::string& server) {
  absl::Notification stop;
  std::vector<std::thread> threads;
  for (Side& side : sides_) {
    for (auto& client : side.clients) {
      threads.emplace_back([&stop, &server, raw = client.get()] { raw->Run(server, stop); });
    }
  }
  const double part = static_cast<double>(rng_() % 1000) / 1000;
  const absl::Duration time = options_.longest_round * part;
  Wait(time / 2);
  server_->Disturb(rng_);
  Wait(time / 2);
  server_->Crash();
  stop.Notify();
  for (std::thread& thread : threads) thread.join();
  server_->Clear(rng_);
}

void CrashRounds::Check(const std::string& server, Side* side) {
  NetworkClient client(server, side->network);
  const History::Sent sent = side->history->Send();
  absl::StatusOr<SeenList> list = client.List();
  if (!list.ok()) return side->history->Fail(absl::StrCat("cannot list: ", list.status().ToString()));
  checked_ += list->records.size();
  side->history->CheckRestarted(sent, *list);
  if (absl::Status counts = CheckCounts(&client, *list); !counts.ok()) side->history->Fail(counts.ToString());
}

// Quarantines end, and the warm pool is refilled, between the answers: so until two lists are the same.
absl::Status CrashRounds::CheckCounts(NetworkClient* client, const SeenList& first) {
  SeenList list = first;
  for (int attempt = 0; attempt < kMaxCountAttempts; ++attempt) {
    absl::StatusOr<std::vector<SeenPool>> pools = client->Pools();
    if (!pools.ok()) return pools.status();
    absl::StatusOr<SeenList> again = client->List();
    if (!again.ok()) return again.status();
    const SeenList before = std::exchange(list, *std::move(again));
    if (before.revision != list.revision || before.records != list.records) continue;
    for (const SeenPool& pool : *pools) {
      int64_t listed = 0, shadows = 0;
      for (const SeenRecord& record : list.records) {
        listed += record.pool == pool.name ? 1 : 0;
        shadows += record.pool == pool.name && record.state == "shadow" ? 1 : 0;
      }
      if (pool.free + listed != pool.capacity || pool.held != listed || pool.shadow != shadows) {
        return absl::InternalError(absl::StrCat("pool ", pool.name, ": ", pool.capacity, " addresses, ", pool.free,
                                                " free, ", pool.held, " held, ", pool.shadow, " shadows, but ", listed,
                                                " records of which ", shadows, " are shadows"));
      }
    }
    ++counted_;
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status CrashRounds::Drain(const std::string& server, Side* side) {
  NetworkClient client(server, side->network);
  GNOMON_RETURN_IF_ERROR(client.SetWarmTarget("web", 0));
  for (const char* type : kTypes) {
    GNOMON_RETURN_IF_ERROR(client.Predict(type, 0, absl::StrCat("drain-", rng_())));
  }
  GNOMON_RETURN_IF_ERROR(ReleaseAll(&client, side));
  GNOMON_RETURN_IF_ERROR(AwaitAllFree(&client));
  ++drains_;
  return client.SetWarmTarget("web", kWarmTarget);
}

absl::Status CrashRounds::ReleaseAll(NetworkClient* client, Side* side) {
  History& history = *side->history;
  for (const std::string& id : history.Ids()) {
    const History::Sent sent = history.SendRelease(id, false);
    absl::StatusOr<std::vector<SeenRecord>> released = client->Release(id, false);
    if (!released.ok()) return released.status();
    history.Released(sent, id, false, *released);
  }
  for (auto& crash_client : side->clients) crash_client->Forget();
  absl::StatusOr<SeenList> list = client->List();
  if (!list.ok()) return list.status();
  for (const SeenRecord& record : list->records) {
    if (record.state == "assigned") return absl::InternalError("still held: " + record.ToString());
    if (record.state != "preserved") continue;
    history.SendEndPreserve(record.address);
    GNOMON_RETURN_IF_ERROR(client->EndPreserve(record.address));
  }
  return absl::OkStatus();
}

absl::Status CrashRounds::AwaitAllFree(NetworkClient* client) {
  std::string left;
  for (const absl::Time end = clock_.Wall() + options_.quarantine + kLongestDrain; clock_.Wall() < end;) {
    absl::StatusOr<SeenList> list = client->List();
    if (!list.ok()) return list.status();
    absl::StatusOr<std::vector<SeenPool>> pools = client->Pools();
    if (!pools.ok()) return pools.status();
    bool free = list->records.empty();
    for (const SeenPool& pool : *pools) free &= pool.free == pool.capacity;
    if (free) return absl::OkStatus();
    left = list->records.empty() ? "no record, but the pools are not free" : list->records[0].ToString();
    Wait(absl::Milliseconds(50));
  }
  return absl::InternalError(absl::StrCat("leaked: all is released and the quarantine is over, but there is ", left));
}

}  // namespace gnomon
