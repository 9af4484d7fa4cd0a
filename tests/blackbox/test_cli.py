# SPDX-License-Identifier: Apache-2.0
"""The command line and the settings, as the person at the terminal meets them."""
import json
import os
import re
import socket

import pytest

from backend import Backend, run_to_end
from opencost_double import OpenCostDouble
from ports import free_port

SETTINGS = ["DEBUG", "ENVIRONMENT", "HOST", "PORT", "OPENCOST_URL", "OPENCOST_TIMEOUT", "CORS_ORIGINS", "ENABLE_SWAGGER",
            "CACHE_TTL", "LOG_LEVEL", "OPENCOST_CA_FILE", "OPENCOST_TOKEN_FILE", "HTTP_THREADS", "ACCESS_LOG", "LOG_FORMAT",
            "SHUTDOWN_DELAY", "OPENCOST_MAX_BODY_MB", "CACHE_MAX_MB", "CACHE_STALE_IF_ERROR", "REFRESH_INTERVAL",
            "REFRESH_WINDOWS", "CLEANUP_INTERVAL", "CACHE_SNAPSHOT_FILE", "HTTP_REQUEST_TIMEOUT", "AUTH_TOKEN_FILE", "METRICS_AUTH", "TLS_CERT_FILE",
            "TLS_KEY_FILE",
            "HTTP_MAX_CONNECTIONS_PER_ADDRESS", "HTTP_MAX_WAITING_PER_ADDRESS", "REDIS_URL", "REDIS_CA_FILE",
            "REDIS_PASSWORD_FILE", "REDIS_PREFIX", "REDIS_TIMEOUT_MS"]

BAD = {
    "PORT": ["", "abc", "0x10", "70000", "-1", "8000.5", "1e3"],
    "CACHE_TTL": ["", "-1", "ten", "10.5"],
    "DEBUG": ["", "maybe", "2", " true"],
    "ACCESS_LOG": ["perhaps"],
    "OPENCOST_TIMEOUT": ["0", "-5", "soon"],
    "OPENCOST_URL": ["", "ftp://opencost:9003", "opencost:9003", "http://", "file:///etc/passwd", "http://a b"],
    "CORS_ORIGINS": ["[1]", '{"a":1}', '["a"', "[[]]"],
    "REFRESH_WINDOWS": ["7d,1y", "7D", "7d;30d"],
    "LOG_FORMAT": ["xml"],
    "HTTP_THREADS": ["-1", "many"],
    "HTTP_REQUEST_TIMEOUT": ["0", "3601"],
    "HTTP_MAX_WAITING_PER_ADDRESS": ["-1"],
    "REDIS_URL": ["redis:6379", "http://redis:6379", "redis://", "redis://h/db", "redis+sentinel://h", "unix://redis.sock"],
    "REDIS_PASSWORD_FILE": ["/nonexistent/password"],
    "REDIS_TIMEOUT_MS": ["0", "-1", "10001"],
    "CACHE_SNAPSHOT_FILE": ["/nonexistent/snapshot", "/tmp/", "/dev/null"],
}

GOOD = {
    "PORT": [" 8000 ", "+8000", "8_000", "8000.0"],
    "DEBUG": ["1", "TRUE", "t", "Yes", "off", "n"],
    "CORS_ORIGINS": ["*", '["*"]', '["https://a","https://b"]', "https://a,https://b"],
    "OPENCOST_URL": ["http://opencost:9003", "https://ui.example/model/", "http://[::1]:9003", "demo"],
    "LOG_LEVEL": ["debug", "WARNING", "nonsense"],
    "REFRESH_WINDOWS": ["7d,30d", "today", "1w,lastmonth"],
    "LOG_FORMAT": ["json", "console"],
}


@pytest.fixture
def run(tmp_path):
    return lambda *arguments, **settings: run_to_end(*arguments, cwd=tmp_path, **settings)


def output_of(done):
    return done.stdout + done.stderr


def pairs(table):
    return [(name, value) for name, values in table.items() for value in values]


class TestHelp:
    def test_names_every_option_and_setting(self, run):
        done = run("--help")
        assert done.returncode == 0
        assert done.stderr == ""
        for option in ("--help", "--version", "--env-file", "--check-config", "--print-config", "--healthcheck", "--demo"):
            assert option in done.stdout
        for setting in SETTINGS:
            assert re.search(rf"\b{setting}\b", done.stdout), setting

    def test_fits_a_terminal(self, run):
        assert max(map(len, run("--help").stdout.splitlines())) <= 120

    def test_version(self, run):
        done = run("--version")
        assert done.returncode == 0
        assert re.match(r"kubecent-backend \d+\.\d+\.\d+\b", done.stdout)

    @pytest.mark.parametrize("arguments", [("--nonsense",), ("-x",), ("surplus",), ("--env-file",)])
    def test_a_wrong_command_line_is_refused(self, run, arguments):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr


class TestCheckConfig:
    def test_defaults_are_fine(self, run):
        assert run("--check-config").returncode == 0

    @pytest.mark.parametrize("name, value", pairs(GOOD))
    def test_good_values(self, run, name, value):
        done = run("--check-config", **{name: value})
        assert done.returncode == 0, output_of(done)

    @pytest.mark.parametrize("name, value", pairs(BAD))
    def test_bad_values_are_named(self, run, name, value):
        done = run("--check-config", **{name: value})
        assert done.returncode == 2
        assert name in output_of(done)
        assert json.dumps(value)[1:-1] in output_of(done)

    def test_names_are_case_sensitive(self, run):
        assert run("--check-config", port="nonsense").returncode == 0

    def test_all_faults_are_reported_at_once(self, run):
        bad = {name: values[0] for name, values in BAD.items()}
        done = run("--check-config", **bad)
        assert done.returncode == 2
        for name in bad:
            assert name in output_of(done)

    def test_they_stop_the_service_before_it_binds(self, run):
        port = free_port()
        done = run(PORT=port, HOST="127.0.0.1", CACHE_TTL="ten", DEBUG="maybe")
        assert done.returncode == 2
        assert "CACHE_TTL" in output_of(done) and "DEBUG" in output_of(done)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


class TestPrintConfig:
    def printed(self, done):
        assert done.returncode == 0, output_of(done)
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line and not line.startswith("#"))

    def test_shows_what_counts(self, run):
        shown = self.printed(run("--print-config", PORT="1234", LOG_LEVEL="ERROR"))
        assert set(SETTINGS) <= set(shown)
        assert shown["PORT"].strip('"') == "1234"
        assert shown["LOG_LEVEL"].strip('"') == "ERROR"
        assert shown["CACHE_TTL"].strip('"') == "300"

    def test_can_be_read_back(self, run, tmp_path):
        first = run("--print-config", PORT="1234", CORS_ORIGINS='["https://a.example","https://b.example:8443"]',
                    ENVIRONMENT="it's \"quoted\" # and \\ more", REFRESH_WINDOWS="today, 7d")
        assert first.returncode == 0, output_of(first)
        (tmp_path / "printed.env").write_text(first.stdout)
        assert run("--print-config", "--env-file", "printed.env").stdout == first.stdout

    def test_masks_secrets(self, run):
        for arguments in (("--print-config",), ("--check-config",)):
            done = run(*arguments, OPENCOST_URL="http://reader:hunter2@opencost:9003")
            assert "hunter2" not in output_of(done)


class TestEnvFile:
    def shown(self, done, name):
        assert done.returncode == 0, output_of(done)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name}=")]
        return line.partition("=")[2].strip('"')

    def test_dot_env_is_read(self, run, tmp_path):
        (tmp_path / ".env").write_text("# ours\nexport PORT = 4321  # note\nENVIRONMENT='staging'\n")
        done = run("--print-config")
        assert self.shown(done, "PORT") == "4321"
        assert self.shown(done, "ENVIRONMENT").strip("'") == "staging"

    def test_the_environment_wins(self, run, tmp_path):
        (tmp_path / ".env").write_text("PORT=4321\n")
        assert self.shown(run("--print-config", PORT="1234"), "PORT") == "1234"

    def test_another_file_can_be_named(self, run, tmp_path):
        (tmp_path / ".env").write_text("PORT=1111\n")
        (tmp_path / "other").write_text("PORT=2222\n")
        assert self.shown(run("--print-config", "--env-file", "other"), "PORT") == "2222"
        assert self.shown(run("--print-config", "--env-file=other"), "PORT") == "2222"

    def test_a_named_one_must_be_there(self, run):
        done = run("--check-config", "--env-file", "missing.env")
        assert done.returncode == 2
        assert "missing.env" in output_of(done)

    def test_an_unknown_name_is_a_warning(self, run, tmp_path):
        (tmp_path / ".env").write_text("CACHE_TTTL=5\n")
        done = run("--check-config")
        assert done.returncode == 0
        assert "CACHE_TTTL" in output_of(done)

    @pytest.mark.parametrize("target", [None, "/dev/zero", ".env", "."], ids=["pipe", "device", "itself", "folder"])
    def test_what_is_no_file_is_a_warning_and_nothing_is_waited_for(self, run, tmp_path, target):
        if target:
            (tmp_path / ".env").symlink_to(target)
        else:
            os.mkfifo(tmp_path / ".env")
        done = run("--check-config")
        assert done.returncode == 0
        assert re.fullmatch(r"warning: \.env: cannot be read: [^\n]+, ignoring\n", done.stderr)

    def test_values_that_grow_without_end_are_a_fault_that_is_named(self, run, tmp_path):
        lines = ["K0=aaaaaaaa", *(f"K{i}=${{K{i - 1}}}${{K{i - 1}}}" for i in range(1, 60)), "LOG_LEVEL=${K59}"]
        (tmp_path / ".env").write_text("\n".join(lines))
        done = run("--check-config")
        assert done.returncode == 2
        assert done.stderr.endswith("error: out of memory, or a value of more than 1 MiB in the environment file\n")

    def test_its_faults_are_faults(self, run, tmp_path):
        (tmp_path / ".env").write_text("PORT=abc\n")
        assert run("--check-config").returncode == 2


class TestHealthcheck:
    def test_succeeds_beside_a_running_service(self, run, shared_backend):
        assert run("--healthcheck", HOST="127.0.0.1", PORT=shared_backend.port).returncode == 0
        assert run("--healthcheck", HOST="0.0.0.0", PORT=shared_backend.port).returncode == 0

    def test_fails_where_there_is_none(self, run):
        assert run("--healthcheck", HOST="127.0.0.1", PORT=free_port()).returncode == 1

    def test_fails_where_something_else_answers(self, run):
        with OpenCostDouble() as other:
            assert run("--healthcheck", HOST="127.0.0.1", PORT=other.port).returncode == 1


class TestStart:
    def test_a_port_in_use_is_said_in_one_clear_line(self, run):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run(HOST="127.0.0.1", PORT=port)
        assert done.returncode not in (0, 2) and done.returncode > 0
        lines = [line for line in output_of(done).splitlines() if "in use" in line.lower()]
        assert len(lines) == 1
        assert str(port) in lines[0]

    def test_an_address_that_is_not_ours(self, run):
        done = run(HOST="192.0.2.1", PORT=free_port())
        assert done.returncode > 0
        assert "192.0.2.1" in output_of(done)

    def test_ipv6(self, double):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 loopback here")
        with Backend(double, HOST="::1") as backend:
            assert backend.get("/api/v1/health").status == 200
