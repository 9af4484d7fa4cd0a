# SPDX-License-Identifier: Apache-2.0
"""A real Redis of a test's own, on a free loopback port or a unix socket, in a folder of its own.

    with RedisServer(requirepass="secret") as redis:
        Backend(double, REDIS_URL=redis.url)
        redis.command("GET", "key")

Options are those of redis.conf, with `_` for `-`; a list gives an option more than once. `folder` with certificates of
authority.py makes it TLS. Debian's package redis-tools has the server (redis-check-rdb is the same program) and, unlike
redis-server, starts none of its own.
"""
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from patience import LONG, wait_until
from ports import free_port

PROGRAM = shutil.which("redis-server") or shutil.which("redis-check-rdb")


class RedisError(Exception):
    pass


class Wire:
    """Commands and replies on one connection; replies are str, int, None and lists of them, errors raise."""

    def __init__(self, connection):
        self.connection = connection
        self.stream = connection.makefile("rwb")

    def ask(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.stream.write(b"*%d\r\n" % len(encoded))
        for word in encoded:
            self.stream.write(b"$%d\r\n%s\r\n" % (len(word), word))
        self.stream.flush()
        return self.read()

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2].decode("utf-8", "backslashreplace")
        if kind == b"-":
            raise RedisError(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        length = int(rest)
        if length < 0:
            return None
        if kind == b"*":
            return [self.read() for _ in range(length)]
        return self.stream.read(length + 2)[:-2].decode("utf-8", "backslashreplace")

    def close(self):
        self.stream.close()
        self.connection.close()


def configuration(options):
    lines = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            lines.append(f"{name.replace('_', '-')} {one if str(one) != '' else chr(34) * 2}")
    return "\n".join(lines) + "\n"


class RedisServer:
    """`tls`: (certificate, key, authority) as files. `unix`: listens on a socket only."""

    def __init__(self, *, tls=None, unix=False, port=None, is_sentinel=False, **options):
        self.port = port or free_port()
        self.tls = tls
        self.is_sentinel = is_sentinel
        self._folder = tempfile.TemporaryDirectory(prefix="kubecent-redis-")
        self.folder = Path(self._folder.name)
        self.socket_path = str(self.folder / "redis.sock") if unix else None
        listening = {"port": 0 if tls or unix else self.port}
        if tls:
            listening |= {"tls_port": self.port, "tls_cert_file": tls[0], "tls_key_file": tls[1],
                          "tls_ca_cert_file": tls[2], "tls_auth_clients": "no"}
        if unix:
            listening |= {"unixsocket": self.socket_path}
        kept = {} if is_sentinel else {"save": "", "appendonly": "no"}
        self.options = {"bind": "127.0.0.1", "dir": self.folder, "daemonize": "no"} | kept | listening | options
        self.process = None

    @property
    def password(self):
        return self.options.get("requirepass")

    @property
    def url(self):
        credentials = f":{self.password}@" if self.password else ""
        if self.socket_path:
            return f"unix://{credentials}{self.socket_path}"
        return f"{'rediss' if self.tls else 'redis'}://{credentials}127.0.0.1:{self.port}/0"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._folder.cleanup()

    def start(self):
        """Also again, after stop() or kill(): empty, on the same port."""
        path = self.folder / "redis.conf"
        if not (self.is_sentinel and path.exists()):  # a Sentinel keeps in it what it has learnt
            path.write_text(configuration(self.options))
        arguments = ["redis-server", str(path)] + (["--sentinel"] if self.is_sentinel else [])
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(arguments, executable=PROGRAM, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, cwd=self.folder)
        wait_until(self._answers, "Redis to answer")

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            wire = self.connect()
        except OSError:
            return False
        try:
            return wire.ask("PING") == "PONG"
        except RedisError as error:
            return "NOAUTH" in str(error) or "LOADING" in str(error)
        except OSError:
            return False
        finally:
            wire.close()

    def connect(self, deadline=LONG):
        """A connection that has not logged in."""
        if self.socket_path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(deadline)
            connection.connect(self.socket_path)
        else:
            connection = socket.create_connection(("127.0.0.1", self.port), deadline)
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls[2])
            connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
        return Wire(connection)

    def command(self, *words, user=None, password=None):
        wire = self.connect()
        try:
            if password or self.password:
                wire.ask("AUTH", *([user] if user else []), password or self.password)
            return wire.ask(*words)
        finally:
            wire.close()

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """Accepts connections, as the kernel does, and answers nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        if self.process is not None:
            self.thaw()
            self.process.terminate()
            self.process.wait(LONG)
            self.process = None


class Sentinels:
    """A master, a replica of it, and three Sentinels that agree when two of them do."""

    MASTER = "shared"

    def __init__(self, down_after_ms=500, **options):
        self.master = RedisServer(**options)
        self.replica = RedisServer(replicaof=f"127.0.0.1 {self.master.port}", repl_diskless_sync="yes",
                                   repl_diskless_sync_delay=0, **options)
        monitor = [f"monitor {self.MASTER} 127.0.0.1 {self.master.port} 2",
                   f"down-after-milliseconds {self.MASTER} {down_after_ms}",
                   f"failover-timeout {self.MASTER} 5000"]
        if self.master.password:
            monitor.append(f"auth-pass {self.MASTER} {self.master.password}")
        self.sentinels = [RedisServer(is_sentinel=True, sentinel=monitor) for _ in range(3)]
        self._all = [self.master, self.replica, *self.sentinels]

    @property
    def url(self):
        credentials = f":{self.master.password}@" if self.master.password else ""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{credentials}{hosts}/{self.MASTER}/0"

    def __enter__(self):
        try:
            for server in self._all:
                server.start()
            wait_until(self._is_agreed, "three Sentinels that know each other and the replica")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in reversed(self._all):
            server.__exit__()

    def _is_agreed(self):
        for sentinel in self.sentinels:
            facts = sentinel.command("SENTINEL", "MASTER", self.MASTER)
            facts = dict(zip(facts[::2], facts[1::2]))
            if (facts["num-slaves"], facts["num-other-sentinels"], facts["flags"]) != ("1", "2", "master"):
                return False
        return "master_link_status:up" in self.replica.command("INFO", "replication")

    def master_port(self):
        """As the Sentinels say, all of them; None while they do not agree."""
        ports = {self.sentinels[i].command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.MASTER)[1] for i in range(3)}
        return int(ports.pop()) if len(ports) == 1 else None
