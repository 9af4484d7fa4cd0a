# SPDX-License-Identifier: Apache-2.0
"""Three processes and a Redis: OpenCost is asked as if there were one, whatever becomes of any of them."""
import contextlib
import glob
import itertools
import random
import re
import signal
import threading
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from backend import BINARY, WRAPPER, Backend
from opencost_double import ALLOCATION, after, allocation, allocations, answer, hang
from patience import LONG, wait_until
from redis_server import PROGRAM, RedisServer, Sentinels

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs a redis-server: Debian's package redis-tools")

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
IS_PLAIN = not WRAPPER and not re.search(rb"__(a|t)san_init", Path(BINARY).read_bytes() if BINARY else b"")
REPLICAS = 3
CROWD = 200
TARGET = "/api/v1/cost/pods?window=3d"
VALUES = "kubecent:v:*:opencost:allocation:3d:idle=False"
SHARED = re.compile(r"kubecent; hit; ttl=\d+; detail=shared")
MISSED = "kubecent; fwd=uri-miss; stored"
COLLAPSED = "kubecent; fwd=uri-miss; collapsed"


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


def replica(double, redis, **settings):
    # A Redis that is merely slow, as on a busy machine, is not what most tests are about.
    patient = {"REDIS_URL": redis.url, "REDIS_TIMEOUT_MS": 10000}
    return Backend(double, **patient | settings)


@contextlib.contextmanager
def replicas(double, redis, count=REPLICAS, **settings):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(replica(double, redis, **settings)) for _ in range(count)]


def metric(backend, name):
    """The sum over its labels."""
    return sum(float(line.rpartition(" ")[2]) for line in backend.get("/metrics").text.splitlines()
               if re.match(rf"{name}[ {{]", line))


def ask(backend, target=TARGET):
    """A connection with a question on it, and the answer to be read."""
    connection = backend.connect(deadline=3 * LONG)
    connection.request(target)
    return connection


def wait_for_waiting(backend, count=1):
    wait_until(lambda: metric(backend, "kubecent_requests_waiting") == count, f"{count} requests that wait")


def wait_for_value(redis, pattern=VALUES):
    """The key of what is shared, once it is there."""
    return wait_until(lambda: redis.command("KEYS", pattern), f"a value {pattern}")[0]


def is_shared(response):
    return response.status == 200 and SHARED.fullmatch(response.header("Cache-Status"))


class TestMisses:
    def test_of_crowds_at_all_replicas_cost_one_query(self, double, redis):
        gate = threading.Event()
        costs = allocations(*(allocation("shop", f"web-{i}", cpuCost=i) for i in range(500)))
        double.script(ALLOCATION, after(gate, costs), window="3d")
        with replicas(double, redis, HTTP_MAX_WAITING=CROWD) as backends, contextlib.ExitStack() as stack:
            crowd = [stack.enter_context(ask(backend)) for backend in backends for _ in range(CROWD)]
            for backend in backends:
                wait_for_waiting(backend, CROWD)
            gate.set()
            answers = [connection.read() for connection in crowd]
        assert len(answers) == REPLICAS * CROWD
        assert {response.status for response in answers} == {200}
        assert len({response.body for response in answers}) == 1
        assert len({response.header("ETag") for response in answers}) == 1
        assert sorted(response.header("Cache-Status") for response in answers) == \
            [COLLAPSED] * (REPLICAS * CROWD - 1) + [MISSED]
        assert double.count(window="3d") == 1

    def test_find_what_another_replica_has_with_its_age(self, double, redis):
        with replicas(double, redis, 2) as (one, other):
            first = one.get(TARGET)
            wait_for_value(redis)
            wait_until(lambda: int(one.get(TARGET).header("Age")) >= 2, "two seconds' age")
            second = other.get(TARGET)
            assert is_shared(second) and second.header("X-Cache") == "HIT"
            assert second.body == first.body and second.header("ETag") == first.header("ETag")
            assert 2 <= int(second.header("Age")) <= int(one.get(TARGET).header("Age"))
            assert double.count(window="3d") == 1
            assert metric(other, "kubecent_cache_shared_total") == 1
            assert re.fullmatch(r"kubecent; hit; ttl=\d+", other.get(TARGET).header("Cache-Status"))

    @pytest.mark.skipif(not FAKETIME, reason="needs Debian's package libfaketime")
    @pytest.mark.skipif(not IS_PLAIN, reason="sanitizers do not let a library come before theirs")
    @pytest.mark.parametrize("offset", ["-7m", "+7m"])
    def test_agree_on_ages_when_their_clocks_do_not(self, double, redis, offset):
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": 1}
        with replica(double, redis) as one, replica(double, redis, **clock) as other:
            one.get(TARGET)
            wait_for_value(redis)
            apart = [parsedate_to_datetime(backend.get("/livez").header("Date")) for backend in (one, other)]
            assert abs(apart[1] - apart[0]) > timedelta(minutes=6)
            response = other.get(TARGET)
            assert is_shared(response)
            assert int(response.header("Age")) <= int(one.get(TARGET).header("Age"))

    def test_of_months_and_of_idle_costs_are_shared_too(self, double, redis):
        targets = ["/api/v1/cost/monthly?months=3", "/api/v1/cost/namespaces?window=3d&idle=true"]
        with replicas(double, redis, 2) as (one, other):
            first = [one.get(target) for target in targets]
            count = double.count()
            wait_until(lambda: len(redis.command("KEYS", "kubecent:v:*:idle=True")) == 1, "the value with idle costs")
            wait_until(lambda: len(redis.command("KEYS", "kubecent:v:*Z:idle=False")) == 3, "three months")
            second = [other.get(target) for target in targets]
            assert [response.body for response in second] == [response.body for response in first]
            assert all(is_shared(response) for response in second)
            assert double.count() == count

    def test_of_sample_data_touch_no_real_ones(self, double, redis):
        with replica(double, redis) as real, \
                Backend(arguments=["--demo"], REDIS_URL=redis.url, REDIS_TIMEOUT_MS=10000) as demo:
            assert real.get(TARGET).body != demo.get(TARGET).body
            keys = wait_until(lambda: len(found := redis.command("KEYS", VALUES)) == 2 and found, "both values")
            assert len({key.split(":")[2] for key in keys}) == 2


class TestRefreshes:
    INTERVAL = 1
    TIMES = 10

    def test_of_many_replicas_cost_as_much_as_those_of_one(self, double, redis):
        """On a busy machine a refresh may be late; it must not be early, as it were if two refreshed in turn."""
        settings = {"REFRESH_WINDOWS": "7d", "REFRESH_INTERVAL": self.INTERVAL, "CACHE_TTL": 60}
        with replicas(double, redis, **settings) as backends:
            for backend in backends:
                wait_until(lambda: len(backend.events("background.cache_refresh", window="7d")) > self.TIMES,
                           f"{self.TIMES} refreshes")
            times = [request.time for request in double.asked(window="7d")]
        assert len(times) > self.TIMES
        assert min(late - early for early, late in zip(times, times[1:])) >= 0.9 * self.INTERVAL


class TestLeaders:
    def test_that_are_killed_are_missed_after_their_lease(self, double, redis):
        gate = threading.Event()
        double.script(ALLOCATION, hang(gate), allocations(allocation("shop", "web-0", cpuCost=2)), window="3d")
        with replicas(double, redis, 2) as (one, other):
            leader = replica(double, redis)
            with leader:
                with ask(leader):
                    double.wait_for_requests(1, window="3d")
                    with ask(one) as first, ask(other) as second:
                        wait_for_waiting(one)
                        wait_for_waiting(other)
                        leader.process.kill()
                        assert leader.wait_for_exit() == -signal.SIGKILL
                        answers = [first.read(), second.read()]
            assert [response.status for response in answers] == [200, 200]
            assert answers[0].body == answers[1].body
            assert double.count(window="3d") == 2
            gate.set()

    def test_that_are_stopped_hand_over_at_once(self, double, redis):
        gate = threading.Event()
        double.script(ALLOCATION, hang(gate), allocations(allocation("shop", "web-0", cpuCost=2)), window="3d")
        with replica(double, redis) as other:
            with replica(double, redis, SHUTDOWN_DELAY=0, SHUTDOWN_TIMEOUT=1) as leader:
                with ask(leader) as dropped:
                    double.wait_for_requests(1, window="3d")
                    with ask(other) as waiting:
                        wait_for_waiting(other)
                        leader.stop()
                        assert waiting.read().status == 200
                    assert dropped.read().status == 503
            assert double.count(window="3d") == 2
            gate.set()

    def test_that_fail_fail_for_all_who_waited(self, double, redis):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, answer(404, b"no")), window="3d")
        with replicas(double, redis) as backends, contextlib.ExitStack() as stack:
            def lease_waits():
                return sum(metric(backend, "kubecent_redis_lease_waits_total") for backend in backends)
            before = lease_waits()
            connections = [stack.enter_context(ask(backend)) for backend in backends]
            wait_until(lambda: lease_waits() - before == REPLICAS - 1, "all but one to wait for that one")
            gate.set()
            answers = [connection.read() for connection in connections]
            assert {(response.status, response.body) for response in answers} == {(503, answers[0].body)}
            assert double.count(window="3d") == 1


class TestRedis:
    def test_that_hangs_does_not_slow_hits_and_delays_one_miss_by_the_timeout(self, double, redis):
        timeout = 2
        with replica(double, redis, REDIS_TIMEOUT_MS=1000 * timeout) as backend:
            backend.get(TARGET)
            wait_for_value(redis)
            redis.freeze()
            assert self.seconds(backend, TARGET) < timeout  # nobody has noticed yet
            windows = [f"{hours}h" for hours in range(2, 12)]
            first, *others = [self.seconds(backend, f"/api/v1/cost/pods?window={window}") for window in windows]
            assert first < timeout + 0.1 * LONG
            assert max(others) < timeout  # it is known to hang
            hits = sorted(self.seconds(backend, TARGET) for _ in range(200))
            assert hits[int(0.99 * len(hits))] < 0.5 * timeout
            assert len(backend.events("redis.unavailable")) == 1

    @staticmethod
    def seconds(backend, target):
        begun = time.monotonic()
        assert backend.get(target).status == 200
        return time.monotonic() - begun

    def test_that_is_killed_in_the_middle_of_a_write_leaves_no_trace(self, double, redis):
        gate = threading.Event()
        chance = random.Random(1)
        rows = [allocation("shop", f"{chance.getrandbits(512):0128x}", cpuCost=1) for _ in range(20000)]
        double.script(ALLOCATION, after(gate, allocations(*rows)), window="3d")
        with replicas(double, redis, 2, REDIS_TIMEOUT_MS=1000) as (one, other):
            with ask(one) as asked:
                double.wait_for_requests(1, window="3d")
                redis.freeze()
                gate.set()
                first = asked.read()
            redis.kill()
            redis.start()
            second = other.get(TARGET)
            assert (first.status, second.status) == (200, 200)
            assert first.body == second.body
            assert self.share_again(double, one, other)

    def test_that_is_restarted_empty_is_used_again(self, double, redis):
        with replicas(double, redis, 2) as (one, other):
            one.get(TARGET)
            redis.kill()
            assert other.get(TARGET).status == 200
            redis.start()
            assert self.share_again(double, one, other)

    @staticmethod
    def share_again(double, one, other):
        """When both are connected again: the second of two finds what the first has fetched."""
        minutes = itertools.count(1000)

        def do_share():
            target = f"/api/v1/cost/pods?window={next(minutes)}m"
            responses = [one.get(target), other.get(target)]
            assert [response.status for response in responses] == [200, 200]
            return is_shared(responses[1])
        return wait_until(do_share, "what one fetched at the other", deadline=3 * LONG)

    def test_that_was_never_there_matters_to_nobody(self, double):
        with RedisServer() as gone:
            pass
        with replicas(double, gone, 2) as backends:
            assert [backend.get(TARGET).header("Cache-Status") for backend in backends] == [MISSED, MISSED]
            assert double.count(window="3d") == 2


class TestFailover:
    def test_under_load_is_noticed_by_no_client(self, double):
        """New windows are asked for at both replicas, one after the other, while the master dies and another is made."""
        with Sentinels() as redis, replicas(double, redis, 2, REDIS_TIMEOUT_MS=1000) as backends:
            assert TestRedis.share_again(double, *backends)
            over = threading.Event()
            answers = [set() for _ in backends]
            clients = [threading.Thread(target=self.load, args=(*pair, over)) for pair in zip(backends, answers)]
            for client in clients:
                client.start()
            old = redis.master_port()
            redis.master.kill()
            wait_until(lambda: redis.master_port() not in (None, old), "another master", deadline=3 * LONG)
            assert TestRedis.share_again(double, *backends)
            over.set()
            for client in clients:
                client.join(3 * LONG)
            assert answers[0] == answers[1] and len(answers[0]) == 1
            assert answers[0].pop()[0] == 200

    @staticmethod
    def load(backend, answers, over):
        for minutes in range(10000, 40000):
            if over.is_set():
                return
            response = backend.get(f"/api/v1/cost/pods?window={minutes}m", deadline=3 * LONG)
            answers.add((response.status, response.body.replace(b"%dm" % minutes, b"")))


class TestValues:
    POISONS = {
        "damaged": lambda redis, key: redis.command("SETRANGE", key, 150, "xxxxxxxx"),
        "damaged_head": lambda redis, key: redis.command("SETRANGE", key, 20, "xxxxxxxx"),
        "foreign": lambda redis, key: redis.command("SET", key, "somebody else's business", "PX", 60000),
        "empty": lambda redis, key: redis.command("SET", key, "", "PX", 60000),
        "cut_off": lambda redis, key: redis.command(
            "EVAL", "return redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, -20), 'KEEPTTL')", 1, key),
        "longer": lambda redis, key: redis.command("APPEND", key, "and more"),
        "list": lambda redis, key: redis.command("DEL", key) and redis.command("LPUSH", key, "x"),
        "for_ever": lambda redis, key: redis.command("PERSIST", key),
    }

    @pytest.mark.parametrize("poison", POISONS)
    def test_that_are_no_good_harm_nobody(self, double, redis, poison):
        with replicas(double, redis) as (one, other, third):
            first = one.get(TARGET)
            key = wait_for_value(redis)
            self.POISONS[poison](redis, key)
            assert [backend.get(TARGET).body for backend in (other, third)] == [first.body, first.body]
            assert one.get(TARGET).status == 200
            assert double.count(window="3d") <= REPLICAS

    @pytest.mark.parametrize("poison", ["damaged", "damaged_head", "foreign", "empty", "cut_off", "longer"])
    def test_that_are_damaged_are_mended_by_one(self, double, redis, poison):
        with replicas(double, redis) as (one, other, third):
            one.get(TARGET)
            key = wait_for_value(redis)
            self.POISONS[poison](redis, key)
            assert other.get(TARGET).header("Cache-Status") == MISSED
            mended = third.get(TARGET)
            assert is_shared(mended) or mended.header("Cache-Status") == COLLAPSED
            assert double.count(window="3d") == 2

    def test_are_served_stale_when_opencost_fails(self, double, redis):
        settings = {"CACHE_TTL": 1, "CACHE_STALE_IF_ERROR": 600}
        with replicas(double, redis, 2, **settings) as (one, other):
            fresh = one.get(TARGET)
            wait_for_value(redis)
            double.script(ALLOCATION, answer(404, b"no"))
            stale = wait_until(lambda: self.stale_answer(other), "the end of its lifetime")
            assert stale.body == fresh.body
            assert re.fullmatch(r"kubecent; hit; ttl=-?\d+; detail=origin-unavailable", stale.header("Cache-Status"))
            assert other.get(TARGET).header("X-Cache") == "STALE"

    @staticmethod
    def stale_answer(backend):
        response = backend.get(TARGET)
        assert response.status == 200
        return response.header("X-Cache") == "STALE" and response
