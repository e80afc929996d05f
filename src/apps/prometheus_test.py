#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a generator, is polled by a real gnomond, and remote-writes into it, at once.

Usage: prometheus_test.py GNOMOND. Both ways must give the same values at the same times. 77: there is no prometheus.
"""
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SECONDS = 25  # of samples
STEP = 1


def FreePort():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Generator(http.server.BaseHTTPRequestHandler):
    """Two gauges, of which one ends after a while, and a counter that is set back once."""
    begin = time.monotonic()

    def do_GET(self):
        passed = time.monotonic() - Generator.begin
        text = f"gen_load{{pod=\"a\"}} {passed * passed:.6f}\n"
        if passed < 12:
            text += f"gen_load{{pod=\"b\"}} {1000 - passed:.6f}\n"
        text += f"# TYPE gen_created_total counter\ngen_created_total {int(passed * 3) if passed < 15 else int(passed) - 15}\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def Ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def Await(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{what} is not there after {seconds} s")


def Configure(folder, generator, prometheus, gnomond):
    with open(f"{folder}/prometheus.yml", "w", encoding="utf-8") as out:
        out.write(f"""global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: generator
  static_configs: [{{targets: ['127.0.0.1:{generator}']}}]
remote_write:
- url: http://127.0.0.1:{gnomond}/api/v1/write
  queue_config: {{batch_send_deadline: 1s}}
""")
    with open(f"{folder}/gnomond.toml", "w", encoding="utf-8") as out:
        out.write(f"""listen = "127.0.0.1:{gnomond}"
data_dir = "{folder}/data"
[[signals.prometheus]]
name = "main"
url = "http://127.0.0.1:{prometheus}"
interval = "1s"
""")
        for kind, query in (('as = "driver"', "sum(gen_load)"),
                            ('as = "demand"\nof = "creations_total"', "gen_created_total")):
            match = query.replace("sum(", "").replace(")", "")
            for source in (f'source = "main"\nquery = "{query}"', f'match = "{match}"'):
                out.write(f'[[signals.metric]]\nnetwork = "n"\ntype = "{match}"\n{kind}\nstep = "{STEP}s"\n{source}\n')


def Points(rule):
    return {point["time"]: point["value"] for point in rule["points"]}


def Compare(polled, pushed):
    """The number of points that both have; all must be the same, and none be in one alone."""
    a, b = Points(polled), Points(pushed)
    first = max(min(a), min(b))
    last = min(polled["last_sample"], pushed["last_sample"])  # after it one knows more than the other
    times = sorted(t for t in a.keys() | b.keys() if first <= t <= last)
    for t in times:
        if a.get(t) != b.get(t):
            raise RuntimeError(f"{polled['type']} at {t}: polled {a.get(t)}, pushed {b.get(t)}")
    return len(times), len({a[t] for t in times})


def Run(folder, gnomond_program, children):
    generator = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Generator)
    threading.Thread(target=generator.serve_forever, daemon=True).start()
    prometheus, gnomond = FreePort(), FreePort()
    Configure(folder, generator.server_address[1], prometheus, gnomond)

    def Start(name, *words):
        with open(f"{folder}/{name}.log", "w", encoding="utf-8") as log:
            children.append(subprocess.Popen(words, stdout=log, stderr=log, cwd=folder))

    Start("gnomond", gnomond_program, "--config", f"{folder}/gnomond.toml")
    Await("gnomond", lambda: Ask(f"http://127.0.0.1:{gnomond}/version"))
    Generator.begin = time.monotonic()
    Start("prometheus", "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
          f"--web.listen-address=127.0.0.1:{prometheus}")
    Await("prometheus", lambda: Ask(f"http://127.0.0.1:{prometheus}/api/v1/query?query=up")["data"]["result"])
    time.sleep(SECONDS)
    signals = Ask(f"http://127.0.0.1:{gnomond}/v1/signals?points={SECONDS + 30}")
    for source in signals["sources"]:
        print(source["name"], "samples", source["samples"], "errors", source["errors"], source["last_error"])
        if source["last_error"] or source["samples"] == 0:
            raise RuntimeError(f"{source['name']} gave nothing, or an error")
    rules = signals["rules"]
    for polled, pushed in (rules[0:2], rules[2:4]):
        count, distinct = Compare(polled, pushed)
        print(f"{polled['type']}: {count} points are the same, of {distinct} different values")
        if count < SECONDS - 10 or distinct < 3:
            raise RuntimeError(f"{polled['type']}: {count} points of {distinct} values are too few to compare")


def main():
    if shutil.which("prometheus") is None:
        print("no prometheus: skipped")
        return 77
    children = []
    with tempfile.TemporaryDirectory(prefix="gnomon-prometheus-") as folder:
        try:
            Run(folder, os.path.abspath(sys.argv[1]), children)
        except RuntimeError as failed:
            print(failed)
            for name in os.listdir(folder):
                if name.endswith(".log"):
                    with open(f"{folder}/{name}", encoding="utf-8") as log:
                        print(f"--- {name}\n{log.read()[-3000:]}")
            return 1
        finally:
            for child in children:
                child.kill()  # Prometheus would first send what it has left, for up to a minute
            for child in children:
                child.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
