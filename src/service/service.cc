// SPDX-License-Identifier: Apache-2.0
//
// Starting, networks, hosts and pools.
#include "service/service.h"

#include <algorithm>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"

namespace gnomon {
namespace {

NetworkView ViewOfNetwork(const NetworkEntry& entry, const Network& network) {
  NetworkView view{.entry = entry, .revision = network.revision()};
  for (size_t state = 0; state < view.counts.size(); ++state) {
    view.counts[state] = network.CountOf(static_cast<AddressState>(state));
  }
  return view;
}

PoolView ViewOfPool(const Network& network, const Pool& pool) {
  return {.config = pool.config(), .counts = pool.counts(), .shadows = network.ShadowsOf(pool.config().id),
          .revision = network.revision()};
}

absl::StatusOr<const Pool*> FindPool(const Network& network, const std::string& name) {
  if (const Pool* pool = network.FindPool(name)) return pool;
  return Error(absl::StatusCode::kNotFound, "POOL_NOT_FOUND", absl::StrCat("no pool ", name, " in this network"))
      .Field("pool")
      .Value(name);
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

// The shards answer all that was asked of them, so they go before what their answers touch.
Service::~Service() {
  shards_.clear();
  catalogue_ = nullptr;
}

absl::Status Service::StartShards() {
  GNOMON_ASSIGN_OR_RETURN(catalogue_, Shard<CatalogueState>::Start(store_, kCatalogueShard, clock_, &time_,
                                                                   CatalogueState(&time_), OptionsOf("catalogue")));
  Waiter<std::vector<NetworkEntry>> networks;
  OnCatalogue<std::vector<NetworkEntry>>(
      [this](Catalogue& catalogue, CatalogueChanges*) {
        for (const auto& [name, host] : catalogue.hosts()) directory_.Put(host);
        std::vector<NetworkEntry> all;
        for (const auto& [id, entry] : catalogue.networks()) all.push_back(entry);
        return all;
      },
      networks.Callback());
  GNOMON_ASSIGN_OR_RETURN(std::vector<NetworkEntry> entries, networks.Wait());
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
    state.PauseExpiry(time_.behind());
    for (NetworkId id : by_shard[i]) state.Measure(id, metrics.at(id));
    absl::StatusOr<std::unique_ptr<NetworkShard>> shard =
        NetworkShard::Start(store_, ShardId{static_cast<uint32_t>(i + 1)}, clock_, &time_, std::move(state),
                            OptionsOf(absl::StrCat(i + 1)));
    if (!shard.ok()) return shard.status();
    shards_.push_back(*std::move(shard));
  }
  for (const NetworkEntry& entry : entries) {
    if (!entry.deleting) {
      directory_.Put(entry, metrics.at(entry.id));
      continue;
    }
    Waiter<Done> erased;
    EraseNetwork(entry, erased.Callback());
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

absl::Status Service::NetworkNotFound(std::string_view network) {
  return Error(absl::StatusCode::kNotFound, "NETWORK_NOT_FOUND", absl::StrCat("no network ", AbslView(network)))
      .Field("network")
      .Value(network)
      .Hint("create it first, or list the networks that there are");
}

// Calls `each` on the state of every networks' shard, and something on the catalogue's, and replies when all have.
void Service::OnAllShards(std::function<void(NetworksState&)> each, Reply<Done> reply) {
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
  OnCatalogue<Done>([](Catalogue&, CatalogueChanges*) { return Done(); }, answered);
  for (const std::unique_ptr<NetworkShard>& shard : shards_) {
    shard->Call<Done>(
        [each](NetworksState& state, absl::Time, Batch*) -> absl::StatusOr<Done> {
          each(state);
          return Done();
        },
        answered);
  }
}

void Service::Ping(Reply<Done> reply) {
  OnAllShards([](NetworksState&) {}, std::move(reply));
}

void Service::ResumeExpiry(Reply<Done> reply) {
  time_.CatchUp();
  OnAllShards([](NetworksState& state) { state.PauseExpiry(false); }, std::move(reply));
}

void Service::CreateNetwork(std::string name, std::string account, std::optional<uint32_t> vni, WarmPool warm,
                            Reply<std::pair<NetworkView, bool>> reply) {
  auto create = [=](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<std::pair<NetworkEntry, bool>> {
    absl::StatusOr<NetworkEntry> entry = catalogue.Create(name, account, vni, warm, changes);
    if (!entry.ok()) return entry.status();
    return std::pair(*std::move(entry), !changes->empty());
  };
  OnCatalogue<std::pair<NetworkEntry, bool>>(
      std::move(create), [this, reply = std::move(reply)](absl::StatusOr<std::pair<NetworkEntry, bool>> created) mutable {
        if (!created.ok()) return reply(created.status());
        // The networks' shard makes it, should it not be there; only then is it shown.
        const NetworkEntry entry = created->first;
        ShardOf(entry.id).Call<std::pair<NetworkView, bool>>(
            [this, entry, made = created->second](NetworksState& state, absl::Time now, Batch* batch) {
              state.Add(entry.id);
              std::shared_ptr<NetworkMetrics> metrics = MetricsOf(entry.name);
              state.Measure(entry.id, metrics);
              directory_.Put(entry, std::move(metrics));
              return state.On(entry.id, now, batch,
                              [&](Network& network, Changes*) -> absl::StatusOr<std::pair<NetworkView, bool>> {
                                return std::pair(ViewOfNetwork(entry, network), made);
                              });
            },
            std::move(reply));
      });
}

void Service::SetWarmPool(std::string_view network, WarmPool warm, Reply<NetworkView> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  OnCatalogue<NetworkEntry>(
      [id = entry->id, warm](Catalogue& catalogue, CatalogueChanges* changes) {
        return catalogue.SetWarmPool(id, warm, changes);
      },
      [this, name = entry->name, reply = std::move(reply)](absl::StatusOr<NetworkEntry> set) mutable {
        if (!set.ok()) return reply(set.status());
        directory_.Put(*set, MetricsOf(name));
        GetNetwork(name, std::move(reply));
      });
}

void Service::DeleteNetwork(std::string_view network, Reply<Done> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  auto close = [entry](NetworksState& state, absl::Time now, Batch* batch) -> absl::StatusOr<Done> {
    auto count = [](Network& one, Changes*) -> absl::StatusOr<uint64_t> {
      return one.CountOf(AddressState::kAssigned) + one.CountOf(AddressState::kPreserved);
    };
    absl::StatusOr<uint64_t> held = state.On(entry->id, now, batch, count);
    if (!held.ok()) return held.status();
    if (*held > 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "NETWORK_IN_USE",
                   absl::StrCat("network ", entry->name, " holds ", *held, " addresses that are assigned or preserved"))
          .Number("holders", static_cast<int64_t>(*held))
          .Hint("release its instances, and delete what is preserved, first");
    }
    GNOMON_RETURN_IF_ERROR(state.SetClosed(entry->id, true));
    return Done();
  };
  ShardOf(entry->id).Call<Done>(std::move(close), [this, entry, reply = std::move(reply)](absl::StatusOr<Done> closed) mutable {
    if (!closed.ok()) return reply(closed.status());
    auto begin = [entry](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
      GNOMON_RETURN_IF_ERROR(catalogue.BeginDelete(entry->id, changes));
      return Done();
    };
    OnCatalogue<Done>(begin, [this, entry, reply = std::move(reply)](absl::StatusOr<Done> begun) mutable {
      if (begun.ok()) return EraseNetwork(*entry, std::move(reply));
      // It is not known whether the deletion has begun. Open again, it can be asked for once more.
      ShardOf(entry->id).Call<Done>(
          [entry](NetworksState& state, absl::Time, Batch*) -> absl::StatusOr<Done> {
            (void)state.SetClosed(entry->id, false);
            return Done();
          },
          [reply = std::move(reply), begun](absl::StatusOr<Done>) mutable { reply(begun.status()); });
    });
  });
}

void Service::EraseNetwork(NetworkEntry entry, Reply<Done> reply) {
  const NetworkId id = entry.id;
  ShardOf(id).Call<bool>(
      [id](NetworksState& state, absl::Time, Batch* batch) { return state.EraseStep(id, batch); },
      [this, entry = std::move(entry), reply = std::move(reply)](absl::StatusOr<bool> more) mutable {
        if (!more.ok()) return reply(more.status());
        if (*more) return EraseNetwork(std::move(entry), std::move(reply));
        auto finish = [id = entry.id](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
          catalogue.FinishDelete(id, changes);
          return Done();
        };
        directory_.EraseNetwork(entry.name);
        if (options_.metrics != nullptr) options_.metrics->EraseNetwork(entry.name);
        OnCatalogue<Done>(finish, std::move(reply));
      });
}

void Service::GetNetwork(std::string_view network, Reply<NetworkView> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  OnNetwork<NetworkView>(
      network, [entry](Network& one, absl::Time, Changes*) { return ViewOfNetwork(*entry, one); }, std::move(reply));
}

std::vector<NetworkEntry> Service::ListNetworks() const { return directory_.networks(); }

std::shared_ptr<const NetworkEntry> Service::FindNetwork(std::string_view network) const {
  return directory_.FindNetwork(network);
}

void Service::SetHost(std::string name, Ip physical_address, Reply<HostEntry> reply) {
  OnCatalogue<HostEntry>(
      [=](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<HostEntry> {
        GNOMON_RETURN_IF_ERROR(catalogue.SetHost(name, physical_address, changes));
        return *catalogue.FindHost(name);
      },
      [this, reply = std::move(reply)](absl::StatusOr<HostEntry> set) mutable {
        if (set.ok()) directory_.Put(*set);
        reply(std::move(set));
      });
}

void Service::DeleteHost(std::string name, Reply<Done> reply) {
  OnCatalogue<Done>(
      [name](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
        if (catalogue.FindHost(name) == nullptr) {
          return Error(absl::StatusCode::kNotFound, "HOST_NOT_FOUND", absl::StrCat("no host ", name)).Field("host").Value(name);
        }
        catalogue.EraseHost(name, changes);
        return Done();
      },
      [this, name, reply = std::move(reply)](absl::StatusOr<Done> erased) mutable {
        if (erased.ok()) directory_.EraseHost(name);
        reply(std::move(erased));
      });
}

std::vector<HostEntry> Service::ListHosts() const { return directory_.hosts(); }

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
      [pool = std::move(pool), change = std::move(change)](Network& one, absl::Time now,
                                                           Changes* changes) mutable -> absl::StatusOr<PoolView> {
        GNOMON_ASSIGN_OR_RETURN(const Pool* found, FindPool(one, pool));
        PoolConfig config = found->config();
        GNOMON_RETURN_IF_ERROR(change(&config));
        if (config != found->config()) GNOMON_RETURN_IF_ERROR(one.UpdatePool(now, config, changes));
        return ViewOfPool(one, *found);
      },
      std::move(reply));
}

void Service::DeletePool(std::string_view network, std::string pool, Reply<Done> reply) {
  OnNetwork<Done>(
      network,
      [pool = std::move(pool)](Network& one, absl::Time now, Changes* changes) -> absl::StatusOr<Done> {
        GNOMON_ASSIGN_OR_RETURN(const Pool* found, FindPool(one, pool));
        GNOMON_RETURN_IF_ERROR(one.RemovePool(now, found->config().id, changes));
        return Done();
      },
      std::move(reply));
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
  return absl::StrFormat("%016x-%d", store_->incarnation(), revision);
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
