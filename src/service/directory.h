// SPDX-License-Identifier: Apache-2.0
//
// A Directory is what every thread may know of the catalogue: the networks that take calls, and the hosts.
//
// It only ever shows what is durable, and a network only once its shard has it. Whoever follows the catalogue tells of its
// networks; the shards then show them. Threads: any. Cost: one lock and one lookup.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "ipam/catalogue.h"
#include "service/metrics.h"

namespace gnomon {

// A network as the directory lists it.
struct ListedNetwork : NetworkEntry {
  std::shared_ptr<NetworkMetrics> metrics = nullptr;  // nullptr: nothing is measured
  bool shown = false;                                 // its shard has, or had, it
};

class Directory {
 public:
  // As the catalogue has it now. It is shown if it was.
  void Put(const NetworkEntry& entry, std::shared_ptr<NetworkMetrics> metrics) {
    absl::MutexLock lock(&mutex_);
    auto known = names_.find(entry.id);
    const bool shown = known != names_.end() && networks_.at(known->second)->shown;
    names_[entry.id] = entry.name;
    networks_[entry.name] = std::make_shared<const ListedNetwork>(ListedNetwork{entry, std::move(metrics), shown});
  }
  // Returns its name, should it be known.
  std::optional<std::string> EraseNetwork(NetworkId id) {
    absl::MutexLock lock(&mutex_);
    auto known = names_.find(id);
    if (known == names_.end()) return std::nullopt;
    std::string name = std::move(known->second);
    names_.erase(known);
    networks_.erase(name);
    return name;
  }
  void Show(NetworkId id) {
    absl::MutexLock lock(&mutex_);
    auto known = names_.find(id);
    if (known == names_.end()) return;
    std::shared_ptr<const ListedNetwork>& network = networks_.at(known->second);
    network = std::make_shared<const ListedNetwork>(ListedNetwork{*network, network->metrics, true});
  }
  void Put(const HostEntry& entry) {
    absl::MutexLock lock(&mutex_);
    hosts_.insert_or_assign(entry.name, entry);
  }
  void EraseHost(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    hosts_.erase(name);
  }

  // nullptr: there is none.
  std::shared_ptr<const ListedNetwork> FindNetwork(std::string_view name) const {
    absl::ReaderMutexLock lock(&mutex_);
    auto found = networks_.find(name);
    return found == networks_.end() || !found->second->shown ? nullptr : found->second;
  }
  // Shown or not; nullptr: there is none, or it is being deleted.
  std::shared_ptr<const ListedNetwork> FindLive(NetworkId id) const {
    absl::ReaderMutexLock lock(&mutex_);
    auto known = names_.find(id);
    if (known == names_.end() || networks_.at(known->second)->deleting) return nullptr;
    return networks_.at(known->second);
  }
  std::optional<Ip> PhysicalAddressOf(std::string_view host) const {
    absl::ReaderMutexLock lock(&mutex_);
    auto found = hosts_.find(host);
    return found == hosts_.end() ? std::nullopt : std::optional(found->second.physical_address);
  }
  std::vector<NetworkEntry> networks() const {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<NetworkEntry> all;
    for (const auto& [name, entry] : networks_) {
      if (entry->shown) all.push_back(*entry);
    }
    return all;
  }
  // Shown or not.
  std::vector<NetworkId> known() const {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<NetworkId> all;
    for (const auto& [id, name] : names_) all.push_back(id);
    return all;
  }
  std::vector<HostEntry> hosts() const {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<HostEntry> all;
    for (const auto& [name, entry] : hosts_) all.push_back(entry);
    return all;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const ListedNetwork>, std::less<>> networks_ ABSL_GUARDED_BY(mutex_);
  std::map<NetworkId, std::string> names_ ABSL_GUARDED_BY(mutex_);  // of all in networks_
  std::map<std::string, HostEntry, std::less<>> hosts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
