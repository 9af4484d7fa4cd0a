# SPDX-License-Identifier: Apache-2.0
"""The figures of tests/fixtures/opencost/expected, and the exact bodies that follow from them."""
import json

from opencost_double import FIXTURES

NAMESPACE_KEYS = ("name", "total_cost", "cpu_cost", "memory_cost", "storage_cost", "idle_cost", "pod_count")
POD_KEYS = ("namespace", "name", "total_cost", "cpu_cost", "memory_cost", "storage_cost")
DETAIL_KEYS = ("network_cost", "gpu_cost", "load_balancer_cost", "shared_cost", "external_cost",
               "cpu_efficiency", "memory_efficiency", "total_efficiency")
TEXT_KEYS = ("name", "namespace")

FIXTURE_NAMES = sorted(path.name for path in (FIXTURES / "encoded").iterdir())


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def figures_of(name, idle):
    return json.loads((FIXTURES / "expected" / name).read_text())[f"idle_{'true' if idle else 'false'}"]


def row_text(row, keys):
    """One row as the API writes it: texts quoted, figures as they are."""
    return "{" + ",".join(f'"{key}":{quoted(row[key]) if key in TEXT_KEYS else row[key]}' for key in keys) + "}"


def namespaces_body(figures, window):
    rows = figures["namespaces"]
    return (f'{{"namespaces":[{",".join(row_text(row, NAMESPACE_KEYS) for row in rows)}],'
            f'"total":{figures["total"]},"window":{quoted(window)},"item_count":{len(rows)}}}')


def pods_body(rows, total, window, namespace=None):
    tail = f',"namespace":{quoted(namespace)}' if namespace is not None else ""
    return (f'{{"pods":[{",".join(row_text(row, POD_KEYS) for row in rows)}],'
            f'"total":{total},"window":{quoted(window)},"item_count":{len(rows)}{tail}}}')


def exact(text):
    """Parsed JSON whose numbers are left as they are written."""
    return json.loads(text, parse_float=str, parse_int=str)
