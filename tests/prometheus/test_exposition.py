# SPDX-License-Identifier: Apache-2.0
"""/metrics after good requests and bad ones."""
import re
import subprocess

import pytest

import exposition

PROMISED = {
    "kubecent_build_info": ("gauge", {"version", "revision"}),
    "kubecent_http_requests_total": ("counter", {"method", "route", "code"}),
    "kubecent_http_requests_in_flight": ("gauge", set()),
    "kubecent_http_request_duration_seconds": ("histogram", {"method", "route"}),
    "kubecent_cache_requests_total": ("counter", {"dataset"}),
    "kubecent_cache_hits_total": ("counter", {"dataset"}),
    "kubecent_cache_stale_total": ("counter", {"dataset"}),
    "kubecent_cache_coalesced_total": ("counter", {"dataset"}),
    "kubecent_cache_shared_total": ("counter", {"dataset"}),
    "kubecent_cache_evictions_total": ("counter", set()),
    "kubecent_cache_entries": ("gauge", set()),
    "kubecent_cache_bytes": ("gauge", set()),
    "kubecent_opencost_requests_total": ("counter", {"dataset"}),
    "kubecent_opencost_failures_total": ("counter", {"dataset", "reason"}),
    "kubecent_opencost_retries_total": ("counter", {"dataset"}),
    "kubecent_opencost_request_duration_seconds": ("histogram", {"dataset"}),
    "kubecent_opencost_up": ("gauge", set()),
    "kubecent_opencost_last_success_timestamp_seconds": ("gauge", {"dataset"}),
    "kubecent_refresh_last_success_timestamp_seconds": ("gauge", {"dataset"}),
    "kubecent_rows_rejected_total": ("counter", {"reason"}),
    "kubecent_log_lines_dropped_total": ("counter", set()),
    "kubecent_namespace_cost": ("gauge", {"namespace", "window"}),
    "kubecent_currency_info": ("gauge", {"currency"}),
    "kubecent_redis_requests_total": ("counter", set()),
    "kubecent_redis_hits_total": ("counter", set()),
    "kubecent_redis_leases_total": ("counter", set()),
    "kubecent_redis_lease_waits_total": ("counter", set()),
    "kubecent_redis_failures_total": ("counter", {"reason"}),
    "kubecent_redis_request_duration_seconds": ("histogram", set()),
    "kubecent_redis_up": ("gauge", set()),
    "process_start_time_seconds": ("gauge", set()),
}


def test_promtool_has_nothing_to_say(backend):
    response = backend.get("/metrics")
    assert response.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert response.text.endswith("\n")
    done = subprocess.run(["promtool", "check", "metrics"], input=response.text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", PROMISED)
def test_the_family_is_there(families, name):
    kind, labels = PROMISED[name]
    assert name in families
    assert (families[name].kind, families[name].labels) == (kind, labels)
    assert families[name].help.endswith(".")


def test_no_series_is_there_twice(families):
    series = [(name, tuple(labels.items())) for family in families.values() for name, labels, _ in family.samples]
    assert len(series) == len(set(series)) > 100


def test_routes_are_templates_of_ours(families):
    routes = {labels["route"] for _, labels, _ in families["kubecent_http_requests_total"].samples}
    assert {"/api/v1/cost/pods", "unmatched"} <= routes
    assert not any(re.search(r"[?%]|such", route) for route in routes)
    assert len(routes) < 20


def test_failures_are_there_before_they_happen(families):
    reasons = {(labels["dataset"], labels["reason"]) for _, labels, _ in families["kubecent_opencost_failures_total"].samples}
    assert reasons == {(dataset, reason) for dataset in ("allocation", "health") for reason in (
        "timeout", "connect", "tls", "http_4xx", "http_5xx", "decode", "too_large", "other")}
    reasons = {labels["reason"] for _, labels, _ in families["kubecent_redis_failures_total"].samples}
    assert reasons == {"connect", "tls", "timeout", "auth", "full", "read_only", "loading", "refused", "protocol",
                       "too_large", "foreign", "busy", "no_memory"}
    codes = {labels["code"] for _, labels, _ in families["kubecent_http_requests_total"].samples
             if labels["route"] == "/api/v1/cost/monthly"}
    assert {"200", "500", "503"} <= codes


def test_histograms_are_cumulative_and_agree_with_their_count(families):
    checked = 0
    for family in families.values():
        if family.kind != "histogram":
            continue
        counts = {tuple(labels.items()): value for name, labels, value in family.samples if name.endswith("_count")}
        for key, count in counts.items():
            buckets = [(float(labels["le"]), value) for name, labels, value in family.samples if name.endswith("_bucket")
                       and tuple((k, v) for k, v in labels.items() if k != "le") == key]
            assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), count)
            assert [value for _, value in buckets] == sorted(value for _, value in buckets)
            checked += 1
    assert checked > 5


def test_costs_are_those_of_the_api(backend, families):
    for window in ("7d", "24h"):
        rows = backend.get(f"/api/v1/cost/namespaces?window={window}").json()["namespaces"]
        shown = {labels["namespace"]: value for _, labels, value in families["kubecent_namespace_cost"].samples
                 if labels["window"] == window}
        assert shown == {row["name"]: float(row["total_cost"]) for row in rows}
        assert list(shown.values()) == sorted(shown.values(), reverse=True)


def test_costs_are_shown_only_where_they_are_wanted(plain_backend):
    families = exposition.parse(plain_backend.get("/metrics").text)
    assert not any("namespace" in family.labels for family in families.values())
    assert "kubecent_namespace_cost" not in families and "kubecent_currency_info" not in families


def test_redis_has_metrics_only_where_there_is_one(plain_backend):
    assert not any(name.startswith("kubecent_redis_") for name in exposition.parse(plain_backend.get("/metrics").text))
