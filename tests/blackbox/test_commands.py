# SPDX-License-Identifier: Apache-2.0
"""Every command that the documents show is run, or named below with what stands for it.

A command is a line of a `sh` block, or one behind `$ ` in a `console` block; backslashes continue it. Commands of a
checkout are run in a copy of this one, `curl` and `kubecent-backend` beside a service with the data of the documents.
"""
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import backend as backend_module
from backend import Backend, environment
from patience import LONG, wait_until
from ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = os.environ.get("KUBECENT_BUILD", "")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "helm/kubecent/README.md",
             *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```", re.M | re.S)
COMMENT = re.compile(r"\s+#\s.*$")
ORIGIN = "https://dash.example"

# What no test can run as it stands: the beginning of the command, why, and the test of ctest that stands for it.
ELSEWHERE = [
    ("make test", "it is what runs this", "checklist_names_real_tests"),
    ("kubectl --namespace opencost port-forward", "needs a cluster", "helm_chart"),
    ("kubectl create configmap kubecent-dashboard", "needs a cluster; the file is checked", "prometheus"),
    ("kubectl label configmap kubecent-dashboard", "needs a cluster", "prometheus"),
    ("helm install", "is run with --dry-run where helm is", "helm_chart"),
]


class Command:
    def __init__(self, document, text, output):
        self.document, self.text, self.output = document, text, output

    def __repr__(self):
        return f"{self.document.name}: {self.text[:70]}"


def logical_lines(block):
    return re.sub(r"\\\n\s*", "", block).splitlines()


def commands_of(document):
    for kind, block in BLOCK.findall(document.read_text(encoding="utf-8")):
        if kind == "sh":
            yield from (Command(document, COMMENT.sub("", line), None) for line in logical_lines(block) if line.strip())
        else:
            for text, output in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                yield Command(document, COMMENT.sub("", logical_lines(text)[0]), output)


COMMANDS = [command for document in DOCUMENTS for command in commands_of(document)]


def stands_in(command):
    return next((entry for entry in ELSEWHERE if command.text.startswith(entry[0])), None)


def is_of_checkout(command):
    return re.match(r"(\w+=\S+ )*(make|cmake|ctest|build/|KUBECENT_|/usr/bin/python3)", command.text)


def shell(text, cwd, env, deadline=10 * LONG):
    return subprocess.run(["bash", "-o", "pipefail", "-ec", text], cwd=cwd, env=env, timeout=deadline, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False)


# The service's own


@pytest.fixture(name="terminal", scope="module")
def make_terminal(shared_double, tmp_path_factory):
    """Runs a command as a reader would, where `kubecent-backend` is installed and the service runs."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "bin").mkdir()
    (folder / "bin/kubecent-backend").symlink_to(backend_module.BINARY)
    (folder / "token").write_text("a-token", encoding="ascii")
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    with Backend(shared_double, CORS_ORIGINS=ORIGIN) as backend:
        def run(text):
            return shell(text.replace("localhost:8000", f"localhost:{backend.port}"), folder, env)
        yield run


def names_in(text):
    """Members of JSON objects, names of headers, of metrics and of settings: what stays when figures change."""
    return set(re.findall(r'"(\w+)":|^([A-Z][\w-]+):|^(kubecent_\w+\{\S+\}|[A-Z_]{3,}=)', text, re.M))


def steady(output):
    """The output without blanks, days, tags, ages and counts."""
    for pattern, steadied in ((r"Date: .*", "Date"), (r'"[0-9a-f]{16}"', '"tag"'), (r"Age: \d+", "Age"), (r"ttl=\d+", "ttl"),
                              (r"(X-Cache|Cache-Status): .*", r"\1"), (r"\} \d+$", "}"), (r"\s", "")):
        output = re.sub(pattern, steadied, output, flags=re.M)
    return output


@pytest.mark.parametrize("command", [c for c in COMMANDS if re.match(r"(\w+=\S+ )*(curl|kubecent-backend) ", c.text)], ids=repr)
def test_is_answered_as_shown(terminal, command):
    done = terminal(command.text)
    answer = done.stdout + (done.stderr if "kubecent-backend" in command.text else "")
    assert (done.returncode == 0) != answer.startswith("error: "), done
    if not command.output:
        assert answer
    elif command.document.name == "README.md" or " -" not in command.text and "curl" in command.text:
        assert names_in(command.output) <= names_in(answer), answer  # word for word: blackbox_documents
    else:
        assert steady(answer) == steady(command.output)


# A checkout's


@pytest.fixture(name="checkout", scope="module")
def make_checkout(tmp_path_factory):
    """A copy of what is under version control, as a clone would have it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    folder = tmp_path_factory.mktemp("checkout")
    subprocess.run(f"git ls-files -z | xargs -0 cp --parents --no-dereference -t {folder}", shell=True, cwd=ROOT, check=True)
    (folder / "build/debug").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def runs_and_stops(text, cwd, env, target):
    """Starts `text`, asks its service once it answers, and stops it as a terminal does."""
    port = free_port()
    with subprocess.Popen(["bash", "-c", text], cwd=cwd, env=env | {"PORT": str(port), "HOST": "127.0.0.1"},
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        def answers():
            assert process.poll() is None, process.stderr.read().decode()
            asked = subprocess.run(["curl", "-fsS", f"http://127.0.0.1:{port}{target}"], capture_output=True, check=False)
            return asked.stdout
        try:
            answer = wait_until(answers, text, deadline=20 * LONG)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.stderr.read()
        process.wait(LONG)
    return json.loads(answer)


def as_tested(text):
    """The command, quicker: without what it would have to build or run for minutes first."""
    if text.startswith("ctest "):
        return f"{text} -N | grep 'Total Tests: [1-9]'"
    if "KUBECENT_WRAPPER" in text:
        return f"{text} -k test_without_origin"
    return text


class TestCheckout:
    @pytest.mark.parametrize("command", [c for c in COMMANDS if is_of_checkout(c) and not stands_in(c)], ids=repr)
    def test_can_do_what_is_shown(self, checkout, shared_double, command):
        env = environment({}) | {"HOME": os.environ.get("HOME", "/"), "PYTHONDONTWRITEBYTECODE": "1"}
        if "valgrind" in command.text and not shutil.which("valgrind"):
            pytest.skip("valgrind is not installed")
        if command.text.endswith("make run"):
            text = command.text.replace("http://localhost:9003", shared_double.url)
            assert runs_and_stops(text, checkout, env, "/api/v1/cost/namespaces?window=7d")["item_count"] > 0
            return
        if "build/debug/kubecent-backend" in command.text:
            (checkout / "build/debug/kubecent-backend").unlink(missing_ok=True)
            (checkout / "build/debug/kubecent-backend").symlink_to(backend_module.BINARY)
        done = shell(as_tested(command.text), checkout, env)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def test_knows_the_targets_that_stand_in_the_documents(self):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^(\w+):", makefile, re.M))
        for document in DOCUMENTS:
            for target in re.findall(r"`make (\w+)`", document.read_text(encoding="utf-8")):
                assert target in targets, f"{document.name}: make {target}"


# The whole


def test_no_command_is_left_out():
    for command in COMMANDS:
        assert stands_in(command) or is_of_checkout(command) or re.match(r"(\w+=\S+ )*(curl|kubecent-backend) ", command.text), \
            f"{command}: nothing runs it"
    assert len(COMMANDS) >= 25


@pytest.mark.parametrize("beginning, reason, test", ELSEWHERE, ids=lambda part: part)
def test_what_is_not_run_is_in_a_document_and_held_by_a_test(beginning, reason, test):
    assert any(command.text.startswith(beginning) for command in COMMANDS), f"no document has: {beginning} ({reason})"
    listed = subprocess.run(["ctest", "--test-dir", BUILD, "-N", "-R", f"^{test}$"], capture_output=True, text=True, check=True)
    assert "Total Tests: 1" in listed.stdout


class TestLinesOfTheLog:
    """Shown lines have the event, level and fields that the service writes."""

    @pytest.fixture(scope="class")
    def lines(self):
        with Backend(arguments=["--demo"], LOG_LEVEL="INFO", REFRESH_WINDOWS="7d,30d") as backend:
            for window in ("7d", "30d"):
                backend.wait_for_event("background.cache_refresh", window=window)
            assert backend.get("/api/v1/cost/namespaces").status == 200
            backend.wait_for_event("http.request", path="/api/v1/cost/namespaces")
            return {event["event"]: list(event) for event in backend.events()}

    @pytest.mark.parametrize("document", ["README.md", "docs/images/terminal.svg"])
    def test_for_people(self, lines, document):
        text = re.sub(r"</?tspan[^>]*>", "", (ROOT / document).read_text(encoding="utf-8"))
        shown = re.findall(r"\d\d:\d\d:\d\d\.\d{3} (INFO|WARNING) +([a-z_.]+)((?: \w+=\S+)*)", text)
        assert len(shown) > 5
        for _, event, fields in shown:
            names = re.findall(r" (\w+)=", fields)
            assert names == [key for key in lines[event][:len(names)] if key != "event"], event

    def test_the_picture_has_the_headers_of_an_answer(self, shared_backend):
        picture = (ROOT / "docs/images/terminal.svg").read_text(encoding="utf-8")
        shown = re.findall(r">([A-Z][A-Za-z-]+): ", picture)
        assert sorted(shown) == sorted(name for name, _ in shared_backend.get("/api/v1/cost/namespaces", "HEAD").headers)

    def test_for_machines(self, lines):
        text = (ROOT / "docs/API_QUICKREF.md").read_text(encoding="utf-8")
        (shown,) = re.findall(r"^```json\n(\{.*\"http\.request\".*\})\n```", text, re.M)
        assert list(json.loads(shown)) == lines["http.request"]
