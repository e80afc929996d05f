#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two swept policies of `gnomon simulate --sweep -o json`, series by series, at equal hit rates.

Usage: equal_hits.py [--days] RESULTS.json OURS THEIRS [HIT_RATE...], as: equal_hits.py out.json predictive rolling 0.95 0.99

Prints, as a table, the judged idle minutes a creation of both at each hit rate, interpolated along each sweep's cheapest
points. `-`: no point of the sweep hits as often; `<`: its cheapest point hits more often already. With --days, of all
series together and day by day, and the interval of the whole in which 95 % of BOOTSTRAPS draws of days (with
replacement, from one seed) lie.
"""
import collections
import json
import random
import sys

BOOTSTRAPS = 2000


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


def Sum(points, drawn):
    """(hit rate, idle) of each point over the days drawn."""
    sums = []
    for days in points:
        creations = sum(days[day]["creations"] for day in drawn)
        hits = sum(days[day]["hits"] for day in drawn)
        idle = sum(days[day]["idle_address_minutes"] for day in drawn)
        sums.append((hits / creations, idle / creations))
    return sums


def Days(path, ours, theirs, *hit_rates):
    points = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for point in json.load(file)["results"]:
            points[point["policy"].split("=")[0]].append(point["days"])
    days = range(len(points[ours][0]))
    print(f"| hit rate | days | {ours} | {theirs} | difference |\n|---|---|---|---|---|")
    for rate in [float(rate) for rate in hit_rates or ("0.95", "0.99")]:

        def Both(drawn):
            return IdleAt(Sum(points[ours], drawn), rate), IdleAt(Sum(points[theirs], drawn), rate)

        for name, drawn in [(str(day + 1), [day]) for day in days] + [("all", days)]:
            print(f"| {rate:.1%} | {name} | " + " | ".join(Cells(*Both(drawn))) + " |")
        draw, differences = random.Random(1), []
        for _ in range(BOOTSTRAPS):
            our, their = Both(draw.choices(days, k=len(days)))
            if our and their:
                differences.append(100 * (our[0] / their[0] - 1))
        differences.sort()
        low, high = (differences[int(share * (len(differences) - 1))] for share in (0.025, 0.975))
        print(f"| {rate:.1%} | 95 % interval | | | {low:+.1f} to {high:+.1f} % |")


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
    if sys.argv[1] == "--days":
        Days(*sys.argv[2:])
    else:
        Main(*sys.argv[1:])
