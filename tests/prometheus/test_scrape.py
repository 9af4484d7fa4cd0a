# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes the service and answers questions about it."""
import exposition


def test_the_service_is_up(prometheus, backend):
    ((labels, value),) = prometheus.wait_for("up", lambda samples: samples and samples[0][1] == 1)
    assert value == 1
    assert (labels["job"], labels["instance"]) == ("kubecent-backend", f"127.0.0.1:{backend.port}")
    (target,) = prometheus.api("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


def test_every_request_is_counted_once(prometheus, backend):
    own = 'sum(kubecent_http_requests_total{route!~"/readyz|/metrics"})'
    prometheus.wait_for(own, lambda samples: samples and samples[0][1] == backend.asked)
    assert prometheus.query('sum(kubecent_http_requests_total{code="503",route=~"/api/.*"})')[0][1] == 1
    assert prometheus.query('sum(kubecent_http_requests_total{code="422"})')[0][1] == 1
    assert prometheus.query('sum(kubecent_http_requests_total{method="other"})')[0][1] == 1


def test_no_sample_is_lost_on_the_way(prometheus, backend):
    families = exposition.parse(backend.get("/metrics").text)
    for name in sorted(exposition.sample_names(families)):
        samples = prometheus.wait_for(name)
        own = [sample for family in families.values() for sample in family.samples if sample[0] == name]
        assert len(samples) == len(own), name


def test_figures_keep_their_decimals(prometheus, backend):
    rows = backend.get("/api/v1/cost/namespaces?window=7d").json()["namespaces"]
    shown = prometheus.wait_for('kubecent_namespace_cost{window="7d"}')
    assert {labels["namespace"]: value for labels, value in shown} == {row["name"]: float(row["total_cost"]) for row in rows}


def test_opencost_was_asked_and_failed(prometheus):
    # Each of three tries.
    assert prometheus.wait_for('kubecent_opencost_failures_total{reason="http_5xx",dataset="allocation"}')[0][1] == 3
    assert prometheus.wait_for('time() - kubecent_opencost_last_success_timestamp_seconds{dataset="allocation"}')[0][1] < 300
