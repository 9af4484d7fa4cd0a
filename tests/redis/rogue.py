# SPDX-License-Identifier: Apache-2.0
"""A peer on Redis' port that answers what a test wants, byte by byte."""
import contextlib
import socket
import threading


class Rogue:
    """`answer(connection, request)` is called with each piece that arrives; what it raises ends the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.connections = 0

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        self.sockets = []
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()
        return self

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                self.sockets.append(connection)
                self.threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self.threads[-1].start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while request := connection.recv(65536):
                self.answer(connection, request)

    def __exit__(self, *_):
        for one in (self.listener, *self.sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self.threads:
            thread.join()


class Between(Rogue):
    """Passes everything on to a Redis and back, through `change(answer)`."""

    def __init__(self, port, change):
        super().__init__(self._pass_on)
        self.port = port
        self.change = change
        self.behind = {}

    def _pass_on(self, connection, request):
        if connection not in self.behind:
            upstream = socket.create_connection(("127.0.0.1", self.port))
            self.behind[connection] = upstream
            self.sockets.append(upstream)
            thread = threading.Thread(target=self._pass_back, args=(connection, upstream), daemon=True)
            self.threads.append(thread)
            thread.start()
        self.behind[connection].sendall(request)

    def _pass_back(self, connection, upstream):
        with contextlib.suppress(OSError):
            while answer := upstream.recv(65536):
                connection.sendall(self.change(answer))
            connection.shutdown(socket.SHUT_RDWR)
