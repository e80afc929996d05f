#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far from its level the coverage of an ideal forecast strays by chance, on the worst of some days.

Usage: ideal_coverage.py TYPES DAYS, as: ideal_coverage.py 6 9

The ideal forecast knows the distribution that it forecasts. TYPES independent series draw each step of five minutes from
one exponential distribution; every five minutes the sums of the next 1, 3 and 6 steps are forecast by their true
quantiles, as `gnomon backtest` judges them: overlapping. Prints, for each horizon and level, the coverage's distance on
the worst of DAYS days, in the median and in 95 % of RUNS runs from one seed, and the share of runs within the promise of
`gnomon backtest`. Real series depend on each other and on what came before, which makes days differ more.
"""
import bisect
import functools
import random
import sys

RUNS = 200
STEPS_OF_DAY = 288
PROMISES = {0.5: 5, 0.9: 3, 0.95: 2, 0.99: 1}  # points


def TrueQuantiles(draw, length):
    sums = sorted(sum(draw() for _ in range(length)) for _ in range(300_000))
    return [sums[int(level * len(sums))] for level in PROMISES]


def DayCoverage(draw, length, quantiles, types):
    """The share of one day's sums that are at most each quantile."""
    places = [0] * (len(quantiles) + 1)
    for _ in range(types):
        steps = [draw() for _ in range(STEPS_OF_DAY + length - 1)]
        total = sum(steps[:length])
        for end in range(length, len(steps) + 1):
            places[bisect.bisect_left(quantiles, total)] += 1
            if end < len(steps):
                total += steps[end] - steps[end - length]
    outcomes = types * STEPS_OF_DAY
    return [sum(places[: level + 1]) / outcomes for level in range(len(quantiles))]


def main():
    types, days = (int(word) for word in sys.argv[1:])
    draw = functools.partial(random.Random(1).expovariate, 1)
    print("| minutes | level | worst day, median | 95 % of runs | promise | within it |\n|---|---|---|---|---|---|")
    for length in (1, 3, 6):
        quantiles = TrueQuantiles(draw, length)
        worst = {level: [] for level in PROMISES}
        for _ in range(RUNS):
            coverages = [DayCoverage(draw, length, quantiles, types) for _ in range(days)]
            for i, level in enumerate(PROMISES):
                worst[level].append(100 * max(abs(coverage[i] - level) for coverage in coverages))
        for level, promise in PROMISES.items():
            runs = sorted(worst[level])
            within = sum(distance <= promise for distance in runs) / RUNS
            print(f"| {5 * length} | {100 * level:.0f} % | {runs[RUNS // 2]:.1f} | {runs[int(0.95 * RUNS)]:.1f} "
                  f"| {promise} | {100 * within:.0f} % |")


if __name__ == "__main__":
    main()
