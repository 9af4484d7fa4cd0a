# SPDX-License-Identifier: Apache-2.0
"""The cache over restarts: what one process knew the next one serves, however the first one ended."""
import json
import random
import signal
import stat
import time

import pytest

from backend import Backend
from opencost_double import ALLOCATION, answer
from patience import PATIENCE, wait_until

TARGETS = ["/api/v1/cost/namespaces?window=7d", "/api/v1/cost/pods?window=7d",
           "/api/v1/cost/namespaces?window=7d&idle=true", "/api/v1/savings/recommendations",
           "/api/v1/cost/namespaces?window=3d", "/api/v1/cost/monthly?months=3"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def start(double, path):
    """Starts a process after the other with the same file and the same OpenCost."""
    def start_one(**settings):
        return Backend(double, **{"CACHE_SNAPSHOT_FILE": path, "REFRESH_WINDOWS": "7d,30d"} | settings)
    return start_one


def leave_snapshot(start, targets=TARGETS):
    """The answers that a process gave before it ended in good order."""
    with start() as backend:
        answers = {target: backend.get(target) for target in targets}
    assert {answer.status for answer in answers.values()} == {200}
    return {target: answer.text for target, answer in answers.items()}


def age_of(response):
    return int(response.header("Age"))


class TestAfterSigterm:
    def test_everything_cached_is_served_with_its_age_while_opencost_is_down(self, double, start, path):
        before = time.time()
        expected = leave_snapshot(start)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        double.refuse()
        # As the data in the file get older by a second, so do their ages.
        wait_until(lambda: time.time() - before > 1.5, "data old enough to have an age")
        with start() as backend:
            for target, text in expected.items():
                response = backend.get(target)
                assert response.status == 200, target
                assert response.text == text, target
                assert 1 <= age_of(response) <= time.time() - before + 1, target
            restored = backend.wait_for_event("cache.snapshot_restored")
            assert restored["datasets"] >= 6
            assert restored["expired"] == 0
            assert not backend.events("background.refresh_failed")

    def test_opencost_is_not_asked_for_what_is_fresh(self, double, start):
        leave_snapshot(start)
        asked = double.count()
        with start() as backend:
            assert backend.get(TARGETS[0]).header("X-Cache") == "HIT"
            assert double.count() == asked

    def test_what_has_expired_is_fetched_again(self, double, start, path):
        with start(CACHE_TTL=1) as backend:
            backend.get(TARGETS[0])
        asked = double.count()
        wait_until(lambda: time.time() - path.stat().st_mtime > 1.1, "the data's expiry")
        with start(CACHE_TTL=1) as backend:
            assert backend.wait_for_event("cache.snapshot_restored")["datasets"] == 0
            assert backend.get(TARGETS[0]).status == 200
        assert double.count() > asked

    def test_a_snapshot_of_another_opencost_is_not_served(self, double, start):
        leave_snapshot(start)
        with start(OPENCOST_URL=f"{double.url}/elsewhere") as backend:
            assert "another OpenCost" in backend.wait_for_event("cache.snapshot_ignored")["reason"]

    def test_without_the_setting_nothing_is_kept(self, double, path):
        with Backend(double) as backend:
            backend.get(TARGETS[0])
        assert not backend.events("cache.snapshot_written")
        assert not path.exists()


class TestDamage:
    @pytest.mark.parametrize("damage, reason", [
        (lambda content: b"", "not a snapshot"),
        (lambda content: b"<html>", "not a snapshot"),
        (lambda content: content[:-1], "damaged"),
        (lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:], "damaged"),
        (lambda content: content[:8] + b"\x07" + content[9:], "newer version"),
    ], ids=["empty", "foreign", "truncated", "flipped bit", "newer"])
    def test_is_noticed_told_and_harmless(self, start, path, damage, reason):
        expected = leave_snapshot(start, TARGETS[:1])
        path.write_bytes(damage(path.read_bytes()))
        with start() as backend:
            ignored = backend.wait_for_event("cache.snapshot_ignored")
            assert reason in ignored["reason"]
            assert ignored["file"] == str(path)
            assert backend.get(TARGETS[0]).text == expected[TARGETS[0]]
            assert len(backend.events("cache.snapshot_ignored")) == 1
            assert not backend.events("cache.snapshot_restored")
        with start() as backend:
            assert backend.wait_for_event("cache.snapshot_restored")["datasets"] > 0

    def test_of_the_directory_is_told_once_and_costs_nobody_an_answer(self, start, path):
        with start(REFRESH_INTERVAL=1) as backend:
            backend.wait_for_event("cache.snapshot_written")
            path.unlink()
            path.parent.rename(path.parent.with_name("gone"))
            try:
                failed = backend.wait_for_event("cache.snapshot_failed")
                assert str(path) in failed["error"]
                assert backend.get(TARGETS[0]).status == 200
                assert len(backend.events("cache.snapshot_failed")) == 1
            finally:
                path.parent.with_name("gone").rename(path.parent)
        assert path.exists()  # it was written when we left

    def test_of_the_settings_is_found_at_start(self, double, tmp_path):
        backend = Backend(double, CACHE_SNAPSHOT_FILE=tmp_path / "absent" / "cache")
        with pytest.raises(AssertionError, match="CACHE_SNAPSHOT_FILE"), backend:
            pass


class TestKill:
    def test_at_any_moment_leaves_a_file_that_the_next_start_reads(self, start, path):
        """The first write follows the first fetch, so most kills fall on a write or near one."""
        random.seed(20261123)
        restored = 0
        for _ in range(25):
            there = path.exists()
            with start(REFRESH_INTERVAL=1, ready=False) as backend:
                if there:
                    restored += backend.wait_for_event("cache.snapshot_restored")["datasets"] > 0
                assert not backend.events("cache.snapshot_ignored")
                backend.get(f"/api/v1/cost/namespaces?window={random.randint(1, 99)}d")
                time.sleep(random.random() * 0.05)
                backend.kill()
                backend.exit_status = -signal.SIGKILL
        assert path.exists()
        assert restored > 20
        with start() as backend:
            assert backend.wait_for_event("cache.snapshot_restored")["datasets"] > 0
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]

    def test_loses_only_what_was_not_written_yet(self, double, start):
        with start(REFRESH_WINDOWS="7d") as backend:
            text = backend.get(TARGETS[0]).text
            backend.wait_for_event("cache.snapshot_written")
            backend.kill()
            backend.exit_status = -signal.SIGKILL
        double.refuse()
        with start(ready=False) as backend:
            backend.wait_for_event("cache.snapshot_restored")
            response = backend.get(TARGETS[0])
            assert (response.status, response.text) == (200, text)


def test_livez_answers_at_once_though_the_file_is_large(double, start, path):
    """A big file is read beside the listener, not before it."""
    rows = {f"ns-{i % 50}/pod-{i}": {"name": f"ns-{i % 50}/pod-{i}", "cpuCost": i / 7, "totalCost": i / 7,
                                     "properties": {"namespace": f"ns-{i % 50}", "pod": f"pod-{i}"}}
            for i in range(40000)}
    body = json.dumps({"code": 200, "data": [rows]}).encode()
    double.script(ALLOCATION, answer(body=body))
    leave_snapshot(start, TARGETS[:2])
    assert path.stat().st_size > 500_000
    began = time.monotonic()
    with start(ready=False) as backend:
        assert time.monotonic() - began < 2 * PATIENCE
        assert backend.get("/livez").status == 200
        backend.wait_for_event("cache.snapshot_restored")
        asked = double.count()
        assert backend.get(TARGETS[1]).status == 200
        assert double.count() == asked

