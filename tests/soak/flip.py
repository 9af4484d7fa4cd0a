#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flip.py BUILD_DIR [SECONDS [paced|full-speed]]: OpenCost hangs, resets and answers in turn, a second each, under 256 connections.

wrk pauses for 15 ms before each request of a connection, or, at full speed, not at all. Three quarters of the connections
ask for what is cached, the others for windows that nobody asked for before. Not one answer may be another than 200 or 503
(of what is cached: than 200), cached answers may take 50 ms at the 99th percentile, and afterwards memory and descriptors
must be where they were.

The machine may have others at work on it, so bare libmicrohttpd (the benchmark's peer) answers meanwhile, too: where
it takes longer than half of what is allowed at the 99th percentile, twice its time is.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "blackbox"))

BUILD = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()
os.environ["KUBECENT_BINARY"] = str(BUILD / "kubecent-backend")

from backend import Backend  # noqa: E402
from hostility import Process  # noqa: E402
from http_raw import fetch  # noqa: E402
from opencost_double import ALLOCATION, OpenCostDouble, fixture, hang, reset  # noqa: E402
from patience import wait_until  # noqa: E402
from ports import free_port  # noqa: E402

PACE = sys.argv[3] if len(sys.argv) > 3 else "paced"
SCRIPT = Path(__file__).with_name("flip.lua")
CACHED = ["/api/v1/cost/namespaces?window=7d", "/api/v1/cost/pods?window=7d", "/api/v1/cost/pods?window=30d&namespace=shop",
          "/api/v1/cost/monthly", "/api/v1/savings/recommendations", "/api/v1/cost/namespaces?window=30d&detail=true"]
CONNECTIONS, MISSING, PEER = 256, 64, 64
ALLOWED_MS, ALLOWED_GROWTH_KB, SETTLING_S = 50, 8192, 20
# All that is fetched stays cached throughout, and is fetched again and again all the same.
SETTINGS = {"CACHE_TTL": 3600, "REFRESH_INTERVAL": 2, "REFRESH_WINDOWS": "7d,30d", "CACHE_MAX_MB": 4, "OPENCOST_TIMEOUT": 1,
            "HTTP_MAX_CONNECTIONS": 1024, "LOG_LEVEL": "CRITICAL", "ACCESS_LOG": "false"}


class Flipping:
    """OpenCost in another state every second."""

    def __init__(self, double):
        self.double = double
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.flips = 0

    def _run(self):
        good = fixture("oc2024-namespace_pod-1d.json")
        while True:
            gate = threading.Event()
            for behaviour in (hang(gate), reset(), good):
                self.double.script(ALLOCATION, behaviour)
                self.flips += 1
                stopped = self.over.wait(1)
                gate.set()  # hung ones end with their second
                if stopped:
                    self.double.script(ALLOCATION, good)
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Load:
    """A wrk under way."""

    def __init__(self, port, connections, seconds, *targets):
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "--latency", "-s", SCRIPT,
             f"http://127.0.0.1:{port}", "--", PACE, *map(str, targets)], stdout=subprocess.PIPE, text=True)

    def result(self):
        text, _ = self.process.communicate(timeout=180)
        statuses = dict(re.findall(r"(\w+)=(\d+)", re.search(r"^statuses (.*)$", text, re.M)[1]))
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", text).groups()
        errors = re.search(r"Socket errors: (.*)", text)
        return {"statuses": {name: int(count) for name, count in statuses.items()}, "errors": errors and errors[1],
                "p99_ms": float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]}


@contextmanager
def bare_server(body):
    """A server that does nothing but send the body; its port."""
    port = free_port()
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        process = subprocess.Popen([BUILD / "bare_server", str(port), file.name, "4096"], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: listens(port), "the bare server")
            yield port
        finally:
            process.kill()
            process.wait()


def listens(port):
    try:
        return fetch(port, "/").status == 200
    except OSError:
        return False


def load(ours, bare, seconds, seed):
    """All at once; the results for what is cached, for what is not, and of the peer."""
    loads = [Load(ours, CONNECTIONS - MISSING, seconds, *CACHED), Load(ours, MISSING, seconds, "missing", seed),
             Load(bare, PEER, seconds, "/")]
    return [each.result() for each in loads]


def check(cached, missing, allowed_ms):
    assert cached["statuses"].keys() == {"200", "503"} and cached["statuses"]["503"] == 0, cached
    assert missing["statuses"].keys() == {"200", "503"}, missing
    assert not cached["errors"] and not missing["errors"], (cached, missing)
    assert cached["statuses"]["200"] > 10_000 and missing["statuses"]["200"] > 100 and missing["statuses"]["503"] > 100, (cached, missing)
    assert cached["p99_ms"] <= allowed_ms, f"p99 of cached answers is {cached['p99_ms']} ms, {allowed_ms:.1f} ms are allowed"


def run(double, backend, seconds):
    process = Process(backend.process.pid)
    for target in CACHED:
        assert backend.get(target).status == 200
    descriptors = process.descriptors()
    with bare_server(backend.get(CACHED[0]).body) as bare, Flipping(double) as flipping:
        load(backend.port, bare, SETTLING_S, 1)
        plateau_kb = process.memory_kb()
        cached, missing, peer = load(backend.port, bare, seconds, 7919)
    wait_until(lambda: process.descriptors() <= descriptors + 4, "the descriptors' return", 60)
    grown_kb = process.memory_kb() - plateau_kb
    print(f"{seconds} s, {flipping.flips} states, {CONNECTIONS} connections\n"
          f"cached   {cached['statuses']}  p99 {cached['p99_ms']:.2f} ms; bare libmicrohttpd meanwhile {peer['p99_ms']:.2f} ms\n"
          f"missing  {missing['statuses']}  OpenCost asked {double.count()} times\n"
          f"memory   {plateau_kb} kB after {SETTLING_S} s, {grown_kb:+} kB since\n"
          f"descriptors {descriptors} before, {process.descriptors()} after", flush=True)
    check(cached, missing, max(ALLOWED_MS, 2 * peer["p99_ms"]))
    assert grown_kb <= ALLOWED_GROWTH_KB, f"memory grew by {grown_kb} kB"


def main():
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with OpenCostDouble() as double:
        double.script(ALLOCATION, fixture("oc2024-namespace_pod-1d.json"))
        with Backend(double, **SETTINGS) as backend:
            run(double, backend, seconds)


if __name__ == "__main__":
    main()
