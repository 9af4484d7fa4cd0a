# SPDX-License-Identifier: Apache-2.0
"""What an answer from the cache must not cost."""
import os
import sys

import pytest

from backend import WRAPPER, Backend

COUNTER = os.environ.get("KUBECENT_COUNT_ALLOCATIONS")
LOCK_COUNTER = os.environ.get("KUBECENT_COUNT_LOCKS")
BATCH = 50
QUERIES = ["/api/v1/cost/namespaces?window=7d", "/api/v1/cost/pods?window=7d&namespace=default&detail=true",
           "/api/v1/cost/monthly?months=1", "/api/v1/savings/recommendations?limit=5"]
ORIGIN = "http://dashboard.test"
HEADERS = [(), [("Accept-Encoding", "gzip")], [("If-None-Match", "*")], [("Origin", ORIGIN)]]
SETTINGS = [{"ACCESS_LOG": "false"}, {"ACCESS_LOG": "true"}, {"CORS_ORIGINS": f"http://another.test,{ORIGIN}"}]


def ask(connection, query, headers=()):
    connection.request(query, headers=headers)
    return connection.read()


@pytest.mark.skipif(not COUNTER or bool(WRAPPER), reason="sanitizers and valgrind bring allocators of their own")
class TestAllocations:
    @pytest.fixture(params=SETTINGS, ids=["access-log-off", "access-log-on", "listed-origins"])
    def counted(self, double, tmp_path, request):
        """A backend and a function that says how much it has allocated since its start."""
        path = tmp_path / "count"
        path.write_bytes(bytes(16))

        def count():
            return int.from_bytes(path.read_bytes()[:8], sys.byteorder)

        with Backend(double, LOG_LEVEL="INFO", LD_PRELOAD=COUNTER, ALLOCATION_COUNT=path, **request.param) as backend:
            yield backend, count

    @pytest.mark.parametrize("headers", HEADERS, ids=["plain", "gzip", "conditional", "cross-origin"])
    def test_hits_allocate_nothing(self, counted, headers):
        """Once a second an answer is prepared anew, and timers run; in between come batches without any."""
        backend, count = counted
        with backend.connect() as connection:
            for query in QUERIES:
                before = count()
                assert ask(connection, query).status == 200
                assert count() > before, "a miss allocates, or nothing is counted"
                batches = []
                for _ in range(40):
                    before = count()
                    for _ in range(BATCH):
                        assert ask(connection, query, headers).header("X-Cache") == "HIT"
                    batches.append(count() - before)
                assert min(batches) == 0, batches


@pytest.mark.skipif(not LOCK_COUNTER or bool(WRAPPER), reason="sanitizers and valgrind bring locks of their own")
class TestLocks:
    @pytest.mark.parametrize("access_log, locks", [("false", 1), ("true", 2)], ids=["the-cache's", "and-the-log's"])
    @pytest.mark.parametrize("token", [None, "a-token"], ids=["open", "guarded"])
    def test_a_hit_takes_one_and_its_line_another(self, double, tmp_path, token, access_log, locks):
        """Timers take locks too: in between come batches without. The line of the last hit may be too late for its batch."""
        path, tokens = tmp_path / "count", tmp_path / "tokens"
        path.write_bytes(bytes(8))
        tokens.write_text("another-token\na-token\n")
        headers = [("Authorization", f"Bearer {token}")] if token else []
        with Backend(double, LOG_LEVEL="INFO", ACCESS_LOG=access_log, LD_PRELOAD=LOCK_COUNTER, LOCK_COUNT=path,
                     AUTH_TOKEN_FILE=tokens if token else None) as backend, backend.connect() as connection:
            assert ask(connection, QUERIES[0], headers).status == 200
            batches = []
            for _ in range(40):
                before = int.from_bytes(path.read_bytes(), sys.byteorder)
                for _ in range(BATCH):
                    assert ask(connection, QUERIES[0], headers).header("X-Cache") == "HIT"
                batches.append(int.from_bytes(path.read_bytes(), sys.byteorder) - before)
            assert locks * BATCH - 1 <= min(batches) <= locks * BATCH, batches
