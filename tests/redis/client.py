# SPDX-License-Identifier: Apache-2.0
"""tier_client as a replica: orders to it, and what it says of each claim.

    with Replica(redis.url) as replica:
        assert replica.claim("7d").outcome == "leading"
"""
import contextlib
import json
import os
import re
import shlex
import subprocess
import threading

from patience import LONG, PATIENCE, wait_until

PROGRAM = os.environ.get("KUBECENT_TIER_CLIENT", "")
WRAPPER = shlex.split(os.environ.get("KUBECENT_WRAPPER", ""))
ALARMS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|^==\d+== \S", re.M)
PASSED_ON = re.compile(r"PATH|(ASAN|UBSAN|TSAN|LSAN)_OPTIONS|GCOV_.*")
A_WHILE_MS = 60_000


class Claim:
    """What was asked for under one id; `words` is what was said about it."""

    def __init__(self, replica, number):
        self.replica = replica
        self.number = number
        self.words = None

    @property
    def outcome(self):
        return self.words and self.words[0]

    def wait(self, deadline=LONG):
        wait_until(lambda: self.words, f"an outcome of claim {self.number}\n{self.replica.output()}", deadline)
        return self

    def settle(self, text, keep_ms=60_000):
        self.replica.order(f"settle {self.number} {keep_ms} {text}")

    def settle_large(self, length, keep_ms=60_000):
        self.replica.order(f"settle_large {self.number} {keep_ms} {length}")

    def fail(self, code, text):
        self.replica.order(f"fail {self.number} {code} {text}")

    def release(self):
        self.replica.order(f"release {self.number}")

    def cancel(self):
        self.replica.order(f"cancel {self.number}")


class Replica:
    def __init__(self, url, **settings):
        self.settings = {"REDIS_URL": url, "REDIS_TIMEOUT_MS": min(10_000, int(1000 * PATIENCE))} | settings
        self.lines = []
        self.errors = []
        self._said = threading.Condition()
        self._claims = {}
        self.was_killed = False

    def __enter__(self):
        inherited = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        environment = inherited | {name: str(value) for name, value in self.settings.items()}
        self.process = subprocess.Popen([*WRAPPER, PROGRAM], env=environment, cwd="/", text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=self._read, args=(stream, take), daemon=True)
                         for stream, take in ((self.process.stdout, self._take), (self.process.stderr, self.errors.append))]
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None and kind is None:
            self.order("quit")
            try:
                self.process.wait(LONG)
            except subprocess.TimeoutExpired:
                kind = subprocess.TimeoutExpired
        status = self.process.poll()
        was_killed = self.was_killed
        self.kill()
        if kind is None and not was_killed:
            assert status == 0, f"exit status {status}\n{self.output()}"
            assert not ALARMS.search("\n".join(self.errors)), self.output()
        assert kind is not subprocess.TimeoutExpired, f"does not end\n{self.output()}"

    def kill(self):
        """As kill -9: whatever it held is left as it is."""
        self.was_killed = True
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(LONG)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _read(self, stream, take):
        for line in stream:
            with self._said:
                take(line.rstrip("\n"))
                self._said.notify_all()

    def _take(self, line):
        self.lines.append(line)
        number, _, rest = line.partition(" ")
        if number.isdigit() and int(number) in self._claims:
            self._claims[int(number)].words = rest.split(" ", 2)

    def output(self):
        with self._said:
            return "\n".join([*self.lines[-10:], *self.errors[-40:]])

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _ask(self, line):
        claim = Claim(self, len(self._claims))
        with self._said:
            self._claims[claim.number] = claim
        self.order(line.format(claim.number))
        return claim

    def begin(self, key, max_wait_ms=A_WHILE_MS):
        return self._ask(f"claim {{}} {key} {max_wait_ms}")

    def claim(self, key, max_wait_ms=A_WHILE_MS):
        return self.begin(key, max_wait_ms).wait()

    def peek(self, key):
        return self._ask(f"peek {{}} {key}").wait()

    def want(self, text):
        self.order(f"want {text or '-'}")

    def events(self, name):
        with self._said:
            lines = [line for line in self.errors if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def wait_for_event(self, name, count=1):
        wait_until(lambda: len(self.events(name)) >= count, f"{count} times {name}\n{self.output()}")
        return self.events(name)

    def metric(self, name):
        """The value of one series, labels included in the name."""
        with self._said:
            before = self.lines.count("end")
        self.order("metrics")
        wait_until(lambda: self.lines.count("end") > before, "the metrics")
        with self._said:
            values = [line.split(" ")[-1] for line in self.lines if line.startswith(name + " ")]
        return float(values[-1])
