# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation, asked again: what the pages show is what the service answers.

An example is a `$ curl 'http://localhost:8000...'` in a console block, with nothing but a comment behind the address,
and the body below it. On the page lines may be broken anywhere and `...` stands for what was left out at the end.
"""
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).resolve().parent.parent.parent / "docs"
BLOCK = re.compile(r"```console\n(.*?)```", re.S)
EXAMPLE = re.compile(r"^\$ curl 'http://localhost:8000(\S+)' *(#[^\n]*)?\n(.*?)(?=^\$ |\Z)", re.M | re.S)
MONTH_OF_THE_FIXTURE = '"month":"2026-11"'


def examples():
    for name in ("API_QUICKREF.md", "OPENCOST_INTEGRATION.md"):
        for block in BLOCK.findall((DOCUMENTS / name).read_text(encoding="utf-8")):
            for target, comment, body in EXAMPLE.findall(block):
                if "the demo" not in comment:
                    yield pytest.param(target, body, id=f"{name}:{target}")


def without_blanks(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("target, shown", examples())
def test_shows_what_the_service_answers(shared_backend, target, shown):
    now = datetime.now(timezone.utc)
    expected = without_blanks(shown).replace(MONTH_OF_THE_FIXTURE, f'"month":"{now:%Y-%m}"')
    beginning, dots, _ = expected.partition("...")
    answer = without_blanks(shared_backend.get(target).text)
    assert answer.startswith(beginning) if dots else answer == expected


def test_there_are_examples():
    assert len(list(examples())) >= 10
