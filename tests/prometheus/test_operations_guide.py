# SPDX-License-Identifier: Apache-2.0
"""docs/operations.md and the reference name what is there, all of it, and nothing else."""
import re

import pytest

ROW = re.compile(r"^\| `((?:kubecent|process)_\w+)`((?:, `[a-z_]+`)*) \|(.*)\|$", re.M)


@pytest.fixture(scope="module")
def guide(root):
    return (root / "docs" / "operations.md").read_text(encoding="utf-8")


def tables(text):
    """By family, the rest of its row."""
    found = {}
    for first, others, rest in ROW.findall(text):
        for name in [first, *re.findall(r"`(\w+)`", others)]:
            if name.startswith("_"):
                name = re.sub(r"_[a-z]+_total$", name, first)
            assert name not in found, f"{name} is there twice"
            found[name] = rest
    return found


def test_the_guides_table_is_what_metrics_shows(guide, families):
    shown = tables(guide)
    assert shown.keys() == families.keys()
    for name, rest in shown.items():
        kind, labels, meaning = (cell.strip() for cell in rest.split("|")[:3])
        assert kind == families[name].kind, name
        assert set(re.findall(r"`(\w+)`", labels)) == families[name].labels, name
        assert meaning.endswith("."), name


def test_the_references_table_names_the_same(root, families):
    reference = (root / "docs" / "API_QUICKREF.md").read_text(encoding="utf-8")
    assert tables(reference).keys() == families.keys()


def test_each_alert_is_explained(guide, rules):
    explained = re.findall(r"^\| `(Kubecent\w+)` \|", guide, re.M)
    assert explained == [alert["name"] for alert in rules.alerts]


def test_log_events_and_settings_are_those_of_the_reference(root, guide):
    reference = (root / "docs" / "API_QUICKREF.md").read_text(encoding="utf-8")
    settings = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", guide))
    events = set(re.findall(r"`((?:application|background|cache|cost|http|log|opencost)\.[a-z_]+)`", guide))
    assert len(settings) > 10 and len(events) > 10
    assert [name for name in sorted(settings | events) if f"`{name}`" not in reference] == []
