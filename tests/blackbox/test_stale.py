# SPDX-License-Identifier: Apache-2.0
"""Data past their lifetime: served while they are renewed, and while OpenCost fails or hangs. And what keeps us from
asking an OpenCost that fails time and again."""
import re
import threading

import pytest

from backend import Backend
from opencost_double import ALLOCATION, after, allocation, allocations, answer, fixture, hang
from patience import wait_until

TARGET = "/api/v1/cost/namespaces?window=3d"
TYPICAL = fixture("oc2024-namespace_pod-1d.json")
OTHER = allocations(allocation("shop", "web-0", cpuCost=12345))
RENEWED = "12345"


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def wait_for_stale(backend, seconds=2):
    """A stale answer that is at least so old."""
    def look():
        response = backend.get(TARGET)
        is_it = response.header("X-Cache") == "STALE" and int(response.header("Age")) >= seconds
        return response if is_it else None
    return wait_until(look, "a stale answer")


class TestRevalidation:
    SETTINGS = {"CACHE_TTL": 1, "CACHE_STALE_WHILE_REVALIDATE": 600}

    def test_serves_what_there_is_while_opencost_is_asked_once(self, double, gate):
        double.script(ALLOCATION, TYPICAL, hang(gate), window="3d")
        with Backend(double, **self.SETTINGS) as backend:
            first = backend.get(TARGET)
            stale = wait_for_stale(backend)
            assert stale.status == 200
            assert stale.body == first.body
            assert re.fullmatch(r"kubecent; hit; ttl=-[1-9]\d*", stale.header("Cache-Status"))
            for _ in range(50):
                assert backend.get(TARGET).header("X-Cache") == "STALE"
            assert double.count(window="3d") == 2

    def test_brings_the_new_figures_without_anyone_waiting(self, double):
        double.script(ALLOCATION, TYPICAL, OTHER, window="3d")
        with Backend(double, **self.SETTINGS) as backend:
            seen = [backend.get(TARGET)]

            def is_renewed():
                seen.append(backend.get(TARGET))
                return RENEWED in seen[-1].text
            wait_until(is_renewed, "new figures")
        assert "MISS" not in [response.header("X-Cache") for response in seen[1:]]

    def test_is_conditional_like_any_answer(self, double, gate):
        double.script(ALLOCATION, TYPICAL, hang(gate), window="3d")
        with Backend(double, **self.SETTINGS) as backend:
            tag = backend.get(TARGET).header("ETag")
            wait_for_stale(backend)
            assert backend.get(TARGET, headers=[("If-None-Match", tag)]).status == 304

    def test_survives_an_opencost_that_fails(self, double):
        double.script(ALLOCATION, TYPICAL, answer(500), window="3d")
        with Backend(double, **self.SETTINGS) as backend:
            first = backend.get(TARGET)
            wait_for_stale(backend)
            backend.wait_for_event("cost.fetch_failed", window="3d")
            stale = wait_for_stale(backend)
            assert stale.body == first.body
            assert "detail" not in stale.header("Cache-Status")

    def test_ends_with_its_time(self, double):
        double.script(ALLOCATION, TYPICAL, answer(500), window="3d")
        with Backend(double, CACHE_TTL=1, CACHE_STALE_WHILE_REVALIDATE=1) as backend:
            assert backend.get(TARGET).status == 200
            wait_until(lambda: backend.get(TARGET).status == 503, "the end of the stale answers")

    def test_is_counted(self, double, gate):
        double.script(ALLOCATION, TYPICAL, hang(gate), window="3d")
        with Backend(double, **self.SETTINGS) as backend:
            backend.get(TARGET)
            wait_for_stale(backend)
            metrics = backend.get("/metrics").text
        assert int(re.search(r'^kubecent_cache_stale_total\{dataset="namespaces"\} (\d+)$', metrics, re.M)[1]) >= 1


@pytest.mark.parametrize("revalidate, error, expected", [
    (0, 0, "max-age=300"),
    (60, 0, "max-age=300, stale-while-revalidate=60"),
    (0, 600, "max-age=300, stale-if-error=600"),
    (60, 600, "max-age=300, stale-while-revalidate=60, stale-if-error=600"),
])
def test_what_we_do_is_what_we_announce(double, revalidate, error, expected):
    with Backend(double, CACHE_STALE_WHILE_REVALIDATE=revalidate, CACHE_STALE_IF_ERROR=error) as backend:
        assert backend.get(TARGET).header("Cache-Control") == expected


class TestHanging:
    def test_opencost_delays_nobody_who_can_be_served_stale(self, double, gate):
        double.script(ALLOCATION, TYPICAL, after(gate, OTHER), window="3d")
        # One try alone would take longer than we wait for any answer.
        with Backend(double, CACHE_TTL=1, CACHE_STALE_IF_ERROR=600, OPENCOST_TIMEOUT=3600) as backend:
            first = backend.get(TARGET)
            stale = wait_for_stale(backend)
            assert stale.body == first.body
            assert re.fullmatch(r"kubecent; hit; ttl=-[1-9]\d*; detail=origin-unavailable",
                                stale.header("Cache-Status"))
            assert backend.get(TARGET).header("X-Cache") == "STALE"
            assert double.count(window="3d") == 2
            gate.set()
            wait_until(lambda: RENEWED in backend.get(TARGET).text, "new figures")
            assert backend.events("opencost.request_error") == []


class TestCircuit:
    WINDOWS = ("11h", "12h", "13h", "14h", "15h")

    def test_opens_after_five_failures_and_closes_when_opencost_is_back(self, double, backend):
        double.script(ALLOCATION, answer(404))
        for window in self.WINDOWS:
            response = backend.get(f"/api/v1/cost/namespaces?window={window}")
            assert (response.status, "HTTP 404" in response.text) == (503, True)
        refused = backend.get(TARGET)
        assert refused.status == 503
        assert refused.text == '{"detail":"Failed to fetch cost data from OpenCost: temporarily unavailable"}'
        assert refused.header("Retry-After") == "5"
        assert double.count(window="3d") == 0
        assert re.search(r"^kubecent_opencost_circuit_open 1$", backend.get("/metrics").text, re.M)
        assert backend.get("/readyz").status == 200

        double.script(ALLOCATION, TYPICAL)
        wait_until(lambda: backend.get(TARGET).status == 200, "the probe")
        assert double.count(window="3d") == 1
        assert re.search(r"^kubecent_opencost_circuit_open 0$", backend.get("/metrics").text, re.M)
        for event in ("opencost.circuit_opened", "opencost.circuit_closed"):
            backend.wait_for_event(event)
            assert len(backend.events(event)) == 1
        assert backend.events("cost.fetch_failed", window="3d") == []  # each refusal would be one

    TRIES = 3

    def fail(self, double, backend, window, fetches):
        """Asks until so many fetches of the window have failed: after each it rests for a second."""
        def ask():
            assert backend.get(f"/api/v1/cost/namespaces?window={window}").status == 503
            return double.count(window=window) >= self.TRIES * fetches
        wait_until(ask, f"failure {fetches} of {window}")

    @pytest.mark.parametrize("fault", ["500", "time_out", "broken_body"])
    def test_opens_for_what_windows_may_be_to_blame_for_if_they_are_several(self, double, gate, fault):
        faults = {"500": answer(500), "time_out": hang(gate), "broken_body": answer(200, '{"code":200,"data":[{')}
        with Backend(double, OPENCOST_TIMEOUT=1) as backend:
            double.script(ALLOCATION, faults[fault])
            one, two = self.WINDOWS[:2]
            self.fail(double, backend, one, 4)
            self.fail(double, backend, two, 1)
            assert backend.wait_for_event("opencost.circuit_opened")["failures"] == 5
            for window in (one, two):
                wait_until(lambda: "temporarily unavailable" in backend.get(f"/api/v1/cost/pods?window={window}").text,
                           "the end of its rest")
            assert double.count(window=one) == 4 * self.TRIES
            # Another window need not wait for theirs.
            double.script(ALLOCATION, TYPICAL, window="3d")
            assert backend.get(TARGET).status == 200
            backend.wait_for_event("opencost.circuit_closed")

    def test_stays_closed_for_one_window_that_opencost_cannot_do(self, double, backend):
        double.script(ALLOCATION, answer(500), window=self.WINDOWS[0])
        self.fail(double, backend, self.WINDOWS[0], 7)
        assert backend.get(TARGET).status == 200
        backend.stop()  # from here on the log is whole
        assert backend.events("opencost.circuit_opened") == []

    def test_leaves_the_figures_of_the_cache_alone(self, double, backend):
        before = backend.get(TARGET)
        double.script(ALLOCATION, answer(404))
        for window in self.WINDOWS:
            backend.get(f"/api/v1/cost/namespaces?window={window}")
        backend.wait_for_event("opencost.circuit_opened")
        assert backend.get(TARGET).body == before.body

    def test_serves_stale_at_once_while_it_is_open(self, double):
        double.script(ALLOCATION, TYPICAL, window="3d")
        with Backend(double, CACHE_TTL=1, CACHE_STALE_IF_ERROR=600) as backend:
            before = backend.get(TARGET)
            double.script(ALLOCATION, answer(404))
            double.script(ALLOCATION, answer(404), window="3d")
            for window in self.WINDOWS:
                backend.get(f"/api/v1/cost/namespaces?window={window}")
            backend.wait_for_event("opencost.circuit_opened")
            stale = wait_for_stale(backend)
            assert stale.body == before.body
            assert "detail=origin-unavailable" in stale.header("Cache-Status")

    def test_stays_closed_for_queries_that_opencost_rejects(self, double, backend):
        for window in self.WINDOWS:
            double.script(ALLOCATION, answer(400), window=window)
            assert backend.get(f"/api/v1/cost/namespaces?window={window}").status == 400
        assert backend.get(TARGET).status == 200
        backend.stop()  # from here on the log is whole
        assert backend.events("opencost.circuit_opened") == []
