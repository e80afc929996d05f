// SPDX-License-Identifier: Apache-2.0
#include "api/watch_pump.h"

#include <chrono>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/problem.h"

namespace gnomon {
namespace {

constexpr size_t kEventsARead = 256;

void Head(JsonWriter* json, std::string_view type, std::string_view kind, const std::string& revision) {
  json->BeginObject().Key("type").String(type).Key("kind").String(kind).Key("revision").String(revision).Key("object");
}

}  // namespace

WatchPump::WatchPump(const Service* service, absl::Duration heartbeat)
    : service_(service), heartbeat_(heartbeat), encoder_(service), thread_([this] { Run(); }) {}

WatchPump::~WatchPump() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
  for (auto& [id, client] : clients_) {
    client->watch.view.log->Unsubscribe(client->token);
    client->stream.Finish();
  }
}

void WatchPump::Add(Watch watch, HttpStream stream) {
  ++count_;
  absl::MutexLock lock(&mutex_);
  const uint64_t position = watch.view.revision;
  auto client = std::make_unique<Client>(Client{std::move(watch), std::move(stream), 0, position, ""});
  added_.emplace_back(next_id_++, std::move(client));
}

void WatchPump::MarkDirty(Id id) {
  absl::MutexLock lock(&mutex_);
  dirty_.insert(id);
}

void WatchPump::Run() {
  using Steady = std::chrono::steady_clock;
  const auto interval = absl::ToChronoNanoseconds(heartbeat_);
  Steady::time_point next_heartbeat = Steady::now() + interval;
  for (;;) {
    std::set<Id> dirty;
    std::vector<std::pair<Id, std::unique_ptr<Client>>> added;
    bool heartbeat = false;
    {
      absl::MutexLock lock(&mutex_);
      auto wakes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ || !dirty_.empty() || !added_.empty();
      };
      mutex_.AwaitWithTimeout(absl::Condition(&wakes), absl::FromChrono(next_heartbeat - Steady::now()));
      if (stopping_) return;
      dirty.swap(dirty_);
      added.swap(added_);
    }
    if (Steady::now() >= next_heartbeat) {
      heartbeat = true;
      next_heartbeat = Steady::now() + interval;
    }
    for (auto& [id, client] : added) {
      client->token = client->watch.view.log->Subscribe([this, id = id] { MarkDirty(id); });
      dirty.insert(id);
      clients_.emplace(id, std::move(client));
    }
    for (auto client = clients_.begin(); client != clients_.end();) {
      bool alive = !client->second->stream.closed();
      if (alive && heartbeat && client->second->pending.empty()) {
        client->second->pending = Heartbeat(*client->second);
      }
      if (alive && (heartbeat || dirty.contains(client->first))) alive = Pump(client->first, client->second.get());
      if (alive) {
        ++client;
        continue;
      }
      client->second->watch.view.log->Unsubscribe(client->second->token);
      client = clients_.erase(client);
      --count_;
    }
  }
}

std::string WatchPump::Heartbeat(const Client& client) const {
  if (client.watch.format == Format::kSse) return ": heartbeat\n\n";
  return absl::StrCat("{\"type\":\"heartbeat\",\"revision\":\"", service_->RevisionText(client.position), "\"}\n");
}

bool WatchPump::SendPending(Id id, Client* client) {
  switch (client->stream.Send(client->pending)) {
    case HttpStream::Write::kAccepted:
      client->pending.clear();
      return true;
    case HttpStream::Write::kFull:
      client->stream.OnDrain([this, id] { MarkDirty(id); });
      return false;
    case HttpStream::Write::kClosed:
      break;
  }
  return false;
}

bool WatchPump::Pump(Id id, Client* client) {
  for (;;) {
    if (!client->pending.empty() && !SendPending(id, client)) return !client->stream.closed();
    absl::StatusOr<std::vector<EventLog::Event>> events = client->watch.view.log->Read(client->position, kEventsARead);
    if (!events.ok()) {
      std::string problem = ProblemResponse(events.status(), "").body;
      absl::StripTrailingAsciiWhitespace(&problem);  // an event is a line
      client->pending = Frame(*client, client->position, absl::StrCat("{\"type\":\"error\",\"object\":", problem, "}"));
      SendPending(id, client);
      client->stream.Finish();
      return false;
    }
    if (events->empty()) return true;
    for (const EventLog::Event& event : *events) {
      client->pending += Render(client, event);
      client->position = event.revision;
    }
  }
}

std::string WatchPump::Frame(const Client& client, uint64_t revision, const std::string& json) const {
  if (client.watch.format == Format::kNdjson) return absl::StrCat(json, "\n");
  return absl::StrCat("id: ", service_->RevisionText(revision), "\ndata: ", json, "\n\n");
}

std::string WatchPump::Render(Client* client, const EventLog::Event& event) const {
  std::string text;
  JsonWriter json(&text);
  const std::string revision = service_->RevisionText(event.revision);
  std::map<PoolId, PoolConfig>& pools = client->watch.pools;
  if (const auto* record = std::get_if<OwnedRecord>(&event.change)) {
    auto pool = pools.find(record->pool);
    Head(&json, "put", "address", revision);
    encoder_.Write(client->watch.network, service_->ViewOf(*record, pool == pools.end() ? nullptr : &pool->second), &json);
  } else if (const auto* erased = std::get_if<ErasedAddress>(&event.change)) {
    Head(&json, "delete", "address", revision);
    json.BeginObject().Key("address").String(erased->address.ToString()).EndObject();
  } else if (const auto* config = std::get_if<PoolConfig>(&event.change)) {
    pools.insert_or_assign(config->id, *config);
    Head(&json, "put", "pool", revision);
    encoder_.Write(*config, &json);
  } else if (const auto* gone = std::get_if<ErasedPool>(&event.change)) {
    auto pool = pools.find(gone->pool);
    Head(&json, "delete", "pool", revision);
    json.BeginObject().Key("name").String(pool == pools.end() ? "" : pool->second.name).EndObject();
    if (pool != pools.end()) pools.erase(pool);
  } else {
    return "";
  }
  json.EndObject();
  return Frame(*client, event.revision, text);
}

}  // namespace gnomon
