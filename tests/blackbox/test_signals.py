# SPDX-License-Identifier: Apache-2.0
"""Signals: SIGHUP has the log's level read anew, SIGPIPE and SIGXFSZ do nothing, and none of them comes too early. (Stopping
is in test_shutdown.py.)"""
import os
import signal
import socket
import struct
import subprocess
from contextlib import contextmanager

import pytest

from backend import Backend, command, environment
from hostility import witnessed
from patience import LONG, wait_until
from ports import free_port

TARGET = "/api/v1/cost/namespaces?window=3d"


@pytest.fixture
def env_file(tmp_path):
    path = tmp_path / "settings"
    path.write_text("LOG_LEVEL=WARNING\n")
    return path


def reread(backend, env_file, text):
    """The event that answers SIGHUP once the file says `text`."""
    if text is not None:
        env_file.write_text(text)
    seen = len(answers(backend))
    backend.signal(signal.SIGHUP)
    wait_until(lambda: len(answers(backend)) > seen, "the answer to SIGHUP")
    return answers(backend)[-1]


def answers(backend):
    return [event for event in backend.events() if event["event"] in ("log.level_changed", "log.level_kept")]


def level_after(event):
    return event["to"] if event["event"] == "log.level_changed" else event["log_level"]


def without_place(event):
    return {key: value for key, value in event.items() if key not in ("timestamp", "filename", "lineno", "func_name")}


class TestHangUp:
    @pytest.fixture
    def quiet(self, double, env_file):
        with Backend(double, arguments=("--env-file", env_file), LOG_LEVEL=None) as backend:
            yield backend

    def shows_requests(self, backend):
        before = len(backend.events("http.request"))
        assert backend.get(TARGET).status == 200
        # A line of a request comes before the answer to a later signal.
        reread(backend, None, None)
        return len(backend.events("http.request")) > before

    def test_changes_the_level_there_and_back(self, quiet, env_file):
        assert not self.shows_requests(quiet)
        changed = reread(quiet, env_file, "LOG_LEVEL=INFO\n")
        assert without_place(changed) == {"from": "WARNING", "to": "INFO", "event": "log.level_changed", "level": "info"}
        assert self.shows_requests(quiet)
        assert level_after(reread(quiet, env_file, "LOG_LEVEL=critical\n")) == "CRITICAL"
        assert not self.shows_requests(quiet)
        assert level_after(reread(quiet, env_file, "DEBUG=true\n")) == "DEBUG"
        quiet.get(TARGET)
        quiet.wait_for_event("cache.hit")

    def test_with_nothing_new_says_so(self, quiet, env_file):
        kept = reread(quiet, env_file, None)
        assert without_place(kept) == {"log_level": "WARNING", "event": "log.level_kept", "level": "info"}

    @pytest.mark.parametrize("text, fault", [
        ("LOG_LEVEL=loud\n", 'LOG_LEVEL: expected DEBUG, INFO, WARNING, ERROR or CRITICAL, got "loud"'),
        ("DEBUG=perhaps\nLOG_LEVEL=INFO\n", 'DEBUG: expected a boolean (true or false, 1 or 0, yes or no, on or off), got "perhaps"'),
    ], ids=["level", "debug"])
    def test_with_a_bad_value_keeps_the_old_one(self, quiet, env_file, text, fault):
        kept = reread(quiet, env_file, text)
        assert without_place(kept) == {"log_level": "WARNING", "error": fault, "event": "log.level_kept", "level": "warning"}
        assert not self.shows_requests(quiet)

    def test_with_the_file_gone_keeps_the_old_one(self, quiet, env_file):
        env_file.unlink()
        assert reread(quiet, env_file, None)["error"] == f"{env_file}: cannot be read: No such file or directory"
        assert level_after(reread(quiet, env_file, "LOG_LEVEL=ERROR\n")) == "ERROR"

    def test_does_not_wait_for_what_is_no_file(self, quiet, env_file):
        env_file.unlink()
        os.mkfifo(env_file)
        assert reread(quiet, env_file, None)["error"] == f"{env_file}: cannot be read again: no regular file"
        assert quiet.get("/livez").status == 200

    def test_leaves_all_else_as_it_is(self, quiet, env_file):
        port = free_port()
        reread(quiet, env_file, f"LOG_LEVEL=INFO\nPORT={port}\nACCESS_LOG=false\nOPENCOST_URL=http://nowhere.invalid\n")
        assert self.shows_requests(quiet)

    def test_reads_the_env_file_of_the_folder_too(self, double):
        with Backend(double, LOG_LEVEL=None) as backend:
            folder = backend._folder.name
            assert level_after(reread(backend, None, None)) == "INFO"
            with open(os.path.join(folder, ".env"), "w", encoding="utf-8") as file:
                file.write("LOG_LEVEL=ERROR\n")
            assert level_after(reread(backend, None, None)) == "ERROR"
            os.unlink(os.path.join(folder, ".env"))
            assert level_after(reread(backend, None, None)) == "INFO"

    def test_does_not_win_over_the_environment(self, double, env_file):
        with Backend(double, arguments=("--env-file", env_file), LOG_LEVEL="ERROR") as backend:
            assert level_after(reread(backend, env_file, "LOG_LEVEL=DEBUG\n")) == "ERROR"

    def test_disturbs_nobody(self, quiet, env_file):
        """Nothing is opened again and nobody is cut off, however many come."""
        with witnessed(quiet), quiet.connect() as kept:
            for number in range(200):
                env_file.write_text(f"LOG_LEVEL={('INFO', 'ERROR')[number % 2]}\n")
                quiet.signal(signal.SIGHUP)
                kept.request(TARGET)
                assert kept.read().status == 200

    def test_does_not_keep_it_from_stopping(self, quiet):
        for _ in range(50):
            quiet.signal(signal.SIGHUP)
        quiet.signal(signal.SIGTERM)
        for _ in range(50):
            quiet.signal(signal.SIGHUP)
        assert quiet.wait_for_exit() == 0
        assert all(event["level"] != "critical" for event in quiet.events())

    def test_while_stopping_does_nothing(self, double):
        with Backend(double, SHUTDOWN_DELAY=1) as backend:
            backend.signal(signal.SIGTERM)
            backend.wait_for_event("application.shutdown")
            backend.signal(signal.SIGHUP)
            assert backend.get("/livez").status == 200
            assert backend.wait_for_exit() == 0
            assert not answers(backend)


@contextmanager
def started(tmp_path, **settings):
    """The process as soon as it has said its first word, which comes before anything listens."""
    with subprocess.Popen(command(), cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment({"HOST": "127.0.0.1", "PORT": free_port(), **settings})) as process:
        try:
            assert b"application.startup" in process.stdout.readline()
            yield process
        finally:
            process.kill()


class TestWhileStarting:
    @pytest.fixture
    def starting(self, double, tmp_path):
        with started(tmp_path, OPENCOST_URL=double.url) as process:
            yield process

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_stop_is_kept_until_it_can_be_done_in_order(self, starting, number):
        starting.send_signal(number)
        output, errors = starting.communicate(timeout=LONG)
        assert starting.returncode == 0, errors
        assert b"application.shutdown" in output

    @pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ])
    def test_others_end_nothing(self, starting, number):
        for _ in range(20):
            starting.send_signal(number)
        starting.send_signal(signal.SIGTERM)
        output, errors = starting.communicate(timeout=LONG)
        assert starting.returncode == 0, errors
        assert b"application.shutdown" in output


def pipe_end(path):
    """The writing end of a pipe that somebody reads, or None."""
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


class TestWhileSettingsAreRead:
    @pytest.fixture
    def reading(self, tmp_path):
        """A process that waits for what comes out of a pipe, and the pipe's other end."""
        os.mkfifo(tmp_path / "pipe")
        process = subprocess.Popen(command("--env-file", "pipe"), cwd=tmp_path, env=environment({}), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        pipe = wait_until(lambda: pipe_end(tmp_path / "pipe"), "a reader of the pipe")
        with open(pipe, "w", encoding="ascii") as writer:
            yield process, writer
        process.kill()
        process.communicate()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_stop_ends_it_at_once(self, reading, number):
        process, _ = reading
        process.send_signal(number)
        assert process.wait(LONG) == 128 + number

    def test_others_end_nothing(self, reading):
        process, writer = reading
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGPIPE)
        process.send_signal(signal.SIGXFSZ)
        writer.write("PORT=none\n")
        writer.close()
        output, errors = process.communicate(timeout=LONG)
        assert (process.returncode, output) == (2, b"")
        assert errors.startswith(b"error: PORT: ")


class TestBrokenPipe:
    def test_of_a_client_is_an_error_of_the_write(self, double):
        with Backend(double) as backend, witnessed(backend):
            for _ in range(50):
                with backend.connect() as leaving:
                    for _ in range(20):
                        leaving.request("/api/openapi.json")
                    linger = struct.pack("ii", 1, 0)  # so that closing resets
                    leaving.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def test_of_the_log_ends_nothing(self, double, tmp_path):
        port = free_port()
        with started(tmp_path, OPENCOST_URL=double.url, PORT=port) as process:
            process.stdout.close()
            backend = Backend(double, PORT=port)
            wait_until(lambda: answers_now(backend), "an answer")
            for _ in range(100):
                assert backend.get("/livez").status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONG) == 0


def answers_now(backend):
    try:
        return backend.get("/readyz").status == 200
    except OSError:
        return False
