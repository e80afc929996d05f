// SPDX-License-Identifier: Apache-2.0
//
// A Network is the state machine of one isolated address space: its pools, records, shadows and predictions.
//
// A command takes the time and appends what it changed to `changes`; the caller makes those durable before it answers. A
// refused command changes nothing. Each change has a revision of its own: the n changes of a command that leaves the network
// at revision r have r - n + 1 to r. The same commands at the same times give the same changes and answers.
//
// Example:
//   Network network(NetworkId{7});
//   Changes changes;
//   network.AddPool(PoolConfig{.name = "a", .prefix = prefix}, &changes);
//   network.Advance(now, &changes);
//   absl::StatusOr<Assignment> got = network.Create(now, CreateRequest{.instance = "vm-1", .type = "web"}, &changes);
//
// Threads: not thread-safe; its shard owns it.
// Ownership: the records that a command or a read gives, and those in `changes`, view the network's memory: they stand until
// the next command.
// Time: core time, which never goes back. Advance comes before the commands of a time, until nothing is due.
// Limits: kMaxPools, kMaxBatch, kMaxFill, kMaxEnded. A command changes at most 100 records, but for blocks that stand on
// shadows, and a step of Advance.
// Errors: Error with a stable code: INSTANCE_DIFFERS, GENERATION_DIFFERS, POOL_EXHAUSTED, ADDRESS_IN_USE, ...
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/absl_view.h"
#include "ipam/address_record.h"
#include "ipam/changes.h"
#include "ipam/deadline_queue.h"
#include "ipam/pool.h"
#include "ipam/record_table.h"
#include "ipam/shadow_table.h"

namespace gnomon {

enum class NetworkId : uint64_t {};

struct CreateRequest {
  std::string instance = {};
  std::string type = {};
  Place place = {};
  std::string labels = {};              // canonical, as AddressRecord::labels
  std::optional<Mac> mac = {};          // nullopt: one is made
  std::optional<Ip> address = {};       // nullopt: the pool's strategy chooses
  std::string pool = {};                // empty: any pool
  Families families = kNoFamilies; // kNoFamilies: every family that the network has pools of
  int block_length = 0;            // 0: single addresses; else a block of this prefix length, of one family
};

// The records of one instance, IPv4 first.
using Records = absl::InlinedVector<AddressRecord, 2>;

struct Assignment {
  Records addresses = {};  // IPv4 first
  bool created = false;                  // false: it was there already, with the same parameters
  bool hit = false;                      // all its addresses were shadows
  // A shadow with effects outside was preempted: answer when Withdrawn has been called for all of these addresses, or at
  // `answer_by`.
  std::vector<Ip> withdrawing = {};
  absl::Time answer_by = absl::InfinitePast();
};

struct ReleaseRequest {
  std::string instance = {};
  std::optional<absl::Duration> preserve = {};  // keep the addresses for the account for so long
  std::optional<uint64_t> generation = {};      // refuse if the assignment is another
};

struct UpdateRequest {
  std::string instance = {};
  std::optional<std::string> zone = {};
  std::optional<std::string> host = {};
  std::optional<std::string> labels = {};
  std::optional<uint64_t> generation = {};
};

struct PredictRequest {
  PredictionKey key = {};  // the scope names a host alone, or a zone alone, or neither
  std::string id = {};
  uint32_t count = 0;
  absl::Duration horizon = {};
  bool additive = false;
  Resources resources = {};
};

struct FillResult {
  uint32_t target = 0;    // shadows to hold by all live predictions of the key
  uint32_t held = 0;      // before
  uint32_t reserved = 0;  // now
  uint32_t reclaimed = 0;
  bool more = false;      // call again: a step is at most kMaxFill shadows
  std::string shortfall = {};  // why fewer are held than the target; empty if none
};

class Network {
 public:
  static constexpr size_t kMaxPools = 256;
  static constexpr size_t kMaxBatch = 100;  // addresses
  static constexpr size_t kMaxTextBytes = 255;  // of an id, type, zone or host; labels have kMaxLabelsBytes
  static constexpr size_t kMaxLabelsBytes = 4096;
  static constexpr size_t kMaxSources = 8;  // of predictions, a (type, scope)
  static constexpr absl::Duration kMinHorizon = absl::Seconds(1);
  static constexpr size_t kMaxEnded = 4096;  // records a step of Advance; a pair is two
  static constexpr uint32_t kMaxFill = 48;  // shadows a step; a pair is two records
  static constexpr size_t kReclaimLook = 65536;
  static constexpr uint32_t kMaxPredicted = 1u << 20;
  static constexpr size_t kMaxPredictions = 10000;
  static constexpr absl::Duration kMaxHorizon = absl::Hours(24 * 7);
  static constexpr absl::Duration kMaxPreserve = absl::Hours(24 * 365);
  static constexpr absl::Duration kMaxWithdrawWait = absl::Seconds(2);

  explicit Network(NetworkId id);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Pools. `config.id` is ignored by AddPool, which gives the next one. Errors: POOL_EXISTS, POOL_OVERLAPS, POOL_NOT_FOUND,
  // POOL_IN_USE (it holds more than shadows and what is withdrawing), TOO_MANY_POOLS, and those of Pool::Validate.
  absl::StatusOr<PoolId> AddPool(PoolConfig config, Changes* changes);
  // A pool that drains keeps its shadows until ReclaimStep takes them; no creation gets one of them.
  absl::Status UpdatePool(PoolConfig config, Changes* changes);
  // Gives back at most kMaxFill of the pool's shadows, in address order from `from` on, and looks at no more than kReclaimLook
  // addresses. Returns where to go on; nullopt at the end, or if there is no such pool.
  std::optional<Ip> ReclaimStep(absl::Time now, PoolId id, Ip from, Changes* changes);
  // A pool that is to be removed drains from now on; its shadows are given back by ReclaimStep.
  absl::Status BeginRemovePool(PoolId id, Changes* changes);
  // True: the pool is gone. False: shadows, or many that are withdrawing, were left: begin again.
  absl::StatusOr<bool> RemovePool(absl::Time now, PoolId id, Changes* changes);
  const Pool* FindPool(std::string_view name) const;  // nullptr: there is none
  const Pool* FindPool(PoolId id) const { return PoolOf(id); }
  std::vector<const Pool*> pools() const;

  // What is not said matches anything: an id that is there is the same request if all that is said holds of it now.
  // MAC_IN_USE: another instance or shadow of the network has the MAC.
  // Gives an instance its addresses: a shadow (a hit) if one fits, else free ones, else preempted ones.
  absl::StatusOr<Assignment> Create(absl::Time now, const CreateRequest& request, Changes* changes);
  // All or nothing. Instances that are there with equal parameters count as done; an id twice is refused. No blocks.
  absl::StatusOr<std::vector<Assignment>> CreateBatch(absl::Time now, absl::Span<const CreateRequest> requests,
                                                      Changes* changes);
  // Quarantines or preserves the instance's addresses, and returns them; none if the instance is not there.
  absl::StatusOr<Records> Release(absl::Time now, const ReleaseRequest& request, Changes* changes);
  absl::StatusOr<Records> Update(const UpdateRequest& request, Changes* changes);
  // Puts a preserved or free address (or a shadow's) on a live instance, in place of its address of that family, which is
  // quarantined. A new generation begins.
  absl::StatusOr<Assignment> Reassign(absl::Time now, std::string_view instance, Ip address, Changes* changes);
  // Ends a preserve. FAILED_PRECONDITION NOT_PRESERVED otherwise.
  absl::Status EndPreserve(absl::Time now, Ip address, Changes* changes);

  // Whether a prediction is possible at all; Predict checks it too. INVALID_PREDICTION.
  static absl::Status Validate(const PredictRequest& request);
  // Registers a prediction; an id that the key has already changes nothing. Then call Fill until it has no more.
  absl::Status Predict(absl::Time now, const PredictRequest& request, Changes* changes);
  // One step towards the target of (type, scope): reserves what is missing, or gives back what is too much.
  FillResult Fill(absl::Time now, const std::string& type, const Place& scope, Changes* changes);

  // Warmers' reports about a shadow; NOT_FOUND if the address is none (any more).
  absl::Status SetWarmth(Ip address, Warmth warmth, Changes* changes);
  absl::Status ConflictDetected(absl::Time now, Ip address, Changes* changes);
  // The outside effects of a withdrawing address are undone. Nothing happens for any other address.
  void Withdrawn(absl::Time now, Ip address, Changes* changes);

  // One step of letting everything end whose time has come: predictions, and records in the order of their deadlines.
  // There is more to do while NextDeadline() is not after `now`; that goes before the commands of `now`. Steps change
  // nothing about what ends, and how.
  void Advance(absl::Time now, Changes* changes);
  // When Advance next has something to do; InfiniteFuture if never.
  absl::Time NextDeadline() const;

  // Reads.
  uint64_t revision() const { return revision_; }
  Records Find(std::string_view instance) const;  // empty: not there
  // The record of the address, or of the block around it; nullopt if it is free or of no pool.
  std::optional<AddressRecord> Describe(Ip address) const;
  // The shadow that a creation would take; nullopt if none fits.
  std::optional<AddressRecord> PeekShadow(const std::string& type, const Place& place) const;
  uint32_t InstancesOf(std::string_view type) const;
  size_t MemoryBytes() const;  // of records, indexes and pools
  uint64_t CountOf(AddressState state) const { return counts_[static_cast<size_t>(state)]; }
  uint64_t CountIn(PoolId pool, AddressState state) const;
  uint64_t ShadowsOf(PoolId pool) const { return CountIn(pool, AddressState::kShadow); }
  Families families() const { return families_; }  // that its pools give
  // Calls `visit` for each record that is not free, in address order, from `from` on, until it returns false or `budget`
  // addresses have been looked at. Returns where to go on; nullopt at the end.
  std::optional<Ip> Visit(Ip from, size_t budget, absl::FunctionRef<bool(const AddressRecord&)> visit) const;

  // Loading into a new Network: pools first, then records and predictions in any order, then FinishLoad once, with the
  // stored revision and the time of the last commit. DATA_LOSS if what was stored contradicts itself.
  absl::Status LoadPool(PoolConfig config);
  absl::Status LoadRecord(const AddressRecord& record);
  absl::Status LoadPrediction(PredictionRecord prediction);
  absl::Status FinishLoad(uint64_t revision, absl::Time last_commit);

 private:
  bool IsLive(const Deadline& deadline) const {
    return records_.Exists(deadline.slot) && At(deadline.slot).revision == deadline.revision;
  }
  static constexpr size_t kSpareInstances = 4096;  // room that the index keeps when it shrinks
  using GroupKey = std::pair<std::string, Place>;  // type, scope
  // The slots of an instance or a shadow: none, one, or a pair's two.
  class Slots {
   public:
    Slots() = default;
    Slots(Slot first, Slot second) : slots_{first, second}, size_(second == 0 ? 1 : 2) {}  // 0: it has no second
    void push_back(Slot slot) { slots_[size_++] = slot; }
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    Slot operator[](size_t i) const { return slots_[i]; }
    const Slot* begin() const { return slots_.data(); }
    const Slot* end() const { return slots_.data() + size_; }

   private:
    std::array<Slot, 2> slots_{};
    size_t size_ = 0;
  };
  using PoolList = absl::InlinedVector<Pool*, 4>;
  // An instance's id, hashed once a command.
  struct HashedId {
    explicit HashedId(std::string_view id) : text(id), hash(absl::Hash<absl::string_view>()(AbslView(id))) {}
    std::string_view text;
    size_t hash;
  };

  // network_create.cc
  absl::Status CheckRequest(const CreateRequest& request, Families* families) const;
  absl::StatusOr<Assignment> Existing(const CreateRequest& request, Slot slot) const;
  // The pools that one of a batch's requests is to take from; 0: any. Of IPv4 and of IPv6.
  struct Pins {
    PoolId ipv4 = 0, ipv6 = 0;
    PoolId Of(Family family) const { return family == Family::kIpv4 ? ipv4 : ipv6; }
  };
  // One of a batch's requests that is not there yet.
  struct Fresh {
    const CreateRequest* request;
    Families families;
    size_t index;  // in the batch
  };
  absl::StatusOr<std::vector<Pins>> PinBatch(absl::Span<const Fresh> wanted) const;
  absl::Status PinNamed(const Fresh& one, std::map<PoolId, uint64_t>* left) const;
  absl::StatusOr<PoolId> PinOne(const CreateRequest& request, Family family, std::map<PoolId, uint64_t>* left) const;
  std::map<PoolId, uint64_t> SinglesByPool() const;
  // Completes `assignment`, which is new.
  absl::Status CreateNew(absl::Time now, const CreateRequest& request, const HashedId& id, Families families,
                         const Pins& pins, Assignment* assignment, Changes* changes);
  Slot MatchingShadow(const CreateRequest& request, Families families, const Pins& pins) const;
  void TakeShadow(absl::Time now, const CreateRequest& request, const HashedId& id, Slot slot, Assignment* assignment,
                  Changes* changes);
  void IndexInstance(const HashedId& id, Slot first);  // with its MAC
  void CountInstance(Slot first, int more);             // by its type
  // An address, or a block from it on, that an instance is to get. Free: nothing is in its way.
  struct Choice {
    Ip address = {};
    int length = 0;
    Pool* pool = nullptr;
    bool free = false;
    Prefix prefix() const { return Prefix(address, length); }
  };
  absl::Status Choose(const CreateRequest& request, Family family, PoolId pin, Choice* choice);
  absl::StatusOr<Choice> ChooseVictim(const CreateRequest& request, Family family, PoolId pin);
  absl::StatusOr<Choice> ChooseBlock(const CreateRequest& request, Family family);
  absl::StatusOr<Choice> ChooseExplicit(Ip address, int length, std::string_view pool_name) const;
  static bool IsCandidate(const Pool& pool, const CreateRequest& request, Family family, PoolId pin);
  PoolList CandidatePools(const CreateRequest& request, Family family, PoolId pin) const;
  absl::Status Exhausted(const CreateRequest& request, Family family) const;
  bool IsPreemptible(Ip ip) const;
  using HeldSlots = absl::InlinedVector<Slot, 4>;
  HeldSlots HeldIn(const Prefix& prefix) const;
  void Preempt(absl::Time now, const Choice& choice, Assignment* assignment, Changes* changes);
  // Completes `wanted` and makes it the record of what was chosen.
  Slot Assign(absl::Time now, const Choice& choice, AddressRecord* wanted);
  // MACs are unique among instances and shadows. One that is made of its own address is so by itself; all others are kept in
  // other_macs_.
  uint64_t MacOf(Ip address) const;  // as Mac::bits
  uint64_t MakeMac(Ip address) const;
  bool HasOwnMac(Slot slot) const;
  bool MacIsHeld(Mac mac) const;
  void HoldMac(Slot slot);  // of an instance or shadow, by its first address
  void DropMac(Slot slot);
  Assignment Describe(const Slots& slots) const;

  // network_end.cc
  void Quarantine(absl::Time now, Slot slot, Changes* changes);
  void GiveBack(absl::Time now, Slot slot, Changes* changes);  // a shadow's record
  void Reclaim(absl::Time now, Slot slot, Changes* changes);   // a shadow, with its partner
  void SetFree(Slot slot);                                         // of what was an instance's
  void ReturnUnused(absl::Time now, Slot slot, Changes* changes);  // of what was a shadow's
  void Expire(absl::Time now, Slot slot, Changes* changes);
  void ExpirePredictions(absl::Time now, Changes* changes);

  // network_load.cc
  absl::Status IndexLoaded(Slot slot);

  // network_predict.cc
  std::pair<uint32_t, absl::Time> TargetOf(const GroupKey& key) const;  // shadows, and the latest deadline
  const PredictionRecord* ReasonOf(const GroupKey& key) const;
  void ConsumePredictions(Slot shadow);
  void PutConsumed(Changes* changes);  // each prediction once a command
  Pool* RoomyPool(Family family) const;
  bool ReserveOne(absl::Time now, const GroupKey& key, absl::Time until, Changes* changes);

  // network.cc
  Pool* PoolOf(PoolId id) const;
  Pool* PoolAt(Ip ip) const;
  absl::StatusOr<Pool*> RemovablePool(PoolId id) const;
  RecordTable::Entry& At(Slot slot) { return records_[slot]; }
  const RecordTable::Entry& At(Slot slot) const { return records_[slot]; }
  void KeepPool(PoolConfig config);
  void NoteFamilies();  // of the pools that do not drain
  void CountRecord(PoolId pool, AddressState state, int more);
  void RecountRecord(PoolId pool, AddressState before, AddressState after);
  Slot NewSlot(const AddressRecord& record);
  void DropSlot(Slot slot);
  void SetState(absl::Time now, Slot slot, AddressState state, absl::Time until);  // not to or from kShadow
  void EndShadow(absl::Time now, Slot slot, AddressState state, absl::Time until);
  void Put(Slot slot, Changes* changes);  // a new revision, and its deadline
  void CompactDeadlines();
  Slot SlotOf(Ip ip) const;
  Slots SlotsOf(std::string_view instance) const;
  Slots PairOf(Slot slot) const;  // the slot, and its partner's if it has one
  void Join(Slot a, Slot b);      // makes them partners
  void Part(Slot slot);           // ends a partnership
  void IndexShadow(Slot slot);
  Slot PrimaryOf(Slot slot) const;  // of a pair of shadows, the one that the shadow table knows
  void Detach(Slot slot);           // takes a shadow out of the table, with its partner
  uint64_t NextRandom() const;

  const NetworkId id_;
  uint64_t revision_ = 0;
  std::map<PoolId, std::unique_ptr<Pool>> pools_;
  std::map<Ip, Pool*> pools_by_base_;
  Families families_ = kNoFamilies;
  RecordTable records_;
  // Instances by their ids, which are hashed and compared where they stand: each is the record of its first address.
  struct IdHash {
    using is_transparent = void;
    const RecordTable* records;
    size_t operator()(const HashedId& id) const { return id.hash; }
    size_t operator()(Slot slot) const { return HashedId(records->InstanceOf(slot)).hash; }
  };
  struct IdEqual {
    using is_transparent = void;
    const RecordTable* records;
    bool operator()(Slot a, Slot b) const { return a == b; }
    bool operator()(Slot slot, const HashedId& id) const { return records->InstanceOf(slot) == id.text; }
    bool operator()(const HashedId& id, Slot slot) const { return (*this)(slot, id); }
  };
  absl::flat_hash_set<Slot, IdHash, IdEqual> instances_{0, IdHash{&records_}, IdEqual{&records_}};
  std::vector<uint32_t> instances_of_;  // by the number of a type's text
  ShadowTable shadows_{&records_};
  std::set<Slot> withdrawing_;
  absl::flat_hash_set<uint64_t> other_macs_;
  std::vector<const PredictionRecord*> consumed_;  // in predictions_; until PutConsumed
  // Finds without a copy of the texts.
  struct GroupLess {
    using is_transparent = void;
    using View = std::pair<std::string_view, PlaceView>;
    using Texts = std::tuple<std::string_view, std::string_view, std::string_view>;
    static Texts TextsOf(const GroupKey& key) { return {key.first, key.second.zone, key.second.host}; }
    static Texts TextsOf(const View& key) { return {key.first, key.second.zone, key.second.host}; }
    bool operator()(const auto& a, const auto& b) const { return TextsOf(a) < TextsOf(b); }
  };
  std::map<GroupKey, std::map<std::string, PredictionRecord>, GroupLess> predictions_;  // -> by source
  std::set<std::tuple<absl::Time, GroupKey, std::string>> prediction_ends_;
  DeadlineQueue deadlines_;
  using StateCounts = std::array<uint64_t, 6>;
  StateCounts counts_{};  // records by AddressState
  std::map<PoolId, StateCounts> counts_by_pool_;
  // Until FinishLoad.
  std::vector<OwnedRecord> loaded_free_;
  std::vector<std::pair<Slot, Ip>> loaded_partners_;
};

}  // namespace gnomon
