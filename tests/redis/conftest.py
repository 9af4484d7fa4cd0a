# SPDX-License-Identifier: Apache-2.0
"""The shared tier against Debian's Redis.

By hand:  KUBECENT_TIER_CLIENT=$PWD/build/debug/tests/tier_client /usr/bin/python3 -m pytest tests/redis
"""
import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "blackbox")]

import client  # noqa: E402
from redis_server import PROGRAM, RedisServer  # noqa: E402


def pytest_configure(config):
    if not os.access(client.PROGRAM, os.X_OK) and not config.option.collectonly:
        raise pytest.UsageError("KUBECENT_TIER_CLIENT must name the program under test")
    if PROGRAM is None:
        raise pytest.UsageError("no redis-server: it is in Debian's package redis-tools")


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def replica(redis):
    with client.Replica(redis.url) as started:
        yield started


@pytest.fixture
def another(redis):
    """A second replica on the same Redis."""
    with client.Replica(redis.url) as started:
        yield started
