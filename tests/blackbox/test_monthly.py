# SPDX-License-Identifier: Apache-2.0
"""The monthly report: the last 30 days as one month, or calendar months one query each."""
import calendar
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from backend import Backend
from expected import exact, figures_of
from opencost_double import ALLOCATION, allocation, allocations, answer
from patience import wait_until

TARGET = "/api/v1/cost/monthly"
EMPTY = answer(200, '{"code":200,"data":[{}]}')


def utc_now():
    return datetime.now(timezone.utc)


def text_of(number):
    """As the API writes numbers, half-even to nine decimals."""
    text = f"{number.quantize(Decimal('1e-9'), rounding=ROUND_HALF_EVEN):f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def within_one_month(act):
    """Acts again when the month changed meanwhile, and returns (now, what it gave)."""
    while True:
        before = utc_now()
        result = act()
        if utc_now().date() == before.date():
            return before, result


class Month:
    """A calendar month, counted back from now, and its window as OpenCost is asked for it."""

    def __init__(self, now, back):
        index = now.year * 12 + now.month - 1 - back
        self.start = datetime(index // 12, index % 12 + 1, 1, tzinfo=timezone.utc)
        self.days = calendar.monthrange(self.start.year, self.start.month)[1]
        self.is_current = back == 0
        if self.is_current:
            self.end = datetime(now.year, now.month, now.day, tzinfo=timezone.utc) + timedelta(days=1)
            self.days = now.day
        else:
            self.end = self.start + timedelta(days=self.days)
        self.label = f"{self.start:%Y-%m}"
        self.window = f"{self.start:%Y-%m-%dT%H:%M:%SZ},{self.end:%Y-%m-%dT%H:%M:%SZ}"

    def row(self, cost, start=None, pod="web-0"):
        start = start or self.start
        return allocation("shop", pod, cpuCost=cost) | {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}"}


def months_of(now, count):
    """Oldest first, the current one last."""
    return [Month(now, back) for back in reversed(range(count))]


class TestLastThirtyDays:
    FIXTURE = "oc2024-namespace_pod-1d.json"

    def test_is_the_default(self, double, backend):
        now, response = within_one_month(lambda: backend.get(TARGET))
        total = figures_of(self.FIXTURE, False)["total"]
        assert response.text == (
            f'{{"months":[{{"month":"{now:%Y-%m}","total_cost":{total},"daily_average":{text_of(Decimal(total) / 30)},'
            f'"namespaces":4,"pods":5}}],"total":{total},"period":"1 month"}}')
        assert double.count(window="30d") == 1
        assert backend.get(f"{TARGET}?months=1").body == response.body
        assert double.count(window="30d") == 1

    def test_shares_the_query_of_its_window(self, double, backend):
        backend.get("/api/v1/cost/namespaces?window=30d")
        backend.get(TARGET)
        assert double.count(window="30d") == 1

    def test_without_rows_has_no_month(self, double, backend):
        double.script(ALLOCATION, EMPTY, window="30d")
        assert backend.get(TARGET).text == '{"months":[],"total":0.0,"period":"1 month"}'

    def test_counts_neither_special_rows_nor_unmounted_volumes(self, double, backend):
        rows = [allocation("shop", "web-0", cpuCost=3), allocation("shop", "shop-unmounted-pvcs", pvCost=1),
                allocation("__unmounted__", "__unmounted__", pvCost=2), allocation("batch", "job", cpuCost=1)]
        double.script(ALLOCATION, allocations(*rows), window="30d")
        (month,) = backend.get(TARGET).json()["months"]
        assert (month["namespaces"], month["pods"], month["total_cost"]) == (2, 2, 7)
        assert month["daily_average"] == Decimal("0.233333333")


class TestCalendarMonths:
    @pytest.fixture
    def now(self):
        return utc_now()

    def script(self, double, now, count, **special):
        """Each month costs 31, 62, 93 ... from its first day on, unless `special` gives its body by label."""
        months = months_of(now, count)
        for number, month in enumerate(months, 1):
            body = special.get(month.label) or allocations(month.row(31 * number))
            double.script(ALLOCATION, body, window=month.window)
        return months

    @pytest.mark.parametrize("count", range(2, 13))
    def test_one_query_a_month_oldest_first(self, double, backend, now, count):
        months = self.script(double, now, count)
        response = backend.get(f"{TARGET}?months={count}")
        assert response.status == 200
        report = exact(response.text)
        assert list(report) == ["months", "total", "period"]
        assert [row["month"] for row in report["months"]] == [month.label for month in months]
        assert report["period"] == f"{count} months"
        assert Decimal(report["total"]) == 31 * count * (count + 1) // 2
        for number, (month, row) in enumerate(zip(months, report["months"]), 1):
            assert row["total_cost"] == f"{31 * number}.0"
            assert row["daily_average"] == text_of(Decimal(31 * number) / month.days)
            assert (row["namespaces"], row["pods"]) == ("1", "1")
            assert row.get("partial", False) is month.is_current
            assert double.count(window=month.window) == 1
        assert double.max_in_flight <= 2

    def test_keys_are_in_order(self, double, backend, now):
        self.script(double, now, 2)
        closed, current = backend.get(f"{TARGET}?months=2").json()["months"]
        keys = ["month", "total_cost", "daily_average", "namespaces", "pods"]
        assert (list(closed), list(current)) == (keys, [*keys, "partial"])

    def test_asking_again_asks_nothing(self, double, backend, now):
        months = self.script(double, now, 3)
        first = backend.get(f"{TARGET}?months=3")
        assert backend.get(f"{TARGET}?months=3").body == first.body
        assert backend.get(f"{TARGET}?months=2").status == 200
        assert [double.count(window=month.window) for month in months] == [1, 1, 1]

    def test_a_closed_month_is_kept_when_the_current_one_is_fetched_anew(self, double, now):
        months = self.script(double, now, 3)

        def current_was_asked_again(backend):
            assert backend.get(f"{TARGET}?months=3").status == 200
            return double.count(window=months[-1].window) >= 2

        with Backend(double, CACHE_TTL=1) as backend:
            wait_until(lambda: current_was_asked_again(backend), "the current month's expiry")
        assert [double.count(window=month.window) for month in months[:-1]] == [1, 1]

    def test_a_month_whose_data_start_late_is_partial(self, double, backend, now):
        month = Month(now, 1)
        late = allocations(month.row(5, month.start + timedelta(days=9)), month.row(5, month.start + timedelta(days=10), "b"))
        self.script(double, now, 2, **{month.label: late})
        report = backend.get(f"{TARGET}?months=2").json()
        assert [row.get("partial") for row in report["months"]] == [True, True]

    def test_one_early_row_makes_it_whole(self, double, backend, now):
        month = Month(now, 1)
        body = allocations(month.row(5, month.start + timedelta(days=9)), month.row(5, month.start, "b"))
        self.script(double, now, 2, **{month.label: body})
        report = backend.get(f"{TARGET}?months=2").json()
        assert [row.get("partial") for row in report["months"]] == [None, True]

    def test_a_month_nothing_is_known_of_is_left_out(self, double, backend, now):
        months = self.script(double, now, 4, **{Month(now, 3).label: EMPTY, Month(now, 1).label: EMPTY})
        report = backend.get(f"{TARGET}?months=4").json()
        assert [row["month"] for row in report["months"]] == [months[1].label, months[3].label]
        assert report["total"] == 62 + 124
        assert report["period"] == "4 months"

    def test_none_known_is_an_empty_list(self, double, backend, now):
        self.script(double, now, 2, **{Month(now, 1).label: EMPTY, Month(now, 0).label: EMPTY})
        assert backend.get(f"{TARGET}?months=2").text == '{"months":[],"total":0.0,"period":"2 months"}'

    def test_a_month_that_cannot_be_fetched_is_no_silent_zero(self, double, backend, now):
        self.script(double, now, 2, **{Month(now, 1).label: answer(500)})
        assert backend.get(f"{TARGET}?months=2").status == 503
