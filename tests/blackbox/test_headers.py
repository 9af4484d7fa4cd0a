# SPDX-License-Identifier: Apache-2.0
"""All headers of every route, with and without Accept-Encoding, If-None-Match and Origin: these and no others."""
import itertools
import re

import pytest

from backend import Backend

ORIGIN = "https://dash.example"
LISTED, ANY = f'["{ORIGIN}"]', '["*"]'
COSTS = ["/api/v1/cost/namespaces", "/api/v1/cost/pods", "/api/v1/cost/monthly", "/api/v1/savings/recommendations"]
DOCUMENTS = ["/api/openapi.json", "/api/docs"]
UNCACHED = ["/api/v1/health", "/livez", "/readyz", "/health", "/metrics"]
FAILURES = ["/nowhere", "/api/v1/cost/pods?window=x"]
COMPRESSED_FROM_BYTES = 1024

USUAL = {"Date": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "Content-Type": r"[a-z/+]+(; .+)?", "Content-Length": r"\d+"}
OF_COSTS = {"Cache-Control": "max-age=300", "Age": r"\d+", "Cache-Status": r"kubecent; hit; ttl=\d+", "X-Cache": "HIT"}
OF_PAGE = {"Content-Security-Policy": "default-src 'none'; .*", "X-Content-Type-Options": "nosniff"}


@pytest.fixture(name="backends", scope="module")
def make_backends():
    """By what CORS_ORIGINS is."""
    with Backend(arguments=["--demo"], CORS_ORIGINS=LISTED, REFRESH_WINDOWS="7d,30d") as listed, \
            Backend(arguments=["--demo"], CORS_ORIGINS=ANY, REFRESH_WINDOWS="7d,30d") as anyone:
        for backend, window, target in itertools.product((listed, anyone), ("7d", "30d"), COSTS):
            backend.wait_for_event("background.cache_refresh", window=window)
            assert backend.get(target).status == 200
        yield {LISTED: listed, ANY: anyone}


def cors_headers(origins, with_origin):
    if not with_origin:
        return {}
    return {"Access-Control-Allow-Origin": r"\*" if origins == ANY else ORIGIN, "Access-Control-Allow-Credentials": "true"}


def varies(target, origins):
    names = [name for name, matters in (("Accept", target in FAILURES), ("Accept-Encoding", target in COSTS + DOCUMENTS),
                                        ("Origin", origins == LISTED)) if matters]
    return {"Vary": ", ".join(names)} if names else {}


def expected_headers(target, origins, with_origin, is_gzip):
    headers = USUAL | cors_headers(origins, with_origin) | varies(target, origins)
    if target in COSTS + DOCUMENTS:
        headers |= {"ETag": '"[0-9a-f]{16}-gzip"' if is_gzip else '"[0-9a-f]{16}"'}
        headers |= {"Content-Encoding": "gzip"} if is_gzip else {}
    if target in COSTS:
        return headers | OF_COSTS
    if target in DOCUMENTS:
        return headers | {"Cache-Control": "no-cache"} | (OF_PAGE if target == "/api/docs" else {})
    return headers | {"Cache-Control": "no-store"}


def status_of(target, if_none_match):
    if target in FAILURES:
        return 404 if target == "/nowhere" else 422
    return 304 if if_none_match and target in COSTS + DOCUMENTS else 200


@pytest.mark.parametrize("origins", [LISTED, ANY])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("encoding, if_none_match, with_origin",
                         itertools.product([None, "gzip", "br, zstd"], [None, "*"], [False, True]))
@pytest.mark.parametrize("target", COSTS + DOCUMENTS + UNCACHED + FAILURES)
def test_are_as_the_tables_say(backends, target, encoding, if_none_match, with_origin, method, origins):
    backend = backends[origins]
    sent = {"Accept-Encoding": encoding, "If-None-Match": if_none_match, "Origin": ORIGIN if with_origin else None}
    response = backend.get(target, method, [(name, value) for name, value in sent.items() if value])
    is_long = int(backend.get(target).header("Content-Length")) >= COMPRESSED_FROM_BYTES
    is_gzip = encoding == "gzip" and is_long and target in COSTS + DOCUMENTS
    expected = expected_headers(target, origins, with_origin, is_gzip)
    assert response.status == status_of(target, if_none_match)
    assert sorted(name for name, _ in response.headers) == sorted(expected)
    for name, value in response.headers:
        assert re.fullmatch(expected[name], value), (name, value)


def test_every_route_is_looked_at(backends):
    """But for the files of the documentation's page."""
    paths = set(backends[ANY].get("/api/openapi.json").json()["paths"])
    assert paths | set(DOCUMENTS) == set(COSTS + UNCACHED + DOCUMENTS)
