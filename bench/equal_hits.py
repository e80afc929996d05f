#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two swept policies of `gnomon simulate --sweep -o json`, series by series, at equal hit rates.

Usage: equal_hits.py RESULTS.json OURS THEIRS [HIT_RATE...], as: equal_hits.py out.json predictive rolling 0.95 0.99

Prints, as a table, the judged idle minutes a creation of both at each hit rate, interpolated along each sweep's cheapest
points. `-`: no point of the sweep hits as often; `<`: its cheapest point hits more often already.
"""
import collections
import json
import sys


def IdleAt(points, hit_rate):
    """(idle, mark) at `hit_rate` of (hit rate, idle) points; None when none of them hits as often."""
    cheapest, frontier = float("inf"), []
    for hits, idle in sorted(points, reverse=True):
        if idle < cheapest:
            cheapest = idle
            frontier.insert(0, (hits, idle))
    if hit_rate > frontier[-1][0]:
        return None
    if hit_rate < frontier[0][0]:
        return frontier[0][1], "<"
    for (low, cheap), (high, dear) in zip(frontier, frontier[1:]):
        if low <= hit_rate <= high:
            return cheap + (dear - cheap) * (hit_rate - low) / (high - low), ""
    return frontier[-1][1], ""


def Cells(ours, theirs):
    text = ["-" if at is None else f"{at[1]}{at[0]:.2f}" for at in (ours, theirs)]
    both = ours is not None and theirs is not None and theirs[0] > 0
    return text + [f"{100 * (ours[0] / theirs[0] - 1):+.1f} %" if both else "-"]


def Main(path, ours, theirs, *hit_rates):
    sweeps = collections.defaultdict(lambda: collections.defaultdict(list))
    creations = {}
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    for point in results:
        policy = point["policy"].split("=")[0]
        for part in [{**point, "type": "all"}] + point["types"]:
            creations[part["type"]] = part["creations"]
            sweeps[part["type"]][policy].append((part["hit_rate"], part["idle_minutes_per_creation"]))
    rates = [float(rate) for rate in hit_rates or ("0.95", "0.99")]
    print("| series | creations |" + "".join(f" {ours}, {rate:.1%} | {theirs} | difference |" for rate in rates))
    print("|---|---|" + "---|---|---|" * len(rates))
    for series in sorted(creations, key=creations.get):
        cells = [series, f"{creations[series]:,}"]
        for rate in rates:
            cells += Cells(IdleAt(sweeps[series][ours], rate), IdleAt(sweeps[series][theirs], rate))
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    Main(*sys.argv[1:])
