# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder know of the binary: what --help says. From the environment: KUBECENT_BINARY, its path, and
KUBECENT_BUILD, the build folder."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from man_settings import settings_of

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build():
    return Path(os.environ["KUBECENT_BUILD"])


@pytest.fixture(scope="session")
def help_text():
    return subprocess.run([os.environ["KUBECENT_BINARY"], "--help"], capture_output=True, text=True, check=True,
                          timeout=60).stdout


@pytest.fixture(scope="session")
def settings(help_text):
    """Name and meaning of each setting, the meaning with bounds and default."""
    return {name: meaning for group in settings_of(help_text).values() for name, meaning in group.items()}


@pytest.fixture(scope="session")
def options(help_text):
    return set(re.findall(r"(?<=[ ,])--?[a-zA-Z][a-z-]*(?=[ ,])", help_text.partition("Settings come")[0]))
