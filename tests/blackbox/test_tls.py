# SPDX-License-Identifier: Apache-2.0
"""The listening side in TLS: everything as without it, and certificates that are renewed while it serves."""
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

import http_raw
from authority import make_chain, make_pair
from backend import Backend, run_to_end
from hostility import Process, converse, witnessed
from opencost_double import ALLOCATION, after, fixture
from patience import LONG, wait_until
from ports import free_port

TARGET = "/api/v1/cost/namespaces?window=3d"
TYPICAL = fixture("oc2024-namespace_pod-1d.json")
MISMATCH = "it does not fit the certificate (The certificate and the given key do not match.)"


def trusting(*certs, versions=(None, None)):
    """A client's context that trusts these certificates only, and checks the name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for cert in certs:
        context.load_verify_locations(cert)
    if versions[0]:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = versions
    return context


def served(double, pair, trusted=(), **settings):
    return Backend(double, tls=trusting(pair[0], *trusted), TLS_CERT_FILE=pair[0], TLS_KEY_FILE=pair[1], **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def pair(folder):
    return make_pair(folder)


@pytest.fixture(scope="module")
def other_pair(folder):
    return make_pair(folder, "other", "rsa")


@pytest.fixture(scope="module")
def secure(shared_double, pair):
    with served(shared_double, pair) as backend:
        yield backend


def shown_certificate(backend):
    """The one that a new connection is shown, as DER."""
    with backend.connect() as connection:
        return connection.socket.getpeercert(binary_form=True)


def der(cert):
    return ssl.PEM_cert_to_DER_cert(cert.read_text())


class TestAnswers:
    def test_are_as_without_it(self, secure, shared_double):
        with Backend(shared_double) as plain:
            for target in (TARGET, "/api/v1/cost/pods?window=3d&detail=true", "/api/openapi.json", "/livez", "/nowhere",
                           "/api/v1/cost/pods?window=nonsense"):
                ours, theirs = secure.get(target), plain.get(target)
                assert (ours.status, ours.body) == (theirs.status, theirs.body)

    def test_come_one_after_another_on_a_connection(self, secure):
        with secure.connect() as connection:
            for _ in range(20):
                for method in ("GET", "HEAD"):
                    connection.request(TARGET, method)
                    assert connection.read(method).status == 200

    def test_come_to_requests_sent_at_once(self, secure):
        with secure.connect() as connection:
            connection.send(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target.encode()
                                     for target in (TARGET, "/livez", "/nowhere", TARGET)))
            assert [connection.read().status for _ in range(4)] == [200, 200, 404, 200]

    def test_come_to_requests_in_small_pieces(self, secure):
        with secure.connect() as connection:
            for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n":
                connection.send(bytes([byte]))
            assert connection.read().status == 200

    def test_come_to_those_who_wait(self, double, pair):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with served(double, pair) as backend:
            connections = [backend.connect() for _ in range(20)]
            for connection in connections:
                connection.request(TARGET)
                connection.request("/livez")  # behind it, in the same buffer
            double.wait_for_requests(1, window="3d")
            assert backend.get("/livez").status == 200
            gate.set()
            for connection in connections:
                assert [connection.read().status for _ in range(2)] == [200, 200]
                connection.close()
        assert double.count(window="3d") == 1

    def test_are_compressed_and_not_repeated(self, secure):
        zipped = secure.get("/api/openapi.json", headers=[("Accept-Encoding", "gzip")])
        assert zipped.header("Content-Encoding") == "gzip"
        again = secure.get("/api/openapi.json", headers=[("Accept-Encoding", "gzip"), ("If-None-Match", zipped.header("ETag"))])
        assert again.status == 304

    def test_come_to_a_slow_reader(self, secure):
        with secure.connect() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            for _ in range(400):
                connection.request("/api/openapi.json")
            secure.get("/livez")  # by when the answers have filled what there is to fill
            bodies = {connection.read().body for _ in range(400)}
        assert len(bodies) == 1

    @pytest.mark.parametrize("request_bytes", [
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3,
    ], ids=["announced", "chunked"])
    def test_refuse_what_is_too_large(self, secure, request_bytes):
        with secure.connect() as connection:
            connection.send(request_bytes)
            response = connection.read()
            assert (response.status, response.header("Connection")) == (413, "close")


class TestHandshakes:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_of_today_succeed(self, secure, pair, version):
        context = trusting(pair[0], versions=(version, version))
        assert http_raw.fetch(secure.port, "/livez", tls=context).status == 200

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
    @pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
    def test_of_yesterday_fail(self, secure, pair, version):
        with pytest.raises(ssl.SSLError):
            http_raw.Connection(secure.port, tls=trusting(pair[0], versions=(version, version)))

    @pytest.mark.parametrize("ciphers", ["AES256-SHA", "ECDHE-ECDSA-AES256-SHA", "AES256-GCM-SHA384", "NULL", "aNULL"])
    def test_with_weak_ciphers_fail(self, secure, pair, ciphers):
        version = ssl.TLSVersion.TLSv1_2
        context = trusting(pair[0], versions=(version, version))
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            http_raw.Connection(secure.port, tls=context)

    def test_show_the_certificate(self, secure, pair):
        assert shown_certificate(secure) == der(pair[0])

    @pytest.mark.parametrize("data", [b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                      b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000, b"\x80\x2e\x01\x00\x02", b"", bytes(range(256)) * 64],
                             ids=["http", "half_hello", "huge_record", "ssl2", "nothing", "all_bytes"])
    def test_that_are_none_get_no_answer_and_disturb_nobody(self, secure, data):
        with witnessed(secure):
            assert b"HTTP/" not in converse(secure.port, data, half_close=True)

    def test_broken_off_leave_nothing_behind(self, secure, pair):
        process = Process(secure.process.pid)
        before = process.descriptors()

        def hang_up(cut):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = trusting(pair[0]).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            with pytest.raises(ssl.SSLWantReadError):
                client.do_handshake()
            with socket.create_connection(("127.0.0.1", secure.port)) as connection:
                connection.send(outgoing.read()[:cut])

        with witnessed(secure), ThreadPoolExecutor(8) as pool:
            list(pool.map(hang_up, range(0, 600, 3)))
        wait_until(lambda: process.descriptors() <= before, "the connections' end")

    def test_that_drip_in_are_cut_off(self, double, pair):
        with served(double, pair, HTTP_REQUEST_TIMEOUT=1) as backend, witnessed(backend), \
                socket.create_connection(("127.0.0.1", backend.port)) as connection:
            connection.settimeout(0.1)
            connection.send(b"\x16\x03\x01\x02\x00\x01")
            end = time.monotonic() + LONG
            while time.monotonic() < end:
                try:
                    connection.send(b"\x00")
                    if connection.recv(1) == b"":
                        return
                except TimeoutError:
                    pass
                except OSError:
                    return
        raise AssertionError("still open")


def client_hello():
    """As a client sends it; in one record."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


class TestStalledHandshakes:
    @pytest.mark.parametrize("sent", [1, 100, None], ids=["a_byte", "half_a_hello", "a_hello"])
    def test_are_cut_off_and_hold_nobody_up(self, double, pair, sent):
        with served(double, pair, HTTP_REQUEST_TIMEOUT=1, HTTP_MAX_CONNECTIONS=1024) as backend, ExitStack() as stack, \
                witnessed(backend):
            stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", backend.port))) for _ in range(500)]
            for connection in stalled:
                connection.sendall(client_hello()[:sent])
                connection.settimeout(LONG)
            for connection in stalled:
                while hears_more(connection):
                    pass
            wait_until(lambda: sum(event["count"] for event in backend.events("http.requests_cut_off")) == 500, "500 to be cut off")

    def test_that_fill_all_places_leave_them_within_the_limit(self, double, pair):
        with served(double, pair, HTTP_REQUEST_TIMEOUT=1, HTTP_MAX_CONNECTIONS=100) as backend, ExitStack() as stack:
            for _ in range(300):
                connection = stack.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex(("127.0.0.1", backend.port))
                wait_until(lambda: sends(connection, b"\x16\x03\x01"), "the kernel to take the connection")
            # Behind them in the backlog, which moves on as the others are cut off.
            assert backend.get("/livez", deadline=2 * LONG).status == 200


def hears_more(connection):
    try:
        return connection.recv(65536) != b""
    except OSError:
        return False


def sends(connection, data):
    try:
        return connection.send(data) == len(data)
    except BlockingIOError:
        return False


class TestWhatComesAfterTheHandshake:
    def converse(self, backend, version, *lines):
        """What openssl's client shows when it is given one line after the other, each once the last had its effect."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{backend.port}", version, "-CAfile", backend.settings["TLS_CERT_FILE"]]
        shown = []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
            reader = threading.Thread(target=lambda: shown.extend(iter(lambda: client.stdout.read(1), "")), daemon=True)
            reader.start()
            for line, effect, times in lines:
                try:
                    client.stdin.write(line)
                    client.stdin.flush()
                except BrokenPipeError:
                    break
                wait_until(lambda: "".join(shown).count(effect) >= times or client.poll() is not None, f"{effect} from {line!r}")
            wait_until(lambda: client.poll() is not None or effect in "".join(shown), "an end")
            client.kill()
            reader.join(LONG)
        return "".join(shown)

    REQUEST = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    ANSWER = '{"status":"ok"}'

    def test_renegotiation_is_refused(self, secure):
        with witnessed(secure):
            shown = self.converse(secure, "-tls1_2", (self.REQUEST, self.ANSWER, 1), ("R\n", "error", 1))
        assert shown.count(self.ANSWER) == 1
        assert "RENEGOTIATING" in shown and "error" in shown

    def test_new_keys_are_taken(self, secure):
        shown = self.converse(secure, "-tls1_3", (self.REQUEST, self.ANSWER, 1), ("K\n", "KEYUPDATE", 1), (self.REQUEST, self.ANSWER, 2))
        assert shown.count(self.ANSWER) == 2

    @pytest.mark.parametrize("data", [b"\x17\x03\x03\x00\x20" + b"A" * 32, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28",
                                      b"\x17\x03\x03\xff\xff" + b"A" * 70_000], ids=["forged_record", "plain_http", "forged_alert", "huge_record"])
    def test_what_is_not_encrypted_ends_the_connection(self, secure, data):
        with witnessed(secure), secure.connect() as connection:
            connection.request("/livez")
            connection.read()
            with socket.socket(fileno=os.dup(connection.socket.fileno())) as below:
                below.settimeout(LONG)
                below.sendall(data)
                wait_until(lambda: not hears_more(below), "the connection's end")


def put(pair, at):
    """Puts a pair in the place of that at `at`: the certificate, then the key."""
    for source, place in zip(pair, at):
        fresh = place.with_suffix(".new")
        fresh.write_bytes(source.read_bytes())
        os.replace(fresh, place)


class TestRenewal:
    @pytest.fixture
    def place(self, tmp_path, pair):
        place = tmp_path / "tls.crt", tmp_path / "tls.key"
        put(pair, place)
        return place

    @pytest.fixture
    def renewed(self, double, place, other_pair):
        with served(double, place, trusted=[other_pair[0]]) as backend:
            yield backend

    def test_is_for_new_connections_and_old_ones_go_on(self, renewed, place, pair, other_pair):
        with renewed.connect() as old, witnessed(renewed):
            old.request(TARGET)
            old.read()
            put(other_pair, place)
            wait_until(lambda: shown_certificate(renewed) == der(other_pair[0]), "the new certificate")
            for _ in range(10):
                old.request(TARGET)
                assert old.read().status == 200
            assert old.socket.getpeercert(binary_form=True) == der(pair[0])
            put(pair, place)
            wait_until(lambda: shown_certificate(renewed) == der(pair[0]), "the first certificate again")
        assert renewed.events("tls.reloaded")[0]["path"] == str(place[0])

    def test_as_kubernetes_does_it(self, double, tmp_path, pair, other_pair):
        for number, source in enumerate((pair, other_pair)):
            (tmp_path / f"..{number}").mkdir()
            put(source, (tmp_path / f"..{number}" / "tls.crt", tmp_path / f"..{number}" / "tls.key"))
        (tmp_path / "..data").symlink_to("..0")
        for name in ("tls.crt", "tls.key"):
            (tmp_path / name).symlink_to(f"..data/{name}")
        with served(double, (tmp_path / "tls.crt", tmp_path / "tls.key"), trusted=[other_pair[0]]) as backend:
            assert shown_certificate(backend) == der(pair[0])
            (tmp_path / "..fresh").symlink_to("..1")
            os.replace(tmp_path / "..fresh", tmp_path / "..data")
            wait_until(lambda: shown_certificate(backend) == der(other_pair[0]), "the new certificate")
            assert not backend.events("tls.reload_failed")

    def test_by_halves_counts_when_it_is_whole(self, renewed, place, pair, other_pair):
        put(other_pair[:1], place)
        event = renewed.wait_for_event("tls.reload_failed")
        assert event["level"] == "warning"
        assert event["error"] == f"cannot use TLS_KEY_FILE {place[1]}: {MISMATCH}"
        assert shown_certificate(renewed) == der(pair[0])
        put(other_pair, place)
        wait_until(lambda: shown_certificate(renewed) == der(other_pair[0]), "the new certificate")
        assert len(renewed.events("tls.reload_failed")) == 1

    def test_each_fault_is_said_once(self, renewed, place, pair, other_pair):
        """Whoever mends one and makes another hears of it."""
        put(pair[1:], place)  # a key in the certificate's place
        wait_until(lambda: len(renewed.events("tls.reload_failed")) == 1, "a word of it")
        put(other_pair[:1], place)  # a certificate without its key
        wait_until(lambda: len(renewed.events("tls.reload_failed")) == 2, "a word of that")
        put(other_pair, place)
        wait_until(lambda: shown_certificate(renewed) == der(other_pair[0]), "the new certificate")
        assert len(renewed.events("tls.reload_failed")) == 2

    @pytest.mark.parametrize("spoil", [lambda cert, _: cert.write_text("no certificate"), lambda _, key: key.write_text(""),
                                       lambda cert, _: cert.unlink(), lambda _, key: key.unlink()],
                             ids=["certificate_garbage", "key_empty", "certificate_gone", "key_gone"])
    def test_with_what_cannot_be_used_changes_nothing(self, renewed, place, pair, other_pair, spoil):
        spoil(*place)
        renewed.wait_for_event("tls.reload_failed")
        assert shown_certificate(renewed) == der(pair[0])
        put(other_pair, place)
        wait_until(lambda: shown_certificate(renewed) == der(other_pair[0]), "the new certificate")
        for line in renewed.lines:
            assert "PRIVATE" not in line

    def test_disturbs_nobody_who_is_connecting(self, renewed, place, pair, other_pair):
        over = threading.Event()

        def ask():
            count = 0
            while not over.is_set():
                assert renewed.get(TARGET).status == 200
                count += 1
            return count

        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(ask) for _ in range(4)]
            for number in range(1, 4):
                put((other_pair, pair)[number % 2], place)
                wait_until(lambda: len(renewed.events("tls.reloaded")) >= number, "the renewal")
            over.set()
            assert all(client.result() > 0 for client in clients)


class TestStart:
    def run(self, cwd, cert, key, **settings):
        return run_to_end(cwd=cwd, HOST="127.0.0.1", PORT=free_port(), OPENCOST_URL="demo", TLS_CERT_FILE=cert,
                          TLS_KEY_FILE=key, **settings)

    def test_needs_the_key_of_the_certificate(self, tmp_path, pair, other_pair):
        done = self.run(tmp_path, pair[0], other_pair[1])
        assert done.returncode == 1
        assert done.stderr == f"kubecent-backend: cannot use TLS_KEY_FILE {other_pair[1]}: {MISMATCH}\n"

    @pytest.mark.parametrize("swapped", ["cert", "key"])
    def test_says_which_file_is_at_fault(self, tmp_path, pair, swapped):
        garbage = tmp_path / "garbage"
        garbage.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        done = self.run(tmp_path, *((garbage, pair[1]) if swapped == "cert" else (pair[0], garbage)))
        assert done.returncode == 1
        assert done.stderr.startswith(f"kubecent-backend: cannot use TLS_{swapped.upper()}_FILE {garbage}: ")
        assert done.stderr.count("\n") == 1

    def test_takes_no_key_that_asks_for_a_password(self, tmp_path, pair):
        locked = tmp_path / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", pair[1], "-aes256", "-passout", "pass:secret", "-out", locked], check=True)
        done = self.run(tmp_path, pair[0], locked)
        assert done.returncode == 1
        assert done.stderr.startswith(f"kubecent-backend: cannot use TLS_KEY_FILE {locked}: ")

    def test_needs_both_files(self, tmp_path, pair):
        for cert, key, fault in ((pair[0], None, "error: TLS_KEY_FILE: expected together with TLS_CERT_FILE\n"),
                                 (None, pair[1], "error: TLS_CERT_FILE: expected together with TLS_KEY_FILE\n")):
            done = self.run(tmp_path, cert, key)
            assert (done.returncode, done.stderr) == (2, fault)

    def test_needs_files_that_are_there(self, tmp_path, pair):
        done = self.run(tmp_path, "missing.pem", pair[1])
        assert done.returncode == 2
        assert done.stderr == 'error: TLS_CERT_FILE: expected the path of a readable file, got "missing.pem"\n'

    def test_takes_a_chain(self, double, tmp_path):
        chain, key, authority = make_chain(tmp_path)
        with served(double, (chain, key), trusted=[authority]) as backend:
            assert backend.get("/livez").status == 200
            shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{backend.port}", "-showcerts"], text=True,
                                   stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG, check=False).stdout
        assert shown.count("BEGIN CERTIFICATE") == 2


class TestHealthcheck:
    def check(self, backend, cwd, **settings):
        return run_to_end("--healthcheck", cwd=cwd, PORT=backend.port, **{"HOST": "127.0.0.1", **settings}).returncode

    def test_speaks_tls_where_the_service_does(self, secure, pair, tmp_path):
        tls = {"TLS_CERT_FILE": pair[0], "TLS_KEY_FILE": pair[1]}
        assert self.check(secure, tmp_path, **tls) == 0
        assert self.check(secure, tmp_path, HOST="0.0.0.0", **tls) == 0
        assert self.check(secure, tmp_path, HOST="localhost", **tls) == 0
        assert self.check(secure, tmp_path) == 1

    def test_does_not_take_plain_http_for_tls(self, shared_backend, pair, tmp_path):
        assert self.check(shared_backend, tmp_path, TLS_CERT_FILE=pair[0], TLS_KEY_FILE=pair[1]) == 1


def test_tokens_and_limits_hold_in_tls_too(double, pair, tmp_path):
    (tmp_path / "tokens").write_text("token")
    gate = threading.Event()
    double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
    with served(double, pair, AUTH_TOKEN_FILE=tmp_path / "tokens", HTTP_MAX_WAITING_PER_ADDRESS=1) as backend:
        assert backend.get(TARGET).status == 401
        with backend.connect() as waiting:
            waiting.request(TARGET, headers=[("Authorization", "Bearer token")])
            double.wait_for_requests(1, window="3d")
            refused = backend.get(TARGET, headers=[("Authorization", "Bearer token")])
            assert (refused.status, json.loads(refused.text)) == (429, {"detail": "Too many requests are waiting"})
            gate.set()
            assert waiting.read().status == 200
