# SPDX-License-Identifier: Apache-2.0
"""The unit is one that systemd accepts, shuts the service in, and fits its defaults."""
import configparser
import os
import re
import shutil
import subprocess

import pytest

EXPOSURE_LIMIT = 1.2  # of 10; what is left is that the service is there to be reached over the network


@pytest.fixture(scope="module")
def unit(root):
    return root / "config" / "kubecent-backend.service"


@pytest.fixture(scope="module")
def service(unit):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(unit, encoding="utf-8")
    return parser["Service"]


@pytest.fixture
def analyze():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")

    def run(*arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False,
                              env=os.environ | {"SYSTEMD_COLORS": "0"})

    return run


def default_of(settings, name):
    return int(re.search(r"default (\d+)\)", settings[name])[1])


def test_systemd_finds_no_fault_in_it(analyze, unit, tmp_path):
    """Except that the service is not installed here, where there is nothing to find: a stand-in is put in its place."""
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.M),
                    encoding="utf-8")
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(copy))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_shut_in(analyze, unit):
    done = analyze("security", "--offline=true", f"--threshold={int(EXPOSURE_LIMIT * 10)}", str(unit))
    print(done.stdout)
    assert done.returncode == 0


def test_it_runs_what_is_installed_with_settings_from_etc(service):
    assert service["ExecStart"] == "kubecent-backend"
    assert service["EnvironmentFile"] == "-/etc/kubecent/kubecent.env"


def test_a_wrong_setting_is_not_tried_again(service):
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"


def test_there_are_files_for_all_connections(service, settings):
    assert int(service["LimitNOFILE"]) > 2 * default_of(settings, "HTTP_MAX_CONNECTIONS")


def test_systemd_waits_longer_than_the_service_takes_to_stop(service, settings):
    assert int(service["TimeoutStopSec"]) > default_of(settings, "SHUTDOWN_DELAY") + default_of(settings, "SHUTDOWN_TIMEOUT")
