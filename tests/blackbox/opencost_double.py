# SPDX-License-Identifier: Apache-2.0
"""A scripted OpenCost: a real HTTP server on 127.0.0.1 that can misbehave in every way we have met.

    with OpenCostDouble() as double:
        double.script("/allocation/compute", reset(), fixture("oc2024-namespace_pod-1d.json"))
        double.script("/allocation/compute", hang(gate), window="3d")

A script is a sequence of behaviours, one for each request; the last one repeats. A script for a window is
preferred to one for all windows, a later script replaces an earlier one for the same. Unscripted, the
double answers `/healthz` as OpenCost does and knows no other path.

A behaviour is a function of one Exchange. It sends what it likes and returns True when the connection may
carry another request. Every wait ends with the double, so that a test never hangs in a thread of its own.
"""
import gzip
import json
import socket
import struct
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from patience import LONG, wait_until
from ports import free_port

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "opencost"
ALLOCATION = "/allocation/compute"

REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 400: "Bad Request", 404: "Not Found",
           429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class Request:
    """What the double was asked."""

    def __init__(self, method, target, headers, connection):
        self.method = method
        self.target = target
        self.headers = headers  # lower case names
        self.connection = connection  # number of the connection it came on
        self.time = time.monotonic()
        parts = urlsplit(target)
        self.path = parts.path
        self.query = parts.query
        self.params = dict(parse_qsl(parts.query, keep_blank_values=True))

    @property
    def window(self):
        return self.params.get("window")

    def __repr__(self):
        return f"<{self.method} {self.target}>"


class Exchange:
    """One request and the connection to answer it on."""

    def __init__(self, double, connection, request):
        self.double = double
        self.socket = connection
        self.request = request

    def send(self, data):
        self.socket.sendall(data)

    def send_head(self, status, headers):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines + ["", ""]).encode("latin-1"))

    def pause(self, seconds):
        """Paces a slow peer; False when the double is closing."""
        return not self.double.closing.wait(seconds)

    def wait_for(self, gate):
        """Waits for a threading.Event, or for the double's end."""
        end = time.monotonic() + 10 * LONG
        while not gate.wait(0.01) and not self.double.closing.is_set() and time.monotonic() < end:
            pass


# Behaviours

def answer(status=200, body=b"", content_type="application/json", headers=()):
    """A plain answer with Content-Length. No Content-Type if that is None."""
    data = body.encode("utf-8") if isinstance(body, str) else body

    def behave(exchange):
        head = [("Content-Type", content_type)] if content_type else []
        exchange.send_head(status, [*head, ("Content-Length", len(data)), *headers])
        exchange.send(data)
        return True
    return behave


def fixture(name, folder="encoded"):
    """A file of tests/fixtures/opencost, as OpenCost sent it."""
    return answer(200, (FIXTURES / folder / name).read_bytes())


def http_case(name):
    """A file of the http/ fixtures with its own status and Content-Type."""
    case = next(case for case in json.loads((FIXTURES / "http/cases.json").read_text()) if case["body_file"] == name)
    return answer(case["http_status"], (FIXTURES / "http" / name).read_bytes(), case["content_type"])


def allocations(*rows, **envelope):
    """A success that holds one set of the given rows (see allocation())."""
    return answer(200, json.dumps({"code": 200, "data": [{row["name"]: row for row in rows}], **envelope}))


def chunked(body, size=1000):
    """The same as answer(200, body), in chunks."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
        for at in range(0, len(body), size):
            piece = body[at:at + size]
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        exchange.send(b"0\r\n\r\n")
        return True
    return behave


def cut_chunks(body):
    """Chunks that never come to their last one."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
        exchange.send(b"%x\r\n%s\r\n" % (len(body), body))
        return False
    return behave


def after(gate, behaviour):
    """Another behaviour, once `gate` is set."""
    def behave(exchange):
        exchange.wait_for(gate)
        return behaviour(exchange)
    return behave


def hang(gate):
    """Says nothing until `gate` is set, then closes."""
    return after(gate, lambda exchange: False)


def reset():
    """A TCP reset instead of an answer."""
    def behave(exchange):
        exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    return behave


def close_silently():
    """The end of the stream instead of an answer."""
    return lambda exchange: False


def truncated(body, sent):
    """Promises the whole body and closes after `sent` bytes."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Content-Length", len(body))])
        exchange.send(body[:sent])
        return False
    return behave


def dripping(body):
    """A byte now and then: never idle, never done."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Content-Length", 100 * len(body))])
        for byte in body * 100:
            exchange.send(bytes([byte]))
            if not exchange.pause(0.05):
                break
        return False
    return behave


def endless():
    """A body that is valid JSON as far as it goes, and never ends."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
        opening, filler = b'{"code":200,"data":[{"shop/web-0":{"name":"', b"x" * 65536
        exchange.send(b"%x\r\n%s\r\n" % (len(opening), opening))
        while not exchange.double.closing.is_set():
            exchange.send(b"%x\r\n%s\r\n" % (len(filler), filler))
        return False
    return behave


def raw(data, then_wait=False):
    """Exactly these bytes, and the end of the stream; or silence, until the client leaves."""
    def behave(exchange):
        exchange.send(data)
        if then_wait:
            exchange.socket.recv(1)
        return False
    return behave


def garbage():
    """No HTTP at all."""
    return raw(b"\x00\x01\x02 SSH-2.0-OpenSSH_9.2 \xff\xfe\r\n\r\n")


def flood(opening, filler):
    """Something in front, and then the same again and again for as long as it is taken."""
    def behave(exchange):
        exchange.send(opening)
        while not exchange.double.closing.is_set():
            exchange.send(filler * (1 + 65536 // len(filler)))
        return False
    return behave


def gzipped(body):
    """Compressed, whether asked for or not."""
    return answer(200, gzip.compress(body), headers=[("Content-Encoding", "gzip")])


def huge_length(length=10**15):
    """Announces a body that nobody can hold."""
    def behave(exchange):
        exchange.send_head(200, [("Content-Type", "application/json"), ("Content-Length", length)])
        exchange.send(b'{"code":200,"data":[')
        exchange.wait_for(exchange.double.closing)
        return False
    return behave


def redirect(location, status=302):
    return answer(status, b"", None, [("Location", location)])


# Rows

def allocation(namespace, pod, **figures):
    """A row as `aggregate=namespace,pod` gives it: all money 0 but for `figures`, the total being their sum
    unless it is given."""
    name = f"{namespace}/{pod}"
    money = dict.fromkeys(("cpuCost", "ramCost", "pvCost", "networkCost", "gpuCost", "loadBalancerCost",
                           "sharedCost", "externalCost"), 0)
    row = {
        "name": name,
        "properties": {"cluster": "cl1", "namespace": namespace, "pod": pod},
        "window": {"start": "2026-10-05T00:00:00Z", "end": "2026-10-06T00:00:00Z"},
        "start": "2026-10-05T00:00:00Z",
        "end": "2026-10-06T00:00:00Z",
        "minutes": 1440,
        **money,
        "cpuEfficiency": 1,
        "ramEfficiency": 1,
        "totalEfficiency": 1,
        **figures,
    }
    row.setdefault("totalCost", sum(row[key] for key in money))
    return row


class OpenCostDouble:
    def __init__(self):
        self.closing = threading.Event()
        self.requests = []
        self.max_in_flight = 0  # allocation queries under way at once, at most
        self._in_flight = 0
        self._connections = 0
        self._open_sockets = set()
        self._scripts = {}
        self._lock = threading.Lock()
        self._listener = None
        self.port = free_port()
        self.listen()
        self.script("/healthz", answer(200, b"", None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.refuse()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # Scripts and observations

    def script(self, path, *behaviours, window=None):
        with self._lock:
            self._scripts[path, window] = list(behaviours)

    def asked(self, path=ALLOCATION, window=None):
        """Requests so far, in order."""
        with self._lock:
            return [request for request in self.requests
                    if request.path == path and window in (None, request.window)]

    def count(self, path=ALLOCATION, window=None):
        return len(self.asked(path, window))

    def wait_for_requests(self, count, path=ALLOCATION, window=None):
        wait_until(lambda: self.count(path, window) >= count, f"request {count} for {path} {window or ''}")
        return self.asked(path, window)

    # The server

    def listen(self):
        """Listens, always on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(256)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def refuse(self):
        """Closes the listener and every connection: from now on connecting is refused."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        try:
            listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listener.close()
        with self._lock:
            sockets = list(self._open_sockets)
        for connection in sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections += 1
                number = self._connections
                self._open_sockets.add(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    data = connection.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                if not self._answer(connection, self._parse(head, number)):
                    return
        except OSError:
            pass  # The client left: its business.
        finally:
            with self._lock:
                self._open_sockets.discard(connection)
            connection.close()

    @staticmethod
    def _parse(head, number):
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Request(method, target, headers, number)

    def _answer(self, connection, request):
        is_allocation = request.path.endswith(ALLOCATION)
        with self._lock:
            self.requests.append(request)
            behaviour = self._next_behaviour(request)
            if is_allocation:
                self._in_flight += 1
                self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            return behaviour(_Counted(self, connection, request) if is_allocation
                             else Exchange(self, connection, request))
        finally:
            if is_allocation:
                self._left(request)

    def _left(self, request):
        """The query is no longer under way; counted once."""
        with self._lock:
            if not getattr(request, "is_over", False):
                request.is_over = True
                self._in_flight -= 1

    def _next_behaviour(self, request):
        for key in ((request.path, request.window), (request.path, None)):
            if key in self._scripts:
                behaviours = self._scripts[key]
                return behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        return answer(404, "404 page not found\n", "text/plain; charset=utf-8")


class _Counted(Exchange):
    """An exchange that stops counting as in flight when its answer begins: what the client does after that
    is not the double's to judge."""

    def send(self, data):
        self.double._left(self.request)
        super().send(data)
