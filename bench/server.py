# SPDX-License-Identifier: Apache-2.0
"""A gnomond over a data folder of its own, and the loads that gnomon_load puts on it."""
import json
import math
import os
import re
import socket
import subprocess
import time
import urllib.request

NETWORK = "bench"
TYPES = 4  # a prediction has at most 2^20 shadows of a type
PROBE_SECONDS = 2
PROBE_SHADOWS = 100_000
WARM_TARGET = 100_000  # the most


def FreePort():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Everything on: tokens, metrics, an audit log, and a network whose pool is a /8."""

    def __init__(self, bin_dir, work_dir):
        self.bin_dir = bin_dir
        self.work_dir = work_dir
        self.port = FreePort()
        made = subprocess.run([f"{bin_dir}/gnomond", "--make-token", "bench", "--role", "admin"], check=True, text=True,
                              capture_output=True).stdout
        self.token = re.search(r"gnm_\S+", made).group(0)
        config = f'{work_dir}/gnomond.toml'
        with open(config, "w", encoding="utf-8") as out:
            out.write(f'listen = "127.0.0.1:{self.port}"\ndata_dir = "{work_dir}/data"\n'
                      f'[audit]\nfile = "{work_dir}/audit.log"\n' + made)
        self.log = open(f"{work_dir}/gnomond.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([f"{bin_dir}/gnomond", "--config", config], stderr=self.log)
        self._Wait()
        self.Call("POST", "/v1/networks", {"name": NETWORK, "account": "acme", "vni": 42})
        self.Call("POST", f"/v1/networks/{NETWORK}/pools", {"name": "a", "prefix": "10.0.0.0/8"})

    def _Wait(self):
        for _ in range(100):
            if self.process.poll() is not None:
                raise RuntimeError(f"gnomond ended: see {self.log.name}")
            try:
                self.Call("GET", "/readyz")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("gnomond is not ready after 10 seconds")

    def Stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def Call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=600) as answer:
            text = answer.read()
            return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def Load(self, mode, connections, seconds, **flags):
        flags = {"port": self.port, "connections": connections, "seconds": seconds, "network": NETWORK, **flags}
        if mode != "livez":
            flags["token"] = self.token
        command = [f"{self.bin_dir}/gnomon_load", mode]
        for name, value in flags.items():
            command += [f"--{name}", str(value)]
        result = json.loads(subprocess.run(command, check=True, text=True, capture_output=True).stdout)
        if result["errors"]:
            raise RuntimeError(f"{result['errors']} of {result['requests']} requests of {mode} failed")
        return result

    def Fill(self, addresses):
        """Assigns so many addresses, in batches of 100."""
        return self.Load("batch", 16, 3600, batch=100, type="base", requests=math.ceil(addresses / 100))

    def Cast(self, shadows):
        """Predicts, so that about so many creations hit."""
        count = min(math.ceil(shadows / TYPES), 1 << 20)
        answer = self.Call("POST", "/predict_instances", {
            "network": NETWORK, "source": "bench", "id": str(time.time()),
            "predictions": [{"type": f"t{i}", "count": count, "horizon": "24h"} for i in range(TYPES)]})
        for one in answer["predictions"]:
            if one["held"] + one["reserved"] < count:
                raise RuntimeError(f"not all shadows were cast: {one}")

    def Hits(self, mode, connections, seconds, **flags):
        """Creations whose shadows were cast before: how many that must be, a short run tells."""
        batch = flags.get("batch", 1)
        self.Cast(PROBE_SHADOWS)
        probe = self.Load(mode, connections, PROBE_SECONDS, type="t", types=TYPES, **flags)
        self.Cast(1.4 * probe["per_second"] * batch * (seconds + 1) + 1000)
        return self.Load(mode, connections, seconds, type="t", types=TYPES, **flags)

    def RefilledHits(self, connections, seconds):
        """Creations whose shadows are cast again by the replenisher as they are taken."""
        before = self.Addresses()["shadow"]
        self.Call("PATCH", f"/v1/networks/{NETWORK}", {"warm_targets": {"w": WARM_TARGET}})
        begin = time.monotonic()
        while self.Addresses()["shadow"] < before + WARM_TARGET and time.monotonic() < begin + 60:
            time.sleep(0.2)
        result = self.Load("create", connections, seconds, type="w")
        self.Call("PATCH", f"/v1/networks/{NETWORK}", {"warm_targets": {}})
        return result

    def Addresses(self):
        return self.Call("GET", f"/v1/networks/{NETWORK}")["addresses"]


def SyncedWrite(bin_dir, work_dir, seconds):
    file = f"{work_dir}/synced"
    done = subprocess.run([f"{bin_dir}/gnomon_load", "sync", "--file", file, "--seconds", str(seconds)], check=True,
                          text=True, capture_output=True)
    os.unlink(file)
    return json.loads(done.stdout)
