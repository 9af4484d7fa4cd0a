# SPDX-License-Identifier: Apache-2.0
"""Memory that is short for one request: it gets its answer, a 500 or a closed connection, and nobody else notices.

And memory that only the start needs.
"""
import os
import re
import struct

import pytest

from backend import WRAPPER, Backend
from hostility import converse, statuses
from opencost_double import ALLOCATION, fixture
from patience import wait_until

COUNTER = os.environ.get("KUBECENT_COUNT_ALLOCATIONS")
ALLOCATIONS = 30  # more than any of the requests takes
HIT = "/api/v1/cost/namespaces?window=3d"
REQUESTS = {
    "hit": (HIT, "X-Request-ID: own", 200),
    "faults": ("/api/v1/cost/pods?window=nonsense&idle=2", "", 422),
    "faults_as_problem": ("/api/v1/cost/pods?window=nonsense&idle=2", "Accept: application/problem+json", 422),
    "unknown": ("/nowhere", "", 404),
    "slash": ("/livez/?a=b", "", 307),
    "malformed": ("/livez%00", "", 400),
    "parameters": ("/livez?" + "a=b&" * 200, "", 200),
    "probe": ("/readyz?verbose", "", 200),
    "metrics": ("/metrics", "", 200),
    "document": ("/api/openapi.json", "X-Request-ID: own", 200),
    "file": ("/api/docs/swagger-ui.js", "", 200),
}


@pytest.mark.skipif(not COUNTER or bool(WRAPPER), reason="sanitizers and valgrind bring allocators of their own")
class TestOneAllocationFails:
    @pytest.fixture(scope="class")
    def starved(self, shared_double, tmp_path_factory):
        """A backend, and a function by which the n-th allocation from now on fails."""
        path = tmp_path_factory.mktemp("memory") / "count"
        path.write_bytes(bytes(16))

        def fail(nth):
            with open(path, "r+b") as file:
                file.seek(8)
                file.write(struct.pack("=q", nth))

        shared_double.script(ALLOCATION, fixture("oc2024-namespace_pod-1d.json"))
        with Backend(shared_double, LD_PRELOAD=COUNTER, ALLOCATION_COUNT=path) as backend:
            assert backend.get(HIT).status == 200
            yield backend, fail

    @pytest.mark.parametrize("name", REQUESTS)
    def test_and_the_rest_goes_on(self, starved, name):
        backend, fail = starved
        target, header, status = REQUESTS[name]
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + (f"{header}\r\n" if header else "") + "\r\n"
        seen = set()
        for nth in range(1, ALLOCATIONS):
            fail(nth)
            seen.update(statuses(converse(backend.port, request.encode())) or [None])
            fail(0)
            assert statuses(converse(backend.port, request.encode())) == [status]
        assert seen <= {status, 500, 404 if name == "slash" else None, None}
        assert None in seen, "nothing failed"
        assert backend.events("http.request")  # which reads every line there is


def code_of(pid, library):
    """The library's code and constants in that process, KiB: all of it, and what is resident."""
    size = resident = 0
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", smaps.read(), flags=re.M):
            head = mapping.partition("\n")[0]
            if library in head and "w" not in head.split()[1]:
                size += int(re.search(r"^Size: +(\d+)", mapping, re.M)[1])
                resident += int(re.search(r"^Rss: +(\d+)", mapping, re.M)[1])
    return size, resident


@pytest.mark.skipif(bool(WRAPPER), reason="valgrind is the process then")
@pytest.mark.skipif(not os.path.exists("/proc/self/pagemap"), reason="nothing is given back where pages cannot be looked at")
def test_code_that_only_the_start_needed_is_given_back(shared_double):
    with Backend(shared_double) as backend:
        size, _ = code_of(backend.process.pid, "libcrypto")
        assert size > 1024
        wait_until(lambda: code_of(backend.process.pid, "libcrypto")[1] < size / 4, "OpenSSL's code to be given back")
