// SPDX-License-Identifier: Apache-2.0
//
// A Service is all that Gnomon can be asked for: the use cases, on the catalogue and on the networks of all shards.
//
// Every call is asynchronous and answers once what it saw is durable (service/shard.h). Names of networks are resolved here.
//
// Example:
//   service->CreateInstance({.network = "prod", .request = {.instance = "vm-1", .type = "web"}},
//                           [](absl::StatusOr<InstanceView> instance) { ... });
//
// Threads: call from any. A reply runs exactly once: on the store's thread, a shard's, or inside the call when it is refused at
//   once. It must be short, and must not wait for this service.
// Ownership: the store and the clock outlive the service; every call is answered before it is gone.
// Errors: those of Network, Catalogue and Shard; NETWORK_NOT_FOUND, INSTANCE_NOT_FOUND, HOST_NOT_FOUND, ACCOUNT_DIFFERS,
//   NETWORK_IN_USE, FOREIGN_REVISION (OUT_OF_RANGE: of another incarnation of the store).
// Limits: kMaxPage; those of the core.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "ipam/catalogue.h"
#include "ipam/network.h"
#include "ipam/refusals.h"
#include "service/catalogue_state.h"
#include "service/directory.h"
#include "service/event_log.h"
#include "service/metrics.h"
#include "service/networks_state.h"
#include "service/shard.h"
#include "store/store.h"

namespace gnomon {

template <typename T>
using Reply = absl::AnyInvocable<void(absl::StatusOr<T>)>;

// An answer that says nothing but that it is done.
struct Done {};

struct ServiceOptions {
  size_t shards = 1;  // of networks; a network belongs to its id modulo this
  ShardOptions shard;
  Metrics* metrics = nullptr;  // outlives the service; nullptr: nothing is measured
};

// What a network is asked: everything that names a network by itself.
struct NetworkView {
  NetworkEntry entry = {};
  uint64_t revision = 0;
  std::array<uint64_t, 6> counts{};  // records by AddressState; of kFree always 0
};

// A pool with how full it is.
struct PoolView {
  PoolConfig config = {};
  Pool::Counts counts{};
  uint64_t shadows = 0;
  uint64_t revision = 0;  // the network's
};

// A record with what its pool and its host say of it.
struct RecordView {
  OwnedRecord record = {};
  std::string pool = {};                    // the pool's name
  int pool_length = 0;                 // the pool's prefix length, which an instance configures
  std::optional<Ip> gateway = {};
  std::optional<Ip> physical_address = {};  // nullopt: the host is unknown, or none
  std::string_view exclusion = {};          // of a free address that is never given: why, as Pool::ExclusionOf
};

struct InstanceView {
  std::vector<RecordView> addresses = {};  // IPv4 first; not empty
  bool created = false;               // by this call
  bool hit = false;
  uint64_t revision = 0;              // the network's
};

struct CreateInstanceCall {
  std::string network = {};
  std::string account = {};  // empty, or the network's
  CreateRequest request = {};
};

struct Prediction {
  std::string type = {};
  Place scope = {};
  uint32_t count = 0;
  absl::Duration horizon = {};
  bool additive = false;
  Resources resources = {};
};

struct PredictCall {
  std::string network = {};
  std::string source = {};
  std::string id = {};
  std::vector<Prediction> predictions = {};
};

// Of one prediction: FillResult summed over its steps.
struct PredictionView {
  std::string type = {};
  Place scope = {};
  FillResult fill = {};
};

// What of a network's records to list, in address order. Empty members match all. POOL_NOT_FOUND for a pool that is not
// there; types, zones and hosts are there by being used, and unknown ones give an empty list.
struct ListCall {
  std::string network = {};
  uint8_t states = 0xff;   // bits by AddressState
  bool instances = false;  // each instance once, by its first address
  std::string pool = {}, type = {}, zone = {}, host = {};
  Ip from = {};                 // the page token
  size_t page_size = 100;
};

struct RecordPage {
  // A record each, or with ListCall::instances all of an instance's.
  std::vector<std::vector<RecordView>> groups = {};
  std::optional<Ip> next = {};  // nullopt: the last page
  uint64_t revision = 0;
};

struct WatchView {
  std::shared_ptr<EventLog> log = {};
  uint64_t revision = 0;  // where to begin
};

struct PredictionRun;

class Service {
 public:
  static constexpr size_t kMaxPage = 1000;
  static constexpr size_t kMaxPredictionsACall = 100;
  static constexpr size_t kMaxNotesACall = Batch::kMaxKeys;
  static constexpr size_t kMaxNoteBytes = size_t{512} << 10;

  // Loads everything, and goes on with what was being deleted. DATA_LOSS if what is stored is damaged.
  static absl::StatusOr<std::unique_ptr<Service>> Start(Store* store, const Clock* clock, ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Answers when the catalogue and every shard have answered: they take calls, and the store takes commits.
  void Ping(Reply<Done> reply);

  // Whether core time is behind the wall clock, which had moved by more than CoreTime::kMaxJump at the start. Nothing expires
  // then, until an operator confirms that the wall clock is right.
  bool expiry_paused() const { return expiry_paused_; }
  void ResumeExpiry(Reply<Done> reply);

  // Networks.
  void CreateNetwork(std::string name, std::string account, std::optional<uint32_t> vni, WarmPool warm,
                     Reply<std::pair<NetworkView, bool>> reply);  // true: made by this call
  // `change` is given the present warm pool when its turn comes, so that of two changes at once none is lost.
  void UpdateWarmPool(std::string_view network, absl::AnyInvocable<absl::Status(WarmPool*)> change,
                      Reply<NetworkView> reply);
  // A deletion that failed on its way goes on when it is asked for again, and at the next start.
  void DeleteNetwork(std::string_view network, Reply<Done> reply);
  void GetNetwork(std::string_view network, Reply<NetworkView> reply);
  std::vector<NetworkEntry> ListNetworks() const;  // by name
  // Without asking its shard; nullptr: there is none.
  std::shared_ptr<const NetworkEntry> FindNetwork(std::string_view network) const;

  // Hosts.
  void SetHost(std::string name, Ip physical_address, Reply<HostEntry> reply);
  void DeleteHost(std::string name, Reply<Done> reply);
  std::vector<HostEntry> ListHosts() const;  // by name

  // Pools. `change` is given the present config. A pool that drains gives its shadows back before the reply.
  void CreatePool(std::string_view network, PoolConfig config, Reply<PoolView> reply);
  void UpdatePool(std::string_view network, std::string pool, absl::AnyInvocable<absl::Status(PoolConfig*)> change,
                  Reply<PoolView> reply);
  // Step by step: it drains from the first on, and one that failed on its way goes on when it is asked for again.
  void DeletePool(std::string_view network, std::string pool, Reply<Done> reply);
  void ListPools(std::string_view network, Reply<std::vector<PoolView>> reply);

  // Instances.
  void CreateInstance(CreateInstanceCall call, Reply<InstanceView> reply);
  void CreateInstances(std::string_view network, std::vector<CreateInstanceCall> calls,
                       Reply<std::vector<InstanceView>> reply);
  void GetInstance(std::string_view network, std::string instance, Reply<InstanceView> reply);
  void UpdateInstance(std::string_view network, UpdateRequest request, Reply<InstanceView> reply);
  void ReleaseInstance(std::string_view network, ReleaseRequest request, Reply<std::vector<RecordView>> reply);
  void ReassignInstance(std::string_view network, std::string instance, Ip address, Reply<InstanceView> reply);
  // Of each of these types; 0 for one that is not known.
  void CountInstances(std::string_view network, std::vector<std::string> types, Reply<std::vector<uint32_t>> reply);

  // Addresses.
  void List(ListCall call, Reply<RecordPage> reply);
  void GetAddress(std::string_view network, Ip address, Reply<RecordView> reply);  // of state kFree if nothing holds it
  void EndPreserve(std::string_view network, Ip address, Reply<Done> reply);

  // Predictions.
  void PredictInstances(PredictCall call, Reply<std::vector<PredictionView>> reply);
  void PeekShadow(std::string_view network, std::string type, Place place, Reply<std::optional<RecordView>> reply);

  // Notes: what a caller keeps beside a network, numbered bytes that mean nothing here. They go with the network, and stand
  // in its backups. At most kMaxNotesACall of them are stored or erased at once, of kMaxNoteBytes in all: all or none.
  void WriteNotes(NetworkId network, std::vector<NoteChange> changes, Reply<Done> reply);
  // Durable ones from the number `from` on, in order: about kMaxNoteBytes of them, none only when there are none.
  // DATA_LOSS (STORE_CORRUPT) if one of them is damaged.
  void ReadNotes(NetworkId network, uint64_t from, Reply<std::vector<Note>> reply);

  // Changes after `revision`; nullopt: from now on.
  void Watch(std::string_view network, std::optional<uint64_t> revision, Reply<WatchView> reply);

  // Revisions as they go over the wire: opaque, and of this incarnation of the store alone.
  std::string RevisionText(uint64_t revision) const;
  absl::StatusOr<uint64_t> ParseRevision(std::string_view text) const;

  // What is known of pools and hosts when records are shown outside of a call, as in a watch.
  RecordView ViewOf(const AddressRecord& record, const PoolConfig* pool) const;

  // Runs after each creation that is durable, on the store's thread: who refills a warm pool. Set before the first call.
  struct Creation {
    const NetworkEntry& network;  // as it was at the call
    const std::string& type;
    bool hit = false;
  };
  void OnCreation(absl::AnyInvocable<void(const Creation&) const> observer) { on_creation_ = std::move(observer); }

 private:
  using NetworkShard = Shard<NetworksState>;

  Service(Store* store, const Clock* clock, ServiceOptions options);

  static absl::StatusOr<const Pool*> FindPool(const Network& network, std::string_view name);
  // Runs `command`, `(Network&, absl::Time, Changes*) -> StatusOr<T>`, on the network of that name.
  template <typename T, typename Command>
  void OnNetwork(std::string_view network, Command command, Reply<T> reply, Stage stage = Stage::kFirst);
  template <typename T, typename Command>
  void OnCatalogue(Command command, Reply<T> reply, Stage stage = Stage::kFirst);

  NetworkShard& ShardOf(NetworkId id) { return *shards_[static_cast<uint64_t>(id) % shards_.size()]; }
  absl::Status StartShards();
  void OnAllShards(std::function<void(NetworksState&)> each, Reply<Done> reply, Stage stage);
  // The directory follows the catalogue; see CatalogueState::Followers.
  CatalogueState::Followers Followers();
  void FollowLoad(const Catalogue& catalogue);
  void FollowChange(const CatalogueChange& change);
  void ShowNetwork(NetworkId id);
  void Show(NetworkId id, NetworksState* state);
  std::shared_ptr<NetworkMetrics> MetricsOf(const std::string& network) const;
  ShardOptions OptionsOf(const std::string& shard) const;
  // Tells of what a call to create has come to; `start` is from StartOfCreation.
  absl::Duration StartOfCreation() const;
  void CreationEnded(const ListedNetwork& network, absl::Duration start, const absl::Status& status,
                     absl::Span<const InstanceView> views) const;
  void DrainPool(std::string network, PoolConfig config, Ip from, Reply<PoolView> reply);
  // Lets it drain, gives its shadows back, erases its keys, and removes it; again, if it has got others meanwhile.
  void BeginDeletePool(std::string network, std::string pool, Reply<Done> reply, Stage stage);
  void EraseFree(std::string network, PoolConfig config, std::string from, Reply<Done> reply);
  void RemovePool(std::string network, PoolConfig config, Reply<Done> reply);
  struct Deletion;
  void ResolveDeletion(std::shared_ptr<Deletion> deletion);
  void ReopenNetwork(std::shared_ptr<Deletion> deletion);
  void EraseNetwork(NetworkId id, std::string from, Reply<Done> reply);  // step by step, then from the catalogue
  std::function<bool()> TurnOfErasing() const;  // whether a step that began with this call may keep its shard longer
  void FillPredictions(std::shared_ptr<PredictionRun> run);
  InstanceView ViewOf(const Network& network, const Assignment& assignment) const;
  RecordView ViewIn(const Network& network, const AddressRecord& record) const;

  Store* const store_;
  const Clock* const clock_;
  const ServiceOptions options_;
  CoreTime time_;
  std::atomic<bool> expiry_paused_{false};
  std::atomic<bool> serving_{false};  // all shards are there
  Directory directory_;
  absl::AnyInvocable<void(const Creation&) const> on_creation_;
  std::unique_ptr<Shard<CatalogueState>> catalogue_;
  std::vector<std::unique_ptr<NetworkShard>> shards_;
};

template <typename T, typename Command>
void Service::OnNetwork(std::string_view network, Command command, Reply<T> reply, Stage stage) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  ShardOf(entry->id).template Call<T>(
      [id = entry->id, command = std::move(command)](NetworksState& state, absl::Time now, Batch* batch) mutable {
        return state.On(id, now, batch, [&](Network& one, Changes* changes) -> absl::StatusOr<T> {
          return command(one, now, changes);
        });
      },
      std::move(reply), stage);
}

template <typename T, typename Command>
void Service::OnCatalogue(Command command, Reply<T> reply, Stage stage) {
  catalogue_->Call<T>(
      [command = std::move(command)](CatalogueState& state, absl::Time now, Batch* batch) mutable {
        return state.On(now, batch, [&](Catalogue& catalogue, CatalogueChanges* changes) -> absl::StatusOr<T> {
          return command(catalogue, changes);
        });
      },
      std::move(reply), stage);
}

}  // namespace gnomon
