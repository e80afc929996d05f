// SPDX-License-Identifier: Apache-2.0
//
// Networks and hosts, and the directory of them.
//
// A deletion closes the network in its shard, marks it in the catalogue as being deleted, erases its keys step by step, and
// takes it out of the catalogue. Between any two of these it can be cut short, and can be taken up again.
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/text.h"
#include "ipam/refusals.h"
#include "service/service.h"

namespace gnomon {
namespace {

NetworkView ViewOfNetwork(const NetworkEntry& entry, const Network& network) {
  NetworkView view{.entry = entry, .revision = network.revision()};
  for (size_t state = 0; state < view.counts.size(); ++state) {
    view.counts[state] = network.CountOf(static_cast<AddressState>(state));
  }
  return view;
}

// Whether a step that must be done may be tried again.
bool MayRetry(const absl::Status& status) { return CodeOf(status) != "SHUTTING_DOWN"; }

// How long one step of an erasure may keep its shard.
constexpr absl::Duration kEraseTurn = absl::Milliseconds(10);

}  // namespace

CatalogueState::Followers Service::Followers() {
  return {.loaded = [this](const Catalogue& catalogue) { FollowLoad(catalogue); },
          .changed = [this](const CatalogueChange& change) { FollowChange(change); }};
}

void Service::FollowLoad(const Catalogue& catalogue) {
  for (NetworkId id : directory_.known()) {
    if (!catalogue.networks().contains(id)) FollowChange(ErasedNetwork{id});
  }
  for (const HostEntry& host : directory_.hosts()) {
    if (catalogue.FindHost(host.name) == nullptr) FollowChange(ErasedHost{host.name});
  }
  for (const auto& [name, host] : catalogue.hosts()) FollowChange(host);
  for (const auto& [id, entry] : catalogue.networks()) {
    FollowChange(entry);
    std::shared_ptr<const ListedNetwork> live = directory_.FindLive(id);
    if (serving_ && live != nullptr && !live->shown) ShowNetwork(id);
  }
}

void Service::FollowChange(const CatalogueChange& change) {
  if (const auto* network = std::get_if<NetworkEntry>(&change)) directory_.Put(*network, MetricsOf(network->name));
  if (const auto* host = std::get_if<HostEntry>(&change)) directory_.Put(*host);
  if (const auto* host = std::get_if<ErasedHost>(&change)) directory_.EraseHost(host->name);
  if (const auto* network = std::get_if<ErasedNetwork>(&change)) {
    std::optional<std::string> name = directory_.EraseNetwork(network->id);
    if (name && options_.metrics != nullptr) options_.metrics->EraseNetwork(*name);
  }
}

// Of a network whose creation was stored but never answered.
void Service::ShowNetwork(NetworkId id) {
  ShardOf(id).Call<Done>(
      [this, id](NetworksState& state, absl::Time, Batch*) -> absl::StatusOr<Done> {
        Show(id, &state);
        return Done();
      },
      [this, id](absl::StatusOr<Done> shown) {
        if (!shown.ok() && MayRetry(shown.status())) ShowNetwork(id);
      },
      Stage::kLater);
}

// On the shard's thread. While the directory says that a network is live, its shard has not forgotten it: it forgets one only
// after the catalogue has called it deleted.
void Service::Show(NetworkId id, NetworksState* state) {
  std::shared_ptr<const ListedNetwork> entry = directory_.FindLive(id);
  if (entry == nullptr) return;
  state->Add(id);
  state->Measure(id, entry->metrics);
  directory_.Show(id);
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
              Show(entry.id, &state);
              return state.On(entry.id, now, batch,
                              [&](Network& network, Changes*) -> absl::StatusOr<std::pair<NetworkView, bool>> {
                                return std::pair(ViewOfNetwork(entry, network), made);
                              });
            },
            std::move(reply), Stage::kLater);
      });
}

void Service::UpdateWarmPool(std::string_view network, absl::AnyInvocable<absl::Status(WarmPool*)> change,
                             Reply<NetworkView> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  OnCatalogue<NetworkEntry>(
      [entry, change = std::move(change)](Catalogue& catalogue,
                                          CatalogueChanges* changes) mutable -> absl::StatusOr<NetworkEntry> {
        auto found = catalogue.networks().find(entry->id);
        if (found == catalogue.networks().end()) return NetworkNotFound(entry->name);
        WarmPool warm = found->second.warm;
        GNOMON_RETURN_IF_ERROR(change(&warm));
        return catalogue.SetWarmPool(entry->id, std::move(warm), changes);
      },
      [this, name = entry->name, reply = std::move(reply)](absl::StatusOr<NetworkEntry> set) mutable {
        if (!set.ok()) return reply(set.status());
        GetNetwork(name, std::move(reply));
      });
}

// A deletion of which it is not known whether the catalogue has begun it.
struct Service::Deletion {
  NetworkId id;
  std::shared_ptr<Closing> closing;
  absl::Status failure;  // of the beginning
  Reply<Done> reply;     // nullptr: it has been answered
  Reply<Done> TakeReply() {
    Reply<Done> taken = std::move(reply);
    reply = nullptr;
    return taken != nullptr ? std::move(taken) : Reply<Done>([](absl::StatusOr<Done>) {});
  }
};

void Service::DeleteNetwork(std::string_view network, Reply<Done> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  if (entry->deleting) return EraseNetwork(entry->id, "", std::move(reply));
  auto closing = std::make_shared<Closing>();
  auto close = [entry, closing](NetworksState& state, absl::Time, Batch* batch) -> absl::StatusOr<Done> {
    absl::StatusOr<uint64_t> held = state.HeldIn(entry->id);
    if (!held.ok()) return held.status();
    if (*held > 0) {
      return Error(absl::StatusCode::kFailedPrecondition, "NETWORK_IN_USE",
                   absl::StrCat("network ", entry->name, " holds ",
                                Counted(*held, "address that is", "addresses that are"), " assigned or preserved"))
          .Field("network")
          .Value(entry->name)
          .Number("holders", static_cast<int64_t>(*held))
          .Hint("release its instances, and delete what is preserved, first");
    }
    GNOMON_RETURN_IF_ERROR(state.Close(entry->id, closing, batch));
    return Done();
  };
  auto begin = [id = entry->id](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
    GNOMON_RETURN_IF_ERROR(catalogue.BeginDelete(id, changes));
    return Done();
  };
  ShardOf(entry->id).Call<Done>(
      std::move(close),
      [this, begin, id = entry->id, closing, reply = std::move(reply)](absl::StatusOr<Done> closed) mutable {
        if (!closed.ok()) return reply(closed.status());  // should its batch have failed, loading takes the closing back
        OnCatalogue<Done>(
            begin,
            [this, id, closing, reply = std::move(reply)](absl::StatusOr<Done> begun) mutable {
              if (begun.ok()) return EraseNetwork(id, "", std::move(reply));
              ResolveDeletion(std::make_shared<Deletion>(Deletion{id, closing, begun.status(), std::move(reply)}));
            },
            Stage::kLater);
      });
}

// The catalogue knows: by the time it answers, it has loaded what is stored. A network that it calls live is opened again;
// opening one whose deletion has begun would lose what it then acknowledges.
void Service::ResolveDeletion(std::shared_ptr<Deletion> deletion) {
  auto is_live = [id = deletion->id](Catalogue& catalogue, CatalogueChanges*) -> absl::StatusOr<bool> {
    auto found = catalogue.networks().find(id);
    return found != catalogue.networks().end() && !found->second.deleting;
  };
  OnCatalogue<bool>(
      is_live,
      [this, deletion](absl::StatusOr<bool> live) {
        if (live.ok() && *live) return ReopenNetwork(deletion);
        if (live.ok()) return EraseNetwork(deletion->id, "", deletion->TakeReply());
        deletion->TakeReply()(deletion->failure);
        if (MayRetry(live.status())) ResolveDeletion(deletion);
      },
      Stage::kLater);
}

void Service::ReopenNetwork(std::shared_ptr<Deletion> deletion) {
  ShardOf(deletion->id)
      .Call<Done>(
          [deletion](NetworksState& state, absl::Time, Batch*) -> absl::StatusOr<Done> {
            state.Reopen(deletion->id, deletion->closing);
            return Done();
          },
          [this, deletion](absl::StatusOr<Done> reopened) {
            deletion->TakeReply()(deletion->failure);
            if (!reopened.ok() && MayRetry(reopened.status())) ReopenNetwork(deletion);
          },
          Stage::kLater);
}

std::function<bool()> Service::TurnOfErasing() const {
  return [this, end = clock_->Monotonic() + kEraseTurn] { return clock_->Monotonic() < end; };
}

void Service::EraseNetwork(NetworkId id, std::string from, Reply<Done> reply) {
  auto step = [this, id, from = std::move(from)](NetworksState& state, absl::Time, Batch* batch) {
    return state.EraseStep(id, from, TurnOfErasing(), batch);
  };
  ShardOf(id).Call<std::optional<std::string>>(
      std::move(step),
      [this, id, reply = std::move(reply)](absl::StatusOr<std::optional<std::string>> next) mutable {
        if (!next.ok()) return reply(next.status());
        if (*next) return EraseNetwork(id, **std::move(next), std::move(reply));
        auto finish = [id](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
          catalogue.FinishDelete(id, changes);
          return Done();
        };
        OnCatalogue<Done>(finish, std::move(reply), Stage::kLater);
      },
      Stage::kLater);
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
      std::move(reply));
}

void Service::DeleteHost(std::string name, Reply<Done> reply) {
  OnCatalogue<Done>(
      [name](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<Done> {
        if (catalogue.FindHost(name) == nullptr) {
          return HostNotFound(name);
        }
        catalogue.EraseHost(name, changes);
        return Done();
      },
      std::move(reply));
}

std::vector<HostEntry> Service::ListHosts() const { return directory_.hosts(); }

}  // namespace gnomon
