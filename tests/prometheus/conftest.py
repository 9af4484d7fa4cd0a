# SPDX-License-Identifier: Apache-2.0
"""Our metrics, rules and dashboard as Prometheus sees them: one backend, one Prometheus that scrapes it.

By hand:  KUBECENT_BINARY=build/debug/kubecent-backend /usr/bin/python3 -m pytest tests/prometheus
"""
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import exposition  # noqa: E402
from backend import Backend  # noqa: E402
from opencost_double import ALLOCATION, OpenCostDouble, answer, fixture  # noqa: E402
from prometheus_server import Prometheus  # noqa: E402
from redis_server import RedisServer  # noqa: E402

TARGETS = [
    ("/api/v1/cost/namespaces?window=7d", 200),
    ("/api/v1/cost/namespaces?window=7d", 200),
    ("/api/v1/cost/pods?window=7d&namespace=no%22such%5Cone", 200),
    ("/api/v1/cost/pods?window=2d", 200),
    ("/api/v1/cost/pods?window=5d", 503),
    ("/api/v1/cost/pods?window=nonsense", 422),
    ("/api/v1/savings/recommendations?limit=5", 200),
    ("/api/v1/cost/monthly", 200),
    ("/api/v1/health", 200),
    ("/api/v1/health/", 307),
    ("/no/such/page", 404),
]


def pytest_configure(config):
    missing = [tool for tool in ("prometheus", "promtool") if shutil.which(tool) is None]
    if missing and not config.option.collectonly:
        pytest.exit(f"skipped: not installed: {', '.join(missing)} (scripts/install-dependencies.sh prometheus)", 77)


class CountingBackend(Backend):
    """Knows how often it was asked, but for what waits for the start and what scrapes."""
    asked = 0

    def get(self, target, *arguments, **options):
        self.asked += target not in ("/readyz", "/metrics")
        return super().get(target, *arguments, **options)


@pytest.fixture(scope="session")
def root():
    return HERE.parent.parent


@pytest.fixture(scope="session")
def backend(tmp_path_factory):
    """A backend with everything on that has metrics, after good requests and bad ones."""
    with OpenCostDouble() as double, RedisServer() as redis:
        settings = {"METRICS_NAMESPACE_COST": "true", "REFRESH_WINDOWS": "7d,1w,24h", "REDIS_URL": redis.url,
                    "CACHE_SNAPSHOT_FILE": tmp_path_factory.mktemp("snapshot") / "cache"}
        double.script(ALLOCATION, fixture("oc2024-namespace_pod-1d.json"))
        double.script(ALLOCATION, answer(500), window="5d")
        with CountingBackend(double, **settings) as started:
            started.wait_for_event("cache.snapshot_written")
            for target, status in TARGETS:
                assert started.get(target).status == status, target
            assert started.get("/api/v1/cost/pods", method="DELETE").status == 405
            assert started.get("/api/v1/cost/pods?window=7d", method="HEAD").status == 200
            yield started


@pytest.fixture(scope="session")
def families(backend):
    return exposition.parse(backend.get("/metrics").text)


@pytest.fixture(scope="session")
def rules_file(root):
    return root / "config" / "prometheus-rules.yaml"


@pytest.fixture(scope="session")
def prometheus(backend, rules_file):
    with Prometheus(f"127.0.0.1:{backend.port}", rules_file) as started:
        yield started


@pytest.fixture(scope="session")
def rules(prometheus):
    """As Prometheus read them, recording rules and alerts."""
    groups = prometheus.api("rules")["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    return SimpleNamespace(alerts=[rule for rule in loaded if rule["type"] == "alerting"],
                           records=[rule for rule in loaded if rule["type"] == "recording"])


@pytest.fixture
def plain_backend():
    """A backend as it comes, beside an OpenCost of its own."""
    with OpenCostDouble() as double:
        double.script(ALLOCATION, fixture("oc2024-namespace_pod-1d.json"))
        with Backend(double) as started:
            yield started
