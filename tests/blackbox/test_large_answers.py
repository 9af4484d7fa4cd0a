# SPDX-License-Identifier: Apache-2.0
"""Answers of 64 to 128 KB, which the kernel sends from files (src/http/body_file.h)."""
import pytest

from backend import Backend
from opencost_double import ALLOCATION, OpenCostDouble, allocation, allocations

PODS = "/api/v1/cost/pods"
POD_COUNT, HEAD_BYTES = 700, 512
ORIGIN = "https://dash.example"
HEADERS = {
    "plain": [],
    "cross-origin": [("Origin", ORIGIN)],
    "own-id": [("X-Request-ID", "a" * 100)],
    "long-origin": [("Origin", "https://" + "d" * 100), ("Cookie", "a=b")],
}


@pytest.fixture(name="large_backend", scope="module", params=[{}, {"CORS_ORIGINS": ORIGIN, "CACHE_STALE_IF_ERROR": "3600"}],
                ids=["any-origin", "listed-origin"])
def make_large_backend(request):
    with OpenCostDouble() as opencost:
        opencost.script(ALLOCATION, allocations(*(allocation("shop", f"web-{number}", cpuCost=number) for number in range(POD_COUNT))))
        with Backend(opencost, **request.param) as backend:
            assert 64 * 1024 <= len(backend.get(PODS).body) <= 128 * 1024
            yield backend


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_heads_have_one_length(large_backend, headers):
    """So that the file's pages lie in the stream where a client's reads find few of them (src/http/head_padding.h)."""
    with large_backend.connect() as connection:
        for _ in range(3):  # prepared, shared, and on a connection that is not new
            connection.request(PODS, headers=headers)
            response = connection.read()
            assert len(response.wire_head) + len(b"\r\n\r\n") == HEAD_BYTES
            assert len(response.json()["pods"]) == POD_COUNT


@pytest.mark.parametrize("method, headers, status", [
    ("HEAD", [], 200), ("GET", [("If-None-Match", "*")], 304), ("GET", [("Accept-Encoding", "gzip")], 200)])
def test_what_has_no_large_body_carries_no_padding(large_backend, method, headers, status):
    for _ in range(2):  # beside the answers that were prepared with it
        assert large_backend.get(PODS).header("X-Padding")
        response = large_backend.get(PODS, method, headers)
        assert (response.status, response.header("X-Padding")) == (status, None)


@pytest.mark.parametrize("large_backend", [{}], indirect=True)
def test_heads_longer_than_that_are_sent_as_they_are(large_backend):
    response = large_backend.get(PODS, headers=[("Origin", "https://" + "d" * 500), ("Cookie", "a=b")])
    assert len(response.wire_head) > HEAD_BYTES
    assert response.header("X-Padding") is None
    assert len(response.json()["pods"]) == POD_COUNT


@pytest.mark.parametrize("count", [11, 40, 74])
def test_the_largest_requests_get_one_too(large_backend, count):
    """8 KB of headers and a target of 4 KB, which leave little room for the head of the answer."""
    each = (8192 - len("Host: kubecent.test\r\n")) // count
    headers = [(f"X-{number:02}", "y" * (each - len("X-00: \r\n"))) for number in range(count)]
    target = PODS + "?x="
    for method in ("GET", "HEAD"):
        assert large_backend.get(target + "y" * (4096 - len(target)), method, headers).status == 200
