#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what deploy/ ships, and the names of the metrics, against a real gnomond; and sends it an alert by a real Alertmanager.

  deploy/deploy_test.py GNOMOND metrics       # promtool, the dashboard, the rules, the stable names
  deploy/deploy_test.py GNOMOND alertmanager  # prometheus-alertmanager of Debian

Exits 77, which ctest takes for skipped, where promtool or Alertmanager is not installed.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
WAIT_S = 30

# A name that is gone breaks the dashboards of others: take one from here only with a new major version.
STABLE = """
gnomon_addresses gnomon_audit_lines_lost_total gnomon_batch_size gnomon_build_info gnomon_commit_duration_seconds
gnomon_creation_duration_seconds gnomon_creation_failures_total gnomon_creations_total gnomon_engine_failed_predictions_total
gnomon_engine_failed_writes_total gnomon_engine_ignored_creations_total gnomon_engine_lead_seconds
gnomon_engine_lost_states_total gnomon_engine_rounds_total gnomon_engine_stalled gnomon_forecast_covered_total
gnomon_forecast_outcomes_total gnomon_free_addresses gnomon_http_requests_total gnomon_idle_shadow_seconds_total
gnomon_queue_depth gnomon_receiver_events_total gnomon_shadows_expired_total gnomon_signal_errors_total
gnomon_signal_last_sample_age_seconds gnomon_signal_refused_announcements_total gnomon_signal_samples_total gnomon_signal_series
""".split()


class Server:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--data-dir", f"{folder}/data"], text=True,
                                        stdout=subprocess.PIPE, stderr=open(f"{folder}/log", "w", encoding="utf-8"))
        self.url = self.process.stdout.readline().split()[-1]
        self.Ask("POST", "/v1/networks", {"name": "prod", "account": "acme"})
        self.Ask("POST", "/v1/networks/prod/pools", {"name": "a", "prefix": "10.0.0.0/24"})
        self.Ask("PATCH", "/v1/networks/prod", {"prediction_mode": "reserve"})

    def Ask(self, method, path, body=None, accept="application/json"):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", accept)
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["Content-Type"] else (answer.headers["Content-Type"], text)

    def Announcements(self):
        return self.Ask("GET", "/v1/networks/prod/announcements")["announcements"]


def Eventually(what, told):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.1)
    raise AssertionError(told)


def NamesIn(expression):
    """The metrics of a PromQL expression, without the suffixes of a histogram's samples."""
    return {re.sub(r"(duration_seconds|_size)_(bucket|sum|count)$", r"\1", name)
            for name in re.findall(r"\bgnomon_[a-z0-9_]+", expression)}


def CheckMetrics(server):
    server.Ask("POST", "/v1/networks/prod/instances", {"id": "i", "type": "web"})
    try:
        server.Ask("POST", "/v1/networks/prod/instances", {"id": "j", "type": "web", "address": "10.0.9.9"})
        raise AssertionError("an address outside of all pools was given")
    except urllib.error.HTTPError:
        pass  # counted as a failure
    server.Ask("POST", "/v1/networks/prod/receivers/alertmanager", {"version": "4", "alerts": [{}]})
    kind, text = server.Ask("GET", "/metrics", accept="text/plain")
    assert kind.startswith("text/plain; version=0.0.4"), kind
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    shown = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    missing = [name for name in STABLE if name not in shown]
    assert not missing, f"not shown any more: {missing}"
    new = shown - set(STABLE)
    assert not new, f"add to STABLE, and to docs/OPERATING.md: {new}"

    with open(f"{HERE}/grafana/gnomon.json", encoding="utf-8") as file:
        dashboard = json.load(file)
    assert dashboard["uid"] == "gnomon-overview"
    used = set()
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            used |= NamesIn(target["expr"])
    with open(f"{HERE}/prometheus/rules.yaml", encoding="utf-8") as file:
        rules = file.read()
    for line in rules.splitlines():
        if not line.lstrip().startswith("#"):
            used |= NamesIn(line)
    unknown = used - shown
    assert not unknown, f"no gnomond has these: {unknown}"
    with open(f"{HERE}/../docs/OPERATING.md", encoding="utf-8") as file:
        headings = {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").strip().lower()).replace(" ", "-")
                    for line in file if line.startswith("#")}
    for anchor in re.findall(r"OPERATING\.md#(\S+)", rules):
        assert anchor in headings, f"no section #{anchor} in docs/OPERATING.md"
    subprocess.run(["promtool", "check", "rules", f"{HERE}/prometheus/rules.yaml"], check=True)
    subprocess.run(["promtool", "test", "rules", "rules_test.yaml"], check=True, cwd=f"{HERE}/prometheus")

    kind, text = server.Ask("GET", "/metrics", accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert kind.startswith("application/openmetrics-text; version=1.0.0"), kind
    assert text.endswith("\n# EOF\n") and "# TYPE gnomon_creations counter\n" in text and "\ngnomon_creations_total{" in text


def FreePort():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def CheckAlertmanager(server, folder):
    """An alert that is posted to Alertmanager is an announcement until it is resolved."""
    with open(f"{folder}/alertmanager.yml", "w", encoding="utf-8") as out:
        out.write("route: {receiver: gnomon, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
                  "receivers:\n- name: gnomon\n  webhook_configs:\n"
                  f"  - {{url: '{server.url}/v1/networks/prod/receivers/alertmanager', send_resolved: true}}\n")
    port = FreePort()
    with open(f"{folder}/alertmanager.log", "w", encoding="utf-8") as log:
        alertmanager = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log)
    try:
        def Post(**times):
            alerts = [{"labels": {"alertname": "Deploy", "gnomon_type": "web", "gnomon_count": "7"}, **times},
                      {"labels": {"alertname": "DiskFull"}}]
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/alerts", data=json.dumps(alerts).encode(),
                                             headers={"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                    return answer.status == 200
            except OSError:
                return False

        Eventually(Post, "Alertmanager does not take the alert: " + folder)
        Eventually(server.Announcements, "no webhook announced anything")
        one = server.Announcements()[0]
        assert (one["source"], one["type"], one["count"]) == ("alertmanager", "web", 7), one
        Eventually(lambda: Post(endsAt=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())), "the end is not taken")
        Eventually(lambda: not server.Announcements(), "no webhook ended it")
    finally:
        alertmanager.kill()
        alertmanager.wait()
    with open(f"{folder}/alertmanager.log", encoding="utf-8") as log:
        assert "level=error" not in log.read()


def main():
    program, what = sys.argv[1:]
    if shutil.which("promtool" if what == "metrics" else "prometheus-alertmanager") is None:
        print("not installed; see scripts/install-deps")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder)
        try:
            CheckMetrics(server) if what == "metrics" else CheckAlertmanager(server, folder)
        finally:
            server.process.terminate()
            server.process.wait(60)


if __name__ == "__main__":
    main()
