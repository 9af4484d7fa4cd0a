# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, many, or greedy: bounded in time and number, at the cost of nobody else."""
import json
import resource
import select
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from backend import WRAPPER, Backend
from hostility import Process, witnessed
from opencost_double import ALLOCATION, after, answer, fixture
from patience import LONG, PATIENCE, wait_until

TARGET = "/api/v1/cost/namespaces?window=3d"
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
BODY_TO_COME = b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"


@pytest.fixture(scope="module")
def strict(shared_double):
    """A backend that gives a request one second, and a silent connection ten times that."""
    with Backend(shared_double, HTTP_REQUEST_TIMEOUT=1, HTTP_IDLE_TIMEOUT=10) as backend:
        yield backend


def has_input(connection):
    return bool(select.select([connection], [], [], 0)[0])


def drip_until_closed(connection, byte):
    """Seconds until the server closes, while a byte goes out ten times a second."""
    begun = time.monotonic()
    while not has_input(connection):
        assert time.monotonic() < begun + LONG, "still open"
        try:
            connection.send(byte)
        except OSError:
            break
        time.sleep(0.1)
    return time.monotonic() - begun


class TestRequestsThatDripIn:
    @pytest.mark.parametrize("begin, byte", [(b"GET /", b"x"), (HEAD + b"X: ", b"y"), (BODY_TO_COME, b"z")],
                             ids=["request_line", "headers", "body"])
    def test_are_cut_off(self, strict, begin, byte):
        with witnessed(strict), socket.create_connection(("127.0.0.1", strict.port)) as connection:
            connection.send(begin)
            assert drip_until_closed(connection, byte) > 0.9

    def test_are_cut_off_on_a_used_connection(self, strict):
        with strict.connect() as connection:
            connection.request("/livez")
            connection.read()
            connection.send(b"GET /")
            drip_until_closed(connection.socket, b"x")

    def test_are_said_to_be_in_the_log(self, strict):
        with socket.create_connection(("127.0.0.1", strict.port)) as connection:
            connection.send(b"GET /")
            drip_until_closed(connection, b"x")
        assert strict.wait_for_event("http.requests_cut_off")["count"] >= 1

    def test_two_hundred_at_once_all_end(self, strict):
        with witnessed(strict), ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(("127.0.0.1", strict.port))) for _ in range(200)]
            for connection in slow:
                connection.send(b"GET /")
            end = time.monotonic() + LONG
            while not all(has_input(connection) for connection in slow):
                assert time.monotonic() < end
                for connection in slow:
                    if not has_input(connection):
                        try:
                            connection.send(b"x")
                        except OSError:
                            pass
                time.sleep(0.1)


class TestWhoIsNotSlow:
    def test_a_request_in_pieces_within_the_time_is_answered(self, strict):
        with strict.connect() as connection:
            for piece in (b"GET /liv", b"ez HTTP/1.1\r\nHo", b"st: x\r\n", b"\r\n"):
                connection.send(piece)
                time.sleep(0.02)
            assert connection.read().status == 200

    def test_a_request_that_waits_for_opencost_is_answered(self, double):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, fixture("oc2024-namespace_pod-1d.json")), window="3d")
        with Backend(double, HTTP_REQUEST_TIMEOUT=1) as backend, backend.connect() as connection:
            connection.request(TARGET)
            double.wait_for_requests(1, window="3d")
            with backend.connect() as slow:
                slow.send(b"GET /")
                drip_until_closed(slow.socket, b"x")  # by when the other has waited as long
            gate.set()
            assert connection.read().status == 200

    def test_an_idle_connection_is_kept(self, strict):
        with strict.connect() as used, strict.connect() as fresh:
            used.request("/livez")
            used.read()
            with strict.connect() as slow:
                slow.send(b"GET /")
                drip_until_closed(slow.socket, b"x")
            for connection in (used, fresh):
                connection.request("/livez")
                assert connection.read().status == 200


def rest_of(connection):
    """All that can be read until the server closes."""
    connection.settimeout(LONG)
    total = 0
    try:
        while piece := connection.recv(1 << 20):
            total += len(piece)
    except ConnectionResetError:
        pass
    return total


def is_established(port, client_port):
    """Whether the server's side of that connection is."""
    pair = (f":{port:04X}", f":{client_port:04X}")
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return any((row[1][8:], row[2][8:], row[3]) == (*pair, "01") for row in rows)


def test_a_client_that_reads_nothing_is_dropped_in_the_end(shared_double):
    """Its answers fill the buffers of the kernel, and then stand still for as long as an idle connection may."""
    with Backend(shared_double, HTTP_IDLE_TIMEOUT=1) as backend, backend.connect() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.request("/livez")
        connection.read()
        pair = backend.port, connection.socket.getsockname()[1]
        assert is_established(*pair)
        asked = 0
        connection.socket.setblocking(False)
        end = time.monotonic() + LONG
        with witnessed(backend):
            while time.monotonic() < end:  # until our requests are no longer read, as the answers are not
                try:
                    asked += connection.socket.send(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
                except BlockingIOError:
                    break
            wait_until(lambda: not is_established(*pair), "the connection's end")
        assert rest_of(connection.socket) < asked * 100


class TestConnectionsPerAddress:
    def test_more_are_closed_and_others_are_served(self, double):
        with Backend(double, HOST="0.0.0.0", HTTP_MAX_CONNECTIONS_PER_ADDRESS=4) as backend, ExitStack() as stack:
            backend.host = "127.0.0.2"  # what watches comes from another address
            backend.get("/livez")
            mine = [stack.enter_context(socket.create_connection(("127.0.0.3", backend.port),
                                                                 source_address=("127.0.0.3", 0))) for _ in range(10)]
            closed = wait_until(lambda: [one for one in mine if has_input(one)][5:], "six refusals")
            assert len(closed) == 1
            for _ in range(5):
                assert connection_from("127.0.0.2", backend.port, b"/livez") == 200
            kept = [one for one in mine if not has_input(one)]
            for one in kept:
                one.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert rest_of(one) > 0
            wait_until(lambda: connection_from("127.0.0.3", backend.port, b"/livez") == 200, "a place that became free")


def connection_from(address, port, target):
    """The status of an answer to a client of that address; None when it was not let in."""
    try:
        with socket.create_connection((address, port), timeout=LONG, source_address=(address, 0)) as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = connection.recv(65536)
    except ConnectionResetError:
        return None
    return int(answer[9:12]) if answer else None


def test_connections_past_the_limit_wait_for_a_place(double):
    with Backend(double, HTTP_MAX_CONNECTIONS=4, HTTP_THREADS=1) as backend, ExitStack() as stack:
        connections = [stack.enter_context(backend.connect()) for _ in range(8)]
        for connection in connections:
            connection.request("/livez")
        first = wait_until(lambda: [one for one in connections if has_input(one.socket)][3:], "four answers")
        assert len(first) == 1
        for connection in [one for one in connections if has_input(one.socket)]:
            assert connection.read().status == 200
            connection.close()
        for connection in connections[4:]:
            assert connection.read().status == 200


class TestWaitingPerAddress:
    def test_more_are_refused_at_once_and_others_may_wait(self, double):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, fixture("oc2024-namespace_pod-1d.json")), window="3d")
        with Backend(double, HOST="0.0.0.0", HTTP_MAX_WAITING_PER_ADDRESS=3) as backend, ExitStack() as stack:
            backend.host = "127.0.0.1"
            greedy = [stack.enter_context(backend.connect()) for _ in range(10)]
            for connection in greedy:
                connection.request(TARGET, headers=[("Origin", "https://a.example")])
            refused = wait_until(lambda: [one for one in greedy if has_input(one.socket)][6:], "seven refusals")
            assert len(refused) == 1
            other = stack.enter_context(socket.create_connection(("127.0.0.2", backend.port), timeout=LONG,
                                                                 source_address=("127.0.0.2", 0)))
            other.sendall(b"GET " + TARGET.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert backend.get("/livez").status == 200
            gate.set()
            answers = [connection.read() for connection in greedy]
            assert rest_of(other) > 0
            for _ in range(5):  # all places are free again
                assert backend.get("/api/v1/cost/pods?window=4d").status == 200
        assert sorted(answer.status for answer in answers) == [200] * 3 + [429] * 7
        for answer in answers:
            if answer.status == 429:
                assert json.loads(answer.text) == {"detail": "Too many requests are waiting"}
                assert int(answer.header("Retry-After")) >= 1
                assert (answer.header("X-RateLimit-Limit"), answer.header("X-RateLimit-Remaining")) == ("3", "0")
                assert answer.header("Cache-Control") == "no-store"
                assert answer.header("Access-Control-Allow-Origin") == "*"

    def test_who_is_refused_for_want_of_places_does_not_wait(self, double):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, fixture("oc2024-namespace_pod-1d.json")), window="3d")
        with Backend(double, HTTP_MAX_WAITING=1, HTTP_MAX_WAITING_PER_ADDRESS=2) as backend, backend.connect() as waiting:
            waiting.request(TARGET)
            double.wait_for_requests(1, window="3d")
            assert [backend.get("/api/v1/cost/pods?window=4d").status for _ in range(5)] == [503] * 5
            gate.set()
            assert waiting.read().status == 200
            assert backend.get("/api/v1/cost/pods?window=4d").status == 200

    def test_who_was_answered_waits_no_longer_whatever_the_answer(self, double):
        double.script(ALLOCATION, fixture("oc2024-namespace_pod-1d.json"))
        double.script(ALLOCATION, answer(500), window="3h")
        with Backend(double, HTTP_MAX_WAITING_PER_ADDRESS=1, HTTP_MAX_WAITING=1) as backend:
            for hours, status in ((2, 200), (3, 503), (4, 200), (5, 200)):
                assert backend.get(f"/api/v1/cost/pods?window={hours}h").status == status


@pytest.mark.skipif(bool(WRAPPER), reason="valgrind has descriptors of its own, and keeps them out of the limit")
def test_connections_leave_descriptors_for_all_else(double):
    """With room for 64 files, half of them may be connections; OpenCost is asked through others."""
    with Backend(double, launcher=["prlimit", "--nofile=64:64"]) as backend, ExitStack() as stack:
        process = Process(backend.process.pid)
        backend.wait_for_event("http.too_few_descriptors", max_connections=32)
        crowd = [stack.enter_context(backend.connect()) for _ in range(100)]
        crowd[0].request(TARGET)
        assert crowd[0].read().status == 200
        before, begun = process.cpu_s(), time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 1, "a second to measure")
        assert process.cpu_s() - before < 0.2 * PATIENCE * (time.monotonic() - begun)
        assert not backend.events("http.library")
        for connection in crowd:
            connection.close()
        assert backend.get("/livez").status == 200


def test_without_descriptors_the_server_waits_and_does_not_spin(double):
    """Threads that have no connection are those that libmicrohttpd has spin, and complain each time: a line a second is
    enough."""
    with Backend(double, HTTP_THREADS=4) as backend, ExitStack() as stack:
        started = time.monotonic()
        process = Process(backend.process.pid)
        resource.prlimit(backend.process.pid, resource.RLIMIT_NOFILE, (process.descriptors() + 2,) * 2)
        crowd = [stack.enter_context(backend.connect()) for _ in range(64)]
        backend.wait_for_event("http.library", message="Error accepting connection: Too many open files")
        before, begun = process.cpu_s(), time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 1, "a second to measure")
        assert process.cpu_s() - before < 0.2 * PATIENCE * (time.monotonic() - begun)
        assert len(backend.events("http.library")) <= time.monotonic() - started + 2
        for connection in crowd:
            connection.close()
        assert backend.get("/livez").status == 200
