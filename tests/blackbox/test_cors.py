# SPDX-License-Identifier: Apache-2.0
"""CORS, as the framework of the service we port did it (Starlette's CORSMiddleware)."""
import pytest

from backend import Backend

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
ORIGIN = "https://app.example"
OTHER = "https://evil.example"
HEALTH = "/api/v1/health"
COST = "/api/v1/cost/namespaces"
CORS_HEADERS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
                "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Expose-Headers")

# Answers of every kind: target, method, status.
KINDS = [(HEALTH, "GET", 200), (COST, "GET", 200), ("/livez", "GET", 200), ("/metrics", "GET", 200), ("/nope", "GET", 404),
         (HEALTH, "POST", 405), (HEALTH, "OPTIONS", 204), (f"{HEALTH}/", "GET", 307), (f"{COST}?idle=2", "GET", 422)]


@pytest.fixture(scope="module")
def anyone(shared_backend):
    """With CORS_ORIGINS as it is by default: ["*"]."""
    return shared_backend


@pytest.fixture(scope="module")
def listed(shared_double):
    with Backend(shared_double, CORS_ORIGINS=f'["{ORIGIN}","https://second.example"]') as backend:
        yield backend


def cors_of(response):
    return {name: response.header(name) for name in CORS_HEADERS if response.header(name) is not None}


def varies_by_origin(response):
    return "origin" in response.words("Vary")


def preflight(backend, origin, method="GET", path=COST, headers=()):
    return backend.get(path, "OPTIONS", [("Origin", origin), ("Access-Control-Request-Method", method), *headers])


def assert_is_text(response, status, text):
    assert response.status == status
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    assert response.text == text


@pytest.mark.parametrize("target, method, status", KINDS)
class TestAnyOrigin:
    def test_without_origin_there_is_nothing(self, anyone, target, method, status):
        response = anyone.get(target, method)
        assert response.status == status
        assert cors_of(response) == {}

    def test_simple_request(self, anyone, target, method, status):
        response = anyone.get(target, method, [("Origin", OTHER)])
        assert response.status == status
        assert cors_of(response) == {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}

    def test_with_a_cookie_the_origin_is_named(self, anyone, target, method, status):
        response = anyone.get(target, method, [("Origin", OTHER), ("Cookie", "a=b")])
        assert response.status == status
        assert cors_of(response) == {"Access-Control-Allow-Origin": OTHER, "Access-Control-Allow-Credentials": "true"}
        assert varies_by_origin(response)


@pytest.mark.parametrize("target, method, status", KINDS)
class TestListedOrigins:
    @pytest.mark.parametrize("cookie", [[], [("Cookie", "a=b")]], ids=["plain", "cookie"])
    @pytest.mark.parametrize("origin", [ORIGIN, "https://second.example"])
    def test_a_listed_one_is_named(self, listed, target, method, status, origin, cookie):
        response = listed.get(target, method, [("Origin", origin), *cookie])
        assert response.status == status
        assert cors_of(response) == {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        assert varies_by_origin(response)

    @pytest.mark.parametrize("origin", [OTHER, f"{ORIGIN}/", ORIGIN.upper(), f"{ORIGIN}:443", "null", "*", f"{ORIGIN}.evil"])
    def test_another_one_is_served_without_permission(self, listed, target, method, status, origin):
        response = listed.get(target, method, [("Origin", origin)])
        assert response.status == status
        assert cors_of(response) == {"Access-Control-Allow-Credentials": "true"}
        assert varies_by_origin(response)

    def test_without_origin_caches_are_warned_all_the_same(self, listed, target, method, status):
        response = listed.get(target, method)
        assert response.status == status
        assert cors_of(response) == {}
        assert varies_by_origin(response)


class TestPreflight:
    PERMISSION = {"Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": METHODS,
                  "Access-Control-Max-Age": "600"}

    @pytest.mark.parametrize("method", METHODS.split(", "))
    @pytest.mark.parametrize("path", [COST, HEALTH, "/livez", "/nope"])
    def test_is_granted_on_any_path(self, anyone, path, method):
        response = preflight(anyone, OTHER, method, path)
        assert_is_text(response, 200, "OK")
        assert cors_of(response) == self.PERMISSION | {"Access-Control-Allow-Origin": OTHER}
        assert varies_by_origin(response)

    @pytest.mark.parametrize("wanted", ["content-type", "X-One, x-two,X-Three", "authorization,content-type"])
    def test_repeats_the_headers_asked_for(self, anyone, listed, wanted):
        for backend in (anyone, listed):
            response = preflight(backend, ORIGIN, headers=[("Access-Control-Request-Headers", wanted)])
            assert_is_text(response, 200, "OK")
            assert response.header("Access-Control-Allow-Headers") == wanted

    def test_of_a_listed_origin_is_granted(self, listed):
        response = preflight(listed, ORIGIN)
        assert_is_text(response, 200, "OK")
        assert cors_of(response) == self.PERMISSION | {"Access-Control-Allow-Origin": ORIGIN}
        assert varies_by_origin(response)

    def test_of_another_origin_is_refused(self, listed):
        response = preflight(listed, OTHER)
        assert_is_text(response, 400, "Disallowed CORS origin")
        assert cors_of(response) == self.PERMISSION
        assert varies_by_origin(response)

    def test_of_an_unknown_method_is_refused(self, anyone, listed):
        for backend in (anyone, listed):
            response = preflight(backend, ORIGIN, "BREW")
            assert_is_text(response, 400, "Disallowed CORS method")
            assert cors_of(response) == self.PERMISSION | {"Access-Control-Allow-Origin": ORIGIN}

    def test_names_both_faults(self, listed):
        response = preflight(listed, OTHER, "BREW")
        assert_is_text(response, 400, "Disallowed CORS origin, method")
        assert cors_of(response) == self.PERMISSION

    def test_needs_both_headers(self, anyone):
        assert anyone.get(COST, "OPTIONS", [("Origin", OTHER)]).status == 204
        assert anyone.get(COST, "OPTIONS", [("Access-Control-Request-Method", "GET")]).status == 204


@pytest.mark.parametrize("spelling", ["*", f"{ORIGIN},https://second.example", '["*"]', "[]"])
def test_other_spellings_of_the_setting(shared_double, spelling):
    with Backend(shared_double, CORS_ORIGINS=spelling) as backend:
        granted = backend.get(HEALTH, headers=[("Origin", ORIGIN)]).header("Access-Control-Allow-Origin")
        assert granted == {"*": "*", '["*"]': "*", "[]": None}.get(spelling, ORIGIN)


def test_a_cached_answer_does_not_pass_one_origins_permission_to_another(listed):
    for origin, granted in ((ORIGIN, ORIGIN), (OTHER, None), ("https://second.example",) * 2, (None, None), (ORIGIN,) * 2):
        response = listed.get(COST, headers=[("Origin", origin)] if origin else [])
        assert response.header("Access-Control-Allow-Origin") == granted


class TestEmptyHeaders:
    """Name nothing, and cannot be echoed."""

    PREFLIGHT = {"Origin": "http://a", "Access-Control-Request-Method": "GET"}

    def test_empty_list_of_headers_is_as_none(self, shared_backend):
        response = shared_backend.get("/api/v1/health", "OPTIONS", [*self.PREFLIGHT.items(), ("Access-Control-Request-Headers", "")])
        assert (response.status, response.text) == (200, "OK")
        assert response.header("Access-Control-Allow-Headers") is None

    def test_empty_origin_is_as_none(self, shared_backend):
        response = shared_backend.get("/api/v1/health", "GET", [("Origin", ""), ("Cookie", "a=b")])
        assert response.status == 200
        assert response.header("Access-Control-Allow-Origin") is None
