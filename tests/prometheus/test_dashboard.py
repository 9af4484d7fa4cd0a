# SPDX-License-Identifier: Apache-2.0
"""config/grafana-dashboard.json: as Grafana needs it, and with something to show in every panel."""
import json
import re

import pytest

import exposition
import promql

STAND_INS = {"$__rate_interval": "30s", "$__interval": "30s", "$job": ".*", "$instance": ".*", "$window": "7d"}


@pytest.fixture(scope="module")
def dashboard(root):
    return json.loads((root / "config" / "grafana-dashboard.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def panels(dashboard):
    """All but rows, those of folded rows included."""
    inside = [panel for row in dashboard["panels"] for panel in row.get("panels", [])]
    return [panel for panel in dashboard["panels"] + inside if panel["type"] != "row"]


@pytest.fixture(scope="module")
def queries(panels):
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


def filled_in(query):
    return re.sub(r"\$\w+", lambda variable: STAND_INS[variable[0]], query.replace('"$1"', '"\x00"')).replace("\x00", "$1")


def test_rows_come_in_the_order_in_which_one_looks(dashboard):
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Traffic", "Latency", "Cache", "OpenCost", "Process", "Costs", "Redis"]


def test_the_schema_is_that_of_grafana_9_and_later(dashboard):
    assert 36 <= dashboard["schemaVersion"] <= 38
    assert dashboard["id"] is None and dashboard["uid"] == "kubecent-backend" and dashboard["title"]


def test_panels_have_numbers_and_places_of_their_own(dashboard, panels):
    numbers = [panel["id"] for panel in panels] + [panel["id"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert len(numbers) == len(set(numbers)) > 20
    taken = set()
    for panel in [*panels, *(panel for panel in dashboard["panels"] if panel["type"] == "row")]:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells


def test_panels_are_titled_described_and_have_units(panels):
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert references and len(references) == len(set(references)), panel["title"]


def test_the_data_source_is_a_choice_of_the_user(dashboard, panels):
    for holder in [*panels, *(target for panel in panels for target in panel["targets"])]:
        assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    assert variables.keys() >= {"job", "instance"}


def test_every_query_asks_for_the_chosen_job(queries):
    for title, query in queries:
        selectors = re.findall(r"\{[^}]*\}", query)
        assert selectors and all('job=~"$job",instance=~"$instance"' in selector for selector in selectors), title


def test_variables_are_defined(dashboard):
    text = json.dumps(dashboard)
    used = {name for name in re.findall(r"\$\{?([a-z]\w*)", text)}
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert used == defined


def test_variables_are_filled_from_metrics_that_are_there(dashboard, families):
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variable["definition"]).groups()
            assert metric in families and label in families[metric].labels | promql.TARGET_LABELS
            assert variable["query"]["query"] == variable["definition"]


def test_queries_look_at_metrics_and_labels_that_are_there(dashboard, queries, families):
    names = exposition.sample_names(families)
    starts = [("annotation", note["expr"]) for note in dashboard["annotations"]["list"] if "expr" in note]
    assert [fault for _, query in queries + starts for fault in promql.faults(query, families, names)] == []


def test_legends_name_labels_of_their_query(panels, families):
    for panel in panels:
        for target in panel["targets"]:
            metrics = promql.metrics_of(target["expr"])
            grouped = {label for by in promql.GROUPING.findall(target["expr"]) for label in re.split(r",\s*", by)}
            known = grouped if "by (" in target["expr"] else promql.TARGET_LABELS | {
                label for metric in metrics for label in families[metric].labels}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= known, panel["title"]


def test_every_panel_has_something_to_show(prometheus, queries):
    for title, query in queries:
        samples = prometheus.wait_for(filled_in(query))
        assert samples, title


def test_every_metric_is_on_it_somewhere(dashboard, families):
    """But for those that only serve to be joined or have nothing to show while all is well."""
    aside = {"kubecent_currency_info", "process_virtual_memory_bytes", "kubecent_cache_snapshot_bytes",
             "kubecent_cache_snapshot_failures_total"}
    text = json.dumps(dashboard)
    assert {name for name in families if name not in text} == aside
