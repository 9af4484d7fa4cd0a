# SPDX-License-Identifier: Apache-2.0
"""Black-box tests: the real binary between a scripted OpenCost and a raw HTTP client.

By hand:  KUBECENT_BINARY=build/debug/kubecent-backend /usr/bin/python3 -m pytest tests/blackbox
"""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import backend as backend_module  # noqa: E402
from opencost_double import ALLOCATION, OpenCostDouble, fixture  # noqa: E402

TYPICAL = "oc2024-namespace_pod-1d.json"


def pytest_configure(config):
    if not os.access(backend_module.BINARY, os.X_OK) and not config.option.collectonly:
        raise pytest.UsageError("KUBECENT_BINARY must name the binary under test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows what the binaries said last beside a test that failed while they ran."""
    report = (yield).get_result()
    if report.failed:
        for backend in backend_module.running:
            report.sections.append((f"output of the backend on port {backend.port}", backend.output()))


@pytest.fixture
def double():
    """An OpenCost of the test's own, which answers every window with a typical day."""
    with OpenCostDouble() as opencost:
        opencost.script(ALLOCATION, fixture(TYPICAL))
        yield opencost


@pytest.fixture
def backend(double):
    """A backend of the test's own beside `double`, ready."""
    with backend_module.Backend(double) as started:
        yield started


@pytest.fixture(scope="module")
def shared_double():
    """As `double`, for all tests of a file that do not disturb each other."""
    with OpenCostDouble() as opencost:
        opencost.script(ALLOCATION, fixture(TYPICAL))
        yield opencost


@pytest.fixture(scope="module")
def shared_backend(shared_double):
    with backend_module.Backend(shared_double) as started:
        yield started
