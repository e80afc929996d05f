#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs a real gnomond to take metrics by remote write.

Usage: signals_ingest.py GNOMOND [--seconds 120] [--series 1000]. Prints one line a figure:
  the share of one core while nothing comes, and while so many series come each 15 s, 500 samples a request (Prometheus'
  default), all bound to one rule; then one request with 100,000 samples, and one with one more.
"""
import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import FreePort  # noqa: E402  pylint: disable=wrong-import-position

INTERVAL = 15
SAMPLES_A_REQUEST = 500


def Varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def Field(number, content):
    return Varint(number << 3 | 2) + Varint(len(content)) + content


def Series(labels, samples):
    return Field(1, b"".join(Field(1, Field(1, name) + Field(2, value)) for name, value in labels) +
                 b"".join(Field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + Varint(time_ms)) for time_ms, value in samples))


def Snappy(message):
    """A block of literals alone: as long to read as a real one, or longer."""
    out = [Varint(len(message))]
    for at in range(0, len(message), 65536):
        piece = message[at:at + 65536]
        out.append(b"\xf4" + struct.pack("<H", len(piece) - 1) + piece)
    return b"".join(out)


def Post(port, message):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/write", method="POST", data=Snappy(message))
    for name, value in (("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                        ("X-Prometheus-Remote-Write-Version", "0.1.0")):
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def CpuSeconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def Push(port, count):
    now_ms = int(time.time() * 1000)
    labels = [[(b"__name__", b"load"), (b"instance", b"10.0.0.%d:9100" % (i % 250)), (b"job", b"web"), (b"pod", b"web-%d" % i)]
              for i in range(count)]
    for begin in range(0, count, SAMPLES_A_REQUEST):
        message = b"".join(Series(one, [(now_ms, i * 0.5)]) for i, one in enumerate(labels[begin:begin + SAMPLES_A_REQUEST]))
        status, text = Post(port, message)
        if status != 204:
            raise RuntimeError(f"{status} {text}")


def Measure(process, port, flags):
    share = {}
    for what in ("nothing", "series"):
        cpu, begin = CpuSeconds(process.pid), time.monotonic()
        while time.monotonic() < begin + flags.seconds:
            if what == "series":
                Push(port, flags.series)
            time.sleep(INTERVAL)
        share[what] = (CpuSeconds(process.pid) - cpu) / (time.monotonic() - begin)
    print(f"share of one core, nothing sent: {100 * share['nothing']:.3f} %")
    print(f"share of one core, {flags.series} series each {INTERVAL} s: {100 * share['series']:.3f} %")
    now_ms = int(time.time() * 1000) - 200_000
    for count in (100_000, 100_001):
        message = b"".join(Series([(b"__name__", b"big"), (b"pod", b"big-%d" % i)],
                                  [(now_ms + 1000 * k, float(k)) for k in range(200)]) for i in range(count // 200))
        if count % 200:
            message += Series([(b"__name__", b"big"), (b"pod", b"one")], [(now_ms, 1.0)] * (count % 200))
        cpu, begin = CpuSeconds(process.pid), time.monotonic()
        status, text = Post(port, message)
        print(f"a request with {count} samples, {len(message)} bytes: {status} {text.strip()} after "
              f"{1000 * (time.monotonic() - begin):.0f} ms, {1000 * (CpuSeconds(process.pid) - cpu):.0f} ms of processor")


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("gnomond")
    flags.add_argument("--seconds", type=float, default=120)
    flags.add_argument("--series", type=int, default=1000)
    flags = flags.parse_args()
    with tempfile.TemporaryDirectory(prefix="gnomon-ingest-") as folder:
        port = FreePort()
        with open(f"{folder}/gnomond.toml", "w", encoding="utf-8") as out:
            # As sent 100,000 samples have 2 MB here; compressed by a Prometheus they have less.
            out.write(f'listen = "127.0.0.1:{port}"\ndata_dir = "{folder}/data"\nlimits.body_bytes = 4194304\n'
                      + "".join(f'[[signals.metric]]\nnetwork = "n"\ntype = "web"\nas = "driver"\nmatch = "{name}"\n'
                                for name in ("load", "big")))
        process = subprocess.Popen([flags.gnomond, "--config", f"{folder}/gnomond.toml"], stdout=subprocess.PIPE)
        try:
            process.stdout.readline()  # "listening on ..."
            Measure(process, port, flags)
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
