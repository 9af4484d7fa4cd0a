# SPDX-License-Identifier: Apache-2.0
"""config/prometheus-rules.yaml: alerts and recording rules."""
import re
import subprocess

import exposition
import promql

ALERTS = ["KubecentDown", "KubecentOpenCostDown", "KubecentCircuitOpen", "KubecentDataStale", "KubecentRedisDown",
          "KubecentErrors", "KubecentSlow", "KubecentEvicting", "KubecentRowsRejected", "KubecentLogLinesDropped"]


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)


def test_promtool_accepts_the_rules(rules_file):
    done = promtool("check", "rules", str(rules_file))
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_the_chart_has_the_same_rules(root, rules_file):
    # A chart cannot reach outside itself.
    copy = root / "helm" / "kubecent" / "files" / rules_file.name
    assert copy.read_text(encoding="utf-8") == rules_file.read_text(encoding="utf-8"), f"copy {rules_file} there"


def test_each_alert_fires_when_it_should(root):
    done = promtool("test", "rules", str(root / "tests" / "prometheus" / "rules.test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_unit_test(root, rules):
    tested = (root / "tests" / "prometheus" / "rules.test.yaml").read_text(encoding="utf-8")
    assert [alert["name"] for alert in rules.alerts] == ALERTS
    assert [alert for alert in ALERTS if not re.search(rf'\b{alert}\b', tested)] == []
    assert [rule["name"] for rule in rules.records if rule["name"] not in tested] == []


def test_rules_look_at_metrics_and_labels_that_are_there(rules, families):
    names = exposition.sample_names(families) | {"up"}
    found = [fault for rule in rules.alerts + rules.records for fault in promql.faults(rule["query"], families, names)]
    assert found == []


def test_a_wrong_rule_would_be_found(families):
    names = exposition.sample_names(families)
    assert len(promql.faults('rate(kubecent_no_such_total{job="a"}[5m])', families, names)) == 1
    assert len(promql.faults('sum by (nope) (kubecent_opencost_up{neither="a"})', families, names)) == 2
    assert promql.faults('sum by (job) (kubecent_opencost_up{job=~"a|b"}) > bool 0', families, names) == []


def test_prometheus_evaluates_all_of_them(prometheus):
    def all_ran(groups):
        return all(rule["health"] == "ok" for group in groups for rule in group["rules"])
    prometheus.wait_for("job:kubecent_cache_hits:ratio_rate5m")
    groups = prometheus.api("rules")["groups"]
    assert all_ran(groups), [rule.get("lastError") for group in groups for rule in group["rules"]]


def test_each_alert_says_what_to_do(rules, families):
    for alert in rules.alerts:
        texts = alert["annotations"]
        assert set(texts) == {"summary", "description", "runbook"}, alert["name"]
        assert alert["labels"]["severity"] in ("critical", "warning", "info")
        assert not texts["summary"].endswith(".") and texts["description"].endswith(".") and texts["runbook"].endswith(".")
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(texts.values())))
        known = {label for family in families.values() if family.name in alert["query"] for label in family.labels}
        assert used <= known | promql.TARGET_LABELS, alert["name"]
        named = set(re.findall(r"\bkubecent_\w+", " ".join(texts.values())))
        assert named <= exposition.sample_names(families) | families.keys(), alert["name"]


def test_settings_and_log_events_in_runbooks_are_there(root, rules):
    said = " ".join(" ".join(alert["annotations"].values()) for alert in rules.alerts)
    reference = (root / "docs" / "API_QUICKREF.md").read_text(encoding="utf-8")
    settings = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", said))
    events = set(re.findall(r"\b(?:opencost|background|http|cache|log)\.[a-z_]+\b", said))
    assert len(settings) > 3 and len(events) > 3
    assert [name for name in settings | events if f"`{name}`" not in reference] == []
