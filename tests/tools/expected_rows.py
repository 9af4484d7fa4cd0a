#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What our service must say about each OpenCost fixture, worked out a second time.

This is an independent reading of the fixtures in tests/fixtures/opencost: Python's json and decimal
modules, whole documents in memory, the rules of the contract written down once more. The C tests and
the black-box tests compare the service with its output, so it must never be made from our C code.

    expected_rows.py            writes tests/fixtures/opencost/expected/
    expected_rows.py --check    exit status 1 when a committed file differs, is missing or is left over

Files
    expected/NAME               for encoded/NAME
    expected/http/NAME.json     for http/NAME (an existing .json ending is not doubled)

Format of each file
    {"idle_false": ANSWER, "idle_true": ANSWER}     without and with idle asked for

    ANSWER, refused:
        "accepted": false, "why": one sentence
    ANSWER, accepted:
        "accepted": true
        "namespaces": [row, ...]   as GET /api/v1/cost/namespaces?detail=true lists them
        "pods": [row, ...]         as GET /api/v1/cost/pods?detail=true lists them
        "total"                    sum of total_cost over the namespace rows
        "pods_total"               sum of total_cost over the pod rows
        "skipped"                  allocations with no namespace and no special name
        "idle_dropped"             __idle__ allocations that came unasked
        "ignored"                  places where a map or an allocation was expected and something
                                   else, but not null, stood
        "defective_figures"        figures of counted allocations that were null, missing or no numbers

    Every number is a string in the API's format: plain decimal, no exponent, one to nine decimals,
    trailing zeros cut. pod_count and the four counters are integers, as strings too.

Roundings, all half-even to nine decimals: each number read; each product (waste, usage x minutes,
efficiency x cost); each quotient.
"""
import json
import sys
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "opencost"
EXPECTED = FIXTURES / "expected"

ZERO = Decimal(0)
ONE = Decimal(1)
NANO = Decimal("0.000000001")

IDLE = "__idle__"
SPECIAL_WORDS = (IDLE, "__unmounted__", "__unallocated__", "__shared__", "__external__")

# Our figure: OpenCost's names for it, the first that is present counts, and its adjustment.
PARTS = {
    "cpu_cost": (("cpuCost",), "cpuCostAdjustment"),
    "memory_cost": (("ramCost", "memoryAllocatableCost", "memoryCost"), "ramCostAdjustment"),
    "storage_cost": (("pvCost", "storageAllocatableCost", "storageCost"), "pvCostAdjustment"),
    "network_cost": (("networkCost",), "networkCostAdjustment"),
    "gpu_cost": (("gpuCost",), "gpuCostAdjustment"),
    "load_balancer_cost": (("loadBalancerCost",), "loadBalancerCostAdjustment"),
    "shared_cost": (("sharedCost",), None),
    "external_cost": (("externalCost",), None),
}
# What OpenCost sends beside the data.
ENVELOPE = {"code", "status", "message", "warning", "meta"}
MONEY = ("total_cost", *PARTS, "idle_cost")


class Refused(Exception):
    """The body is no usable answer."""


def nano(value):
    return value.quantize(NANO, rounding=ROUND_HALF_EVEN)


def text_of(value):
    """The API's spelling of a number: 50.0, 0.3, -186.57."""
    plain = format(nano(value), "f").rstrip("0")
    if plain.endswith("."):
        plain += "0"
    return "0.0" if plain == "-0.0" else plain


def number(allocation, key):
    """The figure, or None when it is missing, null or not a number."""
    value = allocation.get(key)
    return nano(value) if isinstance(value, Decimal) else None


def parse(body):
    def refuse(word):
        raise Refused(f"{word} is no JSON number")

    if not body.strip():
        raise Refused("the body is empty")
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_int=Decimal, parse_constant=refuse)
    except (ValueError, UnicodeDecodeError) as error:
        raise Refused("the body is not JSON") from error


def named_allocations(data, counters):
    """(name, allocation) in the order sent, of all sets, whichever wire shape."""
    if data is None:
        return
    for element in data if isinstance(data, list) else [data]:
        if element is None:
            continue
        if not isinstance(element, dict):
            counters["ignored"] += 1
        elif isinstance(element.get("name"), str):
            yield element["name"], element
        else:
            for name, allocation in element.items():
                if isinstance(allocation, dict):
                    yield name, allocation
                elif allocation is not None:
                    counters["ignored"] += 1


def place_of(name, allocation):
    """(namespace, pod, is_special), where namespace and pod may be None."""
    properties = allocation.get("properties")
    if not isinstance(properties, dict):
        properties = {}

    def member(key):
        value = properties.get(key)
        return value if isinstance(value, str) and value else None

    namespace, pod = member("namespace"), member("pod")
    special = any(word in text for word in SPECIAL_WORDS for text in (name, namespace or "", pod or ""))
    if IDLE in name:
        return IDLE, IDLE, True
    parts = name.split("/")
    if len(parts) == 2 and all(parts):
        namespace, pod = namespace or parts[0], pod or parts[1]
    elif special and namespace is None:
        namespace, pod = name, name
    return namespace, pod, special


def part_of(allocation, names, adjustment, counters):
    present = [key for key in names if key in allocation]
    cost = number(allocation, present[0]) if present else None
    if cost is None:
        counters["defective_figures"] += 1
        cost = ZERO
    if adjustment in allocation:
        adjusted = number(allocation, adjustment)
        if adjusted is None:
            counters["defective_figures"] += 1
        else:
            cost += adjusted
    return cost


def waste_of(cost, efficiency):
    if efficiency is None:
        return ZERO
    return nano(max(ZERO, cost) * (ONE - min(ONE, max(ZERO, efficiency))))


def money_of(allocation, namespace, special, counters):
    money = {figure: part_of(allocation, *names, counters) for figure, names in PARTS.items()}
    total = number(allocation, "totalCost")
    if total is None:
        counters["defective_figures"] += 1
        total = sum(money.values(), ZERO)
    idle = number(allocation, "idleCost")
    if namespace == IDLE:
        idle = total
    elif idle is None:
        idle = ZERO
        if not special:
            idle = waste_of(money["cpu_cost"], number(allocation, "cpuEfficiency"))
            idle += waste_of(money["memory_cost"], number(allocation, "ramEfficiency"))
    return {"total_cost": total, **money, "idle_cost": idle}


class Row:
    """One line of an answer: what was added up, and what its efficiencies are made of."""

    def __init__(self):
        self.money = dict.fromkeys(MONEY, ZERO)
        self.allocations = 0
        self.own_efficiency = None
        self.cpu_usage = self.cpu_request = self.memory_usage = self.memory_request = ZERO
        self.pods = set()
        self.unsplit_pods = 0

    def add(self, money, allocation):
        for figure in MONEY:
            self.money[figure] += money[figure]
        self.allocations += 1
        self.own_efficiency = tuple(number(allocation, key)
                                    for key in ("cpuEfficiency", "ramEfficiency", "totalEfficiency"))
        minutes = number(allocation, "minutes") or ZERO

        def weighted(key):
            return nano((number(allocation, key) or ZERO) * minutes)

        self.cpu_usage += weighted("cpuCoreUsageAverage")
        self.cpu_request += weighted("cpuCoreRequestAverage")
        self.memory_usage += weighted("ramByteUsageAverage")
        self.memory_request += weighted("ramByteRequestAverage")

    def efficiency(self):
        """(cpu, memory, total): what OpenCost said of a single allocation, worked out where it said nothing."""
        own_cpu, own_memory, own_total = self.own_efficiency if self.allocations == 1 else (None, None, None)
        cpu_cost, memory_cost = self.money["cpu_cost"], self.money["memory_cost"]

        def ratio(usage, request, cost):
            if request != 0:
                return nano(usage / request)
            return ONE if usage > 0 and cost > 0 else ZERO

        cpu = ratio(self.cpu_usage, self.cpu_request, cpu_cost) if own_cpu is None else own_cpu
        memory = ratio(self.memory_usage, self.memory_request, memory_cost) if own_memory is None else own_memory
        if own_total is not None:
            return cpu, memory, own_total
        weight = cpu_cost + memory_cost
        total = ZERO if weight == 0 else nano((nano(cpu * cpu_cost) + nano(memory * memory_cost)) / weight)
        return cpu, memory, total

    def details(self):
        shown = {figure: text_of(self.money[figure])
                 for figure in ("network_cost", "gpu_cost", "load_balancer_cost", "shared_cost", "external_cost")}
        for name, value in zip(("cpu_efficiency", "memory_efficiency", "total_efficiency"), self.efficiency()):
            shown[name] = text_of(value)
        return shown

    def shown(self, *figures):
        return {figure: text_of(self.money[figure]) for figure in figures}


def answer(body, include_idle):
    counters = {"skipped": 0, "idle_dropped": 0, "ignored": 0, "defective_figures": 0}
    namespaces, pods = {}, {}
    document = parse(body)
    if not isinstance(document, dict):
        raise Refused("the body is no JSON object")
    if "code" in document and document["code"] != 200:
        raise Refused("the envelope's code is not 200")
    if "data" not in document and ("code" not in document or document.keys() - ENVELOPE):
        raise Refused("there is no data, and it may be anybody's answer")
    data = document.get("data")
    if data is not None and not isinstance(data, (list, dict)):
        raise Refused("data is neither a list nor a map")

    for name, allocation in named_allocations(data, counters):
        namespace, pod, special = place_of(name, allocation)
        if namespace is None:
            counters["skipped"] += 1
            continue
        if namespace == IDLE and not include_idle:
            counters["idle_dropped"] += 1
            continue
        money = money_of(allocation, namespace, special, counters)
        namespace_row = namespaces.setdefault(namespace, Row())
        namespace_row.add(money, allocation)
        if pod is None:
            namespace_row.unsplit_pods += int(number(allocation, "podCount") or ZERO)
            continue
        pods.setdefault((namespace, pod), Row()).add(money, allocation)
        if not special and not pod.endswith("-unmounted-pvcs"):
            namespace_row.pods.add(pod)

    def total(rows):
        return text_of(sum((row.money["total_cost"] for row in rows), ZERO))

    base = ("total_cost", "cpu_cost", "memory_cost", "storage_cost", "idle_cost")
    return {
        "accepted": True,
        "namespaces": [{"name": name, **row.shown(*base), "pod_count": str(len(row.pods) + row.unsplit_pods),
                        **row.details()} for name, row in namespaces.items()],
        "pods": [{"namespace": namespace, "name": pod, **row.shown(*base), **row.details()}
                 for (namespace, pod), row in pods.items()],
        "total": total(namespaces.values()),
        "pods_total": total(pods.values()),
        **{name: str(count) for name, count in counters.items()},
    }


def expectation(body):
    def judged(include_idle):
        try:
            return answer(body, include_idle)
        except Refused as reason:
            return {"accepted": False, "why": str(reason)}

    return {"idle_false": judged(False), "idle_true": judged(True)}


def all_expectations():
    """Path below expected/ -> file content."""
    files = {}
    for source in sorted((FIXTURES / "encoded").iterdir()):
        files[Path(source.name)] = expectation(source.read_bytes())
    for source in sorted((FIXTURES / "http").iterdir()):
        if source.name != "cases.json":
            name = source.name if source.suffix == ".json" else source.name + ".json"
            files[Path("http") / name] = expectation(source.read_bytes())
    return {path: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for path, content in files.items()}


def check(files):
    faults = []
    for path, content in files.items():
        committed = EXPECTED / path
        if not committed.is_file():
            faults.append(f"{path}: missing")
        elif committed.read_text(encoding="utf-8") != content:
            faults.append(f"{path}: differs")
    for committed in EXPECTED.rglob("*"):
        if committed.is_file() and committed.relative_to(EXPECTED) not in files:
            faults.append(f"{committed.relative_to(EXPECTED)}: no fixture of that name")
    for fault in faults:
        print(f"expected/{fault}", file=sys.stderr)
    return 1 if faults else 0


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    with localcontext() as context:
        context.prec = 80
        files = all_expectations()
    if arguments == ["--check"]:
        return check(files)
    for path, content in files.items():
        (EXPECTED / path).parent.mkdir(parents=True, exist_ok=True)
        (EXPECTED / path).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
