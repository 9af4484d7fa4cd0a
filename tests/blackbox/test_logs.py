# SPDX-License-Identifier: Apache-2.0
"""The log: JSON lines as structlog wrote them, with the events of the service we port."""
import json
import re
import signal
import threading
import time

import pytest

from backend import WARM_UP_WINDOW, Backend
from opencost_double import ALLOCATION, after, answer, fixture, reset
from patience import wait_until

TARGET = "/api/v1/cost/namespaces"
LAST_KEYS = ["event", "level", "timestamp", "filename", "lineno", "func_name"]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
TYPICAL = fixture("oc2024-namespace_pod-1d.json")


def respelled(line):
    """The line as Python's json.dumps writes what it says, numbers left as they are."""
    parsed = json.loads(line, parse_float=lambda number: f"\ue000{number}\ue001")
    return re.sub('"\\\\ue000([^"]*)\\\\ue001"', r"\1", json.dumps(parsed))


def own_fields(event):
    return {key: value for key, value in event.items() if key not in LAST_KEYS}


class TestLines:
    @pytest.fixture(scope="class")
    def lines(self, shared_double):
        """The lines of a life with something of everything."""
        shared_double.script(ALLOCATION, answer(500, "<html>\n\"bad\"\x1b[31m</html>"), window="13h")
        with Backend(shared_double) as backend:
            for target in (TARGET, TARGET, f"{TARGET}?idle=2", f"{TARGET}?window=13h", "/nope", "/livez", "/caf%C3%A9",
                           "/%22quoted%22", "/<b>", "/api/v1/cost/pods?namespace=%F0%9F%90%84"):
                backend.get(target, headers=[("X-Request-ID", '"forged"'), ("User-Agent", 'a"b\\c')])
            with backend.connect() as connection:
                connection.send(b'GET /raw-\xff-"\\ HTTP/1.1\r\nHost: x\r\n\r\n')
                connection.read()
        return list(backend.lines)

    def test_are_json_spelled_as_python_spells_it(self, lines):
        assert len(lines) > 20
        for line in lines:
            assert respelled(line) == line

    def test_end_with_the_usual_keys_in_order(self, lines):
        for line in lines:
            assert list(json.loads(line))[-len(LAST_KEYS):] == LAST_KEYS

    def test_have_sound_values_there(self, lines):
        for event in map(json.loads, lines):
            assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", event["event"]), event
            assert event["level"] in ("debug", "info", "warning", "error", "critical")
            assert TIMESTAMP.fullmatch(event["timestamp"])
            assert re.fullmatch(r"[\w./-]+\.c", event["filename"])
            assert event["lineno"] > 0
            assert re.fullmatch(r"[a-z_]\w*", event["func_name"])

    def test_hold_no_raw_control_characters(self, lines):
        assert all(line.isascii() and line.isprintable() for line in lines)


class TestLife:
    def test_begins_and_ends_with_its_events(self, double):
        with Backend(double) as backend:
            startup = backend.wait_for_event("application.startup")
            assert re.match(r"\d+\.\d+\.\d+", startup["version"])
            initialized = backend.wait_for_event("application.initialized")
            assert initialized["debug"] is False
            assert initialized["opencost_url"] == double.url
            backend.wait_for_event("opencost.ready")
            backend.wait_for_event("opencost.health_check", healthy=True)
            backend.wait_for_event("background.tasks_starting")
            backend.wait_for_event("background.tasks_started")
            refreshed = backend.wait_for_event("background.cache_refresh", window=WARM_UP_WINDOW)
            assert refreshed["item_count"] > 0
        assert [event["event"] for event in backend.events()][0] == "application.startup"
        assert backend.events("application.shutdown")
        assert backend.events("background.task_cancelled")

    def test_the_url_is_logged_without_its_password(self, double):
        url = double.url.replace("http://", "http://reader:hunter2@")
        with Backend(double, OPENCOST_URL=url) as backend:
            assert backend.get(TARGET).status == 200
            shown = backend.wait_for_event("application.initialized")["opencost_url"]
            assert shown == double.url.replace("http://", "http://***@")
        assert "hunter2" not in "\n".join([*backend.lines, *backend.errors])


class TestRequests:
    def test_have_one_line_each(self, backend):
        backend.get(f"{TARGET}?window=3d", headers=[("X-Request-ID", "abc-123")])
        event = backend.wait_for_event("http.request", request_id="abc-123")
        assert event["level"] == "info"
        for field, value in (("method", "GET"), ("path", TARGET), ("status", 200), ("route", TARGET)):
            assert event[field] == value
        assert re.fullmatch(r"\d+\.\d{1,2}", re.search(r'"duration_ms": ([\d.]+)', next(
            line for line in backend.lines if "abc-123" in line and "http.request" in line))[1])
        assert event["bytes"] > 0
        assert "cache" in event
        assert len(backend.events("http.request", request_id="abc-123")) == 1

    def test_tell_how_long_they_took(self, double, backend):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with backend.connect() as waiting:
            begun = time.monotonic()
            waiting.request(f"{TARGET}?window=3d", headers=[("X-Request-ID", "slow")])
            double.wait_for_requests(1, window="3d")
            asked = time.monotonic()
            wait_until(lambda: time.monotonic() > asked + 0.2, "a while to measure")
            waited_ms = (time.monotonic() - asked) * 1000
            gate.set()
            assert waiting.read().status == 200
            event = backend.wait_for_event("http.request", request_id="slow")
            assert waited_ms <= event["duration_ms"] <= (time.monotonic() - begun) * 1000

    def test_without_an_id_get_a_random_one(self, backend):
        for _ in range(2):
            backend.get(f"{TARGET}?window=3d")
        events = wait_until(lambda: len(found := backend.events("http.request", path=TARGET)) == 2 and found, "two lines")
        ids = {event["request_id"] for event in events}
        assert len(ids) == 2
        assert all(re.fullmatch(r"[0-9a-f]{16}", request_id) for request_id in ids)

    @pytest.mark.parametrize("target, status", [("/nope", 404), (f"{TARGET}?idle=2", 422), (f"{TARGET}?window=13h", 503)])
    def test_that_fail_have_one_too(self, double, backend, target, status):
        double.script(ALLOCATION, answer(500), window="13h")
        backend.get(target)
        backend.wait_for_event("http.request", status=status)

    def test_of_probes_are_for_debugging_only(self, double):
        with Backend(double, LOG_LEVEL="INFO") as backend:
            for path in ("/livez", "/readyz", "/health", "/metrics"):
                backend.get(path)
            backend.get(TARGET, headers=[("X-Request-ID", "the-last")])
            backend.wait_for_event("http.request", request_id="the-last")
            assert {event["path"] for event in backend.events("http.request")} == {TARGET}

    def test_can_be_left_out(self, double):
        with Backend(double, ACCESS_LOG="false") as backend:
            backend.get(TARGET)
            backend.get("/nope")
        assert backend.events("application.shutdown")
        assert backend.events("http.request") == []


class TestCache:
    @pytest.mark.parametrize("target, key", [
        ("/api/v1/cost/namespaces", "cost:namespaces:7d:idle=False"),
        ("/api/v1/cost/namespaces?idle=true", "cost:namespaces:7d:idle=True"),
        ("/api/v1/cost/pods", "cost:pods:None:7d:idle=False"),
        ("/api/v1/cost/pods?namespace=shop&window=3d", "cost:pods:shop:3d:idle=False"),
        ("/api/v1/cost/monthly", "cost:monthly:1m")])
    def test_is_seen_to_miss_store_and_hit(self, backend, target, key):
        backend.get(target)
        assert own_fields(backend.wait_for_event("cache.miss", key=key)) == {"key": key}
        stored = backend.wait_for_event("cache.set", key=key)
        assert own_fields(stored) == {"key": key, "ttl_seconds": 300}
        backend.get(target)
        hit = backend.wait_for_event("cache.hit", key=key)
        assert list(own_fields(hit)) == ["key", "age_seconds"]
        assert 0 <= hit["age_seconds"] < 300
        assert {event["level"] for event in (stored, hit)} == {"debug"}

    def test_is_seen_to_expire(self, double):
        with Backend(double, CACHE_TTL=1) as backend:
            def expired():
                backend.get(f"{TARGET}?window=3d")
                return backend.events("cache.expired", key="cost:namespaces:3d:idle=False")

            event = wait_until(expired, "an expiry")[0]
            assert event["age_seconds"] >= 1

    def test_is_silent_above_debug(self, double):
        with Backend(double, LOG_LEVEL="INFO") as backend:
            for _ in range(2):
                backend.get(TARGET)
        assert not [event for event in backend.events() if event["event"] in ("cache.hit", "cache.miss", "cache.set")]


class TestOpenCost:
    def test_success(self, double, backend):
        backend.get(f"{TARGET}?window=3d")
        request = backend.wait_for_event("opencost.allocation_request", window="3d")
        assert request["aggregate"] == "namespace,pod"
        success = wait_until(lambda: backend.events("opencost.allocation_success"), "a success")[-1]
        assert success["aggregate"] == "namespace,pod"
        assert success["item_count"] > 0

    def test_failure(self, double, backend):
        double.script(ALLOCATION, answer(500, "a long story"), window="3d")
        backend.get(f"{TARGET}?window=3d")
        http_error = backend.wait_for_event("opencost.http_error", status_code=500)
        assert http_error["url"].startswith(double.url)
        assert "error" in http_error
        assert backend.wait_for_event("opencost.allocation_error")["aggregate"] == "namespace,pod"
        assert backend.wait_for_event("cost.fetch_failed", window="3d")["error"]

    def test_connection_faults_are_counted_by_attempt(self, double, backend):
        double.script(ALLOCATION, reset(), window="3d")
        backend.get(f"{TARGET}?window=3d")
        attempts = wait_until(lambda: len(found := backend.events("opencost.request_error")) >= 3 and found, "three attempts")
        assert [event["attempt"] for event in attempts] == [1, 2, 3]
        assert all(event["url"].startswith(double.url) and event["error"] for event in attempts)

    def test_absence(self, double):
        double.refuse()
        with Backend(double) as backend:
            wait_until(lambda: {event["event"] for event in backend.events()} & {
                "opencost.unhealthy", "opencost.initialization_failed"}, "a word about the absence")
            backend.wait_for_event("background.refresh_failed")
            assert not backend.events("opencost.ready")

    def test_defects_are_counted(self, double, backend):
        double.script(ALLOCATION, fixture("oc2026-namespace-1d-null-costs.json"), window="3d")
        backend.get(f"{TARGET}?window=3d")
        backend.wait_for_event("opencost.allocation_defects")


class TestValidation:
    def test_faults_are_logged(self, backend):
        backend.get(f"{TARGET}?window=bogus&idle=2")
        assert backend.wait_for_event("validation_error")["errors"]


class TestSettings:
    @pytest.mark.parametrize("level, floor", [("warning", ("warning", "error")), ("ERROR", ("error",)), ("Critical", ())])
    def test_levels_cut_off_what_is_below(self, double, level, floor):
        double.script(ALLOCATION, answer(500))
        with Backend(double, LOG_LEVEL=level) as backend:
            backend.get(TARGET)
            backend.get("/nope")
        assert {event["level"] for event in backend.events()} <= {*floor, "critical"}

    @pytest.mark.parametrize("settings", [{"LOG_LEVEL": "debug"}, {"LOG_LEVEL": "INFO", "DEBUG": "true"}])
    def test_debug_can_be_had_in_two_ways(self, double, settings):
        with Backend(double, **settings) as backend:
            backend.get(TARGET)
            backend.wait_for_event("cache.miss")

    def test_an_unknown_level_means_info(self, double):
        with Backend(double, LOG_LEVEL="chatty") as backend:
            backend.get(TARGET)
        assert {event["level"] for event in backend.events()} >= {"info"}
        assert "debug" not in {event["level"] for event in backend.events()}

    def test_console_is_for_people(self, double):
        with Backend(double, LOG_FORMAT="console") as backend:
            backend.get(TARGET)
            wait_until(lambda: any("http.request" in line for line in backend.lines), "the request's line")
            backend.signal(signal.SIGTERM)
            assert backend.wait_for_exit() == 0
        assert not any(line.startswith("{") for line in backend.lines)
        assert any("application.startup" in line for line in backend.lines)
        assert all(line.replace("\x1b", "").isprintable() for line in backend.lines)
