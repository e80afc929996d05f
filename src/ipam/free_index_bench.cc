// SPDX-License-Identifier: Apache-2.0
//
// How long it takes to choose, take and free an address, by the size of the pool and how full it is.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "ipam/free_index.h"

namespace gnomon {
namespace {

// All offsets have been used and were freed in random order; then `percent` of them were taken again.
void BM_ProposeTakeFree(benchmark::State& state, Strategy strategy) {
  const uint32_t size = 1u << state.range(0);
  const uint32_t held_count = std::max<uint32_t>(1, static_cast<uint32_t>(uint64_t{size} * state.range(1) / 100));
  std::mt19937_64 random(1);
  std::vector<uint32_t> held(size);
  FreeIndex index(size);
  for (uint32_t i = 0; i < size; ++i) {
    held[i] = i;
    index.Take(i);
  }
  std::shuffle(held.begin(), held.end(), random);
  while (held.size() > held_count) {
    index.Free(held.back());
    held.pop_back();
  }
  index.SetOrdered(strategy == Strategy::kLongestIdle);
  // What is held is in random order and stays so: walking through it frees random offsets, without the cost of a cache
  // miss that would be the benchmark's own.
  uint32_t at = 0;
  uint64_t draw = random();
  for (auto _ : state) {
    draw = draw * 6364136223846793005 + 1442695040888963407;  // Knuth's MMIX generator: cheap
    uint32_t& victim = held[at];
    at = at + 1 == held_count ? 0 : at + 1;
    uint32_t offset = *index.Propose(strategy, draw >> 20);
    index.Take(offset);
    index.Free(victim);
    victim = offset;
  }
  state.counters["bytes_per_offset"] = static_cast<double>(index.MemoryBytes()) / size;
  state.SetItemsProcessed(state.iterations() * 3);
}

void BM_ProposeTakeFresh(benchmark::State& state) {
  const uint32_t size = 1u << state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    FreeIndex index(size);
    state.ResumeTiming();
    for (uint32_t i = 0; i < size; ++i) index.Take(*index.Propose(Strategy::kLongestIdle, 0));
  }
  state.SetItemsProcessed(state.iterations() * size);
}

void BM_Create(benchmark::State& state) {
  for (auto _ : state) {
    FreeIndex index(1u << state.range(0));
    benchmark::DoNotOptimize(index.free_count());
  }
}

// Every second offset is taken, so there is no run of two but the last.
void BM_FindFreeRunWorst(benchmark::State& state) {
  const uint32_t size = 1u << state.range(0);
  FreeIndex index(size);
  for (uint32_t i = 0; i < size - 2; i += 2) index.Take(i);
  for (auto _ : state) benchmark::DoNotOptimize(index.FindFreeRun(1));
}

const std::vector<std::vector<int64_t>> kSizesAndFills = {{8, 12, 16, 20, 24}, {1, 50, 99}};

BENCHMARK_CAPTURE(BM_ProposeTakeFree, longest_idle, Strategy::kLongestIdle)->ArgsProduct(kSizesAndFills);
BENCHMARK_CAPTURE(BM_ProposeTakeFree, lowest_first, Strategy::kLowestFirst)->ArgsProduct(kSizesAndFills);
BENCHMARK_CAPTURE(BM_ProposeTakeFree, random, Strategy::kRandom)->ArgsProduct(kSizesAndFills);
BENCHMARK(BM_ProposeTakeFresh)->Arg(8)->Arg(16)->Arg(24);
BENCHMARK(BM_Create)->DenseRange(8, 24, 4)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FindFreeRunWorst)->DenseRange(8, 24, 4)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gnomon

BENCHMARK_MAIN();
