// SPDX-License-Identifier: Apache-2.0
#include "service/metrics.h"

#include <algorithm>

#include "base/absl_view.h"
#include "ipam/address_record.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace gnomon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::string_view kOther = "other";
constexpr std::array<const char*, 2> kSources{"standard", "shadow"};  // index: hit

constexpr std::array<const char*, 2> kFamilies{"ipv4", "ipv6"};

// Of AddressState; the free ones are their pool's to count.
struct StateName {
  AddressState state;
  const char* name;
};
constexpr StateName kStates[] = {{AddressState::kShadow, "shadow"},
                                 {AddressState::kAssigned, "assigned"},
                                 {AddressState::kPreserved, "preserved"},
                                 {AddressState::kQuarantined, "quarantined"},
                                 {AddressState::kWithdrawing, "withdrawing"}};

// 50 µs to 6.5 s, each twice the one before.
std::vector<double> SecondsBounds() {
  std::vector<double> bounds;
  for (double bound = 50e-6; bound < 10; bound *= 2) bounds.push_back(bound);
  return bounds;
}

std::vector<double> SizeBounds() { return {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096}; }

MetricFamily MakeFamily(const char* name, MetricType type, const char* help) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void Add(Labels labels, double value, MetricFamily* family) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (family->type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
  family->metric.push_back(std::move(metric));
}

void Add(Labels labels, const Histogram::Snapshot& values, MetricFamily* family) {
  ClientMetric metric;
  metric.label = std::move(labels);
  uint64_t below = 0;
  for (size_t i = 0; i < values.bounds.size(); ++i) {
    below += values.counts[i];
    metric.histogram.bucket.push_back({below, values.bounds[i]});
  }
  metric.histogram.sample_count = below + values.counts.back();
  metric.histogram.sample_sum = values.sum;
  family->metric.push_back(std::move(metric));
}

// The families of what networks count.
struct NetworkFamilies {
  MetricFamily creations = MakeFamily("gnomon_creations_total", MetricType::Counter,
                                  "Instances that got addresses, by network, type, and whether a shadow was taken.");
  MetricFamily addresses =
      MakeFamily("gnomon_addresses", MetricType::Gauge, "Addresses that are not free, by network and state.");
  MetricFamily free = MakeFamily("gnomon_free_addresses", MetricType::Gauge,
                                 "Addresses of a network's pools that are free, by family.");
  MetricFamily expired = MakeFamily("gnomon_shadows_expired_total", MetricType::Counter,
                                "Shadows that nobody took before their deadline, by network.");
  MetricFamily idle = MakeFamily("gnomon_idle_shadow_seconds_total", MetricType::Counter,
                             "Shadows held, integrated over the server's time, by network.");

  void Take(const std::string& network, const NetworkMetrics::Snapshot& now) {
    for (const auto& [type, by_source] : now.creations) {
      for (size_t hit : {0, 1}) {
        Labels labels{{"network", network}, {"type", type}, {"source", kSources[hit]}};
        if (by_source[hit] > 0) Add(std::move(labels), static_cast<double>(by_source[hit]), &creations);
      }
    }
    for (const StateName& state : kStates) {
      Add({{"network", network}, {"state", state.name}},
          static_cast<double>(now.addresses[static_cast<size_t>(state.state)]), &addresses);
    }
    for (size_t family : {0, 1}) {
      Add({{"network", network}, {"family", kFamilies[family]}}, static_cast<double>(now.free[family]), &free);
    }
    Add({{"network", network}}, static_cast<double>(now.expired), &expired);
    Add({{"network", network}}, now.idle_seconds, &idle);
  }
};

}  // namespace

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::Read() const {
  Snapshot now{.bounds = bounds_, .counts = {}, .sum = sum_.load(std::memory_order_relaxed)};
  for (const std::atomic<uint64_t>& count : counts_) now.counts.push_back(count.load(std::memory_order_relaxed));
  return now;
}

void NetworkMetrics::CountCreation(std::string_view type, bool hit) {
  absl::MutexLock lock(&mutex_);
  auto found = creations_.find(AbslView(type));
  if (found == creations_.end()) {
    const std::string_view label = creations_.size() < kMaxTypes ? type : kOther;
    found = creations_.try_emplace(std::string(label)).first;
  }
  ++found->second[hit];
}

void NetworkMetrics::SetAddresses(const Counts& counts) {
  for (size_t i = 0; i < counts.size(); ++i) addresses_[i].store(counts[i], std::memory_order_relaxed);
  const uint64_t held = counts[static_cast<size_t>(AddressState::kShadow)];
  absl::MutexLock lock(&mutex_);
  if (held == held_) return;
  const absl::Duration now = clock_->Monotonic();
  idle_ += (now - held_since_) * static_cast<int64_t>(held_);
  held_ = held;
  held_since_ = now;
}

void NetworkMetrics::SetFree(const Free& free) {
  for (size_t i = 0; i < free.size(); ++i) free_[i].store(free[i], std::memory_order_relaxed);
}

NetworkMetrics::Snapshot NetworkMetrics::Read() const {
  Snapshot now{.expired = expired_.load(std::memory_order_relaxed)};
  for (size_t i = 0; i < now.addresses.size(); ++i) now.addresses[i] = addresses_[i].load(std::memory_order_relaxed);
  for (size_t i = 0; i < now.free.size(); ++i) now.free[i] = free_[i].load(std::memory_order_relaxed);
  absl::MutexLock lock(&mutex_);
  now.creations.insert(creations_.begin(), creations_.end());
  now.idle_seconds =
      absl::ToDoubleSeconds(idle_ + (clock_->Monotonic() - held_since_) * static_cast<int64_t>(held_));
  return now;
}

Metrics::Metrics(const Clock* clock, std::string version)
    : clock_(clock), version_(std::move(version)), creation_seconds_{Histogram(SecondsBounds()), Histogram(SecondsBounds())},
      batch_size_(SizeBounds()), commit_seconds_(SecondsBounds()) {}

Metrics::~Metrics() = default;

std::shared_ptr<NetworkMetrics> Metrics::OfNetwork(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<NetworkMetrics>& metrics = networks_[name];
  if (metrics == nullptr) metrics = std::make_shared<NetworkMetrics>(clock_);
  return metrics;
}

void Metrics::EraseNetwork(const std::string& name) {
  absl::MutexLock lock(&mutex_);
  networks_.erase(name);
}

ShardMetrics* Metrics::OfShard(const std::string& shard) {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<ShardMetrics>& metrics = shards_[shard];
  if (metrics == nullptr) metrics = std::make_unique<ShardMetrics>(&batch_size_, &commit_seconds_, clock_);
  return metrics.get();
}

void Metrics::ObserveCreation(absl::Duration start, bool hit) {
  creation_seconds_[hit].Observe(absl::ToDoubleSeconds(clock_->Real(clock_->Monotonic() - start)));
}

void Metrics::CountCreationFailure(const std::string& code) {
  absl::MutexLock lock(&mutex_);
  ++failures_[code.empty() ? "UNKNOWN" : code];
}

void Metrics::CountRequest(std::string_view route, int code) {
  absl::MutexLock lock(&requests_mutex_);
  auto& routes = requests_[code];
  auto found = routes.find(route);
  if (found == routes.end()) {
    const bool room = request_series_ < kMaxRoutes;
    found = routes.try_emplace(std::string(room ? route : kOther)).first;
    if (room) ++request_series_;
  }
  ++found->second;
}

std::string Metrics::Text() const {
  std::vector<MetricFamily> all;
  NetworkFamilies networks;
  MetricFamily depth = MakeFamily("gnomon_queue_depth", MetricType::Gauge, "Calls that are not answered yet, by shard.");
  MetricFamily failures =
      MakeFamily("gnomon_creation_failures_total", MetricType::Counter, "Calls to create that failed, by the error's code.");
  MetricFamily requests =
      MakeFamily("gnomon_http_requests_total", MetricType::Counter, "Answers of the API, by route and HTTP status.");
  std::map<std::string, std::shared_ptr<NetworkMetrics>> each;
  {
    absl::MutexLock lock(&mutex_);
    each = networks_;
    for (const auto& [shard, metrics] : shards_) Add({{"shard", shard}}, static_cast<double>(metrics->depth()), &depth);
    for (const auto& [code, count] : failures_) Add({{"code", code}}, static_cast<double>(count), &failures);
  }
  for (const auto& [name, metrics] : each) networks.Take(name, metrics->Read());
  {
    absl::MutexLock lock(&requests_mutex_);
    for (const auto& [code, routes] : requests_) {
      for (const auto& [route, count] : routes) {
        Add({{"route", route}, {"code", std::to_string(code)}}, static_cast<double>(count), &requests);
      }
    }
  }
  MetricFamily durations = MakeFamily("gnomon_creation_duration_seconds", MetricType::Histogram,
                                  "From the call of a creation to its durable answer, by whether a shadow was taken.");
  for (size_t hit : {0, 1}) Add({{"source", kSources[hit]}}, creation_seconds_[hit].Read(), &durations);
  MetricFamily sizes = MakeFamily("gnomon_batch_size", MetricType::Histogram, "Calls that one commit answers.");
  Add({}, batch_size_.Read(), &sizes);
  MetricFamily commits =
      MakeFamily("gnomon_commit_duration_seconds", MetricType::Histogram, "From handing a commit to the store until it is durable.");
  Add({}, commit_seconds_.Read(), &commits);
  MetricFamily build = MakeFamily("gnomon_build_info", MetricType::Gauge, "Always 1; the labels say what runs.");
  Add({{"version", version_}}, 1, &build);
  for (MetricFamily* family : {&networks.creations, &durations, &failures, &networks.addresses, &networks.free, &networks.expired,
                               &networks.idle, &depth, &sizes, &commits, &requests, &build}) {
    if (!family->metric.empty()) all.push_back(std::move(*family));
  }
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace gnomon
