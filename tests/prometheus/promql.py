# SPDX-License-Identifier: Apache-2.0
"""Which metrics and labels a query looks at. Whether it is PromQL at all is for Prometheus to say."""
import re

TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
RANGE = re.compile(r"\[[^\]]*\]")
NAME = re.compile(r"[a-zA-Z_:][\w:]*\b(?!\s*\()")
KEYWORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}

TARGET_LABELS = {"job", "instance", "namespace", "exported_namespace"}


def metrics_of(query):
    bare = RANGE.sub("", SELECTOR.sub(r"\1 ", TEXT.sub("", query)))
    return {name for name in NAME.findall(GROUPING.sub(" ", bare)) if name.lower() not in KEYWORDS}


def labels_of(query):
    bare = TEXT.sub("", query)
    matched = {label for _, inside in SELECTOR.findall(bare) for label in re.findall(r"(\w+)\s*[=!]", inside)}
    grouped = {label.strip() for inside in GROUPING.findall(bare) for label in inside.split(",") if label.strip()}
    return matched | grouped


def made_labels(query):
    """Those that label_replace() makes."""
    return set(re.findall(r'"(\w+)", "\$1", "\w+", "[^"]*"\)', query))


def faults(query, families, names):
    """What the query asks for and nobody has. `names` are the metrics there are."""
    metrics = metrics_of(query)
    labels = {"le"} | TARGET_LABELS | made_labels(query)
    for family in families.values():
        if any(metric.startswith(family.name) for metric in metrics):
            labels |= family.labels
    return [f"no metric {name}: {query}" for name in metrics - names] + \
           [f"no label {name}: {query}" for name in labels_of(query) - labels] + \
           ([] if metrics else [f"no metric at all: {query}"])
