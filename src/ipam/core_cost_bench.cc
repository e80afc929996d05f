// SPDX-License-Identifier: Apache-2.0
//
// What the core costs at 10^4 to 10^7 live addresses: a whole allocate, take and release against one find and one insert of
// an absl::flat_hash_map with the same 36-byte keys at the same size in the same run, and bytes an address.
//
// usage: core_cost_bench [MOST_ADDRESSES]
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ipam/network.h"

namespace gnomon {
namespace {

double Now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string Id(uint64_t number) {  // as a UUID: random, 36 bytes
  uint64_t a = number * 0x9e3779b97f4a7c15ull, b = (number ^ a) * 0xbf58476d1ce4e5b9ull;
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012lx", unsigned(a >> 32), unsigned(a >> 16 & 0xffff),
                unsigned(a & 0xffff), unsigned(b >> 48), static_cast<unsigned long>(b & 0xffffffffffff));
  return text;
}

struct Bed {
  Bed() {
    PoolConfig config;
    config.name = "a";
    config.prefix = Prefix::Parse("10.0.0.0/8").value();
    config.headroom = 0;
    config.quarantine = absl::Seconds(1);
    network.AddPool(config, &changes).value();
  }
  void Create(const std::string& id) {
    request.instance = id;
    changes.clear();
    if (!network.Create(now, request, &changes).ok()) std::abort();
  }
  void Release(const std::string& id) {
    changes.clear();
    if (!network.Release(now, {.instance = id}, &changes).ok()) std::abort();
  }
  // So long that all quarantines are over.
  void Pass() {
    now += absl::Seconds(2);
    do {
      changes.clear();
      network.Advance(now, &changes);
    } while (network.NextDeadline() <= now);
    // What the last step ended is readable until the next command, and takes room until then.
    changes.clear();
    network.Advance(now, &changes);
  }

  Network network{NetworkId{1}};
  Changes changes;
  absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  CreateRequest request{.instance = "", .type = "web"};
};

void Measure(size_t live) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto bed = std::make_unique<Bed>();
  const size_t before = HeapBytes();  // the pool's never-used addresses have been paid for
  for (size_t i = 0; i < live; ++i) bed->Create(Id(i));
  const double bytes = static_cast<double>(HeapBytes() - before) / static_cast<double>(live);

  const size_t count = std::clamp<size_t>(live / 10, 1000, 100000);
  std::vector<std::string> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(Id(live + i));

  // Round after round of each, interleaved, and the best of each: what else the machine does only adds.
  double map_ns = 1e18, allocate_ns = 1e18, take_ns = 1e18, release_ns = 1e18;
  absl::flat_hash_map<std::string, uint64_t> map;
  for (size_t i = 0; i < live; ++i) map.emplace(Id(i), i);
  const int rounds = static_cast<int>(std::clamp<size_t>(500000 / count, 5, 200));
  for (int round = 0; round < rounds; ++round) {
    double start = Now();
    size_t found = 0;
    for (const std::string& id : ids) {
      found += map.count(id);
      map.emplace(id, found);
    }
    map_ns = std::min(map_ns, (Now() - start) / static_cast<double>(count));
    for (const std::string& id : ids) map.erase(id);

    start = Now();
    for (const std::string& id : ids) bed->Create(id);
    allocate_ns = std::min(allocate_ns, (Now() - start) / static_cast<double>(count));
    start = Now();
    for (const std::string& id : ids) bed->Release(id);
    release_ns = std::min(release_ns, (Now() - start) / static_cast<double>(count));
    bed->Pass();

    PredictRequest predict{.key = {"bench", "web", {}}, .id = std::to_string(round),
                           .count = static_cast<uint32_t>(count), .horizon = absl::Hours(1)};
    if (!bed->network.Predict(bed->now, predict, &bed->changes).ok()) std::abort();
    do bed->changes.clear();
    while (bed->network.Fill(bed->now, "web", {}, &bed->changes).more);
    start = Now();
    for (const std::string& id : ids) bed->Create(id);
    take_ns = std::min(take_ns, (Now() - start) / static_cast<double>(count));
    for (const std::string& id : ids) bed->Release(id);
    bed->Pass();
  }
  map = {};
  ids = std::vector<std::string>();

  for (size_t i = 0; i < live; ++i) bed->Release(Id(i));
  bed->Pass();
  bed->changes = Changes();
  if (bed->network.CountOf(AddressState::kQuarantined) + bed->network.CountOf(AddressState::kAssigned) > 0) std::abort();
  // The longest idle comes first, and those never used before all: each round has used new ones, twice.
  const size_t used = live + 2 * count * static_cast<size_t>(rounds);
  const double free_bytes = static_cast<double>(HeapBytes() - before) / static_cast<double>(used);
  std::printf("%10zu %8.0f %9.0f %6.2f %7.0f %6.2f %8.0f %11.1f %11.1f\n", live, map_ns, allocate_ns,
              allocate_ns / map_ns, take_ns, take_ns / map_ns, release_ns, bytes, free_bytes);
}

}  // namespace
}  // namespace gnomon

int main(int argc, char** argv) {
  const size_t most = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const size_t before = gnomon::HeapBytes();
  const double start = gnomon::Now();
  auto empty = std::make_unique<gnomon::Bed>();
  std::printf("a /8 pool is created in %.2f ms and takes %.3f bytes an address that was never used\n", (gnomon::Now() - start) / 1e6,
              static_cast<double>(gnomon::HeapBytes() - before) / (1 << 24));
  empty = nullptr;
  std::printf("%10s %8s %9s %6s %7s %6s %8s %11s %11s\n", "live", "map ns", "allocate", "ratio", "take", "ratio", "release",
              "B assigned", "B used,free");
  for (size_t live = 10'000; live <= most; live *= 10) gnomon::Measure(live);
  return 0;
}
