# SPDX-License-Identifier: Apache-2.0
"""W3C Trace Context: a client's trace goes through the log and on to OpenCost, when it is asked for the client's sake."""
import re
from threading import Event

import pytest

from backend import WARM_UP_WINDOW, Backend
from opencost_double import ALLOCATION, after, answer

TARGET = "/api/v1/cost/namespaces"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = ("traceparent", f"00-{TRACE}-{PARENT}-01")
EMPTY = '{"code":200,"data":[]}'
FETCH_EVENTS = ("opencost.allocation_request", "opencost.allocation_success")


@pytest.fixture(name="backend", scope="module")
def make_backend(shared_double):
    with Backend(shared_double) as backend:
        yield backend


def request_line(backend, request_id):
    return backend.wait_for_event("http.request", request_id=request_id)


def ask(backend, window, request_id, *headers):
    got = backend.get(f"{TARGET}?window={window}", headers=[("X-Request-ID", request_id), *headers])
    assert got.status == 200
    return request_line(backend, request_id)


class TestRequestsWithATrace:
    def test_are_logged_with_it_and_a_span_of_their_own(self, backend):
        line = ask(backend, "71m", "traced", TRACEPARENT)
        assert line["trace_id"] == TRACE
        assert re.fullmatch("[0-9a-f]{16}", line["span_id"])
        assert line["span_id"] != PARENT

    def test_pass_it_on_to_opencost(self, backend, shared_double):
        line = ask(backend, "72m", "passed-on", TRACEPARENT, ("tracestate", "vendor=a:b,other=1"))
        (asked,) = shared_double.asked(window="72m")
        assert asked.headers["traceparent"] == f"00-{TRACE}-{line['span_id']}-01"
        assert asked.headers["tracestate"] == "vendor=a:b,other=1"
        for name in FETCH_EVENTS:
            event = backend.wait_for_event(name, window="72m")
            assert (event["trace_id"], event["span_id"]) == (TRACE, line["span_id"])

    def test_pass_on_all_of_a_state_in_several_headers(self, backend, shared_double):
        ask(backend, "73m", "two-states", TRACEPARENT, ("tracestate", "a=1"), ("TraceState", "b=2"))
        (asked,) = shared_double.asked(window="73m")
        assert asked.headers["tracestate"] == "a=1,b=2"

    def test_have_no_state_when_none_was_sent(self, backend, shared_double):
        ask(backend, "74m", "no-state", ("traceparent", f"00-{TRACE}-{PARENT}-00"))
        (asked,) = shared_double.asked(window="74m")
        assert "tracestate" not in asked.headers
        assert asked.headers["traceparent"].endswith("-00")

    def test_have_a_span_each(self, backend):
        spans = {ask(backend, "75m", f"span-{number}", TRACEPARENT)["span_id"] for number in range(20)}
        assert len(spans) == 20

    def test_keep_it_over_all_tries(self, backend, shared_double):
        shared_double.script(ALLOCATION, answer(500, "no"), answer(500, "no"), answer(200, EMPTY), window="76m")
        line = ask(backend, "76m", "tries", TRACEPARENT)
        asked = shared_double.asked(window="76m")
        assert [request.headers["traceparent"] for request in asked] == [f"00-{TRACE}-{line['span_id']}-01"] * 3
        errors = [event for event in backend.events("opencost.http_error") if "window=76m" in event["url"]]
        assert [event["trace_id"] for event in errors] == [TRACE, TRACE]

    def test_that_only_wait_are_logged_with_it(self, double):
        gate = Event()
        double.script(ALLOCATION, after(gate, answer(200, EMPTY)), window="77m")
        with Backend(double) as backend, backend.connect() as leader, backend.connect() as follower:
            leader.send(f"GET {TARGET}?window=77m HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            double.wait_for_requests(1, window="77m")
            follower.send(f"GET {TARGET}?window=77m HTTP/1.1\r\nHost: x\r\nX-Request-ID: follower\r\n"
                          f"traceparent: {TRACEPARENT[1]}\r\n\r\n".encode())
            backend.wait_for_event("cache.miss", key="cost:namespaces:77m:idle=False")
            gate.set()
            assert leader.read().status == follower.read().status == 200
            assert request_line(backend, "follower")["trace_id"] == TRACE
            assert "traceparent" not in double.asked(window="77m")[0].headers


class TestWithoutATrace:
    def test_nothing_is_logged_nor_sent(self, backend, shared_double):
        line = ask(backend, "81m", "untraced")
        assert not {"trace_id", "span_id"} & set(line)
        (asked,) = shared_double.asked(window="81m")
        assert not {"traceparent", "tracestate"} & set(asked.headers)
        assert "trace_id" not in backend.wait_for_event("opencost.allocation_request", window="81m")

    @pytest.mark.parametrize("value", ["", "00-0-0-0", f"00-{TRACE.upper()}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01"])
    def test_an_invalid_one_is_none(self, backend, value):
        line = ask(backend, "82m", f"invalid-{value[3:9]}", ("traceparent", value), ("tracestate", "a=1"))
        assert "trace_id" not in line

    def test_a_refresh_has_none(self, backend, shared_double):
        backend.wait_for_event("background.cache_refresh", window=WARM_UP_WINDOW)
        assert all("traceparent" not in asked.headers for asked in shared_double.asked(window=WARM_UP_WINDOW))
