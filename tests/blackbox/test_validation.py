# SPDX-License-Identifier: Apache-2.0
"""Parameters: what is accepted, and the exact 422 for what is not."""
import json
from urllib.parse import quote

import pytest

BOOL = ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
INT = ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
NAMESPACES = "/api/v1/cost/namespaces"
PODS = "/api/v1/cost/pods"
MONTHLY = "/api/v1/cost/monthly"
RECOMMENDATIONS = "/api/v1/savings/recommendations"


def entry(kind, message, name, value, context=None):
    """One entry of a 422, with its keys in order."""
    members = {"type": kind, "loc": ["query", name], "msg": message, "input": value}
    return members | ({"ctx": context} if context else {})


def at_least_one(name, value):
    return entry("greater_than_equal", "Input should be greater than or equal to 1", name, value, {"ge": 1})


def at_most(limit, name, value):
    return entry("less_than_equal", f"Input should be less than or equal to {limit}", name, value, {"le": limit})


def body_of(*entries):
    return json.dumps({"detail": list(entries)}, separators=(",", ":"), ensure_ascii=False)


def assert_refused(response, *entries):
    assert response.status == 422
    assert response.header("Content-Type") == "application/json"
    assert response.header("Cache-Control") == "no-store"
    assert response.text == body_of(*entries)


class TestBooleans:
    @pytest.mark.parametrize("value", ["2", "", "maybe", "-1", "truee", " true", "true ", "None", "01", "1.0", "é", "TR UE"])
    @pytest.mark.parametrize("path, name", [(NAMESPACES, "idle"), (PODS, "idle"), (NAMESPACES, "detail"), (PODS, "detail")])
    def test_refused(self, shared_backend, path, name, value):
        response = shared_backend.get(f"{path}?{name}={quote(value)}")
        assert_refused(response, entry(*BOOL, name, value))

    @pytest.mark.parametrize("value", ["1", "true", "True", "TRUE", "t", "T", "yes", "Yes", "y", "on", "oN"])
    def test_true(self, shared_backend, value):
        rows = shared_backend.get(f"{NAMESPACES}?detail={value}").json()["namespaces"]
        assert all("network_cost" in row for row in rows)

    @pytest.mark.parametrize("value", ["0", "false", "False", "FALSE", "f", "F", "no", "No", "n", "off", "oFf"])
    def test_false(self, shared_backend, value):
        rows = shared_backend.get(f"{NAMESPACES}?detail={value}").json()["namespaces"]
        assert not any("network_cost" in row for row in rows)


class TestIntegers:
    LIMITS = [(RECOMMENDATIONS, "limit", 50), (MONTHLY, "months", 12)]

    @pytest.mark.parametrize("value", ["abc", "", "10.5", "0x10", "1e1", "1 0", "--1", "_1", "1_", "1__0", "nan", "é", "１"])
    @pytest.mark.parametrize("path, name, limit", LIMITS)
    def test_refused(self, shared_backend, path, name, limit, value):
        assert_refused(shared_backend.get(f"{path}?{name}={quote(value)}"), entry(*INT, name, value))

    @pytest.mark.parametrize("value", ["0", "-1", "-0", "-99999999999999999999999999"])
    @pytest.mark.parametrize("path, name, limit", LIMITS)
    def test_too_small(self, shared_backend, path, name, limit, value):
        assert_refused(shared_backend.get(f"{path}?{name}={value}"), at_least_one(name, value))

    @pytest.mark.parametrize("path, name, limit", LIMITS)
    def test_too_large(self, shared_backend, path, name, limit):
        for value in (str(limit + 1), "99999999999999999999999999", "9" * 100):
            assert_refused(shared_backend.get(f"{path}?{name}={value}"), at_most(limit, name, value))

    def test_thousands_of_digits_are_no_number(self, shared_backend):
        value = "9" * 4400
        response = shared_backend.get(f"{RECOMMENDATIONS}?limit={value}")
        message = "Unable to parse input string as an integer, exceeded maximum size"
        assert (response.status, response.text) == (422, body_of(entry("int_parsing_size", message, "limit", value)))

    @pytest.mark.parametrize("spelling", ["5", "%205", "5%20", "+5", "%2B5", "0_5", "5.0", "05", "5.00"])
    def test_accepted(self, shared_backend, spelling):
        assert shared_backend.get(f"{RECOMMENDATIONS}?limit={spelling}").status == 200

    @pytest.mark.parametrize("path, name, limit", LIMITS)
    def test_both_bounds_are_within(self, shared_backend, path, name, limit):
        for value in (1, limit):
            assert shared_backend.get(f"{path}?{name}={value}").status == 200


ACCEPTED_WINDOWS = [
    "today", "yesterday", "week", "month", "lastweek", "lastmonth",
    "1m", "90m", "1h", "24h", "1d", "7d", "30d", "366d", "1w", "52w", "8784h", "527040m",
    "1704067200,1704153600", "1704067200-1704153600", "0,1", "1704067200,1704067201",
    "2024-01-01T00:00:00Z,2024-01-02T00:00:00Z", "2024-02-29T23:59:59Z,2024-03-01T00:00:00Z",
    "2024-01-01T00:00:00Z,2025-01-01T00:00:00Z",
]

MALFORMED_WINDOWS = [
    "", " ", "7", "d", "0d", "0h", "-1d", "+1d", "1.5d", "1e1d", "0x7d", "7D", "7H", "7dd", "d7", " 7d", "7d ", "7 d",
    "1y", "30s", "367d", "53w", "8785h", "527041m", "999999999999999999999d", "18446744073709551617d", "7d,1d",
    "7d offset 1d", "7d;", "７d", "Today", "TODAY", "lastyear", "current", "None", "nan", ",", "-",
    "1704067200", "1704067200,", ",1704153600", "1704067200,1704067200", "1704153600,1704067200", "1704153600-1704067200",
    "1704067200,1704153600,1704240000", "1704067200, 1704153600", "99999999999999999999,99999999999999999999999",
    "2026-01-01,2026-02-01", "2026-01-01T00:00:00,2026-01-02T00:00:00", "2026-01-01T00:00:00+00:00,2026-01-02T00:00:00Z",
    "2026-01-01T00:00:00.000Z,2026-01-02T00:00:00Z", "2026-01-01T00:00:00z,2026-01-02T00:00:00z",
    "2026-01-01 00:00:00Z,2026-01-02 00:00:00Z", "2026-02-30T00:00:00Z,2026-03-01T00:00:00Z",
    "2026-13-01T00:00:00Z,2027-01-01T00:00:00Z", "2026-01-01T24:00:00Z,2026-01-03T00:00:00Z",
    "2026-01-01T00:60:00Z,2026-01-02T00:00:00Z", "2026-01-01T00:00:60Z,2026-01-02T00:00:00Z",
    "2026-01-02T00:00:00Z,2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z,2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z,2027-01-02T00:00:01Z", "2026-01-01T00:00:00Z,", "2026-01-01T00:00:00Z",
    "2026-1-1T0:0:0Z,2026-1-2T0:0:0Z", "7d\u00a0", "<script>", "'; drop table", "7d\"",
]


class TestWindows:
    @pytest.mark.parametrize("window", ACCEPTED_WINDOWS)
    def test_accepted(self, shared_double, shared_backend, window):
        response = shared_backend.get(f"{NAMESPACES}?window={quote(window)}")
        assert response.status == 200
        assert response.json()["window"] == window

    @pytest.mark.parametrize("window", MALFORMED_WINDOWS)
    @pytest.mark.parametrize("path", [NAMESPACES, PODS])
    def test_malformed(self, shared_double, shared_backend, path, window):
        before = shared_double.count()
        response = shared_backend.get(f"{path}?window={quote(window)}")
        assert response.status == 422
        (fault,) = response.json()["detail"]
        message = fault["msg"]
        assert_refused(response, entry("value_error", message, "window", window))
        for form in ("today", "lastmonth", "7d", "Z"):
            assert form in message
        assert shared_double.count() == before

    def test_they_are_case_sensitive_in_the_echo_too(self, shared_backend):
        assert shared_backend.get(f"{NAMESPACES}?window=1w").json()["window"] == "1w"


class TestSeveralFaults:
    def test_are_reported_together_in_declared_order(self, shared_backend):
        response = shared_backend.get(f"{PODS}?detail=x&idle=2&namespace=shop&window=bogus")
        message = response.json()["detail"][0]["msg"]
        assert_refused(response, entry("value_error", message, "window", "bogus"), entry(*BOOL, "idle", "2"),
                       entry(*BOOL, "detail", "x"))

    def test_of_namespaces(self, shared_backend):
        response = shared_backend.get(f"{NAMESPACES}?idle=&window=")
        message = response.json()["detail"][0]["msg"]
        assert_refused(response, entry("value_error", message, "window", ""), entry(*BOOL, "idle", ""))


class TestParameters:
    @pytest.mark.parametrize("query", ["limit=abc&limit=5", "limit=&limit=5", "limit=51&limit=0&limit=1"])
    def test_the_last_of_repeated_ones_counts(self, shared_backend, query):
        assert shared_backend.get(f"{RECOMMENDATIONS}?{query}").status == 200

    def test_the_last_of_repeated_ones_is_the_one_refused(self, shared_backend):
        assert_refused(shared_backend.get(f"{RECOMMENDATIONS}?limit=5&limit=abc"), entry(*INT, "limit", "abc"))

    @pytest.mark.parametrize("query", ["force_refresh=maybe", "start_time=x&end_time=y", "limit=abc", "IDLE=2", "Window=x",
                                       "&&&", "=", "=x", "a", "%C3%A9=1", "window%20=x", "months=0"])
    def test_unknown_ones_are_ignored(self, shared_backend, query):
        assert shared_backend.get(f"{NAMESPACES}?{query}").body == shared_backend.get(NAMESPACES).body

    @pytest.mark.parametrize("spelling, text", [
        ("a+b", "a b"), ("a%2Bb", "a+b"), ("a%20b", "a b"), ("caf%C3%A9", "café"), ("%F0%9F%90%84", "\N{COW}"),
        ("%e4", "\ufffd"), ("%C3%28", "\ufffd("), ("%zz", "%zz"), ("100%", "100%"), ("a=b", "a=b"), ("%22", '"'),
        ("%5C", "\\")])
    def test_text_is_decoded_before_it_is_judged_and_echoed(self, shared_backend, spelling, text):
        assert_refused(shared_backend.get(f"{NAMESPACES}?idle={spelling}"), entry(*BOOL, "idle", text))

    def test_names_may_be_percent_encoded(self, shared_backend):
        assert shared_backend.get(f"{NAMESPACES}?%77indow=1%77").json()["window"] == "1w"

    def test_a_hundred_are_accepted(self, shared_backend):
        query = "&".join(f"p{number}={number}" for number in range(99))
        assert shared_backend.get(f"{NAMESPACES}?{query}&window=1w").json()["window"] == "1w"

    def test_a_target_of_four_kilobytes_is_accepted(self, shared_backend):
        target = f"{NAMESPACES}?window=1w&x="
        assert shared_backend.get(target + "y" * (4096 - len(target))).status == 200

    def test_they_are_logged(self, shared_backend):
        shared_backend.get(f"{RECOMMENDATIONS}?limit=logged")
        event = shared_backend.wait_for_event("validation_error")
        assert "errors" in event
