# SPDX-License-Identifier: Apache-2.0
"""The benchmarks measure what they say: who answers wrongly is no peer, none has the better place, and memory is
the program's own."""
import itertools
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import bench
import measure

READ_ANSWER = os.environ["KUBECENT_READ_ANSWER"]


class Peer:
    """Answers everything alike."""

    def __init__(self, status=200, body=b"{}"):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu_us(self):
        return 0

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class TestWrongAnswers:
    def test_a_body_that_is_not_ours(self):
        with Peer(body=b"{}") as peer, pytest.raises(RuntimeError, match="another body"):
            bench.hitting(peer, "/", body=b"[]", seconds=1)

    def test_gzip_that_is_none(self):
        with Peer(body=b"{}") as peer, pytest.raises(OSError):
            bench.hitting(peer, "/", "Accept-Encoding: gzip", body=b"{}", seconds=1)

    @pytest.mark.skipif(not measure.have("wrk"), reason="needs wrk")
    def test_bodies_that_are_too_short(self):
        with Peer(body=b"{}") as peer:
            measure.wrk(peer, "/", seconds=1, connections=2, least=2)
            with pytest.raises(RuntimeError, match="wrk"):
                measure.wrk(peer, "/", seconds=1, connections=2, least=1000)

    @pytest.mark.parametrize("status, etag", [(200, "*"), (500, None), (404, "*")])
    def test_another_status(self, status, etag):
        with Peer(status) as peer, pytest.raises(RuntimeError, match=str(status)):
            measure.one_by_one(peer, "/", etag, count=2)


@pytest.mark.parametrize("rounds", [4, 7, 15])
def test_no_peer_comes_before_another_more_often_than_behind_it(rounds):
    """Or a machine that slows down within a round would be in the ratios."""
    turns, names = [], ["ours", "bare", "logging", "nginx"]
    places = bench.run_rounds(rounds, {name: lambda n=name: turns.append(n) or len(turns) for name in names})
    for a, b in itertools.combinations(names, 2):
        assert abs(sum(1 if x < y else -1 for x, y in zip(places[a], places[b]))) <= rounds % 2


class TestMemory:
    def test_is_the_readers_own(self, tmp_path):
        """An answer of half a megabyte, read by the child of a process of more than 64 MB."""
        answer, ballast = measure.answer(tmp_path, 250), bytearray(os.urandom(1 << 20)) * 64
        fields = subprocess.run([READ_ANSWER, "decode", answer], capture_output=True, text=True, check=True).stdout.split()
        assert int(fields[2]) == 250
        assert 0 < int(fields[4]) < len(ballast) / 1024 / 4


class TestRefreshes:
    LOG = "\n".join((
        '{"timestamp":"2026-11-28T12:00:01.000000Z","event":"opencost.allocation_request","window":"7d"}',
        '{"timestamp":"2026-11-28T12:00:01.100000Z","event":"opencost.allocation_request","window":"30d"}',
        '{"timestamp":"2026-11-28T12:00:01.200000Z","event":"opencost.allocation_success","window":"7d"}',
        '{"timestamp":"2026-11-28T12:00:01.300000Z","event":"background.cache_refresh","window":"7d"}',
    ))
    BEGUN_US = 1_795_867_201_000_000

    def test_they_last_until_their_data_are_there(self, tmp_path):
        (tmp_path / "log").write_text(self.LOG)
        assert measure.refreshes(tmp_path / "log") == [(self.BEGUN_US, self.BEGUN_US + 300_000)]

    def test_what_touches_one_falls_within(self):
        requests = [(0, 99), (0, 100), (150, 7), (200, 1), (201, 3)]
        assert measure.latencies_within(requests, [(100, 200)]) == [1, 7, 100]
