# SPDX-License-Identifier: Apache-2.0
"""Problem details (RFC 9457) for clients that prefer them; ours for all others."""
import json

import pytest

from backend import Backend
from opencost_double import ALLOCATION, answer

COST = "/api/v1/cost/namespaces"
OURS, PROBLEM = "application/json", "application/problem+json"


def problem(status, title, detail, **more):
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "#problem-1", **more}


def ask(backend, target, accept, method="GET", **headers):
    return backend.get(target, method, [("Accept", accept), ("X-Request-ID", "problem-1"),
                                        *((name.replace("_", "-"), value) for name, value in headers.items())])


@pytest.fixture(name="backend", scope="module")
def make_backend(shared_double):
    shared_double.script(ALLOCATION, answer(500, "secret"), window="61m")
    shared_double.script(ALLOCATION, answer(400, "secret"), window="62m")
    with Backend(shared_double) as backend:
        yield backend


FAILURES = [
    ("/nowhere", "GET", problem(404, "Not Found", "Not Found")),
    (COST, "POST", problem(405, "Method Not Allowed", "Method Not Allowed")),
    (f"{COST}?window=61m", "GET", problem(503, "Service Unavailable", "Failed to fetch cost data from OpenCost: HTTP 500")),
    (f"{COST}?window=62m", "GET", problem(400, "Bad Request", "OpenCost rejected the query")),
]


@pytest.mark.parametrize("target, method, expected", FAILURES, ids=str)
class TestFailures:
    @pytest.mark.parametrize("accept", [PROBLEM, f"{OURS}, {PROBLEM}", f"{OURS};q=0.9, {PROBLEM}", f"{PROBLEM}, */*;q=0.1"])
    def test_are_problem_details_for_who_prefers_them(self, backend, target, method, expected, accept):
        response = ask(backend, target, accept, method)
        assert (response.status, response.header("Content-Type")) == (expected["status"], PROBLEM)
        assert list(json.loads(response.text).items()) == list(expected.items())

    @pytest.mark.parametrize("accept", ["*/*", OURS, "application/*", f"{OURS}, text/plain, */*", f"{OURS}, {PROBLEM};q=0.5",
                                        "text/html", "nonsense", ""])
    def test_are_ours_for_all_others(self, backend, target, method, expected, accept):
        response = ask(backend, target, accept, method)
        assert (response.status, response.header("Content-Type")) == (expected["status"], OURS)
        assert response.json() == {"detail": expected["detail"]}

    @pytest.mark.parametrize("accept", [PROBLEM, OURS])
    def test_say_that_they_depend_on_it(self, backend, target, method, expected, accept):
        response = ask(backend, target, accept, method, Origin="https://a.example")
        assert "accept" in response.words("Vary")
        assert response.header("Access-Control-Allow-Origin") == "*"
        assert response.header("Cache-Control") == "no-store"
        for name in {405: ["Allow"], 503: ["Retry-After"]}.get(expected["status"], []):
            assert response.header(name)


def test_faults_of_parameters_are_its_errors(backend):
    target = f"{COST}?idle=2&window=x"
    usual, as_problem = ask(backend, target, OURS).json(), json.loads(ask(backend, target, PROBLEM).text)
    assert len(usual["detail"]) == 2
    assert as_problem == problem(422, "Unprocessable Content", "Parameters are invalid", errors=usual["detail"])


def test_a_refusal_without_a_token_is_one_too(double, tmp_path):
    (tmp_path / "tokens").write_text("token")
    with Backend(double, AUTH_TOKEN_FILE=tmp_path / "tokens") as backend:
        response = ask(backend, COST, PROBLEM)
        assert json.loads(response.text) == problem(401, "Unauthorized", "Unauthorized")
        assert response.header("WWW-Authenticate") == 'Bearer realm="kubecent"'
        assert response.words("Vary") == {"accept", "authorization"}


def test_answers_do_not_depend_on_it(backend):
    response = ask(backend, COST, PROBLEM)
    assert (response.status, response.header("Content-Type")) == (200, OURS)
    assert "accept" not in response.words("Vary")
