# SPDX-License-Identifier: Apache-2.0
"""Leaving in good order: who waits is answered, who asks is told, the exit status is 0."""
import fcntl
import json
import re
import signal
import subprocess
import threading
from contextlib import ExitStack

import pytest

import http_raw
from backend import Backend, command, environment
from opencost_double import ALLOCATION, after, dripping, endless, fixture, hang
from patience import PATIENCE, wait_until
from ports import free_port

TYPICAL = fixture("oc2024-namespace_pod-1d.json")
TARGET = "/api/v1/cost/namespaces?window=3d"
SHORTLY = 5.0 * PATIENCE
PIPE_BYTES = 4096
GRACE = 25.0 * PATIENCE  # below Kubernetes' 30 s


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_service(double, number):
    with Backend(double) as backend:
        backend.signal(number)
        assert backend.wait_for_exit(SHORTLY) == 0
        assert len(backend.events("application.shutdown")) == 1


def test_idle_connections_do_not_delay_it(double):
    with Backend(double) as backend, ExitStack() as stack:
        connections = [stack.enter_context(backend.connect()) for _ in range(20)]
        for connection in connections[:10]:
            connection.request("/livez")
            connection.read()
        backend.signal(signal.SIGTERM)
        assert backend.wait_for_exit(SHORTLY) == 0
        assert all(connection.at_end() for connection in connections[:10])


def test_a_delay_lets_the_endpoint_go_first(double):
    with Backend(double, SHUTDOWN_DELAY=1) as backend, backend.connect() as kept:
        kept.request("/livez")
        assert kept.read().status == 200
        backend.signal(signal.SIGTERM)
        backend.wait_for_event("application.shutdown")
        unready = backend.get("/readyz")
        assert unready.status == 503
        assert isinstance(json.loads(unready.text), dict)
        assert backend.get(TARGET).status == 200
        kept.request("/livez")
        assert kept.read().status == 200
        assert backend.wait_for_exit() == 0


class TestDuringTheDelay:
    """All goes on, what is done once a second included."""

    def test_requests_that_drip_in_are_cut_off(self, double):
        with Backend(double, leaves_memory=True, SHUTDOWN_DELAY=60, HTTP_REQUEST_TIMEOUT=1) as backend, backend.connect() as dripping_in:
            backend.signal(signal.SIGTERM)
            backend.wait_for_event("application.shutdown")
            dripping_in.send(b"GET /")
            assert dripping_in.at_end()
            end_at_once(backend)

    def test_tokens_are_renewed(self, double, tmp_path):
        (tmp_path / "tokens").write_text("old")
        with Backend(double, leaves_memory=True, SHUTDOWN_DELAY=60, AUTH_TOKEN_FILE=tmp_path / "tokens") as backend:
            backend.signal(signal.SIGTERM)
            backend.wait_for_event("application.shutdown")
            (tmp_path / "tokens").write_text("renewed")
            wait_until(lambda: backend.get(TARGET, headers=[("Authorization", "Bearer renewed")]).status == 200, "the new token")
            end_at_once(backend)


def end_at_once(backend):
    assert backend.process.poll() is None
    backend.signal(signal.SIGTERM)
    assert backend.wait_for_exit(SHORTLY) == 128 + signal.SIGTERM


class TestWhileRequestsWait:
    @pytest.fixture
    def slow(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with Backend(double, SHUTDOWN_TIMEOUT=2) as backend:
            yield backend

    def test_they_are_answered_when_opencost_comes_back_in_time(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with Backend(double, SHUTDOWN_TIMEOUT=60) as backend, ExitStack() as stack:
            waiting = [stack.enter_context(backend.connect()) for _ in range(8)]
            for connection in waiting:
                connection.request(TARGET)
            wait_until(lambda: in_flight(backend) > len(waiting), "all requests to have come")
            backend.signal(signal.SIGTERM)
            wait_until(lambda: refuses(backend), "the listener's end")
            gate.set()
            for connection in waiting:
                response = connection.read()
                assert (response.status, response.header("Connection")) == (200, "close")
                assert connection.at_end()
            assert backend.wait_for_exit(SHORTLY) == 0

    def test_they_are_refused_when_it_does_not(self, double, slow):
        with slow.connect() as waiting:
            waiting.request(TARGET)
            double.wait_for_requests(1, window="3d")
            slow.signal(signal.SIGTERM)
            waiting.socket.settimeout(GRACE)
            response = waiting.read()
            assert response.status == 503
            assert list(json.loads(response.text)) == ["detail"]
            assert slow.wait_for_exit(GRACE) == 0

    def test_clients_that_left_do_not_hold_it_up(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with Backend(double, SHUTDOWN_TIMEOUT=60) as backend, backend.connect() as leaving_later:
            with backend.connect() as leaving:
                for connection in (leaving, leaving_later):
                    connection.request(TARGET)
                double.wait_for_requests(1, window="3d")
                backend.get("/livez")
            backend.signal(signal.SIGTERM)
            wait_until(lambda: refuses(backend), "the listener's end")
            assert backend.process.poll() is None
            leaving_later.close()
            assert backend.wait_for_exit(SHORTLY) == 0

    def test_nor_do_those_who_never_finish_their_request(self, double):
        with Backend(double, SHUTDOWN_TIMEOUT=60, HTTP_REQUEST_TIMEOUT=1) as backend, backend.connect() as dripping_in:
            dripping_in.send(b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx")
            wait_until(lambda: in_flight(backend) >= 2, "the request's head to be read")
            backend.signal(signal.SIGTERM)
            assert backend.wait_for_exit(SHORTLY) == 0

    def test_new_connections_are_not_taken(self, double, slow):
        with slow.connect() as waiting:
            waiting.request(TARGET)
            double.wait_for_requests(1, window="3d")
            slow.signal(signal.SIGTERM)
            wait_until(lambda: refuses(slow), "the listener's end")
        assert slow.wait_for_exit(GRACE) == 0


def in_flight(backend):
    return int(re.search(r"^kubecent_http_requests_in_flight (\d+)$", backend.get("/metrics").text, re.M)[1])


def refuses(backend):
    try:
        return backend.get("/livez", deadline=PATIENCE).status == 503
    except (OSError, http_raw.ProtocolError):
        return True


@pytest.mark.parametrize("behaviour", [endless(), dripping(b"x"), hang(threading.Event())], ids=["endless", "dripping", "hanging"])
def test_transfers_under_way_are_given_up(double, behaviour):
    double.script(ALLOCATION, behaviour, window="3d")
    with Backend(double, SHUTDOWN_TIMEOUT=1) as backend, backend.connect() as waiting:
        waiting.request(TARGET)
        double.wait_for_requests(1, window="3d")
        backend.signal(signal.SIGTERM)
        assert backend.wait_for_exit(GRACE) == 0


def test_it_works_before_the_first_warm_up_has_ended(double, gate):
    double.script(ALLOCATION, hang(gate))
    double.script("/healthz", hang(gate))
    with Backend(double, ready=False) as backend:
        backend.signal(signal.SIGTERM)
        assert backend.wait_for_exit(GRACE) == 0


def test_a_log_that_nobody_reads_does_not_hold_it_up(double, tmp_path):
    """A pipe that is full stops who writes into it; the last lines are given up, and nothing else."""
    port = free_port()
    process = subprocess.Popen(command(leaves_memory=True), cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment({"HOST": "127.0.0.1", "PORT": port, "OPENCOST_URL": double.url, "REFRESH_WINDOWS": ""}))
    try:
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        service = Backend(double, PORT=port)
        wait_until(lambda: not refuses(service), "the listener")
        for _ in range(PIPE_BYTES // 100):  # a line each
            assert service.get("/nowhere").status == 404
        process.send_signal(signal.SIGTERM)
        status = process.wait(GRACE)
    finally:
        process.kill()
        _, errors = process.communicate()
    assert (status, errors) == (0, b"")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(double, gate, second):
    double.script(ALLOCATION, hang(gate), window="3d")
    with Backend(double, leaves_memory=True, SHUTDOWN_DELAY=60) as backend, backend.connect() as waiting:
        waiting.request(TARGET)
        double.wait_for_requests(1, window="3d")
        backend.signal(signal.SIGTERM)
        backend.wait_for_event("application.shutdown")
        backend.signal(second)
        assert backend.wait_for_exit(SHORTLY) == 128 + second


def test_the_port_can_be_taken_again_at_once(double):
    with Backend(double) as first:
        first.get("/livez")
    with Backend(double, PORT=first.port) as second:
        assert second.get("/livez").status == 200


def test_a_lost_terminal_or_pipe_does_not_end_it(double):
    with Backend(double) as backend:
        backend.signal(signal.SIGPIPE)
        assert backend.get("/livez").status == 200
