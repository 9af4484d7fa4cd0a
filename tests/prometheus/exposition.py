# SPDX-License-Identifier: Apache-2.0
"""The text format as far as the tests need it; whether it is sound is for promtool to say."""
import re
from types import SimpleNamespace

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """By name, in order: `kind`, `help`, `labels` (all names, without le) and `samples` (name, labels, number)."""
    families = {}
    family = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            assert name not in families, f"{name} is broken in two"
            family = families[name] = SimpleNamespace(name=name, help=meaning, kind=None, labels=set(), samples=[])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            assert name == family.name
            family.kind = kind
        else:
            name, labels, value = SAMPLE.match(line).groups()
            found = dict(LABEL.findall(labels or ""))
            assert name.removeprefix(family.name) in ("", "_bucket", "_sum", "_count"), line
            family.labels |= found.keys() - {"le"}
            family.samples.append((name, found, float(value)))
    return families


def sample_names(families):
    """What PromQL may ask for."""
    return {name for family in families.values()
            for name in ([family.name + suffix for suffix in ("_bucket", "_sum", "_count")]
                         if family.kind == "histogram" else [family.name])}
