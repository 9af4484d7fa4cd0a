# SPDX-License-Identifier: Apache-2.0
"""Savings: which pods are named, in which order, with which figures."""
from decimal import Decimal

import pytest

from opencost_double import ALLOCATION, allocation, allocations, answer

TARGET = "/api/v1/savings/recommendations"


def pod(namespace, name, total, idle):
    """A pod that costs `total`, of which `idle` was not used."""
    return allocation(namespace, name, cpuCost=total, idleCost=idle)


@pytest.fixture
def judge(double, backend):
    def of(*rows, query=""):
        double.script(ALLOCATION, allocations(*rows), window="7d")
        response = backend.get(TARGET + query)
        assert response.status == 200
        return response
    return of


def names_of(response):
    return [entry["resource"] for entry in response.json()["recommendations"]]


def test_the_answer_is_exact(judge):
    assert judge(pod("default", "nginx-abc123", 50, 20)).text == (
        '{"recommendations":[{"id":"rec-001","type":"reduce-idle","namespace":"default","resource":"nginx-abc123",'
        '"current_cost":50.0,"estimated_savings":10.0,"priority":"medium",'
        '"description":"Pod nginx-abc123 has 20.00 in idle costs",'
        '"action":"Review resource requests and right-size to actual usage"}],'
        '"total_potential_savings":10.0,"savings_percentage":20.0,"cluster_total_cost":50.0}')


def test_nothing_to_save_is_an_empty_list(judge):
    assert judge(pod("a", "b", 10, 0)).text == (
        '{"recommendations":[],"total_potential_savings":0.0,"savings_percentage":0.0,"cluster_total_cost":10.0}')


def test_no_rows_at_all(double, backend):
    double.script(ALLOCATION, answer(200, '{"code":200,"data":[{}]}'), window="7d")
    assert backend.get(TARGET).text == (
        '{"recommendations":[],"total_potential_savings":0.0,"savings_percentage":0.0,"cluster_total_cost":0.0}')


@pytest.mark.parametrize("total, idle, named", [
    (10, 2, False), (10, 2.000000001, True), (10, 1.999999999, False), (10, 10, True), (0, 0, False), (0, 1, True),
    (-5, 1, True), (-5, -4, False), (10, -1, False), (0.00001, 0.00001, True)])
def test_more_than_a_fifth_of_the_cost_must_be_idle(judge, total, idle, named):
    assert names_of(judge(pod("a", "b", total, idle))) == (["b"] if named else [])


@pytest.mark.parametrize("idle, priority", [(20, "medium"), (20.000000002, "high"), (19.999999998, "medium"), (1000, "high")])
def test_savings_above_ten_are_of_high_priority(judge, idle, priority):
    (entry,) = judge(pod("a", "b", 1000, idle) | {"cpuCost": 50, "totalCost": 50}).json()["recommendations"]
    assert entry["priority"] == priority
    assert entry["estimated_savings"] == Decimal(str(idle)) / 2


def test_the_largest_come_first_then_namespace_then_name(judge):
    response = judge(pod("b", "small", 10, 5), pod("b", "y", 10, 8), pod("b", "x", 10, 8), pod("a", "z", 10, 8),
                     pod("a", "large", 10, 9))
    entries = response.json()["recommendations"]
    assert [(entry["namespace"], entry["resource"]) for entry in entries] == [
        ("a", "large"), ("a", "z"), ("b", "x"), ("b", "y"), ("b", "small")]
    assert [entry["id"] for entry in entries] == [f"rec-{number:03}" for number in range(1, 6)]


class TestLimit:
    ROWS = [pod("shop", f"web-{number:02}", 100, 50 + number / 100) for number in range(60)]

    @pytest.mark.parametrize("query, count", [("", 10), ("?limit=1", 1), ("?limit=3", 3), ("?limit=50", 50)])
    def test_cuts_the_list_after_all_were_judged(self, judge, query, count):
        response = judge(*self.ROWS, query=query)
        report = response.json()
        assert names_of(response) == [f"web-{59 - number:02}" for number in range(count)]
        shown = sum(entry["estimated_savings"] for entry in report["recommendations"])
        assert report["total_potential_savings"] == shown
        assert report["cluster_total_cost"] == 6000
        assert report["savings_percentage"] == round(shown / 6000 * 100, 9)

    def test_all_limits_share_one_query(self, double, judge, backend):
        judge(*self.ROWS)
        for limit in (1, 2, 50):
            assert backend.get(f"{TARGET}?limit={limit}").status == 200
        assert double.count(window="7d") == 1


def test_special_rows_are_left_out_but_cost(judge):
    rows = [pod("__unmounted__", "__unmounted__", 30, 30), pod("shop", "__unallocated__", 20, 20),
            pod("shop", "web-0", 50, 25)]
    response = judge(*rows)
    assert names_of(response) == ["web-0"]
    assert response.json()["cluster_total_cost"] == 100
    assert response.json()["savings_percentage"] == Decimal("12.5")


def test_idle_cost_comes_from_efficiency_where_opencost_sends_none(judge):
    row = allocation("shop", "web-0", cpuCost=40, ramCost=20) | {"cpuEfficiency": 0.25, "ramEfficiency": 0.5}
    (entry,) = judge(row).json()["recommendations"]
    assert entry["description"] == "Pod web-0 has 40.00 in idle costs"
    assert entry["estimated_savings"] == 20


@pytest.mark.parametrize("total", [0, -10])
def test_no_percentage_of_nothing(judge, total):
    report = judge(pod("a", "b", total, 4)).json()
    assert report["savings_percentage"] == 0
    assert report["cluster_total_cost"] == total


def test_quotients_are_rounded_to_nine_decimals(judge):
    report = judge(pod("a", "b", 3, 2)).json()
    assert str(report["savings_percentage"]) == "33.333333333"


def test_names_are_escaped(judge):
    response = judge(pod("a", 'quo"te\\', 10, 5))
    assert names_of(response) == ['quo"te\\']
    assert response.json()["recommendations"][0]["description"] == 'Pod quo"te\\ has 5.00 in idle costs'
