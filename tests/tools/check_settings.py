#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The settings' tables of the documentation, held against the binary.

    check_settings.py BINARY            exit status 1 when a table differs from what the binary says
    check_settings.py BINARY --write    brings the tables up to date

Names and defaults are those of `--print-config` in an empty environment, bounds and meaning those of `--help`.
A table is recognised by its first line.
"""
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = ("README.md", "docs/API_QUICKREF.md")
HEAD = "| Name | Default | Meaning |\n|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")
ENTRY = re.compile(r"^  ([A-Z_]+) +(.*(?:\n {26}.*)*)", re.M)
BRACKETS = re.compile(r" \((?:(\d+) to (\d+), )?default [^()]*\)$")


def ask(binary, option):
    """What the binary prints, away from any environment and any .env file."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([binary, option], cwd=empty, env={}, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def meanings(help_text):
    """The sentence of each setting, with its bounds if it has any."""
    found = {}
    for name, wrapped in ENTRY.findall(help_text):
        text = " ".join(wrapped.split())
        bounds = BRACKETS.search(text)
        text = BRACKETS.sub("", text)
        if bounds and bounds[1]:
            text += f" {bounds[1]} to {bounds[2]}."
        found[name] = text
    return found


def expected_table(binary):
    meaning = meanings(ask(binary, "--help"))
    rows = []
    for line in ask(binary, "--print-config").splitlines():
        name, default = line.split("=", 1)
        shown = f"`{default}`" if default else "empty"
        rows.append(f"| `{name}` | {shown} | {meaning.pop(name)} |\n")
    assert not meaning, f"--help names what --print-config does not: {', '.join(meaning)}"
    return HEAD + "".join(rows)


def main():
    binary = str(Path(sys.argv[1]).resolve())
    expected = expected_table(binary)
    status = 0
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        tables = TABLE.findall(text)
        if len(tables) != 1:
            print(f"{name}: {len(tables)} tables of settings, expected one")
            status = 1
        elif "--write" in sys.argv[2:]:
            path.write_text(text.replace(tables[0], expected), encoding="utf-8")
        elif tables[0] != expected:
            print("\n".join(difflib.unified_diff(tables[0].splitlines(), expected.splitlines(), name, "the binary",
                                                 lineterm="", n=0)))
            print(f"mend it with: {sys.argv[0]} {sys.argv[1]} --write")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
