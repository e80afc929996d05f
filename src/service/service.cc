// SPDX-License-Identifier: Apache-2.0
//
// Starting and stopping, pools, and revisions.
#include "service/service.h"

#include <algorithm>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

PoolView ViewOfPool(const Network& network, const Pool& pool) {
  return {.config = pool.config(), .counts = pool.counts(), .shadows = network.ShadowsOf(pool.config().id),
          .revision = network.revision()};
}

// Waits for one reply; for starting and stopping alone.
template <typename T>
class Waiter {
 public:
  Reply<T> Callback() {
    return [this](absl::StatusOr<T> result) {
      absl::MutexLock lock(&mutex_);
      result_ = std::move(result);
      done_ = true;
    };
  }
  absl::StatusOr<T> Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    return std::move(result_);
  }

 private:
  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<T> result_ ABSL_GUARDED_BY(mutex_) = absl::UnknownError("no reply");
};

constexpr ShardId kCatalogueShard{0};

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> Service::Start(Store* store, const Clock* clock, ServiceOptions options) {
  GNOMON_CHECK(options.shards > 0);
  std::unique_ptr<Service> service(new Service(store, clock, options));
  GNOMON_RETURN_IF_ERROR(service->StartShards());
  return service;
}

Service::Service(Store* store, const Clock* clock, ServiceOptions options)
    : store_(store), clock_(clock), options_(options), time_(*clock) {}

// What the shards answer while they stop may still ask one of them; it is refused.
Service::~Service() {
  for (const std::unique_ptr<NetworkShard>& shard : shards_) shard->Stop();
  if (catalogue_ != nullptr) catalogue_->Stop();
}

absl::Status Service::StartShards() {
  GNOMON_ASSIGN_OR_RETURN(catalogue_, Shard<CatalogueState>::Start(store_, kCatalogueShard, clock_, &time_,
                                                                   CatalogueState(&time_, Followers()), OptionsOf("catalogue")));
  Waiter<std::vector<NetworkEntry>> networks;
  OnCatalogue<std::vector<NetworkEntry>>(
      [](Catalogue& catalogue, CatalogueChanges*) {
        std::vector<NetworkEntry> all;
        for (const auto& [id, entry] : catalogue.networks()) all.push_back(entry);
        return all;
      },
      networks.Callback());
  GNOMON_ASSIGN_OR_RETURN(std::vector<NetworkEntry> entries, networks.Wait());
  expiry_paused_ = time_.behind();
  std::vector<std::vector<NetworkId>> by_shard(options_.shards);
  for (const NetworkEntry& entry : entries) {
    if (!entry.deleting) by_shard[static_cast<uint64_t>(entry.id) % options_.shards].push_back(entry.id);
  }
  std::map<NetworkId, std::shared_ptr<NetworkMetrics>> metrics;
  for (const NetworkEntry& entry : entries) {
    if (!entry.deleting) metrics[entry.id] = MetricsOf(entry.name);
  }
  for (size_t i = 0; i < options_.shards; ++i) {
    NetworksState state(by_shard[i]);
    state.PauseExpiry(expiry_paused_);
    for (NetworkId id : by_shard[i]) state.Measure(id, metrics.at(id));
    absl::StatusOr<std::unique_ptr<NetworkShard>> shard =
        NetworkShard::Start(store_, ShardId{static_cast<uint32_t>(i + 1)}, clock_, &time_, std::move(state),
                            OptionsOf(absl::StrCat(i + 1)));
    if (!shard.ok()) return shard.status();
    shards_.push_back(*std::move(shard));
  }
  serving_ = true;
  for (const NetworkEntry& entry : entries) {
    if (!entry.deleting) {
      directory_.Show(entry.id);
      continue;
    }
    Waiter<Done> erased;
    EraseNetwork(entry.id, "", erased.Callback());
    GNOMON_RETURN_IF_ERROR(erased.Wait().status());
  }
  return absl::OkStatus();
}

std::shared_ptr<NetworkMetrics> Service::MetricsOf(const std::string& network) const {
  return options_.metrics == nullptr ? nullptr : options_.metrics->OfNetwork(network);
}

ShardOptions Service::OptionsOf(const std::string& shard) const {
  ShardOptions options = options_.shard;
  if (options_.metrics != nullptr) options.metrics = options_.metrics->OfShard(shard);
  return options;
}

absl::StatusOr<const Pool*> Service::FindPool(const Network& network, std::string_view name) {
  if (const Pool* pool = network.FindPool(name)) return pool;
  return PoolNotFound(name);
}

// Calls `each` on the state of every networks' shard, and something on the catalogue's, and replies when all have.
void Service::OnAllShards(std::function<void(NetworksState&)> each, Reply<Done> reply, Stage stage) {
  struct Round {
    absl::Mutex mutex;
    size_t left ABSL_GUARDED_BY(mutex);
    absl::Status first_error ABSL_GUARDED_BY(mutex);
    Reply<Done> reply;
  };
  auto round = std::make_shared<Round>();
  {
    absl::MutexLock lock(&round->mutex);
    round->left = shards_.size() + 1;
  }
  round->reply = std::move(reply);
  auto answered = [round](absl::StatusOr<Done> done) {
    absl::Status result;
    {
      absl::MutexLock lock(&round->mutex);
      if (round->first_error.ok()) round->first_error = done.status();
      if (--round->left > 0) return;
      result = round->first_error;
    }
    round->reply(result.ok() ? absl::StatusOr<Done>(Done()) : absl::StatusOr<Done>(result));
  };
  OnCatalogue<Done>([](Catalogue&, CatalogueChanges*) { return Done(); }, answered, stage);
  for (const std::unique_ptr<NetworkShard>& shard : shards_) {
    shard->Call<Done>(
        [each](NetworksState& state, absl::Time, Batch*) -> absl::StatusOr<Done> {
          each(state);
          return Done();
        },
        answered, stage);
  }
}

void Service::Ping(Reply<Done> reply) {
  OnAllShards([](NetworksState&) {}, std::move(reply), Stage::kFirst);
}

// Each part may be done again: should a shard not answer, expiry still counts as paused, and it can be asked for once more.
void Service::ResumeExpiry(Reply<Done> reply) {
  if (!expiry_paused_) return reply(Done());  // a wall clock that has moved since the start moves nothing
  time_.CatchUp();
  OnAllShards([](NetworksState& state) { state.PauseExpiry(false); },
              [this, reply = std::move(reply)](absl::StatusOr<Done> resumed) mutable {
                if (resumed.ok()) expiry_paused_ = false;
                reply(std::move(resumed));
              },
              Stage::kLater);
}

void Service::CreatePool(std::string_view network, PoolConfig config, Reply<PoolView> reply) {
  OnNetwork<PoolView>(
      network,
      [config = std::move(config)](Network& one, absl::Time, Changes* changes) -> absl::StatusOr<PoolView> {
        // The same pool again is the same answer.
        if (const Pool* existing = one.FindPool(config.name)) {
          PoolConfig same = config;
          same.id = existing->config().id;
          if (same == existing->config()) return ViewOfPool(one, *existing);
        }
        GNOMON_RETURN_IF_ERROR(one.AddPool(config, changes).status());
        return ViewOfPool(one, *one.FindPool(config.name));
      },
      std::move(reply));
}

void Service::UpdatePool(std::string_view network, std::string pool, absl::AnyInvocable<absl::Status(PoolConfig*)> change,
                         Reply<PoolView> reply) {
  OnNetwork<PoolView>(
      network,
      [pool, change = std::move(change)](Network& one, absl::Time, Changes* changes) mutable -> absl::StatusOr<PoolView> {
        GNOMON_ASSIGN_OR_RETURN(const Pool* found, FindPool(one, pool));
        PoolConfig config = found->config();
        GNOMON_RETURN_IF_ERROR(change(&config));
        if (config != found->config()) GNOMON_RETURN_IF_ERROR(one.UpdatePool(config, changes));
        return ViewOfPool(one, *found);
      },
      [this, network = std::string(network), reply = std::move(reply)](absl::StatusOr<PoolView> view) mutable {
        if (!view.ok() || !view->config.draining || view->shadows == 0) return reply(std::move(view));
        DrainPool(std::move(network), view->config, view->config.prefix.base(), std::move(reply));
      });
}

// Gives the shadows back step by step. A pool that has been changed anew meanwhile is left as it is.
void Service::DrainPool(std::string network, PoolConfig config, Ip from, Reply<PoolView> reply) {
  struct Step {
    std::optional<Ip> next = {};
    PoolView view = {};
  };
  OnNetwork<Step>(
      network,
      [config, from](Network& one, absl::Time now, Changes* changes) -> absl::StatusOr<Step> {
        GNOMON_ASSIGN_OR_RETURN(const Pool* found, FindPool(one, config.name));
        Step step;
        if (found->config() == config) step.next = one.ReclaimStep(now, config.id, from, changes);
        step.view = ViewOfPool(one, *found);
        return step;
      },
      [this, network, config, reply = std::move(reply)](absl::StatusOr<Step> step) mutable {
        if (!step.ok()) return reply(step.status());
        if (!step->next) return reply(std::move(step->view));
        DrainPool(std::move(network), std::move(config), *step->next, std::move(reply));
      },
      Stage::kLater);
}

void Service::DeletePool(std::string_view network, std::string pool, Reply<Done> reply) {
  BeginDeletePool(std::string(network), std::move(pool), std::move(reply), Stage::kFirst);
}

void Service::BeginDeletePool(std::string network, std::string pool, Reply<Done> reply, Stage stage) {
  OnNetwork<PoolConfig>(
      network,
      [pool = std::move(pool)](Network& one, absl::Time, Changes* changes) -> absl::StatusOr<PoolConfig> {
        GNOMON_ASSIGN_OR_RETURN(const Pool* found, FindPool(one, pool));
        GNOMON_RETURN_IF_ERROR(one.BeginRemovePool(found->config().id, changes));
        return found->config();
      },
      [this, network, reply = std::move(reply)](absl::StatusOr<PoolConfig> config) mutable {
        if (!config.ok()) return reply(config.status());
        DrainPool(network, *config, config->prefix.base(),
                  [this, network, config = *config, reply = std::move(reply)](absl::StatusOr<PoolView> drained) mutable {
                    if (!drained.ok()) return reply(drained.status());
                    EraseFree(std::move(network), std::move(config), "", std::move(reply));
                  });
      },
      stage);
}

// The keys go before their pool: after it, nobody would know that they are still to go.
void Service::EraseFree(std::string network, PoolConfig config, std::string from, Reply<Done> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  auto step = [this, id = entry->id, pool = config.id, from = std::move(from)](NetworksState& state, absl::Time now, Batch* batch) {
    return state.EraseFreeStep(id, pool, from, TurnOfErasing(), now, batch);
  };
  ShardOf(entry->id).Call<std::optional<std::string>>(
      std::move(step),
      [this, network = std::move(network), config = std::move(config),
       reply = std::move(reply)](absl::StatusOr<std::optional<std::string>> next) mutable {
        if (!next.ok()) return reply(next.status());
        if (*next) return EraseFree(std::move(network), std::move(config), **std::move(next), std::move(reply));
        RemovePool(std::move(network), std::move(config), std::move(reply));
      },
      Stage::kLater);
}

void Service::RemovePool(std::string network, PoolConfig config, Reply<Done> reply) {
  OnNetwork<bool>(
      network, [id = config.id](Network& one, absl::Time now, Changes* changes) { return one.RemovePool(now, id, changes); },
      [this, network, config, reply = std::move(reply)](absl::StatusOr<bool> removed) mutable {
        if (!removed.ok()) return reply(removed.status());
        if (*removed) return reply(Done());
        BeginDeletePool(std::move(network), std::move(config.name), std::move(reply), Stage::kLater);
      },
      Stage::kLater);
}

void Service::ListPools(std::string_view network, Reply<std::vector<PoolView>> reply) {
  OnNetwork<std::vector<PoolView>>(
      network,
      [](Network& one, absl::Time, Changes*) {
        std::vector<PoolView> views;
        for (const Pool* pool : one.pools()) views.push_back(ViewOfPool(one, *pool));
        return views;
      },
      std::move(reply));
}

std::string Service::RevisionText(uint64_t revision) const {
  return absl::StrCat(absl::Hex(store_->incarnation(), absl::kZeroPad16), "-", revision);
}

absl::StatusOr<uint64_t> Service::ParseRevision(std::string_view text) const {
  const std::string prefix = absl::StrFormat("%016x-", store_->incarnation());
  uint64_t revision = 0;
  const bool shaped = text.size() > prefix.size() && text[prefix.size() - 1] == '-' &&
                      absl::SimpleAtoi(AbslView(text.substr(prefix.size())), &revision);
  if (!shaped) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_REVISION", "this is no revision")
        .Value(text)
        .Hint("pass on a revision or generation as an answer gave it");
  }
  if (!text.starts_with(prefix)) {
    return Error(absl::StatusCode::kOutOfRange, "FOREIGN_REVISION", "this revision is of another store, or from before a restore")
        .Value(text)
        .Hint("list again, and go on from the revision of the first page");
  }
  return revision;
}

}  // namespace gnomon
