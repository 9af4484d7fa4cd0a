# SPDX-License-Identifier: Apache-2.0
"""The demo: the whole real path over HTTP, with an OpenCost look-alike inside the process."""
import json
from datetime import datetime, timedelta, timezone

import pytest

from backend import Backend
from patience import LONG

NOW = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
YESTERDAY = ",".join(f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (2, 1))

ROUTES = ["cost/namespaces", "cost/namespaces?window=30d", "cost/namespaces?idle=true&detail=true", "cost/pods",
          "cost/pods?window=today", "cost/pods?idle=true&detail=true", "cost/monthly", "cost/monthly?months=3",
          "cost/monthly?months=12", "savings/recommendations", "savings/recommendations?limit=50"]


@pytest.fixture(scope="module", params=[{"arguments": ("--demo",)}, {"OPENCOST_URL": "demo"}], ids=["option", "setting"])
def demo(request):
    with Backend(None, **request.param) as backend:
        yield backend


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_has_rows(demo, route):
    response = demo.get(f"/api/v1/{route}", deadline=2 * LONG)
    assert response.status == 200
    report = response.json()
    rows = next(value for value in report.values() if isinstance(value, list))
    assert rows


@pytest.mark.parametrize("path", ["/api/v1/health", "/livez", "/readyz", "/health", "/metrics", "/api/openapi.json", "/api/docs"])
def test_everything_else_answers(demo, path):
    assert demo.get(path).status == 200


def test_it_is_healthy(demo):
    assert demo.get("/api/v1/health").json()["opencost"] == "connected"


@pytest.mark.parametrize("window", ["7d", "30d", "today", "lastweek", "lastmonth", "24h", YESTERDAY])
def test_the_views_agree(demo, window):
    for idle in ("false", "true"):
        namespaces = demo.get(f"/api/v1/cost/namespaces?window={window}&idle={idle}").json()
        pods = demo.get(f"/api/v1/cost/pods?window={window}&idle={idle}").json()
        assert namespaces["total"] == pods["total"] > 0
        for row in namespaces["namespaces"]:
            own = demo.get(f"/api/v1/cost/pods?window={window}&idle={idle}&namespace={row['name']}").json()
            assert own["total"] == row["total_cost"]
            assert own["item_count"] >= row["pod_count"]


def test_idle_is_a_row_of_its_own(demo):
    names = [{row["name"] for row in demo.get(f"/api/v1/cost/namespaces?idle={idle}").json()["namespaces"]}
             for idle in ("false", "true")]
    assert names[1] - names[0] == {"__idle__"}


def test_the_documents_are_documents(demo):
    assert json.loads(demo.get("/api/openapi.json").text)["openapi"].startswith("3.1")
    assert demo.get("/api/docs").header("Content-Type").startswith("text/html")
    assert demo.get("/metrics").header("Content-Type").startswith("text/plain; version=0.0.4")


def test_it_is_said_to_be_one(demo):
    assert any("demo" in line.lower() for line in [*demo.lines, *demo.errors])


def test_it_is_never_chosen_silently():
    with Backend(None, OPENCOST_URL="http://127.0.0.1:9") as backend:
        assert backend.get("/api/v1/health").json()["status"] == "degraded"
        assert backend.get("/api/v1/cost/namespaces").status == 503
        assert backend.wait_for_event("application.initialized")["opencost_url"] == "http://127.0.0.1:9"


def test_a_proxy_of_the_environment_is_not_asked_for_the_sample():
    with Backend(None, arguments=("--demo",), http_proxy="http://127.0.0.1:1", all_proxy="http://127.0.0.1:1") as backend:
        assert backend.get("/api/v1/cost/pods").status == 200
