#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does every promise of docs/IMPLEMENTATION_CHECKLIST.md name tests that exist?

A table row is a promise and what holds it: tests as `folder/file.c::name` or `folder/file.py::Class::name`, with
files below tests/, or the word **open** and the reason. A C test exists when the file defines it and
mentions it again, to hand it to cmocka. Exit status 1, with a line for each fault, when something is amiss.
"""
import ast
import re
import sys
from functools import lru_cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
CHECKLIST = TESTS.parent / "docs" / "IMPLEMENTATION_CHECKLIST.md"
REFERENCE = re.compile(r"`([\w/]+\.(?:c|py))((?:::\w+)+)`")
ROW = re.compile(r"^\| (.+) \| (.+) \|$")


def c_tests(text):
    defined = re.findall(r"^static void (\w+)\(void \*\*\w+\)", text, re.M)
    return {f"::{name}" for name in defined if len(re.findall(rf"\b{name}\b", text)) > 1}


def python_tests(text):
    found = set()
    for node in ast.parse(text).body:
        inner = [node] if isinstance(node, ast.FunctionDef) else getattr(node, "body", [])
        prefix = f"::{node.name}" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{prefix}::{test.name}" for test in inner
                  if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")}
    return found


@lru_cache(maxsize=None)
def tests_in(name):
    path = TESTS / name
    if not path.is_file():
        return frozenset()
    read = c_tests if path.suffix == ".c" else python_tests
    return frozenset(read(path.read_text(encoding="utf-8")))


def faults_of(number, promise, holders):
    references = REFERENCE.findall(holders)
    if not references and "**open**" not in holders:
        yield f"line {number}: nothing holds \"{promise}\""
    for name, test in references:
        if test not in tests_in(name):
            yield f"line {number}: no test {name}{test}"


def main():
    faults, promises = [], 0
    for number, line in enumerate(CHECKLIST.read_text(encoding="utf-8").splitlines(), 1):
        row = ROW.match(line)
        if row and row[1] != "Promise":
            promises += 1
            faults += faults_of(number, row[1], row[2])
    print("\n".join([*faults, f"{promises} promises, {len(faults)} faults"]))
    return 1 if faults or promises == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
