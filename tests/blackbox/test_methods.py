# SPDX-License-Identifier: Apache-2.0
"""Paths, methods and framing: what is no ordinary GET of a known route."""
import pytest

import http_raw

ALLOW = "GET, HEAD, OPTIONS"
API = ["/api/v1/health", "/api/v1/cost/namespaces", "/api/v1/cost/pods", "/api/v1/cost/monthly",
       "/api/v1/savings/recommendations"]
PROBES = ["/livez", "/readyz", "/health"]
DOCUMENTS = ["/api/openapi.json", "/api/docs", "/metrics"]
ALL = API + PROBES + DOCUMENTS


def assert_plain_error(response, status, detail):
    assert response.status == status
    assert response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "no-store"
    assert response.text == f'{{"detail":"{detail}"}}'


@pytest.mark.parametrize("path", ALL)
class TestKnownPaths:
    def test_get(self, shared_backend, path):
        response = shared_backend.get(path)
        assert response.status == 200
        assert response.body

    def test_head_is_get_without_the_body(self, shared_backend, path):
        get = shared_backend.get(path)
        with shared_backend.connect() as connection:
            connection.request(path, "HEAD")
            head = connection.read("HEAD")
            connection.request("/livez")
            assert connection.read().status == 200  # no stray body in between
        assert head.status == 200
        changing = {"date", "age", "cache-status", "x-cache"}
        if path == "/metrics":
            changing.add("content-length")
        names = [{name.lower() for name, _ in response.headers} - changing for response in (get, head)]
        assert names[0] == names[1]
        for name in names[0]:
            assert head.header(name) == get.header(name)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
    def test_other_methods_are_not_allowed(self, shared_backend, path, method):
        response = shared_backend.get(path, method)
        assert_plain_error(response, 405, "Method Not Allowed")
        assert response.header("Allow") == ALLOW

    def test_options_that_is_no_preflight(self, shared_backend, path):
        response = shared_backend.get(path, "OPTIONS")
        assert response.status == 204
        assert response.header("Allow") == ALLOW

    @pytest.mark.parametrize("query", ["", "?window=1w&idle=true"])
    def test_a_trailing_slash_is_redirected(self, shared_backend, path, query):
        response = shared_backend.get(f"{path}/{query}")
        assert response.status == 307
        location = response.header("Location")
        assert location in (path + query, f"http://kubecent.test{path}{query}")


class TestLongRedirects:
    """Their targets come back in the answer, for which there must be room beside the request."""

    @pytest.mark.parametrize("length, status", [(4096, 307), (4300, 404), (8192, 404), (9500, 404), (12_500, 404), (16_000, 404)])
    def test_are_made_of_targets_that_must_be_accepted(self, shared_backend, length, status):
        path = "/api/v1/cost/pods"
        query = "?x=" + "y" * (length - len(path) - 4)
        seen = len(shared_backend.events("http.reply_failed"))
        response = shared_backend.get(f"{path}/{query}")
        assert (response.status, response.header("Location")) == (status, path + query if status == 307 else None)
        assert len(shared_backend.events("http.reply_failed")) == seen


class TestUnknownPaths:
    @pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/api/v1/cost", "/api/v1/cost/namespace", "/API/v1/health",
                                      "/api/v1/health/x", "/api/v2/health", "/favicon.ico", "//", "/api//v1/health",
                                      "/api/v1/cost/../health", "/%2e%2e/etc/passwd", "/caf%C3%A9",
                                      "/<script>"])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_not_found(self, shared_backend, path, method):
        assert_plain_error(shared_backend.get(path, method), 404, "Not Found")

    def test_a_path_is_decoded_before_it_is_matched(self, shared_backend):
        assert shared_backend.get("/%61pi/v1/health").status == 200

    def test_head_gets_no_body(self, shared_backend):
        with shared_backend.connect() as connection:
            connection.request("/nope", "HEAD")
            assert connection.read("HEAD").status == 404
            connection.request("/livez")
            assert connection.read().status == 200


class TestConnections:
    def test_carry_many_requests(self, shared_backend):
        with shared_backend.connect() as connection:
            for path in ALL * 3:
                connection.request(path)
                assert connection.read().status == 200

    def test_pipelined_requests_are_answered_in_order(self, shared_backend):
        with shared_backend.connect() as connection:
            for path in ("/livez", "/nope", "/api/v1/health", "/api/v1/cost/pods?idle=2"):
                connection.request(path)
            assert [connection.read().status for _ in range(4)] == [200, 404, 200, 422]

    def test_bytes_may_come_one_by_one(self, shared_backend):
        with shared_backend.connect() as connection:
            for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n":
                connection.send(bytes([byte]))
            assert connection.read().status == 200

    def test_close_when_asked_to(self, shared_backend):
        with shared_backend.connect() as connection:
            connection.request("/livez", headers=[("Connection", "close")])
            assert connection.read().status == 200
            assert connection.at_end()

    def test_of_http_1_0_close_by_themselves(self, shared_backend):
        with shared_backend.connect() as connection:
            connection.send(b"GET /livez HTTP/1.0\r\n\r\n")
            assert connection.read().status == 200
            assert connection.at_end()

    def test_stay_open_after_our_errors(self, shared_backend):
        with shared_backend.connect() as connection:
            for path, status in (("/nope", 404), ("/api/v1/cost/pods?idle=2", 422), ("/livez/", 307), ("/livez", 200)):
                connection.request(path)
                assert connection.read().status == status

    def test_a_small_body_that_nobody_wants_is_read_and_dropped(self, shared_backend):
        with shared_backend.connect() as connection:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            assert connection.read().status == 200
            connection.request("/livez")
            assert connection.read().status == 200


GET = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n"

REFUSED = {
    "length_and_coding": GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two_lengths": GET + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "nul_in_path": b"GET /livez%00x HTTP/1.1\r\nHost: x\r\n\r\n",
    "nul_in_query": b"GET /api/v1/cost/pods?namespace=a%00b HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw_nul": b"GET /livez\x00x HTTP/1.1\r\nHost: x\r\n\r\n",
    "line_feed_in_path": b"GET /livez%0Ax HTTP/1.1\r\nHost: x\r\n\r\n",
    "escape_in_query": b"GET /livez?x=%1b HTTP/1.1\r\nHost: x\r\n\r\n",
    "no_host": b"GET /livez HTTP/1.1\r\n\r\n",
}


class TestMalformedRequests:
    @pytest.mark.parametrize("name", REFUSED)
    def test_ambiguous_ones_are_refused_and_the_connection_closed(self, shared_backend, name):
        with shared_backend.connect() as connection:
            connection.send(REFUSED[name])
            assert_plain_error(connection.read(), 400, "Bad Request")
            assert connection.at_end()

    @pytest.mark.parametrize("data", [b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                                      b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"])
    def test_nonsense_ends_in_an_error_or_a_closed_connection(self, shared_backend, data):
        with shared_backend.connect() as connection:
            connection.send(data)
            connection.socket.shutdown(1)
            try:
                assert 400 <= connection.read().status <= 505
            except http_raw.ProtocolError:
                assert not connection.buffer
        assert shared_backend.get("/livez").status == 200

    @pytest.mark.parametrize("data", [
        b"GET /livez?" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n",
        GET + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n"])
    def test_what_is_over_the_limits_is_refused(self, shared_backend, data):
        with shared_backend.connect() as connection:
            try:
                connection.send(data)
                status = connection.read().status
            except (OSError, http_raw.ProtocolError):
                status = None  # refused by closing
            assert status in (None, 400, 413, 414, 431)
        assert shared_backend.get("/livez").status == 200

    @pytest.mark.parametrize("headers", [
        [(f"X-Filler-{number:02}", "y" * 700) for number in range(11)],
        [(f"X-Filler-{number:02}", "y" * 190) for number in range(40)],
        [("Cookie", "session=" + "y" * 8100)],
        [("Cookie", "; ".join(f"crumb{number:02}=" + "y" * 90 for number in range(60)))],
    ], ids=["11", "40", "cookie", "crumbs"])
    def test_eight_kilobytes_of_headers_are_accepted(self, shared_backend, headers):
        assert shared_backend.get("/api/v1/cost/namespaces", headers=headers).status == 200

    def test_eight_kilobytes_of_headers_and_a_target_of_four_are_accepted(self, shared_backend):
        headers = [(f"X-Filler-{number:02}", "y" * 190) for number in range(40)]
        target = "/api/v1/cost/namespaces?x="
        assert shared_backend.get(target + "y" * (4096 - len(target)), headers=headers).status == 200
