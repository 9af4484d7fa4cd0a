# SPDX-License-Identifier: Apache-2.0
"""Settings that change what the running service does."""
import http.server
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from backend import Backend
from opencost_double import FIXTURES

DOCUMENTS = ["/api/openapi.json", "/api/docs"]
TYPICAL = (FIXTURES / "encoded" / "oc2024-namespace_pod-1d.json").read_bytes()


class TestDocumentation:
    @pytest.mark.parametrize("path", DOCUMENTS)
    def test_is_there_by_default(self, shared_backend, path):
        assert shared_backend.get(path).status == 200

    @pytest.mark.parametrize("path", [*DOCUMENTS, "/api/docs/"])
    def test_is_gone_when_turned_off(self, double, path):
        with Backend(double, ENABLE_SWAGGER="false") as backend:
            response = backend.get(path)
            assert (response.status, response.text) == (404, '{"detail":"Not Found"}')


class TestCleanup:
    def test_drops_what_is_past_its_ttl_and_says_so(self, double):
        with Backend(double, CACHE_TTL=1, CLEANUP_INTERVAL=1, REFRESH_INTERVAL=3600) as backend:
            assert backend.get("/api/v1/cost/pods?window=3d").status == 200
            backend.wait_for_event("cache.cleanup")
            cleaned = backend.wait_for_event("background.cache_cleanup")
            assert cleaned["removed_count"] > 0
            assert backend.events("cache.cleanup", removed_count=cleaned["removed_count"])[0]["level"] == "info"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"" if self.path == "/healthz" else TYPICAL
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def private_authority(tmp_path_factory):
    """An OpenCost behind TLS whose certificate only a private authority vouches for: its URL and that authority."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", certificate
    server.shutdown()
    thread.join()
    server.server_close()


class TestPrivateAuthority:
    def test_is_trusted_when_named(self, private_authority):
        url, certificate = private_authority
        with Backend(OPENCOST_URL=url, OPENCOST_CA_FILE=certificate) as backend:
            response = backend.get("/api/v1/cost/pods?window=3d")
            assert response.status == 200
            assert '"pods":[{' in response.text

    def test_is_not_trusted_otherwise(self, private_authority):
        url, _ = private_authority
        with Backend(OPENCOST_URL=url) as backend:
            response = backend.get("/api/v1/cost/pods?window=3d")
            assert response.status == 503
            assert response.text == '{"detail":"Failed to fetch cost data from OpenCost: TLS handshake failed"}'


def test_all_descriptors_that_are_allowed_are_used(double):
    with Backend(double) as backend:
        limits = Path(f"/proc/{backend.process.pid}/limits").read_text()
        soft, hard = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3:5]
        assert soft == hard
