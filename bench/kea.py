# SPDX-License-Identifier: Apache-2.0
"""Kea's DHCPv4 server with a lease file, in two network namespaces joined by a veth pair, loaded by perfdhcp."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

LOWEST, HIGHEST, STEP = 1000, 20000, 250  # exchanges a second
SERVER, CLIENT = "gnomon-bench-s", "gnomon-bench-c"


class CannotRun(Exception):
    pass


def _Run(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode != 0:
        raise CannotRun(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Kea:
    """The server runs between Start and Stop."""

    def __init__(self, work_dir):
        self.dir = f"{work_dir}/kea"
        self.process = None
        if not shutil.which("kea-dhcp4") or not shutil.which("perfdhcp"):
            raise CannotRun("kea-dhcp4 or perfdhcp is not installed")
        os.mkdir(self.dir)

    def Start(self):
        _Run("ip", "netns", "add", SERVER)
        _Run("ip", "netns", "add", CLIENT)
        _Run("ip", "-n", SERVER, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", CLIENT)
        for name, link, address in ((SERVER, "veth0", "10.0.0.1/8"), (CLIENT, "veth1", "10.0.0.2/8")):
            _Run("ip", "-n", name, "link", "set", "lo", "up")
            _Run("ip", "-n", name, "addr", "add", address, "dev", link)
            _Run("ip", "-n", name, "link", "set", link, "up")
        with open(f"{self.dir}/kea.json", "w", encoding="utf-8") as out:
            json.dump({"Dhcp4": {
                "interfaces-config": {"interfaces": ["veth0"], "dhcp-socket-type": "raw"},
                "lease-database": {"type": "memfile", "persist": True, "name": f"{self.dir}/leases.csv", "lfc-interval": 0},
                "valid-lifetime": 86400,
                "multi-threading": {"enable-multi-threading": True, "thread-pool-size": 2, "packet-queue-size": 64},
                "subnet4": [{"subnet": "10.0.0.0/8", "interface": "veth0",
                             "pools": [{"pool": "10.1.0.0 - 10.255.255.254"}]}],
                "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}, out)
        environment = {**os.environ, "KEA_PIDFILE_DIR": self.dir, "KEA_LOCKFILE_DIR": self.dir}
        self.log = open(f"{self.dir}/log", "w", encoding="utf-8")
        self.process = subprocess.Popen(["ip", "netns", "exec", SERVER, "kea-dhcp4", "-c", f"{self.dir}/kea.json"],
                                        env=environment, stdout=self.log, stderr=self.log)
        time.sleep(2)
        if self.process.poll() is not None:
            with open(f"{self.dir}/log", encoding="utf-8") as log:
                raise CannotRun("kea-dhcp4 ended: " + log.read().strip()[-300:])

    def Stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.log.close()
        for name in (SERVER, CLIENT):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def _Exchanges(self, rate, seconds):
        """(exchanges a second, share lost) at this rate of four-message exchanges, each for a new client."""
        done = subprocess.run(["ip", "netns", "exec", CLIENT, "perfdhcp", "-4", "-l", "veth1", "-r", str(rate), "-p",
                               str(seconds), "-R", str(10_000_000), "-W", "1000000", "-s", str(int(time.time()))],
                              text=True, capture_output=True)
        text = done.stdout + done.stderr
        # Of the two exchanges DISCOVER-OFFER and REQUEST-ACK, each with its own statistics.
        sent, drops, got = ([int(number) for number in re.findall(rf"^{name}: (-?\d+)$", text, re.MULTILINE)]
                            for name in ("sent packets", "drops", "received packets"))
        if not len(sent) == len(drops) == len(got) == 2:
            raise CannotRun("perfdhcp says: " + text.strip()[-300:])
        return got[1] / seconds, sum(drops) / max(1, sent[0])

    def Measure(self, seconds, say):
        """The highest rate at which nothing is lost, by halving."""
        low, high, best = 0, HIGHEST, 0.0
        rate = 8000
        while high - low > STEP:
            reached, lost = self._Exchanges(rate, seconds)
            say(f"Kea, {rate} exchanges a second asked for: {reached:.0f} done, {lost:.2%} lost", None)
            if lost == 0 and reached >= 0.97 * rate:
                low, best = rate, max(best, reached)
            else:
                high = rate
            rate = (low + high) // 2
        if best == 0:
            raise CannotRun(f"it lost something even at {high} exchanges a second")
        return {"mode": "kea", "connections": 0, "per_second": best}
