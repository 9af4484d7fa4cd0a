# SPDX-License-Identifier: Apache-2.0
"""An HTTP/1.1 client on a raw socket: sends exactly the bytes it is given and reads answers strictly.

HTTP libraries repair, merge and hide too much for tests of a server. One Connection carries any number
of requests, pipelined if wished; read() takes exactly one answer off it.
"""
import json
import re
import socket
import ssl
from decimal import Decimal

from patience import LONG

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: ([ -~]*))?")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
HAVE_NO_BODY = (204, 304)


class ProtocolError(AssertionError):
    """The server broke the rules of HTTP."""


class Response:
    def __init__(self, status, headers, body, wire_head):
        self.status = status
        self.headers = headers  # list of (name, value), as sent
        self.body = body
        self.wire_head = wire_head

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The header's value, None when there is none; a repeated one is an error."""
        values = self.values(name)
        if len(values) > 1:
            raise ProtocolError(f"{name} was sent {len(values)} times: {values}")
        return values[0] if values else None

    def words(self, name):
        """The members of a comma separated header, lower case."""
        return {word.strip().lower() for value in self.values(name) for word in value.split(",") if word.strip()}

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        """Parsed, with exact numbers."""
        assert self.header("Content-Type") == "application/json", self
        return json.loads(self.text, parse_float=Decimal)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


class Connection:
    def __init__(self, port, deadline=LONG, host="127.0.0.1", tls=None):
        self.socket = socket.create_connection((host, port), timeout=deadline)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:  # an ssl.SSLContext
            try:
                self.socket = tls.wrap_socket(self.socket, server_hostname=host)
            except OSError:
                self.socket.close()
                raise
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, target, method="GET", headers=(), version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", "Host: kubecent.test"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines + ["", ""]).encode("utf-8"))

    def _receive(self):
        """More bytes into the buffer; False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.buffer += data
        return bool(data)

    def _take(self, count):
        while len(self.buffer) < count:
            if not self._receive():
                raise ProtocolError(f"closed after {len(self.buffer)} of {count} bytes")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _take_through(self, mark):
        while mark not in self.buffer:
            if not self._receive():
                raise ProtocolError(f"closed in the middle of a head: {self.buffer[:200]!r}")
        taken, _, self.buffer = self.buffer.partition(mark)
        return taken

    def _chunked_body(self):
        body = b""
        while True:
            size = int(self._take_through(b"\r\n").partition(b";")[0], 16)
            if size == 0:
                while self._take_through(b"\r\n"):
                    pass
                return body
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise ProtocolError("a chunk does not end where it should")

    def read(self, method="GET"):
        """One answer, as the answer to a request with that method."""
        wire_head = self._take_through(b"\r\n\r\n")
        status_line, *lines = wire_head.split(b"\r\n")
        match = STATUS_LINE.fullmatch(status_line)
        if not match:
            raise ProtocolError(f"status line {status_line!r}")
        headers = []
        for line in lines:
            field = HEADER_LINE.fullmatch(line)
            if not field:
                raise ProtocolError(f"header line {line!r}")
            headers.append((field[1].decode("ascii"), field[2].decode("latin-1")))
        response = Response(int(match[1]), headers, b"", wire_head)
        response.body = self._body(response, method)
        return response

    def _body(self, response, method):
        length = response.header("Content-Length")
        coding = response.header("Transfer-Encoding")
        if length is not None and coding is not None:
            raise ProtocolError("both Content-Length and Transfer-Encoding")
        if method == "HEAD" or response.status in HAVE_NO_BODY:
            return b""
        if coding is not None:
            if coding.lower() != "chunked":
                raise ProtocolError(f"Transfer-Encoding {coding!r}")
            return self._chunked_body()
        if length is not None:
            return self._take(int(length))
        while self._receive():
            pass
        body, self.buffer = self.buffer, b""
        return body

    def at_end(self):
        """True when the server has closed and nothing is left to read (waits for either)."""
        return not self.buffer and not self._receive()


def fetch(port, target, method="GET", headers=(), deadline=LONG, host="127.0.0.1", tls=None):
    """One request on a connection of its own."""
    with Connection(port, deadline, host, tls) as connection:
        connection.request(target, method, headers)
        return connection.read(method)
