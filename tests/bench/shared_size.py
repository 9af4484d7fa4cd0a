#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a pod costs in the cache that replicas share, and what sharing costs: shared_size.py BUILD_DIR

Figures are random doubles with all their digits and names are as Kubernetes makes them: what compresses is what would.
"""
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import measure as m

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "blackbox"))

from redis_server import RedisServer  # noqa: E402

FIGURES = ("cpuCost", "ramCost", "pvCost", "networkCost", "loadBalancerCost", "cpuEfficiency", "ramEfficiency",
           "totalEfficiency")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # of Kubernetes' random names
VALUE = "kubecent:v:*:opencost:allocation:7d:idle=False"


def write_answer(path, pods):
    chance = random.Random(pods)

    def letters(count):
        return "".join(chance.choices(LETTERS, k=count))

    with open(path, "w", encoding="ascii") as out:
        out.write('{"code":200,"data":[{')
        for i in range(pods):
            namespace = f"team-{i % max(12, pods // 20):04d}"
            name = f"{namespace}/checkout-{letters(10)}-{letters(5)}"
            figures = ",".join(f'"{figure}":{chance.expovariate(1.0)!r}' for figure in FIGURES)
            out.write("," if i else "")
            out.write(f'"{name}":{{"name":"{name}","properties":{{"namespace":"{namespace}","pod":"{name.partition("/")[2]}"}},'
                      f'{figures},"gpuCost":0,"externalCost":0,"sharedCost":0,"totalCost":{chance.expovariate(1.0)!r}}}')
        out.write("}]}\n")


def gauge(server, name):
    return float(re.search(rf"^{name} (\S+)", m.fetch(server.url("/metrics")).decode(), re.M)[1])


def wait_for(condition):
    while True:
        value = condition()
        if value:
            return value
        time.sleep(0.002)


def measure_pods(binary, folder, pods):
    path = os.path.join(folder, "answer.json")
    write_answer(path, pods)
    with m.Origin(path) as origin, RedisServer(maxmemory="2gb") as redis:
        settings = {"REDIS_URL": redis.url, "REDIS_TIMEOUT_MS": "10000", "REFRESH_WINDOWS": "", "CACHE_MAX_MB": "1024"}
        target = "/api/v1/cost/namespaces?window=7d"
        with m.Server(*m.backend(binary, origin.url, **settings)) as one, \
                m.Server(*m.backend(binary, origin.url, **settings)) as other:
            begun = time.monotonic()
            m.fetch(one.url(target))
            fetched = time.monotonic() - begun
            key = wait_for(lambda: redis.command("KEYS", VALUE))[0]
            stored = time.monotonic() - begun - fetched
            begun = time.monotonic()
            m.fetch(other.url(target))
            shared = time.monotonic() - begun
            assert origin.queries == 1
            size, here = redis.command("STRLEN", key), gauge(other, "kubecent_cache_bytes")
    body = os.path.getsize(path)
    print(f"| {pods:,} | {body / 1e6:,.1f} | {size / 1e6:,.2f} | {size / pods:.0f} | {here / pods:.0f} | {1e3 * fetched:,.0f} "
          f"| {1e3 * stored:,.0f} | {1e3 * shared:,.0f} |", flush=True)


def main():
    binary = os.path.join(sys.argv[1], "kubecent-backend")
    print("| pods | OpenCost's answer MB | in Redis MB | B a pod | in a replica's cache, B a pod | fetched in ms | stored ms later "
          "| found by another in ms |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="kubecent-bench-") as folder:
        for pods in (500, 5000, 50000, 200000):
            measure_pods(binary, folder, pods)


main()
