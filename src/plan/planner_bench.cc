// SPDX-License-Identifier: Apache-2.0
// What a round of planning costs: the issue allows 25 us a key.
#include "benchmark/benchmark.h"
#include "plan/planner.h"

namespace gnomon {
namespace {

// A review of `state.range(0)` keys, each with some creations a minute, after a day and with three fitted models.
void BM_Review(benchmark::State& state) {
  const size_t keys = static_cast<size_t>(state.range(0));
  const PlannerOptions options;
  Planner planner(options);
  for (size_t key = 0; key < keys; ++key) planner.AddKey();
  double now_s = 0;
  auto minute = [&] {
    for (size_t key = 0; key < keys; ++key) planner.Created(key, now_s, 1 + (key * 7 + static_cast<size_t>(now_s)) % 5);
    now_s += 60;
  };
  for (const double days_end_s = 4 * 86400 + 600; now_s < days_end_s;) {
    minute();
    planner.Review(now_s);
    if (keys > 100 && now_s > 600) break;
  }
  for (auto _ : state) {
    state.PauseTiming();
    minute();
    state.ResumeTiming();
    planner.Review(now_s);
    for (size_t key = 0; key < keys; ++key) benchmark::DoNotOptimize(planner.PlanFor(key, 0.99));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Review)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gnomon
BENCHMARK_MAIN();
