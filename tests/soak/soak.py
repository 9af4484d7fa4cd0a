#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""soak.py [SECONDS]: load, faults and restarts of OpenCost for a while, then a look at what is left behind.

KUBECENT_BINARY names the binary. For a fifth of the time the service finds its level, for three fifths that level is
held against whatever comes, in the last fifth all is calm again. Every answer must be the right one or an honest 503;
at the end memory, descriptors and threads must be where they were, and every window be answered.
"""
import collections
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "blackbox"))

from backend import Backend  # noqa: E402
from expected import figures_of, namespaces_body, pods_body  # noqa: E402
from hostility import Process  # noqa: E402
from http_raw import ProtocolError  # noqa: E402
from opencost_double import (ALLOCATION, FIXTURES, OpenCostDouble, answer, close_silently, cut_chunks, dripping,  # noqa: E402
                             endless, fixture, garbage, gzipped, redirect, reset, truncated)
from patience import wait_until  # noqa: E402

TYPICAL = "oc2024-namespace_pod-1d.json"
BODY = (FIXTURES / "encoded" / TYPICAL).read_bytes()
FIGURES = figures_of(TYPICAL, False)
WARM = ("7d", "30d")
READERS = 8
SETTINGS = {"CACHE_TTL": 2, "REFRESH_INTERVAL": 1, "CLEANUP_INTERVAL": 2, "REFRESH_WINDOWS": ",".join(WARM), "CACHE_MAX_MB": 4,
            "CACHE_STALE_IF_ERROR": 3600, "OPENCOST_TIMEOUT": 1, "OPENCOST_MAX_BODY_MB": 1, "HTTP_IDLE_TIMEOUT": 5, "LOG_LEVEL": "ERROR", "ACCESS_LOG": "false"}
GROWTH_KB = 8192  # beyond the level found; a leak of a kilobyte a request would be hundreds of megabytes

FAULTS = {
    "500": answer(500, "{}"), "502": answer(502, "<html>", "text/html"), "429": answer(429, b"", None, [("Retry-After", "0")]),
    "reset": reset(), "closed": close_silently(), "truncated": truncated(BODY, len(BODY) // 2), "chunks_cut": cut_chunks(BODY[:700]),
    "dripping": dripping(b"x"), "endless": endless(), "garbage": garbage(), "not_json": answer(200, BODY[:-5]),
    "bomb": gzipped(b'{"data":[]' + b" " * (8 << 20) + b"}"), "elsewhere": redirect("http://127.0.0.1:9/"),
}


def body_of(view, window):
    if view == "namespaces":
        return namespaces_body(FIGURES, window).encode()
    return pods_body(FIGURES["pods"], FIGURES["total"], window).encode()


class Soak:
    def __init__(self, double, backend, seconds):
        self.double = double
        self.backend = backend
        self.seconds = seconds
        self.stopping = threading.Event()
        self.counts = collections.Counter()
        self.wrong = []
        self.lock = threading.Lock()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    # Readers check every byte.

    def check(self, view, window, response):
        self.count(response.status)
        if response.status == 503:
            return response.header("Retry-After") is not None
        return response.status == 200 and response.body == body_of(view, window)

    def read_on_one_connection(self, source):
        with self.backend.connect() as connection:
            for _ in range(source.randint(1, 200)):
                window = source.choice(WARM) if source.random() < 0.95 else f"{source.randint(1, 5000)}m"
                view = source.choice(("namespaces", "pods"))
                connection.request(f"/api/v1/cost/{view}?window={window}")
                response = connection.read()
                if not self.check(view, window, response):
                    self.wrong.append((view, window, response))
                    self.stopping.set()
                if self.stopping.is_set():
                    return

    def read(self, seed):
        source = random.Random(seed)
        while not self.stopping.is_set():
            try:
                self.read_on_one_connection(source)
            except (OSError, ProtocolError) as broken:
                self.wrong.append(broken)
                self.stopping.set()

    # Others misbehave.

    def annoy(self):
        """Half requests, requests given up, and connections that fall silent."""
        source = random.Random(0)
        silent = collections.deque()
        request = b"GET /api/v1/cost/pods?window=%dm HTTP/1.1\r\nHost: x\r\n\r\n"
        while not self.stopping.wait(0.02):
            connection = self.backend.connect()
            whole = request % source.randint(5001, 9999)
            try:
                connection.send(whole[:source.randint(1, len(whole))])
            except OSError:
                pass
            silent.append(connection)
            self.count("annoyances")
            while len(silent) > source.choice((0, 20, 50)):
                silent.popleft().close()
        for connection in silent:
            connection.close()

    def disturb(self):
        """OpenCost fails in one way after the other, mostly once, sometimes for so long that the circuit opens, or
        restarts; in between it is well."""
        source = random.Random(1)
        while not self.stopping.wait(source.uniform(0.05, 0.3)):
            fault = FAULTS[source.choice(list(FAULTS))]
            if source.random() < 0.5:  # well, also for a probe, which is one try only
                self.double.script(ALLOCATION, fixture(TYPICAL))
                continue
            self.count("faults")
            if source.random() < 0.97:
                self.double.script(ALLOCATION, fault, fixture(TYPICAL))
                continue
            self.double.script(ALLOCATION, fault)
            self.stopping.wait(source.uniform(0.5, 3))
            self.double.refuse()
            self.count("restarts")
            self.stopping.wait(source.uniform(0, 1))
            self.double.listen()
            self.double.script(ALLOCATION, fixture(TYPICAL))

    def hammer(self, seconds):
        """As fast as wrk can, where it is installed."""
        if not shutil.which("wrk"):
            return None
        url = f"http://127.0.0.1:{self.backend.port}/api/v1/cost/namespaces?window=7d"
        return subprocess.Popen(["nice", "wrk", "-t1", "-c32", f"-d{max(int(seconds), 1)}s", url], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    # The course of things.

    def show(self, phase, process):
        print(f"{phase:10} {process.memory_kb():8} kB {process.descriptors():5} descriptors {process.threads():3} threads   "
              f"{dict(sorted(self.counts.items(), key=str))}", flush=True)

    def pass_time(self, phase, seconds, process):
        """True when nothing went wrong meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping.wait(min(10, max(end - time.monotonic(), 0))):
            self.show(phase, process)
        return not self.stopping.is_set()

    def run(self):
        process = Process(self.backend.process.pid)
        descriptors, threads = process.descriptors(), process.threads()
        self.show("start", process)
        workers = [threading.Thread(target=self.read, args=(seed,), daemon=True) for seed in range(READERS)]
        workers += [threading.Thread(target=task, daemon=True) for task in (self.annoy, self.disturb)]
        hammer = self.hammer(self.seconds * 0.8)
        for worker in workers:
            worker.start()
        fine = self.pass_time("settling", self.seconds * 0.2, process)
        level_kb = process.memory_kb()
        fine = fine and self.pass_time("holding", self.seconds * 0.6, process)
        self.stopping.set()
        for worker in workers:
            worker.join(30)
        if hammer and not fine:
            hammer.terminate()
        if hammer:
            print(hammer.communicate(timeout=60)[0])
        assert fine, f"{self.wrong[:3]}\n{self.backend.output()}"
        self.calm(process, descriptors, threads, level_kb)

    def calm(self, process, descriptors, threads, level_kb):
        self.double.script(ALLOCATION, fixture(TYPICAL))
        for view in ("namespaces", "pods"):
            for window in (*WARM, "3d", "1h"):
                wait_until(lambda: self.backend.get(f"/api/v1/cost/{view}?window={window}").body == body_of(view, window),
                           f"the right {view} of {window}", 90)
        wait_until(lambda: '"healthy"' in self.backend.get("/api/v1/health").text, "health")
        wait_until(lambda: process.descriptors() <= descriptors + 4, "the descriptors' return", 60)
        self.stopping.clear()
        self.pass_time("calm", self.seconds * 0.2, process)
        self.show("end", process)
        assert process.threads() <= threads + 4, "threads were left behind"
        grown_kb = process.memory_kb() - level_kb
        assert grown_kb <= GROWTH_KB, f"memory grew by {grown_kb} kB beyond the level it had found"
        assert self.counts[200] > 100 * self.seconds / 60, "hardly anything was answered"


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get("SOAK_SECONDS", "180"))
    with OpenCostDouble() as double:
        double.script(ALLOCATION, fixture(TYPICAL))
        with Backend(double, **SETTINGS) as backend:
            Soak(double, backend, seconds).run()
    assert double.max_in_flight <= 2
    print(f"soak: {seconds} s, nothing left behind")


if __name__ == "__main__":
    main()
