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

absl::Status CheckWarmPool(const WarmPool& warm) {
  if (!(warm.hit_rate >= Catalogue::kMinHitRate && warm.hit_rate <= Catalogue::kMaxHitRate)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_WARM_POOL",
                 absl::StrCat("a target hit rate of ", warm.hit_rate, " cannot be planned for"))
        .Field("target_hit_rate")
        .Value(absl::StrCat(warm.hit_rate))
        .Hint(absl::StrCat("use a number from ", Catalogue::kMinHitRate, " to ", Catalogue::kMaxHitRate));
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
