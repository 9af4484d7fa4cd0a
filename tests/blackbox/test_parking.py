# SPDX-License-Identifier: Apache-2.0
"""Many clients while OpenCost is slow: one query for all, and nobody else notices."""
import json
import re
import select
import threading
from contextlib import ExitStack

import pytest

from backend import Backend
from opencost_double import ALLOCATION, after, answer, fixture
from patience import PATIENCE, wait_until

TYPICAL = fixture("oc2024-namespace_pod-1d.json")
TARGET = "/api/v1/cost/namespaces?window=3d"
AT_ONCE = 2.0 * PATIENCE  # far below every timeout of ours, far above what an answer takes


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def slow(double, gate):
    """A backend whose OpenCost holds every query for 3d until `gate` opens."""
    double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
    with Backend(double) as backend:
        yield backend
        gate.set()


def crowd(stack, backend, count, target=TARGET):
    """Connections that have each sent one request."""
    connections = [stack.enter_context(backend.connect()) for _ in range(count)]
    for connection in connections:
        connection.request(target)
    return connections


def waiting_now(backend):
    return int(re.search(r"^kubecent_requests_waiting (\d+)$", backend.get("/metrics").text, re.M)[1])


class TestWhileManyWait:
    def test_the_rest_is_answered_at_once(self, double, slow, gate):
        cached = ["/api/v1/cost/pods?window=4d", "/api/v1/cost/namespaces?window=4d"]
        for target in cached:
            slow.get(target)
        with ExitStack() as stack:
            waiting = crowd(stack, slow, 64)
            double.wait_for_requests(1, window="3d")
            for _ in range(10):
                for target in (*cached, "/livez", "/readyz", "/api/v1/health", "/metrics"):
                    assert slow.get(target, deadline=AT_ONCE).status == 200
            assert not gate.is_set()
            gate.set()
            answers = [connection.read() for connection in waiting]
        assert {(response.status, response.body) for response in answers} == {(200, slow.get(TARGET).body)}
        assert double.count(window="3d") == 1

    def test_another_window_is_fetched(self, double, slow):
        with ExitStack() as stack:
            crowd(stack, slow, 16)
            double.wait_for_requests(1, window="3d")
            assert slow.get("/api/v1/cost/pods?window=5d").status == 200

    def test_those_who_leave_harm_nobody(self, double, slow, gate):
        with ExitStack() as stack:
            leaving, staying = crowd(stack, slow, 32), crowd(stack, slow, 8)
            double.wait_for_requests(1, window="3d")
            for connection in leaving:
                connection.close()
            slow.get("/livez")
            gate.set()
            assert [connection.read().status for connection in staying] == [200] * 8
        assert slow.get(TARGET).status == 200
        assert double.count(window="3d") == 1

    def test_even_if_all_leave_the_answer_is_kept(self, double, slow, gate):
        with ExitStack() as stack:
            crowd(stack, slow, 4)
            double.wait_for_requests(1, window="3d")
        gate.set()
        assert slow.get(TARGET).status == 200
        assert double.count(window="3d") == 1

    def test_those_who_left_do_not_count_among_them(self, double, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with Backend(double, HTTP_MAX_WAITING=4) as backend, ExitStack() as stack:
            staying = crowd(stack, backend, 1)
            for _ in range(3):
                with ExitStack() as leaving:
                    crowd(leaving, backend, 3)
                    wait_until(lambda: waiting_now(backend) == 4, "all to wait")
                    assert backend.get("/api/v1/cost/pods?window=4h").status == 503
                wait_until(lambda: waiting_now(backend) == 1, "it to be noticed that three have left")
            assert not gate.is_set()
            gate.set()
            assert [connection.read().status for connection in staying] == [200]
        assert double.count(window="3d") == 1

    def test_what_only_they_wanted_is_not_asked_for(self, double, gate):
        """One client asks for 150 windows and leaves: OpenCost is asked for the two that had begun."""
        double.script(ALLOCATION, after(gate, TYPICAL))
        with Backend(double, ready=False, REFRESH_WINDOWS="59m") as backend:
            double.wait_for_requests(1, window="59m")
            with ExitStack() as leaving:
                for hours in range(100, 250):
                    crowd(leaving, backend, 1, f"/api/v1/cost/pods?window={hours}h")
                wait_until(lambda: waiting_now(backend) == 150, "all to wait")
            wait_until(lambda: waiting_now(backend) == 0, "it to be noticed that all have left")
            wait_until(lambda: len(backend.events("opencost.allocation_withdrawn")) == 149, "all but two to leave the queue")
            gate.set()
            assert backend.get("/api/v1/cost/pods?window=5h").status == 200
        assert double.count() == 3

    def test_pipelined_requests_keep_their_order(self, slow, gate):
        with slow.connect() as connection:
            for target in (TARGET, "/livez", "/nope"):
                connection.request(target)
            slow.get("/livez")
            gate.set()
            assert [connection.read().status for _ in range(3)] == [200, 200, 404]

    def test_head_waits_too(self, double, slow, gate):
        with slow.connect() as connection:
            connection.request(TARGET, "HEAD")
            double.wait_for_requests(1, window="3d")
            gate.set()
            assert connection.read("HEAD").status == 200


class TestOneQuery:
    def test_for_two_hundred_identical_misses(self, double, slow, gate):
        with ExitStack() as stack:
            waiting = crowd(stack, slow, 200)
            double.wait_for_requests(1, window="3d")
            gate.set()
            assert {connection.read().status for connection in waiting} == {200}
        assert double.count(window="3d") == 1

    def test_for_different_views_and_spellings(self, double, slow, gate):
        double.script(ALLOCATION, after(gate, TYPICAL), window="7d")
        targets = ("cost/namespaces", "cost/pods", "cost/pods?namespace=shop", "cost/namespaces?window=1w&detail=true",
                   "savings/recommendations", "savings/recommendations?limit=3", "cost/pods?window=7d&namespace=batch")
        with ExitStack() as stack:
            waiting = [connection for target in targets for connection in crowd(stack, slow, 4, f"/api/v1/{target}")]
            double.wait_for_requests(1, window="7d")
            gate.set()
            assert {connection.read().status for connection in waiting} == {200}
        assert double.count(window="7d") == 1

    def test_that_fails_is_tried_for_all_together(self, double, slow, gate):
        double.script(ALLOCATION, after(gate, answer(500)), window="3d")
        with ExitStack() as stack:
            waiting = crowd(stack, slow, 50)
            double.wait_for_requests(1, window="3d")
            slow.get("/livez")
            gate.set()
            answers = {(response.status, response.body) for response in (connection.read() for connection in waiting)}
        assert len(answers) == 1
        assert json.loads(answers.pop()[1])["detail"].startswith("Failed to fetch")
        assert double.count(window="3d") == 3


def test_at_most_two_queries_are_in_flight(double, slow, gate):
    windows = [f"{hours}h" for hours in range(2, 14)]
    for window in windows:
        double.script(ALLOCATION, after(gate, TYPICAL), window=window)
    with ExitStack() as stack:
        waiting = [crowd(stack, slow, 1, f"/api/v1/cost/pods?window={window}")[0] for window in windows]
        asked = wait_until(lambda: [window for window in windows if double.count(window=window)][1:], "two queries")
        assert slow.get("/livez", deadline=AT_ONCE).status == 200
        assert len(asked) == 1
        gate.set()
        assert {connection.read().status for connection in waiting} == {200}
    assert double.max_in_flight == 2
    assert all(double.count(window=window) == 1 for window in windows)


def test_more_than_may_wait_are_refused_at_once(double, gate):
    double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
    with Backend(double, HTTP_MAX_WAITING=4) as backend, ExitStack() as stack:
        connections = crowd(stack, backend, 12)
        wait_until(lambda: len(select.select([one.socket for one in connections], [], [], 0)[0]) == 8, "eight refusals")
        gate.set()
        answers = [connection.read() for connection in connections]
    assert sorted(response.status for response in answers) == [200] * 4 + [503] * 8
    for response in answers:
        if response.status == 503:
            assert int(response.header("Retry-After")) >= 1
            assert response.header("Cache-Control") == "no-store"
            assert list(json.loads(response.text)) == ["detail"]


def test_two_hundred_identical_hits_on_one_connection_each(double, backend):
    body = backend.get(TARGET).body
    with ExitStack() as stack:
        for connection in crowd(stack, backend, 200):
            assert connection.read().body == body
    assert double.count(window="3d") == 1
