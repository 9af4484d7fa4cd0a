# SPDX-License-Identifier: Apache-2.0
"""The documentation: a page, and the files it loads where Swagger UI is built in."""
import base64
import gzip
import hashlib
import re

import pytest

from backend import Backend

FILES = ["swagger-ui.js", "swagger-ui.css", "start.js"]


@pytest.fixture(scope="module")
def files(shared_backend):
    """The paths that the page loads; each of FILES, or none."""
    page = shared_backend.get("/api/docs").body.decode()
    links = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page)
    assert sorted(links) in ([], sorted(f"docs/{name}" for name in FILES))
    return [f"/api/{link}" for link in links]


def test_policy_knows_the_style_of_the_page_by_its_hash(shared_backend):
    page = shared_backend.get("/api/docs")
    style = re.search(rb"<style>(.*?)</style>", page.body, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}'" in page.header("Content-Security-Policy")


def test_policy_allows_nothing_inline_and_nobody_else(shared_backend):
    policy = shared_backend.get("/api/docs").header("Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy


def test_files_are_the_same_packed_and_plain(shared_backend, files):
    for path in files:
        packed = shared_backend.get(path, headers=[("Accept-Encoding", "gzip")])
        plain = shared_backend.get(path)
        assert packed.status == plain.status == 200
        assert packed.header("Content-Encoding") == "gzip" and plain.header("Content-Encoding") is None
        assert gzip.decompress(packed.body) == plain.body
        assert packed.header("Content-Type") == plain.header("Content-Type")
        assert packed.header("ETag") != plain.header("ETag")
        assert packed.header("Vary") == "Accept-Encoding"


def test_known_files_are_not_sent_again(shared_backend, files):
    for path in files:
        for encoding in ("gzip", "identity"):
            first = shared_backend.get(path, headers=[("Accept-Encoding", encoding)])
            again = shared_backend.get(path, headers=[("Accept-Encoding", encoding),
                                                      ("If-None-Match", first.header("ETag"))])
            assert (again.status, again.body) == (304, b"")
            assert again.header("Cache-Control") == "no-cache"


def test_head_of_a_file_sends_the_headers_of_get(shared_backend, files):
    for path in files:
        head = shared_backend.get(path, "HEAD", headers=[("Accept-Encoding", "gzip")])
        body = shared_backend.get(path, headers=[("Accept-Encoding", "gzip")]).body
        assert (head.status, head.body) == (200, b"")
        assert head.header("Content-Length") == str(len(body))


def test_a_binary_without_the_files_does_not_know_their_routes(shared_backend, files):
    for name in FILES:
        path = f"/api/docs/{name}"
        assert shared_backend.get(path).status == (200 if path in files else 404)
        assert shared_backend.get(path, "POST").status == (405 if path in files else 404)
    assert shared_backend.get("/api/docs/other.js").status == 404


def test_documentation_that_is_off_takes_its_files_along(shared_double):
    with Backend(shared_double, ENABLE_SWAGGER="false") as backend:
        for path in ["/api/docs", "/api/openapi.json", *(f"/api/docs/{name}" for name in FILES)]:
            assert backend.get(path).status == 404


def test_server_of_the_document_is_relative_to_it(shared_backend):
    assert [server["url"] for server in shared_backend.get("/api/openapi.json").json()["servers"]] == [".."]
