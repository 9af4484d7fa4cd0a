# SPDX-License-Identifier: Apache-2.0
"""With a file of tokens nobody is answered without one, but for probes and preflights."""
import hashlib
import os

import pytest

from backend import Backend, run_to_end
from hostility import witnessed
from patience import wait_until

COST = "/api/v1/cost/namespaces?window=3d"
GUARDED = [COST, "/api/v1/cost/pods?window=3d", "/api/v1/health", "/api/openapi.json", "/api/docs", "/api/v1/cost/pods/",
           "/api/v1/cost/pods?window=nonsense", "/nowhere", "/"]
PROBES = ["/livez", "/readyz", "/health", "/livez?verbose"]
TOKENS = ["first-Token.1", "second/token+2=="]
CHALLENGE = 'Bearer realm="kubecent"'


def write(path, *lines):
    """Replaces the file, as renewals do."""
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines))
    os.replace(fresh, path)


def bearer(token, scheme="Bearer"):
    return [("Authorization", f"{scheme} {token}")]


@pytest.fixture(scope="module")
def guarded(shared_double, tmp_path_factory):
    path = tmp_path_factory.mktemp("auth") / "tokens"
    write(path, "# ours", "", TOKENS[0], f"{TOKENS[1]} \t", "")
    with Backend(shared_double, AUTH_TOKEN_FILE=path) as backend:
        yield backend
        for line in [*backend.lines, *backend.errors]:
            assert not any(token in line for token in TOKENS)


class TestWithoutAToken:
    @pytest.mark.parametrize("target", GUARDED)
    def test_nothing_is_answered(self, guarded, target):
        response = guarded.get(target)
        assert response.status == 401
        assert response.text == '{"detail":"Unauthorized"}'
        assert response.header("WWW-Authenticate") == CHALLENGE
        assert response.header("Cache-Control") == "no-store"
        assert "authorization" in response.words("Vary")

    @pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
    def test_by_no_method(self, guarded, method):
        assert guarded.get(COST, method).status == 401

    @pytest.mark.parametrize("headers", [[("Authorization", "Basic dTpw")], [("Authorization", "Bearer")], [("Cookie", "a=b")],
                                         [("Authorization", "")]], ids=str)
    def test_other_credentials_are_none(self, guarded, headers):
        response = guarded.get(COST, headers=headers)
        assert (response.status, response.header("WWW-Authenticate")) == (401, CHALLENGE)

    @pytest.mark.parametrize("target", [*PROBES, "/metrics"])
    def test_probes_and_metrics_are_answered(self, guarded, target):
        response = guarded.get(target)
        assert response.status == 200
        assert "authorization" not in response.words("Vary")

    def test_a_preflight_is_answered(self, guarded):
        response = guarded.get(COST, "OPTIONS", [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET"),
                                                 ("Access-Control-Request-Headers", "authorization")])
        assert response.status == 200
        assert response.words("Access-Control-Allow-Headers") == {"authorization"}

    def test_a_browser_may_read_the_refusal(self, guarded):
        response = guarded.get(COST, headers=[("Origin", "https://a.example")])
        assert response.status == 401
        assert response.header("Access-Control-Allow-Origin") == "*"

    def test_opencost_is_not_asked(self, guarded, shared_double):
        before = shared_double.count(window="8d")
        assert guarded.get("/api/v1/cost/pods?window=8d").status == 401
        assert shared_double.count(window="8d") == before

    def test_metrics_are_refused_where_they_are_to_be(self, shared_double, tmp_path):
        write(tmp_path / "tokens", TOKENS[0])
        with Backend(shared_double, AUTH_TOKEN_FILE=tmp_path / "tokens", METRICS_AUTH="true") as backend:
            assert backend.get("/metrics").status == 401
            assert backend.get("/metrics", headers=bearer(TOKENS[0])).status == 200
            assert backend.get("/livez").status == 200


class TestWithAToken:
    @pytest.mark.parametrize("headers", [bearer(TOKENS[0]), bearer(TOKENS[1]), bearer(TOKENS[0], "bearer"),
                                         bearer(f"  {TOKENS[1]}")], ids=str)
    def test_of_the_file_answers_come(self, guarded, headers):
        response = guarded.get(COST, headers=headers)
        assert response.status == 200
        assert guarded.get("/nowhere", headers=headers).status == 404
        assert guarded.get(COST, "POST", headers=headers).status == 405

    def test_answers_are_for_private_caches_only(self, guarded):
        for _ in range(3):  # a miss, what is prepared then, and that again
            response = guarded.get(COST, headers=bearer(TOKENS[0]))
            assert response.header("Cache-Control") == "private, max-age=300"
            assert response.words("Vary") == {"accept-encoding", "authorization"}

    @pytest.mark.parametrize("token", ["wrong", TOKENS[0][:-1], TOKENS[0] + "x", TOKENS[0].upper(), "# ours", "x" * 5000,
                                       f"{TOKENS[0]}, {TOKENS[1]}"], ids=lambda token: token[:20])
    def test_of_another_kind_the_refusal_says_so(self, guarded, token):
        response = guarded.get(COST, headers=bearer(token))
        assert response.status == 401
        assert response.header("WWW-Authenticate") == f'{CHALLENGE}, error="invalid_token"'

    @pytest.mark.parametrize("token", TOKENS)
    def test_the_log_tells_whose_it_was_without_telling_it(self, guarded, token):
        digest = hashlib.sha256(token.encode()).hexdigest()
        request_id = f"whose-{digest[:8]}"
        guarded.get(COST, headers=[*bearer(token), ("X-Request-ID", request_id)])
        assert guarded.wait_for_event("http.request", request_id=request_id)["user"] == f"sha256:{digest[:8]}"

    def test_of_another_kind_nobody_is_logged(self, guarded):
        for number, headers in enumerate(([], bearer("wrong"))):
            guarded.get(COST, headers=[*headers, ("X-Request-ID", f"nobody-{number}")])
            assert guarded.wait_for_event("http.request", request_id=f"nobody-{number}")["user"] is None

    def test_each_request_of_a_connection_needs_it(self, guarded):
        with guarded.connect() as connection:
            for headers, status in ((bearer(TOKENS[0]), 200), ([], 401), (bearer(TOKENS[1]), 200), (bearer("no"), 401)):
                connection.request(COST, headers=headers)
                assert connection.read().status == status

    def test_refusals_are_counted(self, guarded):
        guarded.get(COST)
        wait_until(lambda: 'route="/api/v1/cost/namespaces",code="401"' in guarded.get("/metrics").text, "the count")

    def test_the_document_says_what_is_needed(self, guarded):
        document = guarded.get("/api/openapi.json", headers=bearer(TOKENS[0])).json()
        assert document["security"] == [{"bearer": []}]
        assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        for path, operations in document["paths"].items():
            exempt = path in ("/livez", "/readyz", "/health", "/metrics")
            assert operations["get"].get("security") == ([] if exempt else None), path
            assert ("401" in operations["get"]["responses"]) != exempt, path


class TestRenewal:
    @pytest.fixture
    def path(self, tmp_path):
        write(tmp_path / "tokens", "old")
        return tmp_path / "tokens"

    @pytest.fixture
    def renewed(self, double, path):
        with Backend(double, AUTH_TOKEN_FILE=path) as backend:
            yield backend

    def status(self, backend, token):
        return backend.get(COST, headers=bearer(token)).status

    def test_new_tokens_count_without_a_restart(self, renewed, path):
        assert self.status(renewed, "old") == 200
        with witnessed(renewed, ["/livez"]):
            write(path, "old", "new")
            wait_until(lambda: self.status(renewed, "new") == 200, "the new token")
            assert self.status(renewed, "old") == 200
            write(path, "new")
            wait_until(lambda: self.status(renewed, "old") == 401, "the end of the old token")
            assert self.status(renewed, "new") == 200
        assert [event["count"] for event in renewed.events("auth.tokens_reloaded")] == [2, 1]

    def test_as_kubernetes_does_it(self, double, tmp_path):
        for number in (1, 2):
            (tmp_path / f"..{number}").mkdir()
            write(tmp_path / f"..{number}" / "tokens", f"token-{number}")
        (tmp_path / "..data").symlink_to("..1")
        (tmp_path / "tokens").symlink_to("..data/tokens")
        with Backend(double, AUTH_TOKEN_FILE=tmp_path / "tokens") as backend:
            assert self.status(backend, "token-1") == 200
            (tmp_path / "..fresh").symlink_to("..2")
            os.replace(tmp_path / "..fresh", tmp_path / "..data")
            wait_until(lambda: self.status(backend, "token-2") == 200, "the new token")
            assert self.status(backend, "token-1") == 401

    @pytest.mark.parametrize("spoil, error", [
        (lambda path: write(path, ""), "no token in it"),
        (lambda path: write(path, "a b"), "line 1 holds characters that no token has"),
        (os.unlink, "No such file or directory"),
    ], ids=["empty", "malformed", "gone"])
    def test_a_file_that_cannot_be_used_changes_nothing(self, renewed, path, spoil, error):
        spoil(path)
        event = renewed.wait_for_event("auth.tokens_unreadable")
        assert (event["level"], event["path"], event["error"]) == ("warning", str(path), error)
        assert self.status(renewed, "old") == 200
        write(path, "new")
        wait_until(lambda: self.status(renewed, "new") == 200, "the new token")
        assert len(renewed.events("auth.tokens_unreadable")) == 1

    def test_each_fault_of_it_is_said_once(self, renewed, path):
        for lines, error in ((["a b"], "line 1 holds characters that no token has"), ([], "no token in it"),
                             (["good", "a b"], "line 2 holds characters that no token has")):
            write(path, *lines)
            renewed.wait_for_event("auth.tokens_unreadable", error=error)
        write(path, "new")
        wait_until(lambda: self.status(renewed, "new") == 200, "the new token")
        assert len(renewed.events("auth.tokens_unreadable")) == 3


class TestStart:
    @pytest.mark.parametrize("content, why", [("", "no token in it"), ("# none\n\n", "no token in it"),
                                              ("good\nb\u00e4d\n", "line 2 holds characters that no token has")],
                             ids=["empty", "comments", "malformed"])
    def test_needs_a_token(self, tmp_path, content, why):
        path = tmp_path / "tokens"
        path.write_text(content, encoding="utf-8")
        done = run_to_end(cwd=tmp_path, AUTH_TOKEN_FILE=path, HOST="127.0.0.1", OPENCOST_URL="demo")
        assert done.returncode == 1
        assert done.stderr == f"kubecent-backend: cannot use AUTH_TOKEN_FILE {path}: {why}\n"

    def test_needs_the_file(self, tmp_path):
        done = run_to_end(cwd=tmp_path, AUTH_TOKEN_FILE="missing")
        assert done.returncode == 2
        assert done.stderr == 'error: AUTH_TOKEN_FILE: expected the path of a readable file, got "missing"\n'

    def test_the_healthcheck_needs_none(self, guarded, tmp_path):
        assert run_to_end("--healthcheck", cwd=tmp_path, HOST="127.0.0.1", PORT=guarded.port).returncode == 0


def test_without_the_setting_a_token_is_of_no_matter(backend):
    for headers in ([], bearer("any")):
        response = backend.get(COST, headers=headers)
        assert response.status == 200
        assert response.header("Cache-Control") == "max-age=300"
        assert "authorization" not in response.words("Vary")
