# SPDX-License-Identifier: Apache-2.0
"""What probes and people are told about us and about OpenCost, and how fast."""
import json
import threading
import time

import pytest

from backend import Backend
from opencost_double import ALLOCATION, OpenCostDouble, after, answer, fixture, hang, reset
from patience import PATIENCE, wait_until

HEALTH = "/api/v1/health"
HEALTHY = '{"status":"healthy","opencost":"connected","service":"kubecent-backend"}'
DEGRADED = '{"status":"degraded","opencost":"disconnected","service":"kubecent-backend"}'
TYPICAL = fixture("oc2024-namespace_pod-1d.json")
PROBES = ["/livez", "/readyz", "/health"]


def becomes(backend, text):
    wait_until(lambda: backend.get(HEALTH).text == text, text)


class TestHealth:
    def test_healthy(self, backend):
        response = backend.get(HEALTH)
        assert (response.status, response.text) == (200, HEALTHY)
        assert response.header("Content-Type") == "application/json"
        assert response.header("Cache-Control") == "no-store"

    def test_degraded_without_opencost(self, double):
        double.refuse()
        with Backend(double) as backend:
            response = backend.get(HEALTH)
        assert (response.status, response.text) == (200, DEGRADED)

    def test_asking_does_not_ask_opencost(self, double, backend):
        becomes(backend, HEALTHY)
        before = len(double.requests)
        for _ in range(50):
            backend.get(HEALTH)
        assert len(double.requests) <= before + 1  # a background check may fall in between

    def test_a_failed_allocation_call_counts_for_more_than_healthz(self, double, backend):
        double.script(ALLOCATION, answer(500), window="3d")
        assert backend.get("/api/v1/cost/pods?window=3d").status == 503
        assert backend.get(HEALTH).text == DEGRADED

    def test_a_good_allocation_call_makes_up_for_a_bad_one(self, double, backend):
        double.script(ALLOCATION, answer(500), window="3d")
        backend.get("/api/v1/cost/pods?window=3d")
        backend.get("/api/v1/cost/pods?window=4d")
        assert backend.get(HEALTH).text == HEALTHY

    def test_a_healthz_that_proxies_do_not_route_does_not_matter(self):
        with OpenCostDouble() as double:
            double.script("/healthz", answer(404, "no such page", "text/plain"))
            double.script(ALLOCATION, TYPICAL)
            with Backend(double) as backend:
                assert backend.get(HEALTH).text == HEALTHY

    def test_a_hit_says_nothing_about_opencost(self, double, backend):
        backend.get("/api/v1/cost/pods?window=4d")
        double.script(ALLOCATION, answer(500), window="3d")
        backend.get("/api/v1/cost/pods?window=3d")
        backend.get("/api/v1/cost/pods?window=4d")
        assert backend.get(HEALTH).text == DEGRADED


class TestBeforeTheFirstVerdict:
    @pytest.fixture
    def silent(self):
        """OpenCost accepts connections and says nothing, ever."""
        gate = threading.Event()
        with OpenCostDouble() as double:
            double.script("/healthz", hang(gate))
            double.script(ALLOCATION, hang(gate))
            with Backend(double, ready=False) as backend:
                yield backend
            gate.set()

    def test_health_waits_a_second_at_most(self, silent):
        began = time.monotonic()
        response = silent.get(HEALTH)
        took = time.monotonic() - began
        assert (response.status, response.text) == (200, DEGRADED)
        assert took < 1 + PATIENCE

    def test_many_who_wait_are_all_answered(self, silent):
        connections = [silent.connect() for _ in range(20)]
        for connection in connections:
            connection.request(HEALTH)
        for connection in connections:
            assert connection.read().status == 200
            connection.close()

    def test_the_probes_do_not_wait(self, silent):
        for path in ("/livez", "/health"):
            assert silent.get(path, deadline=PATIENCE).status == 200
        assert silent.get("/readyz", deadline=PATIENCE).status in (200, 503)

    def test_a_quick_verdict_is_waited_for(self):
        gate = threading.Event()
        with OpenCostDouble() as double:
            double.script("/healthz", after(gate, answer(200, b"", None)))
            double.script(ALLOCATION, after(gate, TYPICAL))
            with Backend(double, ready=False) as backend, backend.connect() as connection:
                double.wait_for_requests(1, "/healthz")
                connection.request(HEALTH)
                gate.set()
                assert connection.read().text in (HEALTHY, DEGRADED)
                becomes(backend, HEALTHY)


class TestProbes:
    @pytest.mark.parametrize("path", PROBES)
    def test_answer_with_json(self, shared_backend, path):
        response = shared_backend.get(path)
        assert response.status == 200
        assert response.header("Content-Type") == "application/json"
        assert isinstance(json.loads(response.text), dict)

    @pytest.mark.parametrize("path, checks", [("/livez", ["http", "refresh-loop"]), ("/readyz", ["warm-up", "shutdown"])])
    def test_explain_themselves_when_asked(self, shared_backend, path, checks):
        response = shared_backend.get(f"{path}?verbose")
        assert response.status == 200
        assert response.header("Content-Type") == "text/plain; charset=utf-8"
        assert response.text == "".join(f"[+]{name} ok\n" for name in checks) + f"{path[1:]} check passed\n"

    def test_health_is_livez_under_an_older_name(self, shared_backend):
        assert shared_backend.get("/health").body == shared_backend.get("/livez").body

    @pytest.mark.parametrize("path", PROBES)
    def test_an_outage_of_opencost_does_not_matter(self, double, path):
        double.refuse()
        with Backend(double) as backend:
            assert backend.get(path).status == 200

    @pytest.mark.parametrize("fault", [reset(), answer(500), answer(200, b"")])
    def test_we_are_ready_once_the_warm_up_was_tried(self, double, fault):
        double.script(ALLOCATION, fault)
        with Backend(double, ready=False) as backend:
            wait_until(lambda: backend.get("/readyz").status == 200, "readiness")

    def test_we_are_not_ready_before(self, double):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, TYPICAL))
        with Backend(double, ready=False) as backend:
            double.wait_for_requests(1)
            response = backend.get("/readyz")
            assert response.status == 503
            assert response.header("Cache-Control") == "no-store"
            assert isinstance(json.loads(response.text), dict)
            assert backend.get("/livez").status == 200
            gate.set()
            wait_until(lambda: backend.get("/readyz").status == 200, "readiness")


def test_the_warm_up_fetches_what_it_is_told_to(double):
    with Backend(double, REFRESH_WINDOWS="7d,30d") as backend:
        assert backend.get("/api/v1/cost/namespaces").header("X-Cache") == "HIT"
        assert backend.get("/api/v1/cost/pods").header("X-Cache") == "HIT"
        assert backend.get("/api/v1/cost/monthly").header("X-Cache") == "HIT"
        assert backend.get("/api/v1/savings/recommendations").header("X-Cache") == "HIT"
        assert [double.count(window=window) for window in ("7d", "30d")] == [1, 1]
