// SPDX-License-Identifier: Apache-2.0
//
// A Directory is what every thread may know of the catalogue: the networks that take calls, and the hosts.
//
// It only ever shows what is durable. Threads: any. Cost: one lock and one lookup.
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
};

class Directory {
 public:
  void Put(const NetworkEntry& entry, std::shared_ptr<NetworkMetrics> metrics) {
    absl::MutexLock lock(&mutex_);
    networks_.insert_or_assign(entry.name, std::make_shared<const ListedNetwork>(ListedNetwork{entry, std::move(metrics)}));
  }
  void EraseNetwork(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    networks_.erase(name);
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
    return found == networks_.end() ? nullptr : found->second;
  }
  std::optional<Ip> PhysicalAddressOf(std::string_view host) const {
    absl::ReaderMutexLock lock(&mutex_);
    auto found = hosts_.find(host);
    return found == hosts_.end() ? std::nullopt : std::optional(found->second.physical_address);
  }
  std::vector<NetworkEntry> networks() const {
    absl::ReaderMutexLock lock(&mutex_);
    std::vector<NetworkEntry> all;
    for (const auto& [name, entry] : networks_) all.push_back(*entry);
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
  std::map<std::string, HostEntry, std::less<>> hosts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace gnomon
