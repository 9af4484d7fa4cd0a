# SPDX-License-Identifier: Apache-2.0
"""The figures: every fixture through the real binary, compared with the independent reading of it."""
import json
from decimal import Decimal

import pytest

from backend import Backend
from expected import (DETAIL_KEYS, FIXTURE_NAMES, NAMESPACE_KEYS, POD_KEYS, exact, figures_of, namespaces_body,
                      pods_body)
from opencost_double import ALLOCATION, FIXTURES, OpenCostDouble, allocation, allocations, answer, chunked, fixture

# One window for each fixture, so that one backend serves them all.
WINDOW_OF = {name: f"{101 + index}h" for index, name in enumerate(FIXTURE_NAMES)}
BY_POD = "oc2024-namespace_pod-1d.json"  # of one set, every row with namespace and pod
SPLIT_BY_POD = (BY_POD, "oc2024-no-aggregate-1d-container-keys.json")


@pytest.fixture(scope="module")
def service():
    with OpenCostDouble() as double:
        double.script(ALLOCATION, fixture(BY_POD))
        for name, window in WINDOW_OF.items():
            double.script(ALLOCATION, fixture(name), window=window)
        with Backend(double) as backend:
            yield backend


def flag(value):
    return "true" if value else "false"


@pytest.mark.parametrize("idle", [False, True], ids=["without_idle", "with_idle"])
@pytest.mark.parametrize("name", FIXTURE_NAMES)
class TestEveryFixture:
    def test_namespaces_are_as_worked_out(self, service, name, idle):
        window = WINDOW_OF[name]
        response = service.get(f"/api/v1/cost/namespaces?window={window}&idle={flag(idle)}")
        assert response.status == 200
        assert response.text == namespaces_body(figures_of(name, idle), window)

    def test_pods_are_as_worked_out(self, service, name, idle):
        window = WINDOW_OF[name]
        figures = figures_of(name, idle)
        response = service.get(f"/api/v1/cost/pods?window={window}&idle={flag(idle)}")
        assert response.status == 200
        assert response.text == pods_body(figures["pods"], figures["pods_total"], window)

    @pytest.mark.parametrize("view", ["namespaces", "pods"])
    def test_details_are_as_worked_out(self, service, name, idle, view):
        response = service.get(f"/api/v1/cost/{view}?window={WINDOW_OF[name]}&idle={flag(idle)}&detail=true")
        assert response.status == 200
        assert exact(response.text)[view] == figures_of(name, idle)[view]

    def test_parts_add_up_to_the_total_but_for_opencosts_rounding(self, service, name, idle):
        response = service.get(f"/api/v1/cost/pods?window={WINDOW_OF[name]}&idle={flag(idle)}&detail=true")
        parts = ("cpu_cost", "memory_cost", "storage_cost", "network_cost", "gpu_cost", "load_balancer_cost",
                 "shared_cost", "external_cost")
        for row in response.json()["pods"]:
            assert abs(sum(row[part] for part in parts) - row["total_cost"]) <= Decimal("0.0005")


@pytest.mark.parametrize("view, keys", [("namespaces", NAMESPACE_KEYS), ("pods", POD_KEYS)])
def test_detail_adds_its_keys_behind_the_usual_ones(service, view, keys):
    response = service.get(f"/api/v1/cost/{view}?window={WINDOW_OF[BY_POD]}&detail=true")
    added = DETAIL_KEYS if view == "namespaces" else ("idle_cost", *DETAIL_KEYS)
    for row in response.json()[view]:
        assert tuple(row)[:len(keys)] == keys
        assert sorted(tuple(row)[len(keys):]) == sorted(added)


@pytest.mark.parametrize("idle", ["false", "true"])
@pytest.mark.parametrize("name", SPLIT_BY_POD)
def test_pods_and_namespaces_have_the_same_total(service, name, idle):
    totals = [service.get(f"/api/v1/cost/{view}?window={WINDOW_OF[name]}&idle={idle}").json()["total"]
              for view in ("namespaces", "pods")]
    assert totals[0] == totals[1] != 0


@pytest.mark.parametrize("name", FIXTURE_NAMES)
def test_totals_are_the_sums_of_the_rows_shown(service, name):
    for view in ("namespaces", "pods"):
        report = service.get(f"/api/v1/cost/{view}?window={WINDOW_OF[name]}&idle=true").json()
        assert sum(row["total_cost"] for row in report[view]) == report["total"]
        assert len(report[view]) == report["item_count"]


class TestNamespaceFilter:
    def rows_of(self, namespace):
        rows = [row for row in figures_of(BY_POD, False)["pods"] if row["namespace"] == namespace]
        total = sum((Decimal(row["total_cost"]) for row in rows), Decimal(0))
        return rows, f"{total.normalize():f}" if total else "0.0"

    @pytest.mark.parametrize("namespace", ["shop", "shop-staging", "batch", "__unmounted__"])
    def test_shows_the_namespaces_pods_only(self, service, namespace):
        window = WINDOW_OF[BY_POD]
        rows, total = self.rows_of(namespace)
        assert rows
        response = service.get(f"/api/v1/cost/pods?window={window}&namespace={namespace}")
        assert response.text == pods_body(rows, total, window, namespace)

    @pytest.mark.parametrize("spelling, namespace", [
        ("nope", "nope"), ("shop-", "shop-"), ("Shop", "Shop"), ("caf%C3%A9", "café"), ("a+b%20c", "a b c"),
        ("%22quoted%22", '"quoted"'), ("back%5Cslash", "back\\slash"), ("%F0%9F%90%84", "\N{COW}")])
    def test_an_unknown_namespace_is_echoed_and_empty(self, service, spelling, namespace):
        response = service.get(f"/api/v1/cost/pods?window=7d&namespace={spelling}")
        assert response.status == 200
        assert response.text == pods_body([], "0.0", "7d", namespace)

    def test_an_empty_one_is_no_filter(self, service):
        everything = service.get("/api/v1/cost/pods?window=7d")
        assert service.get("/api/v1/cost/pods?namespace=&window=7d").body == everything.body

    def test_never_asks_opencost(self, double, backend):
        backend.get("/api/v1/cost/pods?window=3d")
        for namespace in ("shop", "batch", "nope"):
            assert backend.get(f"/api/v1/cost/pods?window=3d&namespace={namespace}").status == 200
        assert double.count(window="3d") == 1


class TestUpstreamQuery:
    def test_is_exact(self, double, backend):
        backend.get("/api/v1/cost/namespaces")
        backend.get("/api/v1/cost/namespaces?idle=true")
        tail = "&aggregate=namespace,pod&accumulate=true"
        assert [request.target.replace("%2C", ",") for request in double.asked(window="7d")] == [
            f"{ALLOCATION}?window=7d{tail}", f"{ALLOCATION}?window=7d{tail}&includeIdle=true"]
        assert {request.method for request in double.asked()} == {"GET"}

    def test_one_serves_all_views_of_a_window(self, double, backend):
        for target in ("cost/namespaces", "cost/namespaces?detail=true", "cost/pods", "cost/pods?namespace=shop",
                       "cost/pods?detail=true", "savings/recommendations", "savings/recommendations?limit=1"):
            assert backend.get(f"/api/v1/{target}").status == 200
        assert double.count(window="7d") == 1

    @pytest.mark.parametrize("spelling, asked", [
        ("7d", "7d"), ("1w", "7d"), ("2w", "14d"), ("24h", "24h"), ("1d", "1d"),
        ("1704067200,1704153600", "2024-01-01T00:00:00Z,2024-01-02T00:00:00Z"),
        ("1704067200-1704153600", "2024-01-01T00:00:00Z,2024-01-02T00:00:00Z"),
        ("2024-01-01T00:00:00Z,2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z,2024-01-02T00:00:00Z")])
    def test_a_window_is_asked_for_canonically_and_echoed_as_spelled(self, shared_double, shared_backend, spelling, asked):
        assert shared_backend.get(f"/api/v1/cost/namespaces?window={spelling}").json()["window"] == spelling
        assert shared_double.count(window=asked) == 1

    def test_equal_windows_share_one(self, double, backend):
        first = backend.get("/api/v1/cost/pods?window=1w").json()
        second = backend.get("/api/v1/cost/pods?window=7d").json()
        assert (first.pop("window"), second.pop("window")) == ("1w", "7d")
        assert first == second
        assert double.count(window="7d") == 1
        assert double.count(window="1w") == 0

    @pytest.mark.parametrize("suffix", ["/model", "/model/", "/"])
    def test_goes_below_the_prefix_of_the_url(self, suffix):
        with OpenCostDouble() as double:
            prefix = suffix.rstrip("/")
            double.script(prefix + ALLOCATION, fixture(BY_POD))
            double.script(prefix + "/healthz", answer(200, b"", None))
            with Backend(double, OPENCOST_URL=double.url + suffix) as backend:
                assert backend.get("/api/v1/cost/namespaces").status == 200
                assert double.count(prefix + ALLOCATION, window="7d") == 1


class TestOddAnswers:
    def serve(self, double, backend, behaviour):
        double.script(ALLOCATION, behaviour, window="3d")
        response = backend.get("/api/v1/cost/pods?window=3d")
        assert response.status == 200
        return response

    def test_a_list_of_allocations_reads_like_a_list_of_maps(self, double, backend):
        sets = json.loads((FIXTURES / "encoded" / BY_POD).read_text())["data"]
        body = json.dumps({"code": 200, "data": [row for rows in sets for row in rows.values()]})
        figures = figures_of(BY_POD, False)
        response = self.serve(double, backend, answer(200, body))
        assert response.text == pods_body(figures["pods"], figures["pods_total"], "3d")

    def test_chunks_change_nothing(self, double, backend):
        figures = figures_of(BY_POD, False)
        response = self.serve(double, backend, chunked((FIXTURES / "encoded" / BY_POD).read_bytes(), 7))
        assert response.text == pods_body(figures["pods"], figures["pods_total"], "3d")

    def test_a_wrong_content_type_changes_nothing(self, double, backend):
        body = (FIXTURES / "encoded" / BY_POD).read_bytes()
        self.serve(double, backend, answer(200, body, "text/html"))

    @pytest.mark.parametrize("data", ["[]", "[{}]", "[null]", "[null,{},null]", "null", "{}"])
    def test_no_rows_are_an_answer_too(self, double, backend, data):
        response = self.serve(double, backend, answer(200, f'{{"code":200,"data":{data}}}'))
        assert response.text == pods_body([], "0.0", "3d")

    def test_money_is_exact(self, double, backend):
        rows = [allocation("shop", "a", cpuCost=0.1), allocation("shop", "b", cpuCost=0.2),
                allocation("shop", "c", cpuCost=-186.57, totalCost=-186.57)]
        double.script(ALLOCATION, allocations(*rows), window="3d")
        text = backend.get("/api/v1/cost/namespaces?window=3d").text
        assert exact(text)["total"] == "-186.27"

    def test_numbers_in_any_spelling_print_as_plain_decimals(self, double, backend):
        spellings = {"3.2e-7": "0.00000032", "1E3": "1000.0", "-0": "0.0", "0.000000": "0.0", "50": "50.0",
                     "-0.0000000004": "0.0", "0.0000000005": "0.0", "0.0000000015": "0.000000002",
                     "123456789012.123456789": "123456789012.123456789", "1e-400": "0.0"}
        rows = ",".join(f'"n/p{at}":{{"name":"n/p{at}","totalCost":{number}}}' for at, number in enumerate(spellings))
        response = self.serve(double, backend, answer(200, f'{{"code":200,"data":[{{{rows}}}]}}'))
        assert [row["total_cost"] for row in exact(response.text)["pods"]] == list(spellings.values())

    def test_names_with_escapes_survive(self, double, backend):
        names = ['quo"te', "back\\slash", "<b>&amp;</b>", "Zürich", "\N{COW}", "tab\there", "a:b.c"]
        response = self.serve(double, backend, allocations(*[allocation("shop", name, cpuCost=1) for name in names]))
        assert [row["name"] for row in response.json()["pods"]] == names

    def test_nulls_count_as_nothing(self, double, backend):
        row = allocation("shop", "web-0", cpuCost=1.5)
        row |= {"ramCost": None, "pvCost": "None", "totalCost": None, "properties": None, "window": None}
        assert self.serve(double, backend, allocations(row)).text == pods_body(
            [{"namespace": "shop", "name": "web-0", "total_cost": "1.5", "cpu_cost": "1.5", "memory_cost": "0.0",
              "storage_cost": "0.0"}], "1.5", "3d")

    def test_adjustments_belong_to_the_cost(self, double, backend):
        row = allocation("shop", "web-0", cpuCost=2, cpuCostAdjustment=-0.5, ramCost=1, ramCostAdjustment=0.25,
                         pvCost=4, pvCostAdjustment=1, totalCost=7.75)
        assert self.serve(double, backend, allocations(row)).text == pods_body(
            [{"namespace": "shop", "name": "web-0", "total_cost": "7.75", "cpu_cost": "1.5", "memory_cost": "1.25",
              "storage_cost": "5.0"}], "7.75", "3d")

    def test_idle_that_comes_unasked_is_dropped(self, double, backend):
        idle = allocation("x", "y", cpuCost=9) | {"name": "__idle__", "properties": {"cluster": "cl1"}}
        double.script(ALLOCATION, allocations(idle, allocation("shop", "web-0", cpuCost=1)), window="3d")
        without = backend.get("/api/v1/cost/pods?window=3d").json()
        assert [row["name"] for row in without["pods"]] == ["web-0"]
        asked = backend.get("/api/v1/cost/pods?window=3d&idle=true").json()
        assert [(row["namespace"], row["name"], row["total_cost"]) for row in asked["pods"]] == [
            ("__idle__", "__idle__", 9), ("shop", "web-0", 1)]
