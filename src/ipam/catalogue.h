// SPDX-License-Identifier: Apache-2.0
//
// The Catalogue is the state machine of what all networks share: their names and VNIs, and the hosts.
//
// A command appends what it changed to `changes`; a refused command changes nothing. Network ids are never used again:
// the last one is stored with the catalogue.
//
// Threads: not thread-safe; the catalogue's shard owns it.
// Limits: kMaxNetworks, kMaxHosts, kMaxWarmTypes a network (with targets, and with settings), kMaxWarmTarget shadows a type,
// kMinHitRate to kMaxHitRate. VNIs are 1 to kMaxVni (RFC 7348: 24 bits; 0 is not used).
// Errors: NETWORK_EXISTS, NETWORK_NOT_FOUND, INVALID_VNI, INVALID_WARM_POOL, VNI_IN_USE, TOO_MANY_NETWORKS,
// TOO_MANY_HOSTS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ipam/network.h"
#include "net/ip.h"

namespace gnomon {

// Whether the engine plans a network's shadows, and reserves what it plans. Stored by number: add to the end.
enum class PredictionMode : uint8_t { kOff, kObserve, kReserve };

// What a miss and an idle shadow cost, in one unit. The hit rate is then where one more shadow costs what it saves: the
// critical ratio of the newsvendor problem, miss / (miss + idle).
struct Costs {
  double miss = 0, idle = 0;
  double hit_rate() const { return miss / (miss + idle); }
  friend bool operator==(const Costs&, const Costs&) = default;
};

// How the engine plans one type; what is not set is as for the network.
struct TypeSettings {
  std::optional<PredictionMode> mode = {};
  std::optional<double> hit_rate = {};  // of this and the costs one at most
  std::optional<Costs> costs = {};
  std::optional<uint32_t> min_shadows = {}, max_shadows = {};
  friend bool operator==(const TypeSettings&, const TypeSettings&) = default;
};

// What holds for a type in the end.
struct PlanSettings {
  PredictionMode mode = PredictionMode::kOff;
  double hit_rate = 0;
  uint32_t min_shadows = 0, max_shadows = 0;
};

// Which shadows a network keeps: of each type at least so many, refilled as they are taken, and what the engine
// predicts.
struct WarmPool {
  uint32_t target = 0;
  std::map<std::string, uint32_t> by_type = {};  // instead of `target`
  PredictionMode mode = PredictionMode::kOff;
  double hit_rate = 0.99;  // the share of creations that the engine should have a shadow for
  std::optional<Costs> costs = {};  // instead of hit_rate
  uint32_t min_shadows = 0, max_shadows = Network::kMaxPredicted;  // of each type's plan
  std::map<std::string, TypeSettings> types = {};

  PlanSettings SettingsOf(const std::string& type) const;
  // The most that it does for any type.
  PredictionMode mode_of_any() const;
  friend bool operator==(const WarmPool&, const WarmPool&) = default;
};

struct NetworkEntry {
  NetworkId id{};
  std::string name = {};
  std::string account = {};
  uint32_t vni = 0;
  WarmPool warm = {};
  bool deleting = false;  // its keys are being erased; it takes no commands, and its name and VNI stay taken
  friend bool operator==(const NetworkEntry&, const NetworkEntry&) = default;
};

struct HostEntry {
  std::string name = {};
  Ip physical_address = {};
  friend bool operator==(const HostEntry&, const HostEntry&) = default;
};

struct ErasedNetwork {
  NetworkId id{};
};
struct ErasedHost {
  std::string name;
};

using CatalogueChange = std::variant<NetworkEntry, ErasedNetwork, HostEntry, ErasedHost>;
using CatalogueChanges = std::vector<CatalogueChange>;

class Catalogue {
 public:
  static constexpr uint32_t kMaxVni = 16777215;
  static constexpr size_t kMaxNetworks = 100000;
  static constexpr size_t kMaxHosts = 100000;
  static constexpr size_t kMaxWarmTypes = 1000;
  static constexpr uint32_t kMaxWarmTarget = 100000;
  static constexpr double kMinHitRate = 0.5, kMaxHitRate = 0.999;

  // Without a VNI the network gets the lowest that is free. A network of the same name, account and VNI (if one is asked
  // for) is returned as it is, whatever its warm pool: asking twice is asking once.
  absl::StatusOr<NetworkEntry> Create(std::string_view name, std::string_view account, std::optional<uint32_t> vni,
                                      WarmPool warm, CatalogueChanges* changes);
  absl::StatusOr<NetworkEntry> SetWarmPool(NetworkId id, WarmPool warm, CatalogueChanges* changes);
  // The caller has made sure that no instance is left. Then the network's keys go, then FinishDelete.
  absl::Status BeginDelete(NetworkId id, CatalogueChanges* changes);
  void FinishDelete(NetworkId id, CatalogueChanges* changes);

  // Sets the physical address of a host; the same one again changes nothing.
  absl::Status SetHost(std::string_view name, Ip physical_address, CatalogueChanges* changes);
  void EraseHost(std::string_view name, CatalogueChanges* changes);

  const NetworkEntry* Find(std::string_view name) const;  // nullptr: there is none
  const HostEntry* FindHost(std::string_view name) const;
  const std::map<NetworkId, NetworkEntry>& networks() const { return networks_; }
  const std::map<std::string, HostEntry, std::less<>>& hosts() const { return hosts_; }
  NetworkId last_id() const { return last_id_; }

  // Loading into a new catalogue, in any order. DATA_LOSS STORE_CONTRADICTS if names, ids or VNIs clash.
  absl::Status Load(NetworkEntry entry);
  void Load(HostEntry entry);
  void LoadLastId(NetworkId last_id);

 private:
  void Add(NetworkEntry entry);

  std::map<NetworkId, NetworkEntry> networks_;
  std::map<std::string, NetworkId, std::less<>> by_name_;
  std::set<uint32_t> vnis_;
  uint32_t lowest_free_vni_ = 1;  // no VNI below it is free
  std::map<std::string, HostEntry, std::less<>> hosts_;
  NetworkId last_id_{0};
};

}  // namespace gnomon
