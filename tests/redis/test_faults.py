# SPDX-License-Identifier: Apache-2.0
"""A Redis that is of no use: nobody waits for it, nothing it says is believed that should not be, and it is found back."""
import contextlib
import threading
import time

import pytest

from client import Replica
from patience import PATIENCE, wait_until
from ports import free_port
from redis_server import RedisServer
from rogue import Between, Rogue

TIMEOUT_MS = 1000
# What a miss may cost beside: a slow machine. Less than another time-out, where nothing slows it down.
SLACK = 0.8 * PATIENCE
QUICK_MS = 200  # where a time-out is not what is measured


def seconds_of(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def is_absent_at_once(replica, key="7d"):
    assert seconds_of(lambda: replica.claim(key)) < SLACK
    return replica.claim(key).outcome == "absent" and replica.peek(key).outcome == "nothing"


def reason_of(replica):
    return replica.wait_for_event("redis.unavailable")[0]["reason"]


class TestOutages:
    def test_nothing_listens(self):
        with Replica(f"redis://127.0.0.1:{free_port()}") as replica:
            assert is_absent_at_once(replica)
            assert reason_of(replica) == "connect"

    def test_no_such_name(self):
        with Replica("redis://no-such-host.invalid", REDIS_TIMEOUT_MS=QUICK_MS) as replica:
            assert replica.claim("7d").outcome == "absent"
            assert reason_of(replica) in ("connect", "timeout")

    def test_no_such_socket(self):
        with Replica("unix:///nonexistent/redis.sock") as replica:
            assert is_absent_at_once(replica)
            assert reason_of(replica) == "connect"

    def test_one_that_hangs_from_the_start_costs_one_time_out(self):
        with Rogue(lambda connection, request: None) as silent:
            with Replica(silent.url, REDIS_TIMEOUT_MS=TIMEOUT_MS) as replica:
                took = seconds_of(lambda: replica.claim("7d"))
                assert took < TIMEOUT_MS / 1000 + SLACK
                assert reason_of(replica) == "timeout"
                assert is_absent_at_once(replica)

    def test_one_that_begins_to_hang_costs_one_time_out(self, redis):
        with Replica(redis.url, REDIS_TIMEOUT_MS=TIMEOUT_MS) as replica:
            assert replica.claim("7d").outcome == "leading"
            redis.freeze()
            claims = [replica.begin(f"key{number}") for number in range(100)]
            took = seconds_of(lambda: [claim.wait() for claim in claims])
            assert {claim.outcome for claim in claims} == {"absent"}
            assert took < TIMEOUT_MS / 1000 + SLACK
            assert is_absent_at_once(replica)
            assert reason_of(replica) == "timeout"
            assert len(replica.events("redis.unavailable")) == 1
            redis.thaw()
            replica.wait_for_event("redis.available")
            assert replica.claim("30d").outcome == "leading"

    def test_who_waits_for_another_replica_hears_of_an_outage(self, redis, another):
        with Replica(redis.url, REDIS_TIMEOUT_MS=TIMEOUT_MS) as replica:
            assert another.claim("7d").outcome == "leading"
            follower = replica.begin("7d")
            wait_until(lambda: replica.metric("kubecent_redis_lease_waits_total") == 1, "a follower")
            redis.kill()
            assert follower.wait().outcome == "absent"

    def test_it_is_told_once_and_found_back_once(self, redis):
        with Replica(redis.url) as replica:
            assert replica.metric("kubecent_redis_up") in (0, 1)
            wait_until(lambda: replica.metric("kubecent_redis_up") == 1, "a connection")
            redis.kill()
            wait_until(lambda: replica.metric("kubecent_redis_up") == 0, "its end")
            for number in range(200):
                assert replica.claim(f"key{number}").outcome == "absent"
            redis.start()
            event = replica.wait_for_event("redis.available")[0]
            assert event["out_ms"] > 0 and event["redis_url"] == redis.url
            assert len(replica.events("redis.unavailable")) == len(replica.events("redis.available")) == 1
            assert replica.metric("kubecent_redis_up") == 1

    def test_a_restart_without_its_data_costs_the_data(self, redis, another):
        with Replica(redis.url) as replica:
            first = replica.claim("7d")
            first.settle("costs")
            wait_until(lambda: another.peek("7d").outcome == "value", "the value")
            leader = replica.claim("30d")
            redis.kill()
            redis.start()
            # Its holder takes the lease again, so that it has it still when it settles.
            wait_until(lambda: redis.command("EXISTS", "kubecent:l:30d"), "the lease")
            follower = another.begin("30d")
            leader.settle("month")
            wait_until(lambda: follower.outcome == "found" or another.peek("30d").outcome == "value", "the value")
            assert replica.claim("7d").outcome == "leading"


class TestRefusals:
    def test_full(self):
        with RedisServer(maxmemory="3mb", maxmemory_policy="noeviction") as redis, Replica(redis.url) as replica:
            assert replica.claim("7d").outcome == "leading"
            wire = redis.connect()
            wire.ask("CONFIG", "SET", "maxmemory", "1")
            assert replica.claim("30d").outcome == "absent"
            assert reason_of(replica) == "full"
            assert is_absent_at_once(replica)
            wire.ask("CONFIG", "SET", "maxmemory", "0")
            wire.close()
            replica.wait_for_event("redis.available")
            assert replica.claim("30d").outcome == "leading"

    def test_read_only(self, redis):
        with RedisServer() as master, Replica(redis.url) as replica:
            assert replica.claim("7d").outcome == "leading"
            redis.command("REPLICAOF", "127.0.0.1", master.port)
            assert replica.claim("30d").outcome == "absent"
            assert reason_of(replica) == "read_only"
            redis.command("REPLICAOF", "NO", "ONE")
            replica.wait_for_event("redis.available")

    def test_a_value_too_large_for_redis_leaves_the_lease_to_others(self, redis, replica, another):
        redis.command("CONFIG", "SET", "proto-max-bulk-len", "1048576")
        leader = replica.claim("7d")
        leader.settle_large(2 * 1024 * 1024)
        assert another.claim("7d", 20_000).outcome in ("leading", "absent")

    def test_a_value_too_large_for_us_is_not_stored(self, redis, replica, another):
        leader = replica.claim("7d")
        leader.settle_large(64 * 1024 * 1024)
        assert another.claim("7d").outcome == "leading"
        assert redis.command("EXISTS", "kubecent:v:7d") == 0
        assert replica.metric('kubecent_redis_failures_total{reason="too_large"}') == 1

    def test_still_loading(self):
        with Rogue(lambda connection, request: connection.sendall(b"-LOADING Redis is loading the dataset\r\n" * 12)) as one:
            with Replica(one.url) as replica:
                assert is_absent_at_once(replica)
                assert reason_of(replica) == "loading"


class TestForeignThings:
    @pytest.mark.parametrize("value", ["kubecent", "costs", "\x00" * 100])
    def test_a_value_of_others_is_none(self, redis, replica, value):
        redis.command("SET", "kubecent:v:7d", value, "PX", 60_000)
        assert replica.peek("7d").outcome == "nothing"
        claim = replica.claim("7d")
        assert claim.outcome == "leading"
        assert replica.metric('kubecent_redis_failures_total{reason="foreign"}') > 0
        claim.settle("costs")
        wait_until(lambda: replica.peek("7d").words[:2] == ["value", "costs"], "the value in its place")

    def test_a_value_beyond_all_bounds_is_replaced_like_any_other(self, redis, replica, another):
        redis.command("SETRANGE", "kubecent:v:7d", 150_000_000, "x")
        claim = replica.claim("7d")
        assert claim.outcome == "leading"
        claim.settle("costs")
        wait_until(lambda: another.peek("7d").words[:2] == ["value", "costs"], "the value in its place")
        assert replica.events("redis.unavailable") == []

    def test_a_value_that_is_cut_off_is_none(self, redis, replica):
        replica.claim("7d").settle("costs")
        wait_until(lambda: redis.command("EXISTS", "kubecent:v:7d"), "the value")
        stored = redis.command("GET", "kubecent:v:7d")
        ttl = redis.command("PTTL", "kubecent:v:7d")
        redis.command("SET", "kubecent:v:7d", stored[:-1], "PX", ttl)
        assert replica.peek("7d").outcome == "nothing"

    def test_a_value_without_an_end_is_none_as_its_age_is_unknown(self, redis, replica):
        replica.claim("7d").settle("costs")
        wait_until(lambda: redis.command("EXISTS", "kubecent:v:7d"), "the value")
        redis.command("PERSIST", "kubecent:v:7d")
        assert replica.peek("7d").outcome == "nothing"
        redis.command("PEXPIRE", "kubecent:v:7d", 10**9)
        assert replica.peek("7d").outcome == "nothing"

    def test_something_else_than_a_string_is_none(self, redis, replica):
        redis.command("RPUSH", "kubecent:v:7d", "a", "b")
        claim = replica.claim("7d")
        assert claim.outcome == "leading"
        claim.settle("costs")
        wait_until(lambda: replica.peek("7d").words[:2] == ["value", "costs"], "the value in its place")

    @pytest.mark.parametrize("words", [("SET", "kubecent:l:7d", "mine"), ("SET", "kubecent:l:7d", ""),
                                       ("RPUSH", "kubecent:l:7d", "a"), ("SETRANGE", "kubecent:l:7d", 150_000_000, "x")])
    def test_a_lease_of_others_is_not_waited_for(self, redis, replica, words):
        redis.command(*words)
        assert seconds_of(lambda: replica.claim("7d")) < 8 * PATIENCE
        assert replica.claim("7d").outcome == "absent"
        assert replica.claim("30d").outcome == "leading"
        assert replica.events("redis.unavailable") == []

    @pytest.mark.parametrize("words", [("SET", "kubecent:l:7d", "mine"), ("RPUSH", "kubecent:l:7d", "a")])
    def test_what_takes_the_place_of_a_lease_does_not_cost_the_connection(self, redis, replica, another, words):
        leader = replica.claim("7d")
        redis.command("DEL", "kubecent:l:7d")
        redis.command(*words)
        leader.settle("costs")
        wait_until(lambda: another.peek("7d").words[:2] == ["value", "costs"], "the value")
        assert replica.claim("7d").outcome == "found"
        assert redis.command("EXISTS", "kubecent:l:7d") == 1
        assert replica.events("redis.unavailable") == []

    def test_a_failure_of_others_is_none(self, redis, replica, another):
        assert replica.claim("7d").outcome == "leading"
        follower = another.begin("7d")
        wait_until(lambda: another.metric("kubecent_redis_lease_waits_total") == 1, "a follower")
        redis.command("SET", "kubecent:f:7d", "kubecent\x02nonsense", "PX", 5000)
        redis.command("DEL", "kubecent:l:7d")
        assert follower.wait().outcome == "leading"

    def test_nonsense_on_the_channel_is_let_pass(self, redis, replica, another):
        leader = replica.claim("7d")
        follower = another.begin("7d")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription")
        for nonsense in ("", "7d", "x" * 30_000, "\x00"):
            redis.command("PUBLISH", "kubecent:settled", nonsense)
        assert follower.outcome is None
        leader.settle("costs")
        assert follower.wait().outcome == "found"


GARBAGE = {
    "not the protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing but zeros": bytes(1000),
    "a huge announcement": b"*2147483647\r\n",
    "many elements": b"*200\r\n" * 6,
    "a deep nest": b"*1\r\n" * 40,
    "a negative length": b"$-5\r\n",
    "no number": b":abc\r\n",
    "the wrong kinds": b":1\r\n" * 12,
    "empty arrays": b"*0\r\n" * 12,
    "nils": b"$-1\r\n" * 12,
    "good news only": b"+OK\r\n" * 12,
    "too much": b"+" + b"x" * 400_000 + b"\r\n",
}


class TestGarbage:
    @pytest.mark.parametrize("name", GARBAGE)
    def test_of_any_kind_ends_in_absence(self, name):
        with Rogue(lambda connection, request: connection.sendall(GARBAGE[name])) as rogue:
            with Replica(rogue.url, REDIS_TIMEOUT_MS=QUICK_MS) as replica:
                assert replica.claim("7d").outcome == "absent"
                assert reason_of(replica) in ("protocol", "too_large", "timeout", "connect")
                assert is_absent_at_once(replica)

    def test_in_the_midst_of_good_answers_is_not_believed(self, redis):
        spoilt = []

        def spoil(answer):
            return answer.replace(b"kubecent\x01", b"kubecent\x07") if spoilt else answer

        with Between(redis.port, spoil) as between, Replica(between.url) as replica:
            replica.claim("7d").settle("costs")
            wait_until(lambda: replica.peek("7d").outcome == "value", "the value")
            spoilt.append(True)
            assert replica.peek("7d").outcome == "nothing"

    def test_answers_that_come_in_drips_are_answers(self, redis):
        def drip(answer):
            for byte in answer[:-1]:
                connection_of["now"].sendall(bytes([byte]))
            return answer[-1:]

        connection_of = {}

        class Dripping(Between):
            def _pass_back(self, connection, upstream):
                connection_of["now"] = connection
                super()._pass_back(connection, upstream)

        with Dripping(redis.port, drip) as between, Replica(between.url) as replica:
            replica.claim("7d").settle("costs")
            wait_until(lambda: redis.command("EXISTS", "kubecent:v:7d"), "the value")
            assert replica.claim("7d").words[:2] == ["found", "costs"]

    @pytest.mark.parametrize("pause", [0.05, 0.001])
    def test_answers_that_trickle_cost_one_time_out(self, redis, pause):
        is_slow = threading.Event()

        class Trickling(Between):
            def _pass_back(self, connection, upstream):
                with contextlib.suppress(OSError):
                    while answer := upstream.recv(65536):
                        for byte in answer if is_slow.is_set() else ():
                            connection.sendall(bytes([byte]))
                            time.sleep(pause)
                        if not is_slow.is_set():
                            connection.sendall(answer)

        with Trickling(redis.port, None) as between, Replica(between.url, REDIS_TIMEOUT_MS=TIMEOUT_MS) as replica:
            replica.claim("7d").settle_large(1024 * 1024)
            wait_until(lambda: replica.claim("7d").outcome == "found", "the value")
            is_slow.set()
            assert seconds_of(lambda: replica.claim("7d")) < TIMEOUT_MS / 1000 + SLACK
            assert reason_of(replica) == "timeout"
            assert is_absent_at_once(replica)

    def test_an_answer_without_end_is_ended(self, redis):
        """One that goes on and on, never silent for long, is cut off by the cap on the whole."""
        def endless(connection, request):
            connection.sendall(b"$1000000\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(QUICK_MS / 4000)

        with Rogue(endless) as rogue, Replica(rogue.url, REDIS_TIMEOUT_MS=QUICK_MS) as replica:
            replica.wait_for_event("redis.unavailable")
            assert reason_of(replica) in ("timeout", "too_large")


class TestConnections:
    def test_that_of_the_messages_is_made_anew_as_well(self, redis, replica, another):
        leader = replica.claim("7d")
        follower = another.begin("7d")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription")
        redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 0, "its end")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription anew")
        leader.settle("costs")
        assert follower.wait().outcome == "found"

    def test_that_of_the_messages_bears_any_number_of_them(self, redis, replica, another):
        assert replica.claim("7d").outcome == "leading"
        follower = another.begin("7d")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription")
        wire = redis.connect()
        for _ in range(100):
            wire.ask("PUBLISH", "kubecent:settled", "x" * 30_000)
        replica.claim("30d").settle("costs")
        wait_until(lambda: redis.command("COPY", "kubecent:v:30d", "kubecent:v:7d"), "a value")
        wire.ask("PUBLISH", "kubecent:settled", "7d")
        wire.close()
        assert follower.wait().words[:2] == ["found", "costs"]
        assert another.metric('kubecent_redis_failures_total{reason="too_large"}') == 0

    def test_there_are_no_more_than_two(self, redis, replica, another):
        assert replica.claim("7d").outcome == "leading"
        followers = [another.begin("7d") for _ in range(20)]
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription")
        clients = redis.command("CLIENT", "LIST").strip().split("\n")
        assert len(clients) - 1 == 3  # without the one that asks: two of one replica, one of the other
        assert not any(follower.outcome for follower in followers)
