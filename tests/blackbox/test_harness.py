# SPDX-License-Identifier: Apache-2.0
"""The tools of these tests, tested: a double that does not misbehave as told would prove nothing."""
import gzip
import threading

import pytest

import http_raw
from opencost_double import (ALLOCATION, OpenCostDouble, after, allocation, allocations, answer, chunked,
                             close_silently, endless, fixture, garbage, gzipped, http_case, huge_length, reset,
                             truncated)


@pytest.fixture
def double():
    with OpenCostDouble() as opencost:
        yield opencost


def ask(double, window="7d"):
    return http_raw.fetch(double.port, f"{ALLOCATION}?window={window}&aggregate=namespace%2Cpod")


def test_unscripted_it_is_healthy_and_knows_nothing(double):
    health = http_raw.fetch(double.port, "/healthz")
    assert (health.status, health.body, health.header("Content-Type")) == (200, b"", None)
    assert ask(double).status == 404


def test_scripts_go_by_window_and_in_order_and_repeat_the_last(double):
    double.script(ALLOCATION, answer(500), answer(200))
    double.script(ALLOCATION, answer(429), window="3d")
    assert [ask(double).status for _ in range(3)] == [500, 200, 200]
    assert ask(double, "3d").status == 429
    assert double.count() == 4
    assert double.count(window="3d") == 1
    assert double.asked(window="3d")[0].params == {"window": "3d", "aggregate": "namespace,pod"}


def test_fixtures_come_byte_for_byte(double):
    double.script(ALLOCATION, fixture("oc2026-null-set-idle-only.json"), http_case("proxy-504-gateway-timeout.html"))
    assert ask(double).body == b'{"code":200,"data":[null]}\n'
    late = ask(double)
    assert (late.status, late.header("Content-Type")) == (504, "text/html")


def test_bodies_may_be_chunked_or_compressed(double):
    body = b'{"code":200,"data":[]}'
    double.script(ALLOCATION, chunked(body, 5), gzipped(body))
    assert ask(double).body == body
    assert gzip.decompress(ask(double).body) == body


def test_rows_add_up_unless_told_otherwise(double):
    row = allocation("shop", "web-0", cpuCost=1, ramCost=2)
    assert row["totalCost"] == 3
    double.script(ALLOCATION, allocations(row))
    assert ask(double).json()["data"][0]["shop/web-0"]["cpuCost"] == 1


@pytest.mark.parametrize("fault", [reset(), close_silently(), truncated(b"x" * 100, 50), garbage()])
def test_faults_break_the_exchange(double, fault):
    double.script(ALLOCATION, fault)
    with pytest.raises(http_raw.ProtocolError):
        ask(double)


def test_streams_without_end_end_when_the_client_leaves(double):
    double.script(ALLOCATION, endless(), huge_length())
    for _ in range(2):
        with http_raw.Connection(double.port) as connection:
            connection.request(f"{ALLOCATION}?window=7d")
            assert b"200 OK" in connection.socket.recv(100)


def test_a_gate_holds_requests_and_counts_them(double):
    gate = threading.Event()
    double.script(ALLOCATION, after(gate, answer(200)))
    connections = [http_raw.Connection(double.port) for _ in range(3)]
    for connection in connections:
        connection.request(f"{ALLOCATION}?window=7d")
    double.wait_for_requests(3)
    gate.set()
    assert [connection.read().status for connection in connections] == [200] * 3
    assert double.max_in_flight == 3
    for connection in connections:
        connection.close()


def test_it_can_be_down_and_come_back(double):
    double.refuse()
    with pytest.raises(ConnectionRefusedError):
        ask(double)
    double.listen()
    assert ask(double).status == 404


def test_the_client_reads_pipelined_answers_one_by_one(double):
    with http_raw.Connection(double.port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\n\r\nGET /nope HTTP/1.1\r\n\r\n")
        assert [connection.read().status for _ in range(2)] == [200, 404]
