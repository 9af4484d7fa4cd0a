# SPDX-License-Identifier: Apache-2.0
"""The real binary, started as a user would start it, and watched.

    with Backend(double, CACHE_TTL=1) as backend:
        backend.get("/api/v1/cost/namespaces")

Leaving the block stops it with SIGTERM and demands exit status 0, valid log lines and silence from
sanitizers and valgrind. From the environment: KUBECENT_BINARY, the path of the binary; KUBECENT_WRAPPER, a
command to put before it (such as "valgrind -q --error-exitcode=99 --leak-check=full").
"""
import json
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading

import http_raw
from patience import LONG, wait_until
from ports import free_port

BINARY = os.environ.get("KUBECENT_BINARY", "")
WRAPPER = shlex.split(os.environ.get("KUBECENT_WRAPPER", ""))
ALARMS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|MemorySanitizer|runtime error:|^==\d+== \S", re.M)
PASSED_ON = re.compile(r"PATH|(ASAN|UBSAN|TSAN|LSAN)_OPTIONS|LLVM_PROFILE_FILE|GCOV_.*")

# A window that no test asks for, so that the first warm-up leaves the tests' own queries alone.
WARM_UP_WINDOW = "59m"

running = []  # for the reports of failed tests


def environment(settings):
    """The settings and nothing else that could be one; None removes a setting."""
    inherited = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    return inherited | {name: str(value) for name, value in settings.items() if value is not None}


def command(*arguments, leaves_memory=False):
    """The binary behind the wrapper. Where it leaves memory behind on purpose, valgrind is not to look for it."""
    wrapper = [word for word in WRAPPER if not (leaves_memory and word.startswith("--leak-check"))]
    return [*wrapper, BINARY, *arguments]


def run_to_end(*arguments, cwd, **settings):
    """Runs the binary until it ends by itself; for options and faults at start."""
    done = subprocess.run(command(*arguments), cwd=cwd, env=environment(settings), timeout=3 * LONG,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert not ALARMS.search(done.stderr), done.stderr
    return done


class Backend:
    def __init__(self, double=None, *, arguments=(), launcher=(), ready=True, tls=None, leaves_memory=False, **settings):
        self.settings = {
            "HOST": "127.0.0.1",
            "PORT": free_port(),
            "OPENCOST_URL": double.url if double else None,
            "OPENCOST_RETRY_WAIT_MS": 10,
            "REFRESH_WINDOWS": WARM_UP_WINDOW,
            "HTTP_THREADS": 2,
            "LOG_LEVEL": "DEBUG",
            # All clients of a test have one address.
            "HTTP_MAX_CONNECTIONS_PER_ADDRESS": 0,
            "HTTP_MAX_WAITING_PER_ADDRESS": 0,
        } | settings
        self.host = self.settings["HOST"]
        self.port = self.settings["PORT"]
        self.arguments = arguments
        self.launcher = launcher  # a command that becomes the binary's, such as prlimit with its options
        self.tls = tls  # an ssl.SSLContext, to speak TLS with it
        self.leaves_memory = leaves_memory  # for it will end at once, and not in good order
        self.ready = ready  # wait for the first warm-up, not just for the listener
        self.lines = []  # of stdout, as read
        self.errors = []  # of stderr
        self._arrived = threading.Condition()
        self.exit_status = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="kubecent-test-")
        self.process = subprocess.Popen([*self.launcher, *command(*self.arguments, leaves_memory=self.leaves_memory)],
                                        cwd=self._folder.name, env=environment(self.settings), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=self._read, args=(stream, lines), daemon=True)
                         for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for reader in self._readers:
            reader.start()
        running.append(self)
        try:
            wait_until(self._answers, "the listener", deadline=2 * LONG)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def _answers(self):
        assert self.process.poll() is None, f"ended at start with {self.process.returncode}\n{self.output()}"
        try:
            return self.get("/readyz" if self.ready else "/livez").status == 200
        except OSError:
            return False

    def _read(self, stream, lines):
        for line in stream:
            with self._arrived:
                lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._arrived.notify_all()

    # Talking

    def get(self, target, method="GET", headers=(), deadline=LONG):
        return http_raw.fetch(self.port, target, method, headers, deadline, self.host, self.tls)

    def connect(self, deadline=LONG):
        return http_raw.Connection(self.port, deadline, self.host, self.tls)

    # The log

    def output(self):
        """What was said last, for messages to people."""
        with self._arrived:
            return "\n".join([*(line[:300] for line in self.lines[-15:]), *self.errors[-60:]])

    def events(self, name=None, **fields):
        """Log events so far, parsed; those with that name and those fields."""
        with self._arrived:
            lines = list(self.lines)
        parsed = [json.loads(line) for line in lines]
        return [event for event in parsed if name in (None, event["event"])
                and all(event.get(key) == value for key, value in fields.items())]

    def wait_for_event(self, name, **fields):
        """The first such event."""
        return wait_until(lambda: self.events(name, **fields), f"log event {name} {fields or ''}")[0]

    # The end

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_exit(self, deadline=2 * LONG):
        """The exit status."""
        try:
            self.exit_status = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            output = self.output()
            self.kill()
            raise AssertionError(f"still running after {deadline:.0f} s\n{output}") from None
        self._finish()
        errors = "\n".join(self.errors)
        assert not ALARMS.search(errors), errors
        return self.exit_status

    def stop(self):
        if self.exit_status is None:
            self.signal(signal.SIGTERM)
            assert self.wait_for_exit() == 0, self.output()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._finish()

    def _finish(self):
        for reader in self._readers:
            reader.join(LONG)
        self.process.stdout.close()
        self.process.stderr.close()
        self._folder.cleanup()
        if self in running:
            running.remove(self)
