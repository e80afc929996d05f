# SPDX-License-Identifier: Apache-2.0
"""Measures the server and its peers on this machine, one after the other, and prints ratios. See scripts/bench."""
import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

import kea
import postgres
import server
import startup

CONNECTIONS = (1, 16, 64, 256)
BATCH = 32
LIVE = 1_000_000
STARTS = 3


def Say(what, result):
    if result is None:
        print(f"  {what}", flush=True)
        return
    line = f"  {what}: {result['per_second']:,.0f}/s"
    if "p50_us" in result:
        line += f", p50 {result['p50_us'] / 1000:.2f} ms, p99 {result['p99_us'] / 1000:.2f} ms"
    if result.get("addresses"):
        line += f", {result['addresses_per_second']:,.0f} addresses/s, {result['hits'] / result['addresses']:.1%} hits"
    print(line, flush=True)


class Run:
    """All results so far: (name, result), and what was skipped."""

    def __init__(self, options, work_dir):
        self.options = options
        self.work_dir = work_dir
        self.results = {}
        self.starts = {}  # addresses -> what a start on so many took
        self.skipped = []

    def Keep(self, name, result):
        self.results[name] = result
        Say(name, result)

    def Sync(self, name):
        self.Keep(name, server.SyncedWrite(self.options.bin, self.work_dir, min(10, self.options.seconds)))

    def Gnomon(self):
        seconds = self.options.seconds
        one = server.Server(self.options.bin, self.work_dir)
        try:
            self.Keep("fill, batches of 100", one.Fill(self.options.live))
            self.Sync("synced write, before")
            for connections in CONNECTIONS:
                self.Keep(f"livez, {connections}", one.Load("livez", connections, seconds))
                self.Keep(f"hits, {connections}", one.Hits("create", connections, seconds))
            self.Keep("hits, refilled meanwhile, 64", one.RefilledHits(64, seconds))
            for connections in (1, 16):
                self.Keep(f"batches of {BATCH}, {connections}", one.Hits("batch", connections, seconds, batch=BATCH))
            self.Sync("synced write, after")
            self.live = one.Addresses()["assigned"]
        finally:
            one.Stop()

    def Postgres(self):
        cluster = postgres.Postgres(self.work_dir)
        try:
            for result in cluster.Measure(self.options.seconds, Say):
                self.results[f"PostgreSQL, {result['connections']}"] = result
        finally:
            cluster.Stop()

    def Kea(self):
        dhcp = None
        try:
            dhcp = kea.Kea(self.work_dir)
            dhcp.Start()
            self.Keep("Kea, without loss", dhcp.Measure(min(5, self.options.seconds), Say))
        except (kea.CannotRun, OSError) as error:
            self.skipped.append(f"Kea: {error}")
            print(f"  skipped: Kea: {error}", flush=True)
        finally:
            if dhcp is not None:
                dhcp.Stop()

    def Startup(self):
        for addresses in startup.MOST_SECONDS:
            data = f"{self.work_dir}/startup-{addresses}"
            begin = time.monotonic()
            startup.Fill(self.options.bin, data, addresses)
            print(f"  {addresses:,} addresses stored in {time.monotonic() - begin:.0f} s", flush=True)
            starts = [startup.Start(self.options.bin, data) for _ in range(STARTS)]
            self.starts[addresses] = {"store_bytes": startup.BytesIn(f"{data}/store"), "seconds": [s for s, _ in starts],
                                      "peak_bytes": max(peak for _, peak in starts)}
            print(f"  ready after {', '.join(f'{seconds:.2f} s' for seconds, _ in starts)}", flush=True)
            shutil.rmtree(data)

    def Rate(self, name, what="per_second"):
        return self.results[name][what] if name in self.results else None

    def Best(self, prefix):
        rates = [result["per_second"] for name, result in self.results.items() if name.startswith(prefix)]
        return max(rates, default=None)

    def Musts(self):
        """(claim, measured, the bound as text, whether it holds); what was not measured is left out."""
        found = []

        def AtLeast(claim, numerator, denominator, bound):
            if numerator and denominator:
                ratio = numerator / denominator
                found.append((claim, f"{ratio:.2f}", f"at least {bound}", ratio >= bound))

        for addresses, start in self.starts.items():
            worst, bound = max(start["seconds"]), startup.MOST_SECONDS[addresses]
            found.append((f"ready with {addresses:,} addresses", f"{worst:.2f} s", f"less than {bound} s", worst < bound))
        singles = {n: self.Rate(f"hits, {n}") for n in CONNECTIONS}
        for connections, bound in ((64, 0.3), (256, 0.45)):
            AtLeast(f"hits to /livez, {connections} connections", singles[connections],
                    self.Rate(f"livez, {connections}"), bound)
        best = self.Best("hits, ")
        AtLeast("best hits to PostgreSQL's best", best, self.Best("PostgreSQL"), 4)
        if "synced write, after" in self.results:
            before, after = self.Rate("synced write, before", "p50_us"), self.Rate("synced write, after", "p50_us")
            over = (self.Rate("hits, 1", "p50_us") - (before + after) / 2) / 1000
            found.append(("p50 of a hit beyond a synced write's, 1 connection", f"{over:.2f} ms", "at most 0.5 ms",
                          over <= 0.5))
        for connections in (1, 16):
            AtLeast(f"addresses a second, batches of {BATCH} to singles, {connections} connections",
                    self.Rate(f"batches of {BATCH}, {connections}", "addresses_per_second"), singles[connections], 4)
        AtLeast("best hits to Kea's rate without loss", best, self.Best("Kea"), 2)
        return found

    def PrintStarts(self):
        print("\n| addresses | store MB | ready after s | peak memory MB | bytes an address |\n|---|---|---|---|---|")
        for addresses, start in self.starts.items():
            print(f"| {addresses:,} | {start['store_bytes'] / 1e6:,.0f} | {', '.join(f'{s:.2f}' for s in start['seconds'])} | "
                  f"{start['peak_bytes'] / 1e6:,.0f} | {start['peak_bytes'] / addresses:.0f} |")

    def PrintRates(self):
        print("\n| what, connections | a second | addresses a second | hits | p50 ms | p99 ms | p99.9 ms |")
        print("|---|---|---|---|---|---|---|")
        for name, result in self.results.items():
            addresses = result.get("addresses")
            cells = [name, f"{result['per_second']:,.0f}",
                     f"{result['addresses_per_second']:,.0f}" if addresses else "",
                     f"{result['hits'] / addresses:.1%}" if addresses else ""]
            cells += [f"{result[p] / 1000:.2f}" if p in result else "" for p in ("p50_us", "p99_us", "p999_us")]
            print("| " + " | ".join(cells) + " |")

    def Print(self):
        if self.starts:
            self.PrintStarts()
        if self.results:
            self.PrintRates()
        print("\n| claim | measured | must | |\n|---|---|---|---|")
        musts = self.Musts()
        for claim, measured, bound, holds in musts:
            print(f"| {claim} | {measured} | {bound} | {'pass' if holds else 'FAIL'} |")
        for skipped in self.skipped:
            print(f"\nNot measured: {skipped}")
        return all(holds for *_, holds in musts)


def Conditions(options):
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], text=True, capture_output=True).stdout.strip()
    version = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release", encoding="utf-8")
                    if line.startswith("PRETTY_NAME")), "")
    machine = f"{datetime.date.today()}, {os.cpu_count()} cores ({model}), {version}, Linux {platform.release()}, commit {commit}"
    if options.only == "startup":
        return machine
    return (f"{machine}, runs of {options.seconds} s, {options.live:,} addresses live before the first run, tokens, metrics and the audit "
            "log on, all on one machine over loopback")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=60, help="how long each run takes")
    parser.add_argument("--quick", action="store_true", help="runs of 5 seconds")
    parser.add_argument("--only", default="gnomon,postgres,kea", help="what to measure: these, and startup")
    parser.add_argument("--live", type=int, default=LIVE, help="addresses that are assigned before")
    parser.add_argument("--json", help="a file for all results")
    options = parser.parse_args()
    if options.quick:
        options.seconds = 5
    # On a real disk, which /tmp may not be, and where PostgreSQL's user may go.
    work_dir = tempfile.mkdtemp(prefix="gnomon-bench-", dir="/var/tmp")
    os.chmod(work_dir, 0o755)
    run = Run(options, work_dir)
    try:
        for name in options.only.split(","):
            print(f"{name}:", flush=True)
            getattr(run, name.capitalize())()
        print("\n" + Conditions(options))
        held = run.Print()
        if options.json:
            with open(options.json, "w", encoding="utf-8") as out:
                json.dump({"conditions": Conditions(options), "results": run.results, "starts": run.starts}, out, indent=1)
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
