// SPDX-License-Identifier: Apache-2.0
#include "service/shard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/error.h"
#include "store/codec.h"

namespace gnomon {
namespace {

constexpr absl::Duration kReloadPause = absl::Milliseconds(100);  // after a load that failed
constexpr absl::Duration kLongestWait = absl::Seconds(1);

absl::Status Unavailable(std::string_view code, std::string_view message, std::string_view hint) {
  return Error(absl::StatusCode::kUnavailable, code, message).Hint(hint);
}

absl::Status LoadStored(ShardStore* handle, const std::string& prefix, Network* network, NetworkMeta* meta) {
  return handle->Load(prefix, [&](std::string_view key, std::string_view value) -> absl::Status {
    absl::StatusOr<Stored> stored = Decode(key, value);
    if (!stored.ok()) return stored.status();
    if (auto* record = std::get_if<AddressRecord>(&*stored)) return network->LoadRecord(std::move(*record));
    if (auto* prediction = std::get_if<PredictionRecord>(&*stored)) return network->LoadPrediction(std::move(*prediction));
    if (auto* found = std::get_if<NetworkMeta>(&*stored)) *meta = *found;
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> Shard::Start(Store* store, ShardId id, const Clock* clock,
                                                    std::vector<NetworkId> networks, Options options) {
  std::unique_ptr<Shard> shard(new Shard(store, id, clock, std::move(networks), options));
  GNOMON_RETURN_IF_ERROR(shard->Reload());
  shard->thread_ = std::thread([raw = shard.get()] { raw->Run(); });
  return shard;
}

Shard::Shard(Store* store, ShardId id, const Clock* clock, std::vector<NetworkId> networks, Options options)
    : store_(store), id_(id), clock_(clock), network_ids_(std::move(networks)), options_(options) {}

Shard::~Shard() {
  if (!thread_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Shard::Submit(Item item) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) {
      refusal = Unavailable("SHUTTING_DOWN", "the server is shutting down", "try again on another, or later");
    } else if (unanswered_ >= options_.max_unanswered) {
      refusal = Unavailable("QUEUE_FULL", absl::StrCat(unanswered_, " requests wait, the most that may"), "try again later");
    } else {
      ++unanswered_;
      queue_.push_back(std::move(item));
      return;
    }
  }
  item.answer(refusal);
}

void Shard::Run() {
  for (;;) {
    std::vector<Item> items = WaitForWork();
    bool reload = false, stop = false;
    {
      absl::MutexLock lock(&mutex_);
      reload = failed_;
      stop = stopping_ && items.empty() && queue_.empty();
    }
    if (stop) break;
    if (reload) {
      absl::Status loaded = Reload();
      if (!loaded.ok()) {
        AnswerAll(std::move(items), Unavailable("SHARD_DOWN", std::string(loaded.message()), "try again later"));
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kReloadPause);
        continue;
      }
    }
    RunBatch(std::move(items));
  }
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(+[](size_t* commits) { return *commits == 0; }, &commits_));
}

std::vector<Shard::Item> Shard::WaitForWork() {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, network] : networks_) next = std::min(next, network->NextDeadline());
  const absl::Duration wait = std::clamp(next - time_->Now(), absl::ZeroDuration(), kLongestWait);
  absl::MutexLock lock(&mutex_);
  auto wakes = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return Wakes(); };
  mutex_.AwaitWithTimeout(absl::Condition(&wakes), wait);
  return std::exchange(queue_, {});
}

absl::Status Shard::Reload() {
  {
    // What failed answers first, so that a late failure is not taken for one of the new handle.
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(+[](size_t* commits) { return *commits == 0; }, &commits_));
  }
  handle_ = nullptr;
  GNOMON_ASSIGN_OR_RETURN(handle_, store_->Acquire(id_));
  Networks loaded;
  absl::Time last_commit = absl::InfinitePast();
  for (NetworkId id : network_ids_) {
    auto network = std::make_unique<Network>(id);
    absl::Status pools = handle_->Load(NetworkPrefix(id) + kPoolKind, [&](std::string_view key, std::string_view value) {
      absl::StatusOr<Stored> stored = Decode(key, value);
      return stored.ok() ? network->LoadPool(std::get<PoolConfig>(*std::move(stored))) : stored.status();
    });
    GNOMON_RETURN_IF_ERROR(pools);
    NetworkMeta meta;
    GNOMON_RETURN_IF_ERROR(LoadStored(handle_.get(), NetworkPrefix(id), network.get(), &meta));
    GNOMON_RETURN_IF_ERROR(network->FinishLoad(meta.revision, meta.last_commit));
    last_commit = std::max(last_commit, meta.last_commit);
    loaded[id] = std::move(network);
  }
  networks_ = std::move(loaded);
  if (time_ == nullptr) time_ = std::make_unique<CoreTime>(*clock_, last_commit);
  absl::MutexLock lock(&mutex_);
  failed_ = false;
  return absl::OkStatus();
}

void Shard::RunBatch(std::vector<Item> items) {
  const absl::Time now = time_->Now();
  Batch batch;
  Changes changes;
  for (auto& [id, network] : networks_) {
    network->Advance(now, &changes);
    Gather(id, changes, now, &batch);
    changes.clear();
  }
  std::vector<Item> strangers;
  for (Item& item : items) {
    auto network = networks_.find(item.network);
    if (network == networks_.end()) {
      strangers.push_back(std::move(item));
      continue;
    }
    item.apply(*network->second, now, &changes);
    Gather(item.network, changes, now, &batch);
    changes.clear();
  }
  std::erase_if(items, [](const Item& item) { return item.answer == nullptr; });
  AnswerAll(std::move(strangers), Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND", "no such network"));
  std::vector<Transaction> transactions = batch.Finish([&](uint64_t group) { return MetaOf(group, now); });
  if (transactions.empty() && items.empty()) return;
  {
    absl::MutexLock lock(&mutex_);
    ++commits_;
  }
  handle_->Commit(std::move(transactions), [this, items = std::move(items)](absl::Status status) mutable {
    Done(std::move(items), status);
  });
}

void Shard::Gather(NetworkId id, const Changes& changes, absl::Time now, Batch* batch) {
  std::vector<Op> ops;
  for (const Change& change : changes) ops.push_back(EncodeChange(id, change));
  batch->Add(static_cast<uint64_t>(id), std::move(ops), [&](uint64_t group) { return MetaOf(group, now); });
}

Op Shard::MetaOf(uint64_t group, absl::Time now) const {
  const NetworkId id{group};
  return EncodeMeta(id, {.revision = networks_.at(id)->revision(), .last_commit = now});
}

void Shard::Done(std::vector<Item> items, const absl::Status& status) {
  absl::Status answer;
  if (!status.ok()) {
    answer = Unavailable("OUTCOME_UNKNOWN", absl::StrCat("the store failed: ", status.message()),
                         "the change may have been stored: try again, it is safe");
    absl::MutexLock lock(&mutex_);
    failed_ = true;
  }
  AnswerAll(std::move(items), answer);
  absl::MutexLock lock(&mutex_);
  --commits_;
}

void Shard::AnswerAll(std::vector<Item> items, const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    unanswered_ -= items.size();
  }
  for (Item& item : items) item.answer(status);
}

}  // namespace gnomon
