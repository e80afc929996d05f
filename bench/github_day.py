#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A day of GitHub's workflow_job webhooks against a real gnomond: are runners' addresses reserved before they ask?

  bench/github_day.py --gnomond build/release/bin/gnomond [--trace FILE.csv.gz --day N] [--hours 24] [--scale 120]

Each creation of the trace (time,type,count,...; without one, a small day is made up) is a runner that asks for its address
so long after its job was queued: a log-normal time, 20 s in the median, 1 s to 4 minutes, drawn by --seed. The queued,
in_progress and completed events are in GitHub's form and signed. gnomond's time runs --scale times as fast, and so do we.
Prints a line of JSON: hits among the runners whose job was queued longer than --lead before, and of the others.
With --expect R it exits 1 if fewer than R of the former hit.
"""
import argparse
import collections
import concurrent.futures
import csv
import datetime
import gzip
import hashlib
import hmac
import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

SECRET = "0123456789abcdef of a benchmark"
TYPES = 20  # the busiest of the trace get a type of their own, the others share one
DURATION_S = 600
CONNECTIONS = 16
IDLE_S = 30  # less than after what gnomond closes a connection


def ReadTrace(path, day):
    """(second of the day, type) of each creation."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        rows = [(int(float(row["time"])) - 86400 * day, row["type"], int(row["count"])) for row in csv.DictReader(file)]
    of_day = [(at, kind) for at, kind, count in rows if 0 <= at < 86400 for _ in range(count)]
    busy = {kind for kind, _ in collections.Counter(kind for _, kind in of_day).most_common(TYPES)}
    return [(at, kind if kind in busy else "other") for at, kind in of_day]


def MakeTrace(seconds, draw):
    """Pushes that start some jobs each, a minute apart on average."""
    jobs, at = [], 120.0
    while at < seconds:
        jobs += [(at, draw.choice(["build", "test"])) for _ in range(draw.randint(1, 8))]
        at += draw.expovariate(1 / 60)
    return jobs


class Server:
    def __init__(self, program, folder, scale, types):
        with open(f"{folder}/secret", "w", encoding="utf-8") as out:
            out.write(SECRET + "\n")
        rules = "".join(f'[[signals.github.rule]]\nlabels = ["self-hosted", "{kind}"]\ntype = "{kind}"\n' for kind in types)
        with open(f"{folder}/gnomond.toml", "w", encoding="utf-8") as out:
            out.write(f'listen = "127.0.0.1:0"\ndata_dir = "{folder}/data"\ntime_scale = {scale}\n'
                      f'[[signals.github]]\nnetwork = "ci"\nsecret_file = "{folder}/secret"\n{rules}')
        self.process = subprocess.Popen([program, "--config", f"{folder}/gnomond.toml"], stdout=subprocess.PIPE,
                                        stderr=open(f"{folder}/log", "w", encoding="utf-8"), text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127.0.0.1:(\d+)", line)
        if not found:
            raise RuntimeError("gnomond did not start: " + open(f"{folder}/log", encoding="utf-8").read())
        self.port = int(found.group(1))
        self.local = threading.local()

    def Call(self, method, path, body=None, headers=None):
        # One that was idle for long has been closed by the server.
        connection = getattr(self.local, "connection", None)
        if connection is None or time.monotonic() - self.local.used > IDLE_S:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.local.used = time.monotonic()
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def Must(self, *call):
        status, text = self.Call(*call)
        if status >= 300:
            raise RuntimeError(f"{call[:2]}: {status} {text}")
        return json.loads(text) if text else None


def Rfc3339(begin, second):
    return (begin + datetime.timedelta(seconds=int(second))).strftime("%Y-%m-%dT%H:%M:%SZ")


def Webhook(server, begin, action, number, job):
    body = json.dumps({
        "action": action,
        "workflow_job": {
            "id": 1_000_000 + number, "run_id": 5_000_000 + number, "run_attempt": 1, "name": "build", "status": action,
            "conclusion": "success" if action == "completed" else None, "labels": ["self-hosted", job["type"]],
            "created_at": Rfc3339(begin, job["queued"]), "started_at": Rfc3339(begin, job["starts"]),
            "runner_name": None if action == "queued" else f"runner-{number}"},
        "repository": {"full_name": "octo-org/example"}, "sender": {"login": "octocat"}})
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    status, text = server.Call("POST", "/v1/networks/ci/receivers/github", body, {
        "X-GitHub-Event": "workflow_job", "X-GitHub-Delivery": f"{action}-{number}",
        "X-Hub-Signature-256": f"sha256={signature}"})
    if status != 200:
        raise RuntimeError(f"{action}: {status} {text}")


def Run(options, server, jobs):
    begin_real = time.monotonic()
    begin = datetime.datetime.now(datetime.timezone.utc)  # gnomond's time begins now too
    report = {"hits_after_lead": 0, "after_lead": 0, "hits_before": 0, "before": 0}
    late = []
    lock = threading.Lock()

    def Do(due, what, number):
        job = jobs[number]
        behind = (time.monotonic() - begin_real) * options.scale - due
        if what == "queued":
            Webhook(server, begin, "queued", number, job)
            job["told"] = (time.monotonic() - begin_real) * options.scale
        elif what == "starts":
            asked = (time.monotonic() - begin_real) * options.scale
            view = server.Must("POST", "/v1/networks/ci/instances", {"id": f"runner-{number}", "type": job["type"]})
            hit = view["source"] == "shadow"
            with lock:
                late.append(behind)
                kind = "after_lead" if asked - job["told"] > options.lead else "before"
                report[kind] += 1
                report["hits_" + kind] += hit
                if not hit and kind == "after_lead" and len(report.setdefault("misses", [])) < 10:
                    report["misses"].append([number, job["type"], round(asked), round(asked - job["told"], 1)])
            Webhook(server, begin, "in_progress", number, job)
        else:
            Webhook(server, begin, "completed", number, job)
            server.Must("DELETE", f"/v1/networks/ci/instances/runner-{number}")

    events = sorted((job[what], what, number) for number, job in enumerate(jobs) for what in ("queued", "starts", "completes")
                    if job[what] < options.hours * 3600 or what != "completes")
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        running = []
        for due, what, number in events:
            wait = due / options.scale - (time.monotonic() - begin_real)
            if wait > 0:
                time.sleep(wait)
            running.append(pool.submit(Do, due, what, number))
        for one in running:
            one.result()
    late.sort()
    return {**report, "seconds_behind_p99": round(late[int(0.99 * (len(late) - 1))], 2) if late else 0}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gnomond", required=True)
    parser.add_argument("--trace")
    parser.add_argument("--day", type=int, default=0)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--scale", type=float, default=120)
    parser.add_argument("--lead", type=float, default=10, help="seconds that a shadow takes, with a review of what is due")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--expect", type=float)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    trace = ReadTrace(options.trace, options.day) if options.trace else MakeTrace(options.hours * 3600, draw)
    jobs = []
    for at, kind in trace:
        if at >= options.hours * 3600:
            continue
        lag = min(240.0, max(1.0, draw.lognormvariate(3.0, 1.0)))
        starts = at + 300  # nothing is asked for before the network is there
        jobs.append({"type": kind, "queued": starts - lag, "starts": starts, "completes": starts + DURATION_S})
    types = sorted({job["type"] for job in jobs})
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.gnomond, folder, options.scale, types)
        try:
            server.Must("POST", "/v1/networks", {"name": "ci", "account": "acme"})
            server.Must("POST", "/v1/networks/ci/pools", {"name": "a", "prefix": "10.0.0.0/16"})
            server.Must("PATCH", "/v1/networks/ci", {"prediction_mode": "reserve"})
            report = Run(options, server, jobs)
            addresses = server.Must("GET", "/v1/networks/ci")["addresses"]
        finally:
            server.process.terminate()
            server.process.wait(60)
    share = report["hits_after_lead"] / max(1, report["after_lead"])
    print(json.dumps({"jobs": len(jobs), "types": len(types), "scale": options.scale, "lead_s": options.lead,
                      "hit_rate_after_lead": round(share, 5), **report, "shadows_at_the_end": addresses["shadow"]}))
    sys.exit(1 if options.expect is not None and share < options.expect else 0)


if __name__ == "__main__":
    main()
