// SPDX-License-Identifier: Apache-2.0
// What a round of planning costs: 25 us and 20 kB a key are allowed.
#include <unistd.h>

#include <fstream>

#include "benchmark/benchmark.h"
#include "plan/planner.h"

namespace gnomon {
namespace {

constexpr size_t kLearntKeys = 10;  // from whose days the models are fitted

double ResidentBytes() {
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// A review of `state.range(0)` keys, each with some creations a minute, with all models fitted.
void BM_Review(benchmark::State& state) {
  const size_t keys = static_cast<size_t>(state.range(0));
  const PlannerOptions options;
  Planner planner(options);
  double now_s = 0;
  auto minute = [&](size_t of) {
    for (size_t key = 0; key < of; ++key) planner.Created(key, now_s, 1 + (key * 7 + static_cast<size_t>(now_s)) % 5);
    now_s += 60;
  };
  for (size_t key = 0; key < kLearntKeys; ++key) planner.AddKey();
  for (const double days_end_s = 4 * 86400 + 600; now_s < days_end_s;) {
    minute(kLearntKeys);
    planner.Review(now_s);
  }
  const double before = ResidentBytes();
  for (size_t key = kLearntKeys; key < keys; ++key) planner.AddKey();
  for (int i = 0; i < 10; ++i) {
    minute(keys);
    planner.Review(now_s);
  }
  if (keys > 1000) {
    state.counters["kB_a_key"] = (ResidentBytes() - before) / 1000 / static_cast<double>(keys - kLearntKeys);
  }
  for (auto _ : state) {
    state.PauseTiming();
    minute(keys);
    state.ResumeTiming();
    planner.Review(now_s);
    for (size_t key = 0; key < keys; ++key) benchmark::DoNotOptimize(planner.PlanFor(key, 0.99));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Review)->Arg(10)->Arg(10000)->Iterations(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gnomon
BENCHMARK_MAIN();
