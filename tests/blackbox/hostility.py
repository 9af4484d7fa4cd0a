# SPDX-License-Identifier: Apache-2.0
"""Tools for tests that attack: bytes on a socket to the bitter end, and a witness who must not notice."""
import os
import re
import socket
import threading
import time
from contextlib import contextmanager

from patience import LONG, PATIENCE

STATUS_LINES = re.compile(rb"HTTP/1\.[01] (\d\d\d) ")


class Hung(AssertionError):
    """The server neither answered to the end nor closed."""


def converse(port, data, *, half_close=False, deadline=LONG, pieces=None):
    """Sends `data`, as far as it is taken, and returns all that comes back until the server closes. `pieces` cuts the
    data into sends of that many bytes; half_close tells the server that nothing more will come."""
    end = time.monotonic() + deadline
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=deadline) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for at in range(0, len(data), pieces or len(data) or 1):
                connection.sendall(data[at:at + (pieces or len(data))])
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # Refused before all was sent.
        while True:
            connection.settimeout(max(end - time.monotonic(), 0.001))
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                raise Hung(f"after {deadline:.0f} s, having answered {received[:200]!r} to {data[:200]!r}") from None
            except OSError:
                return received  # A reset: closed with bytes of ours unread.
            if not piece:
                return received
            received += piece


FAREWELL = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def converse_and_leave(port, data, **options):
    """As converse(), of well-formed requests: behind them comes one that asks the server to close, and whose answer is
    taken off. (A client that closes its sending side instead is seen by libmicrohttpd 0.9.75 as one that has left, or,
    when that comes with the last bytes, only after the idle timeout.)"""
    answers = converse(port, data + FAREWELL, **options)
    before, mark, last = answers.rpartition(b"HTTP/1.1 200 OK\r\n")
    assert mark and last.endswith(b'\r\n\r\n{"status":"ok"}'), answers[-500:]
    return before


def statuses(received):
    return [int(status) for status in STATUS_LINES.findall(received)]


class Witness:
    """A client who keeps asking for what is cached, under an id of its own each time, and knows every answer."""

    def __init__(self, backend, targets, deadline):
        self.backend = backend
        self.deadline = deadline
        self.expected = {target: backend.get(target).body for target in targets}
        self.rounds = 0
        self.slowest_s = 0.0
        self.failure = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _ask(self, connection, target):
        request_id = f"witness-{self.rounds}-{len(target)}"
        begun = time.monotonic()
        connection.request(target, headers=[("X-Request-ID", request_id)])
        response = connection.read()
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        assert response.status == 200, response
        assert response.body == self.expected[target], response
        assert response.header("X-Request-ID") == request_id, response

    def _run(self):
        try:
            while not self._stop.is_set():
                with self.backend.connect(self.deadline) as connection:
                    for target in self.expected:
                        self._ask(connection, target)
                self.rounds += 1
                self._stop.wait(0.002)
        except (AssertionError, OSError) as failure:
            self.failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        rounds = self.rounds
        end = time.monotonic() + LONG
        while kind is None and self.failure is None and self.rounds <= rounds and time.monotonic() < end:
            time.sleep(0.01)  # until it has seen the server after the attack
        self._stop.set()
        self._thread.join(LONG)
        if kind is None:
            assert self.failure is None, f"the witness, after {self.rounds} rounds: {self.failure!r}"
            assert self.rounds > rounds, "the witness got no further"


CACHED = ("/api/v1/cost/namespaces?window=3d", "/api/v1/cost/pods?window=3d&detail=true", "/livez")


@contextmanager
def witnessed(backend, targets=CACHED, deadline=3.0 * PATIENCE):
    """What happens inside must not keep a well-behaved client from its answers."""
    with Witness(backend, targets, deadline) as witness:
        yield witness


class Process:
    """What the kernel says of a process."""

    def __init__(self, pid):
        self.folder = f"/proc/{pid}"

    def _text(self, name):
        with open(f"{self.folder}/{name}", encoding="ascii", errors="replace") as file:
            return file.read()

    def _status(self, key):
        return int(re.search(rf"^{key}:\s+(\d+)", self._text("status"), re.M)[1])

    def descriptors(self):
        return len(os.listdir(f"{self.folder}/fd"))

    def threads(self):
        return self._status("Threads")

    def memory_kb(self):
        return self._status("VmRSS")

    def cpu_s(self):
        fields = self._text("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
