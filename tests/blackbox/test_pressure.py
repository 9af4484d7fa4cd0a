# SPDX-License-Identifier: Apache-2.0
"""More than the server was made for: a well-behaved client keeps getting its answers, and when it is over, nothing is
left behind."""
import functools
import re
import resource
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from backend import BINARY, WRAPPER, Backend, run_to_end
from hostility import Process, witnessed
from opencost_double import ALLOCATION, after, fixture
from patience import LONG, PATIENCE, wait_until

TYPICAL = fixture("oc2024-namespace_pod-1d.json")
CACHED = "/api/v1/cost/namespaces?window=3d"
SOON = 5.0 * PATIENCE
IDLE_S = 1  # HTTP_IDLE_TIMEOUT where a test waits for it

# Sanitizers and valgrind keep freed memory, and have descriptors and threads of their own.
IS_PLAIN = not WRAPPER and not re.search(rb"__[at]san_init", Path(BINARY).read_bytes())

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
MANY = min(2000, hard - 500)


@pytest.fixture(scope="module", autouse=True)
def descriptors_for_the_test():
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@functools.cache
def settings():
    return {line.partition("=")[0] for line in run_to_end("--print-config", cwd="/").stdout.splitlines()}


def needs_setting(name):
    return pytest.mark.skipif(name not in settings(), reason=f"there is no {name}")


needs_plain_build = pytest.mark.skipif(not IS_PLAIN, reason="sanitizers have memory and descriptors of their own")


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@contextmanager
def leaves_nothing_behind(backend):
    """Descriptors and threads are as many afterwards as before, give or take what is kept on purpose: connections to
    OpenCost, and the loop's pool of four, which starts with its first job."""
    backend.get(CACHED)
    process = Process(backend.process.pid)
    descriptors, threads = process.descriptors(), process.threads()
    yield process
    wait_until(lambda: process.descriptors() <= descriptors + 2, "the descriptors' return")
    assert process.threads() <= threads + 4


def busy_share(process, seconds=0.5):
    """The share of one CPU that the process takes while nothing is asked of it."""
    begun, used = time.monotonic(), process.cpu_s()
    time.sleep(seconds)
    return (process.cpu_s() - used) / (time.monotonic() - begun)


def connections(stack, backend, count, address="127.0.0.1"):
    """Connections that do nothing, from an address of the loopback network."""
    opened = []
    for _ in range(count):
        connection = stack.enter_context(socket.socket())
        connection.settimeout(LONG)
        connection.bind((address, 0))
        connection.connect((backend.host, backend.port))
        opened.append(connection)
    return opened


class TestIdleConnections:
    def test_of_thousands_disturb_nobody(self, backend):
        with leaves_nothing_behind(backend) as process:
            with ExitStack() as stack, witnessed(backend):
                connections(stack, backend, MANY)
                wait_until(lambda: process.descriptors() > MANY, "all to be accepted")
                assert busy_share(process) < 0.5  # the witness keeps asking
                assert backend.get(CACHED, deadline=SOON).status == 200

    @needs_plain_build
    def test_cost_at_most_forty_kilobytes_each(self, backend):
        with leaves_nothing_behind(backend) as process, ExitStack() as stack:
            before_kb = process.memory_kb()
            for connection in connections(stack, backend, 1000):
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: process.descriptors() > 1000, "all to be accepted")
            assert process.memory_kb() - before_kb < 1000 * 40

    def test_end_with_the_idle_timeout(self, double):
        with Backend(double, HTTP_IDLE_TIMEOUT=IDLE_S) as backend, leaves_nothing_behind(backend), ExitStack() as stack:
            for connection in connections(stack, backend, 200):
                assert connection.recv(1) == b""

    def test_that_fill_every_place_make_room_when_they_end(self, double):
        with Backend(double, HTTP_MAX_CONNECTIONS=32, HTTP_IDLE_TIMEOUT=IDLE_S) as backend, ExitStack() as stack:
            connections(stack, backend, 64)
            assert backend.get(CACHED, deadline=LONG).status == 200

    def test_beyond_the_last_place_keep_nobody_busy(self, double):
        with Backend(double, HTTP_MAX_CONNECTIONS=32) as backend, ExitStack() as stack:
            process = Process(backend.process.pid)
            connections(stack, backend, 64)
            wait_until(lambda: process.descriptors() > 32, "all places to be taken")
            assert busy_share(process) < 0.2


class TestSlowRequests:
    """Many clients, each sending a byte of its request now and then."""

    HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "

    @contextmanager
    def writers(self, backend, count, head=HEAD):
        """Clients that write for as long as the block lasts. Yields those of them that were not shut out yet."""
        over = threading.Event()
        with ExitStack() as stack:
            writing = connections(stack, backend, count)

            def write():
                at = 0
                while not over.wait(0.2):
                    for connection in list(writing):
                        try:
                            connection.sendall((head + b"y" * 10**6)[at:at + 1])
                        except OSError:
                            writing.remove(connection)
                    at += 1

            for connection in writing:
                connection.sendall(head[:20])
            head = head[20:]
            thread = threading.Thread(target=write, daemon=True)
            thread.start()
            try:
                yield writing
            finally:
                over.set()
                thread.join(LONG)

    def test_of_hundreds_disturb_nobody(self, backend):
        with leaves_nothing_behind(backend) as process:
            with self.writers(backend, 500), witnessed(backend):
                wait_until(lambda: process.descriptors() > 500, "all to be accepted")
                for _ in range(50):
                    assert backend.get(CACHED, deadline=SOON).status == 200

    @needs_setting("HTTP_REQUEST_TIMEOUT")
    @pytest.mark.parametrize("head", [HEAD, b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"], ids=["head", "body"])
    def test_are_ended_when_they_take_too_long_as_a_whole(self, double, head):
        with Backend(double, HTTP_REQUEST_TIMEOUT=1) as backend, witnessed(backend), leaves_nothing_behind(backend):
            with self.writers(backend, 100, head) as writing:
                wait_until(lambda: not writing, "the end of all slow requests")

    @needs_setting("HTTP_REQUEST_TIMEOUT")
    def test_that_wait_for_opencost_are_not_slow(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="4d")
        with Backend(double, HTTP_REQUEST_TIMEOUT=1) as backend, backend.connect() as waiting:
            waiting.request("/api/v1/cost/namespaces?window=4d")
            double.wait_for_requests(1, window="4d")
            time.sleep(2.5)  # there is no other sign of a limit that does not apply
            gate.set()
            assert waiting.read().status == 200


class TestSlowReaders:
    def test_of_big_answers_disturb_nobody(self, backend):
        with leaves_nothing_behind(backend):
            with ExitStack() as stack, witnessed(backend):
                for connection in connections(stack, backend, 200):
                    connection.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
                assert backend.get(CACHED, deadline=SOON).status == 200


class TestOneAddress:
    """One client that wants everything, and another from elsewhere."""

    @needs_setting("HTTP_MAX_CONNECTIONS_PER_ADDRESS")
    def test_cannot_take_every_connection(self, double):
        with Backend(double, HTTP_MAX_CONNECTIONS=64, HTTP_MAX_CONNECTIONS_PER_ADDRESS=16) as backend, ExitStack() as stack:
            connections(stack, backend, 64, "127.0.0.2")
            assert backend.get(CACHED, deadline=SOON).status == 200

    @needs_setting("HTTP_MAX_WAITING_PER_ADDRESS")
    def test_cannot_take_every_place_to_wait(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL))
        with Backend(double, ready=False, HTTP_MAX_WAITING=64, HTTP_MAX_WAITING_PER_ADDRESS=8) as backend, ExitStack() as stack:
            greedy = connections(stack, backend, 64, "127.0.0.2")
            for number, connection in enumerate(greedy):
                connection.sendall(b"GET /api/v1/cost/pods?window=%dm HTTP/1.1\r\nHost: x\r\n\r\n" % (1000 + number))
            refused = wait_until(lambda: len(found := select.select(greedy, [], [], 0)[0]) == 56 and found, "56 refusals")
            for connection in refused:
                answer = connection.recv(65536)
                assert b" 429 " in answer and b"Retry-After: " in answer
            with backend.connect() as modest:
                modest.request(CACHED)
                gate.set()
                assert modest.read().status == 200


class TestMisses:
    def test_of_two_hundred_for_the_same_are_one_query(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="4d")
        with Backend(double) as backend, leaves_nothing_behind(backend), ExitStack() as stack, witnessed(backend):
            waiting = connections(stack, backend, 200)
            for connection in waiting:
                connection.sendall(b"GET /api/v1/cost/pods?window=4d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            double.wait_for_requests(1, window="4d")
            gate.set()
            for connection in waiting:
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
            stack.close()
        assert double.count(window="4d") == 1

    def test_of_a_thousand_windows_are_two_queries_at_a_time_and_bounded_memory(self, double):
        with Backend(double, CACHE_MAX_MB=1, LOG_LEVEL="WARNING") as backend, leaves_nothing_behind(backend) as process, \
                ThreadPoolExecutor(32) as pool, witnessed(backend, ["/livez"]):
            grown = []
            for first in (2000, 2500):
                answers = pool.map(lambda window: backend.get(f"/api/v1/cost/pods?window={window}m").status,
                                   range(first, first + 500))
                assert set(answers) == {200}
                grown.append(process.memory_kb())
        assert double.max_in_flight <= 2
        assert double.count() <= 1000 + 10
        if IS_PLAIN:
            assert grown[1] - grown[0] < 4096, grown

    @needs_plain_build
    def test_of_thousands_of_filters_stay_within_the_cache(self, double):
        with Backend(double, CACHE_MAX_MB=4, ACCESS_LOG="false") as backend, leaves_nothing_behind(backend) as process, \
                backend.connect() as client:
            before_kb = process.memory_kb()
            for headers in ((), [("Origin", "http://a.example")], ()):
                for number in range(3000):
                    client.request(f"/api/v1/cost/pods?window=3d&namespace=n{number}", headers=headers)
                    assert client.read().status == 200
            assert process.memory_kb() - before_kb < 2 * 4096

    def test_whose_clients_leave_are_forgotten(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="4d")
        with Backend(double, HTTP_MAX_WAITING=300) as backend, leaves_nothing_behind(backend):
            with ExitStack() as stack, witnessed(backend):
                for connection in connections(stack, backend, 300):
                    connection.sendall(b"GET /api/v1/cost/pods?window=4d HTTP/1.1\r\nHost: x\r\n\r\n")
                double.wait_for_requests(1, window="4d")
            gate.set()
            wait_until(lambda: backend.get("/api/v1/cost/pods?window=5d").status == 200, "places to wait")


class TestWithoutDescriptors:
    """With 64 descriptors in all, most of which strangers hold."""

    LIMIT = 64

    @pytest.fixture
    def crowded(self, double):
        launcher = ["prlimit", f"--nofile={self.LIMIT}:{self.LIMIT}"]
        with Backend(double, launcher=launcher, HTTP_IDLE_TIMEOUT=30) as backend:
            yield backend

    @pytest.fixture
    def full(self, crowded):
        """And one connection of ours, from before."""
        with crowded.connect() as ours, ExitStack() as stack:
            ours.request(CACHED)
            assert ours.read().status == 200
            strangers = connections(stack, crowded, 2 * self.LIMIT)
            process = Process(crowded.process.pid)
            wait_until(lambda: process.descriptors() >= self.LIMIT - 16, "the last descriptor for a connection")
            yield crowded, ours, process, strangers

    @needs_plain_build
    def test_who_is_connected_is_served(self, full):
        _, ours, _, _ = full
        for _ in range(100):
            ours.request(CACHED)
            assert ours.read().status == 200

    @needs_plain_build
    def test_nothing_spins(self, full):
        _, _, process, _ = full
        assert busy_share(process, 1.0) < 0.2

    @needs_plain_build
    def test_new_clients_are_served_when_others_leave(self, full):
        crowded, _, _, strangers = full
        for connection in strangers:
            connection.close()
        assert crowded.get(CACHED, deadline=SOON).status == 200
        assert crowded.get("/api/v1/cost/pods?window=9d", deadline=SOON).status == 200

    @needs_plain_build
    def test_opencost_can_still_be_asked(self, full):
        """On the connection we have with it."""
        _, ours, _, _ = full
        ours.request("/api/v1/cost/pods?window=9d")
        assert ours.read().status == 200

    @needs_plain_build
    def test_opencost_can_be_asked_on_a_new_connection(self, double, full):
        _, ours, _, _ = full
        double.refuse()
        double.listen()
        ours.request("/api/v1/cost/pods?window=9d")
        assert ours.read().status == 200
