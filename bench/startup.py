# SPDX-License-Identifier: Apache-2.0
"""How long gnomond takes to be ready on a store that is there, and how much memory it needs for that."""
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

import server

MOST_SECONDS = {1_000_000: 3, 10_000_000: 30}  # the musts, by addresses
GIVE_UP_SECONDS = 600
POLL_SECONDS = 0.01


def IsReady(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=GIVE_UP_SECONDS) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def BytesIn(folder):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def Fill(bin_dir, data, addresses):
    os.mkdir(data)
    subprocess.run([f"{bin_dir}/fill_store", f"{data}/store", str(addresses)], check=True)


def Start(bin_dir, data):
    """Seconds until it is ready, and the most memory in bytes that it has had until then."""
    port = server.FreePort()
    begin = time.monotonic()
    with open(f"{data}/gnomond.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([f"{bin_dir}/gnomond", "--data-dir", data, "--listen", f"127.0.0.1:{port}"], stdout=log,
                                   stderr=log)
    try:
        while not IsReady(port):
            if process.poll() is not None or time.monotonic() > begin + GIVE_UP_SECONDS:
                raise RuntimeError(f"gnomond has ended, or is not ready after {GIVE_UP_SECONDS} s: see {data}/gnomond.log")
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - begin
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            peak = int(re.search(r"VmHWM:\s*(\d+) kB", status.read()).group(1)) * 1024
        return seconds, peak
    finally:
        process.terminate()
        process.wait(60)
