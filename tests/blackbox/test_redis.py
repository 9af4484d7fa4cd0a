# SPDX-License-Identifier: Apache-2.0
"""A service that is told of a Redis, seen from outside; replicas that share one have tests of their own."""
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from backend import Backend
from patience import LONG, wait_until
from ports import free_port
from redis_server import RedisServer

TARGET = "/api/v1/cost/namespaces?window=3d"


def threads_of(backend):
    return len(os.listdir(f"/proc/{backend.process.pid}/task"))


def sockets_of(backend):
    count = 0
    for entry in Path(f"/proc/{backend.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += os.readlink(entry).startswith("socket:")
    return count


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


class TestOutOfOrder:
    def test_it_is_missed_by_nobody(self, double):
        with Backend(double, REDIS_URL=f"redis://user:hunter2@127.0.0.1:{free_port()}") as backend:
            assert backend.get("/readyz").status == 200
            assert [backend.get(TARGET).status for _ in range(20)] == [200] * 20
            event = backend.wait_for_event("redis.unavailable")
            assert event["reason"] == "connect" and event["level"] == "warning"
            assert len(backend.events("redis.unavailable")) == 1
            assert backend.get("/readyz").status == 200
            assert "hunter2" not in "\n".join(backend.lines)
            assert "kubecent_redis_up 0\n" in backend.get("/metrics").text

    def test_one_that_hangs_does_not_hold_up_the_end(self, double, redis):
        redis.freeze()
        with Backend(double, REDIS_URL=redis.url, REDIS_TIMEOUT_MS=10_000) as backend:
            began = time.monotonic()
            backend.signal(signal.SIGTERM)
            assert backend.wait_for_exit() == 0
            assert time.monotonic() - began < LONG / 4

    def test_it_is_found_back(self, double, redis):
        with Backend(double, REDIS_URL=redis.url) as backend:
            wait_until(lambda: "kubecent_redis_up 1\n" in backend.get("/metrics").text, "a connection")
            redis.kill()
            backend.wait_for_event("redis.unavailable")
            assert backend.get(TARGET).status == 200
            redis.start()
            backend.wait_for_event("redis.available")
            assert "kubecent_redis_up 1\n" in backend.get("/metrics").text


class TestWithoutOne:
    def test_there_is_neither_a_thread_nor_a_connection_more(self, double, redis):
        with Backend(double) as alone, Backend(double, REDIS_URL=redis.url) as sharing:
            wait_until(lambda: "kubecent_redis_up 1\n" in sharing.get("/metrics").text, "a connection")
            assert "redis" not in alone.get("/metrics").text
            wait_until(lambda: sockets_of(sharing) > sockets_of(alone), "a connection more, where there is one")
            wait_until(lambda: threads_of(alone) == threads_of(sharing), "as many threads")
            assert not alone.events("redis.connected")
