#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The settings in the man page, made from what --help says.

    man_settings.py BINARY            exit status 1 when the man page says something else
    man_settings.py BINARY --write    brings it up to date
"""
import re
import subprocess
import sys
import textwrap
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "kubecent-backend.8"
LINE_WIDTH = 78
# From the first group of settings to the text that follows the last.
PART = re.compile(r"^\.Ss .*?^\.El\n(?=\.Pp)", re.M | re.S)
GROUP = re.compile(r"^(\w+):\n((?:  .*\n)+)", re.M)
SETTING = re.compile(r"^  ([A-Z][A-Z_]+) +(.*(?:\n {26}.*)*)", re.M)
BRACKETS = re.compile(r" (\([^()]*default [^()]*\))$")


def settings_of(help_text):
    """By group: name and meaning of each setting, the meaning on one line, with bounds and default at its end."""
    return {group: {name: " ".join(meaning.split()) for name, meaning in SETTING.findall(lines)}
            for group, lines in GROUP.findall(help_text)}


def lines_of(name, meaning):
    """One sentence begins one line, as the macros want it."""
    yield f".It Ev {name}"
    brackets = BRACKETS.search(meaning)
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", BRACKETS.sub("", meaning)):
        yield from textwrap.wrap(sentence, LINE_WIDTH, break_on_hyphens=False, break_long_words=False)
    if brackets:
        yield brackets[1]


def expected_part(help_text):
    lines = []
    for group, settings in settings_of(help_text).items():
        lines += [f".Ss {group}", ".Bl -tag -width Ds"]
        for name, meaning in settings.items():
            lines += lines_of(name, meaning)
        lines.append(".El")
    return "".join(f"{line}\n" for line in lines)


def main():
    help_text = subprocess.run([sys.argv[1], "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    page = PAGE.read_text(encoding="utf-8")
    (part,) = PART.findall(page)
    if "--write" in sys.argv[2:]:
        PAGE.write_text(page.replace(part, expected_part(help_text)), encoding="utf-8")
        return 0
    if part != expected_part(help_text):
        print(f"{PAGE} does not say what --help says; --write brings it up to date")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
