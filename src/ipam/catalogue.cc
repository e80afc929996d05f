// SPDX-License-Identifier: Apache-2.0
#include "ipam/catalogue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/check.h"
#include "base/error.h"
#include "ipam/refusals.h"

namespace gnomon {
namespace {

Error InvalidSettings(const std::string& field, const std::string& value, const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_WARM_POOL", message).Field(field).Value(value);
}

// `prefix`: of the fields' names.
absl::Status CheckAim(const std::string& prefix, std::optional<double> hit_rate, const std::optional<Costs>& costs) {
  if (costs && !(costs->miss > 0 && costs->idle > 0)) {
    return InvalidSettings(prefix + "miss_cost", absl::StrCat(costs->miss), "a cost is not above zero")
        .Hint("give what a miss and an idle shadow cost, both above 0");
  }
  const double rate = costs ? costs->hit_rate() : hit_rate.value_or(Catalogue::kMinHitRate);
  if (rate >= Catalogue::kMinHitRate && rate <= Catalogue::kMaxHitRate) return absl::OkStatus();
  const std::string range = absl::StrCat(Catalogue::kMinHitRate, " to ", Catalogue::kMaxHitRate);
  return InvalidSettings(prefix + (costs ? "miss_cost" : "target_hit_rate"), absl::StrCat(costs ? costs->miss : rate),
                         absl::StrCat("a target hit rate of ", rate, " cannot be planned for"))
      .Hint(costs ? absl::StrCat("miss_cost / (miss_cost + idle_cost) is the hit rate, and is to be from ", range)
                  : absl::StrCat("use a number from ", range));
}

absl::Status CheckBounds(const std::string& prefix, const PlanSettings& settings) {
  if (settings.min_shadows > Catalogue::kMaxWarmTarget) {
    return InvalidSettings(prefix + "min_shadows", absl::StrCat(settings.min_shadows), "the floor is too high")
        .Hint(absl::StrCat("use at most ", Catalogue::kMaxWarmTarget));
  }
  if (settings.min_shadows <= settings.max_shadows && settings.max_shadows <= Network::kMaxPredicted) return absl::OkStatus();
  return InvalidSettings(prefix + "max_shadows", absl::StrCat(settings.max_shadows),
                         absl::StrCat("max_shadows is not from min_shadows, ", settings.min_shadows, ", to ",
                                      Network::kMaxPredicted));
}

absl::Status CheckWarmPool(const WarmPool& warm) {
  GNOMON_RETURN_IF_ERROR(CheckAim("", warm.hit_rate, warm.costs));
  GNOMON_RETURN_IF_ERROR(CheckBounds("", {.min_shadows = warm.min_shadows, .max_shadows = warm.max_shadows}));
  if (warm.types.size() > Catalogue::kMaxWarmTypes) {
    return InvalidSettings("types", absl::StrCat(warm.types.size()), "too many types have settings of their own")
        .Hint(absl::StrCat("name at most ", Catalogue::kMaxWarmTypes));
  }
  for (const auto& [type, settings] : warm.types) {
    const std::string prefix = absl::StrCat("types.", type, ".");
    GNOMON_RETURN_IF_ERROR(CheckAim(prefix, settings.hit_rate, settings.costs));
    GNOMON_RETURN_IF_ERROR(CheckBounds(prefix, warm.SettingsOf(type)));
  }
  uint32_t most = warm.target;
  for (const auto& [type, target] : warm.by_type) most = std::max(most, target);
  if (most <= Catalogue::kMaxWarmTarget && warm.by_type.size() <= Catalogue::kMaxWarmTypes) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_WARM_POOL", "the warm pool is too large")
      .Field("warm_target")
      .Value(absl::StrCat(most))
      .Hint(absl::StrCat("use at most ", Catalogue::kMaxWarmTarget, " a type and name at most ",
                         Catalogue::kMaxWarmTypes, " types"));
}

}  // namespace

PlanSettings WarmPool::SettingsOf(const std::string& type) const {
  PlanSettings settings{.mode = mode,
                        .hit_rate = costs ? costs->hit_rate() : hit_rate,
                        .min_shadows = min_shadows,
                        .max_shadows = max_shadows};
  const auto own = types.find(type);
  if (own == types.end()) return settings;
  const TypeSettings& set = own->second;
  settings.mode = set.mode.value_or(settings.mode);
  settings.hit_rate = set.costs ? set.costs->hit_rate() : set.hit_rate.value_or(settings.hit_rate);
  settings.min_shadows = set.min_shadows.value_or(settings.min_shadows);
  settings.max_shadows = set.max_shadows.value_or(settings.max_shadows);
  return settings;
}

PredictionMode WarmPool::mode_of_any() const {
  PredictionMode most = mode;
  for (const auto& [type, settings] : types) most = std::max(most, settings.mode.value_or(mode));
  return most;
}

absl::StatusOr<NetworkEntry> Catalogue::Create(std::string_view name, std::string_view account,
                                               std::optional<uint32_t> vni, WarmPool warm, CatalogueChanges* changes) {
  GNOMON_RETURN_IF_ERROR(CheckWarmPool(warm));
  if (vni && (*vni == 0 || *vni > kMaxVni)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_VNI", absl::StrCat("VNI ", *vni, " is out of range"))
        .Field("vni")
        .Value(absl::StrCat(*vni))
        .Hint(absl::StrCat("use a number from 1 to ", kMaxVni, ", or none for the lowest that is free"));
  }
  if (const NetworkEntry* existing = Find(name)) {
    if (!existing->deleting && existing->account == account && vni.value_or(existing->vni) == existing->vni) {
      return *existing;
    }
    return Error(absl::StatusCode::kAlreadyExists, "NETWORK_EXISTS",
                 absl::StrCat("network ", AbslView(name), " exists with VNI ", existing->vni, " for account ",
                              existing->account, existing->deleting ? ", and is being deleted" : ""))
        .Field("name")
        .Value(name);
  }
  if (networks_.size() >= kMaxNetworks) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_NETWORKS",
                 absl::StrCat("there are ", networks_.size(), " networks, the most that there can be"));
  }
  if (vni && vnis_.contains(*vni)) {
    return Error(absl::StatusCode::kAlreadyExists, "VNI_IN_USE", absl::StrCat("VNI ", *vni, " is another network's"))
        .Field("vni")
        .Value(absl::StrCat(*vni))
        .Hint("leave it out to get the lowest that is free");
  }
  if (!vni) {
    while (vnis_.contains(lowest_free_vni_)) ++lowest_free_vni_;
    // kMaxNetworks is far below kMaxVni, so there is always one.
    GNOMON_CHECK(lowest_free_vni_ <= kMaxVni);
    vni = lowest_free_vni_;
  }
  last_id_ = NetworkId{static_cast<uint64_t>(last_id_) + 1};
  NetworkEntry entry{.id = last_id_, .name = std::string(name), .account = std::string(account), .vni = *vni,
                     .warm = std::move(warm)};
  changes->push_back(entry);
  Add(entry);
  return entry;
}

absl::StatusOr<NetworkEntry> Catalogue::SetWarmPool(NetworkId id, WarmPool warm, CatalogueChanges* changes) {
  GNOMON_RETURN_IF_ERROR(CheckWarmPool(warm));
  auto found = networks_.find(id);
  if (found == networks_.end() || found->second.deleting) return NetworkNotFound();
  if (found->second.warm != warm) {
    found->second.warm = std::move(warm);
    changes->push_back(found->second);
  }
  return found->second;
}

absl::Status Catalogue::BeginDelete(NetworkId id, CatalogueChanges* changes) {
  auto found = networks_.find(id);
  if (found == networks_.end()) return NetworkNotFound();
  if (found->second.deleting) return absl::OkStatus();
  found->second.deleting = true;
  changes->push_back(found->second);
  return absl::OkStatus();
}

void Catalogue::FinishDelete(NetworkId id, CatalogueChanges* changes) {
  auto found = networks_.find(id);
  if (found == networks_.end()) return;
  GNOMON_CHECK(found->second.deleting);
  vnis_.erase(found->second.vni);
  lowest_free_vni_ = std::min(lowest_free_vni_, found->second.vni);
  by_name_.erase(found->second.name);
  networks_.erase(found);
  changes->push_back(ErasedNetwork{id});
}

absl::Status Catalogue::SetHost(std::string_view name, Ip physical_address, CatalogueChanges* changes) {
  auto found = hosts_.find(name);
  if (found == hosts_.end() && hosts_.size() >= kMaxHosts) {
    return Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_HOSTS",
                 absl::StrCat("there are ", hosts_.size(), " hosts, the most that there can be"));
  }
  if (found != hosts_.end() && found->second.physical_address == physical_address) return absl::OkStatus();
  HostEntry entry{.name = std::string(name), .physical_address = physical_address};
  changes->push_back(entry);
  Load(std::move(entry));
  return absl::OkStatus();
}

void Catalogue::EraseHost(std::string_view name, CatalogueChanges* changes) {
  auto found = hosts_.find(name);
  if (found == hosts_.end()) return;
  changes->push_back(ErasedHost{found->first});
  hosts_.erase(found);
}

const NetworkEntry* Catalogue::Find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &networks_.at(found->second);
}

const HostEntry* Catalogue::FindHost(std::string_view name) const {
  auto found = hosts_.find(name);
  return found == hosts_.end() ? nullptr : &found->second;
}

absl::Status Catalogue::Load(NetworkEntry entry) {
  if (networks_.contains(entry.id) || by_name_.contains(entry.name) || vnis_.contains(entry.vni)) {
    return Error(absl::StatusCode::kDataLoss, "STORE_CONTRADICTS",
                 absl::StrCat("network ", entry.name, " has the id, name or VNI of another"))
        .Hint("restore the last backup; the store's check lists what is damaged");
  }
  Add(std::move(entry));
  return absl::OkStatus();
}

void Catalogue::Load(HostEntry entry) {
  std::string name = entry.name;
  hosts_.insert_or_assign(std::move(name), std::move(entry));
}

void Catalogue::LoadLastId(NetworkId last_id) { last_id_ = std::max(last_id_, last_id); }

void Catalogue::Add(NetworkEntry entry) {
  last_id_ = std::max(last_id_, entry.id);
  by_name_.emplace(entry.name, entry.id);
  vnis_.insert(entry.vni);
  const NetworkId id = entry.id;
  networks_.emplace(id, std::move(entry));
}

}  // namespace gnomon
