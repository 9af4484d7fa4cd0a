# SPDX-License-Identifier: Apache-2.0
"""The man page says what the binary says: no option or setting more, none less, none differently."""
import re
import shutil
import subprocess

import pytest

import man_settings


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "kubecent-backend.8").read_text(encoding="utf-8")


def section(page, title):
    (found,) = re.findall(rf"^\.Sh {title}\n(.*?)(?=^\.Sh )", page, re.M | re.S)
    return found


def test_help_lists_the_options_that_are_understood(root, options):
    table = (root / "src" / "app" / "options.c").read_text(encoding="utf-8")
    understood = {f"--{name}" for name in re.findall(r'^ +\{"([a-z-]+)",', table, re.M)}
    short = re.search(r'getopt_long\(argc, argv, "([a-zA-Z:]+)"', table)[1].replace(":", "")
    assert understood
    assert options == understood | {f"-{letter}" for letter in short}


def test_man_page_lists_the_options_of_help(page, options):
    items = re.findall(r"^\.It (Fl .*)", section(page, "DESCRIPTION"), re.M)
    described = {f"-{flag}" for item in items for flag in re.findall(r"Fl (\S+)", item)}
    assert described == options


def test_synopsis_shows_every_option(page, options):
    shown = set(re.findall(r"(?:Fl|\|) (-?[a-zA-Z][a-z-]*)", section(page, "SYNOPSIS")))
    assert {f"-{flag}" for flag in shown} == options


def test_man_page_describes_the_settings_as_help_does(page, help_text, settings):
    assert len(settings) > 20
    (part,) = man_settings.PART.findall(page)
    assert part == man_settings.expected_part(help_text), "tests/cli/man_settings.py BINARY --write brings it up to date"


def test_man_page_refers_to_no_other_settings(page, settings):
    of_others = {"http_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    named = {name for line in re.findall(r"^\.Ev (.*)", page, re.M) for name in re.findall(r"[A-Za-z_]{2,}", line)}
    assert named - {"Ns", "demo"} <= settings.keys() | of_others


def test_man_page_is_sound_mdoc(root):
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", "docs/kubecent-backend.8"], cwd=root, capture_output=True,
                          text=True, check=False)
    # Whether the pages referred to are installed here is no matter.
    findings = [line for line in done.stdout.splitlines() if "mandoc.db" not in line and "manual not found" not in line]
    assert findings == []


def test_groff_renders_the_man_page_without_warnings(root):
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(["groff", "-mandoc", "-ww", "-Tutf8", "docs/kubecent-backend.8"], cwd=root, capture_output=True,
                          text=True, check=True)
    assert done.stderr == ""
    assert "cost API beside OpenCost" in done.stdout
