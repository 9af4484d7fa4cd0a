# SPDX-License-Identifier: Apache-2.0
"""What caches and people are told about an answer: age, validators, encodings, where it came from."""
import gzip
import re
import threading

import pytest

from backend import Backend
from opencost_double import ALLOCATION, FIXTURES, after, allocation, allocations, answer, fixture
from patience import wait_until

TARGET = "/api/v1/cost/pods?window=3d"
GZIP = [("Accept-Encoding", "gzip")]
BIG = allocations(*[allocation("shop", f"web-{number}", cpuCost=number) for number in range(100)])
SMALL = answer(200, '{"code":200,"data":[]}')
TYPICAL = fixture("oc2024-namespace_pod-1d.json")


@pytest.fixture
def big(double, backend):
    """A backend whose TARGET is well above the size from which bodies are compressed."""
    double.script(ALLOCATION, BIG, window="3d")
    return backend


def older_than(seconds, response):
    return response if int(response.header("Age")) >= seconds else None


class TestFreshness:
    def test_of_a_first_and_a_second_answer(self, backend):
        first, second = backend.get(TARGET), backend.get(TARGET)
        assert first.header("Cache-Status") == "kubecent; fwd=uri-miss; stored"
        assert re.fullmatch(r"kubecent; hit; ttl=\d+", second.header("Cache-Status"))
        assert (first.header("X-Cache"), second.header("X-Cache")) == ("MISS", "HIT")
        for response in (first, second):
            assert response.header("Cache-Control") == "max-age=300"
            assert int(response.header("Age")) >= 0
            assert response.header("Content-Type") == "application/json"
            assert int(response.header("Content-Length")) == len(response.body)
            assert "accept-encoding" in response.words("Vary")

    def test_age_and_ttl_make_up_the_lifetime(self, backend):
        backend.get(TARGET)
        response = backend.get(TARGET)
        ttl = int(response.header("Cache-Status").rpartition("=")[2])
        assert 299 <= int(response.header("Age")) + ttl <= 300

    def test_age_grows(self, backend):
        backend.get(TARGET)
        wait_until(lambda: int(backend.get(TARGET).header("Age")) >= 1, "an age of a second")

    def test_the_lifetime_follows_the_setting(self, double):
        with Backend(double, CACHE_TTL=77) as backend:
            assert backend.get(TARGET).header("Cache-Control") == "max-age=77"

    def test_who_waits_for_anothers_fetch_is_told_so(self, double, backend):
        gate = threading.Event()
        double.script(ALLOCATION, after(gate, TYPICAL), window="3d")
        with backend.connect() as first, backend.connect() as second:
            first.request(TARGET)
            double.wait_for_requests(1, window="3d")
            second.request(TARGET)
            backend.get("/livez")
            gate.set()
            statuses = [connection.read().header("Cache-Status") for connection in (first, second)]
        assert statuses[0] == "kubecent; fwd=uri-miss; stored"
        assert statuses[1].startswith("kubecent; fwd=uri-miss; ") or statuses[1].startswith("kubecent; hit; ")

    def test_an_expired_answer_is_fetched_anew(self, double):
        with Backend(double, CACHE_TTL=1) as backend:
            backend.get(TARGET)
            wait_until(lambda: backend.get(TARGET).header("X-Cache") == "MISS", "the entry's expiry")
            assert double.count(window="3d") == 2

    def test_without_the_setting_nothing_stale_is_served(self, double):
        double.script(ALLOCATION, TYPICAL, answer(500), window="3d")
        with Backend(double, CACHE_TTL=1) as backend:
            assert backend.get(TARGET).status == 200
            wait_until(lambda: backend.get(TARGET).status == 503, "the entry's expiry")

    def test_a_stale_answer_is_served_when_allowed_and_says_so(self, double):
        double.script(ALLOCATION, TYPICAL, answer(500), window="3d")
        with Backend(double, CACHE_TTL=1, CACHE_STALE_IF_ERROR=600) as backend:
            fresh = backend.get(TARGET)
            stale = wait_until(lambda: older_than(2, backend.get(TARGET)), "an answer past its lifetime")
        assert stale.status == 200
        assert stale.body == fresh.body
        assert stale.header("X-Cache") == "STALE"
        assert re.fullmatch(r"kubecent; hit; ttl=-[1-9]\d*; detail=origin-unavailable", stale.header("Cache-Status"))

    def test_what_is_stale_is_fetched_when_opencost_is_back(self, double):
        double.script(ALLOCATION, TYPICAL, answer(500), answer(500), answer(500), BIG, window="3d")
        with Backend(double, CACHE_TTL=1, CACHE_STALE_IF_ERROR=600) as backend:
            first = backend.get(TARGET)
            wait_until(lambda: backend.get(TARGET).body != first.body, "new figures")
            assert len(backend.get(TARGET).json()["pods"]) == 100


class TestValidators:
    def test_etags_are_strong_and_stable(self, backend):
        tags = {backend.get(TARGET).header("ETag") for _ in range(3)}
        assert len(tags) == 1
        assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tags.pop())

    def test_each_encoding_has_its_own(self, big):
        assert big.get(TARGET).header("ETag") != big.get(TARGET, headers=GZIP).header("ETag")

    def test_different_answers_differ(self, backend):
        assert backend.get(TARGET).header("ETag") != backend.get(f"{TARGET}&namespace=shop").header("ETag")

    @pytest.mark.parametrize("template", ["{0}", "W/{0}", '"other", {0}', '{0}, "other"', '"a","b",W/{0}', "*", ' "x" ,{0} '])
    def test_a_known_answer_is_not_sent_again(self, backend, template):
        full = backend.get(TARGET)
        tag = full.header("ETag")
        response = backend.get(TARGET, headers=[("If-None-Match", template.format(tag))])
        assert response.status == 304
        assert response.body == b""
        assert response.header("ETag") == tag
        assert response.header("Cache-Control") == full.header("Cache-Control")
        assert response.words("Vary") == full.words("Vary")
        assert int(response.header("Age")) >= 0

    @pytest.mark.parametrize("value", ['"other"', 'W/"other"', '""', "", "nonsense", '"other', "**"])
    def test_an_unknown_one_is(self, backend, value):
        backend.get(TARGET)
        assert backend.get(TARGET, headers=[("If-None-Match", value)]).status == 200

    def test_a_tag_of_the_other_encoding_is_no_match(self, big):
        tag = big.get(TARGET).header("ETag")
        assert big.get(TARGET, headers=[*GZIP, ("If-None-Match", tag)]).status == 200

    def test_head_is_answered_conditionally_too(self, backend):
        tag = backend.get(TARGET).header("ETag")
        with backend.connect() as connection:
            connection.request(TARGET, "HEAD", [("If-None-Match", tag)])
            assert connection.read("HEAD").status == 304

    def test_after_a_304_the_connection_goes_on(self, backend):
        tag = backend.get(TARGET).header("ETag")
        with backend.connect() as connection:
            for _ in range(3):
                connection.request(TARGET, headers=[("If-None-Match", tag)])
                assert connection.read().status == 304
            connection.request(TARGET)
            assert connection.read().status == 200

    def test_a_miss_may_end_in_304_as_well(self, double, backend):
        tag = backend.get(f"{TARGET}&detail=false").header("ETag")
        assert backend.get("/api/v1/cost/pods?window=72h", headers=[("If-None-Match", tag)]).status == 200
        assert backend.get("/api/v1/cost/pods?window=4d", headers=[("If-None-Match", "*")]).status == 304


class TestEncodings:
    @pytest.mark.parametrize("accepted", ["gzip", "GZIP", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*",
                                          "gzip;q=0.001, identity;q=0", "x-gzip"])
    def test_gzip_where_it_is_wanted(self, big, accepted):
        plain = big.get(TARGET)
        packed = big.get(TARGET, headers=[("Accept-Encoding", accepted)])
        assert packed.header("Content-Encoding") == "gzip"
        assert len(packed.body) < len(plain.body)
        assert gzip.decompress(packed.body) == plain.body
        assert packed.header("Content-Type") == "application/json"
        assert "accept-encoding" in packed.words("Vary")

    @pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "identity, gzip;q=0.5",
                                          "gzipped"])
    def test_plain_where_it_is_not(self, big, accepted):
        headers = [] if accepted is None else [("Accept-Encoding", accepted)]
        response = big.get(TARGET, headers=headers)
        assert response.status == 200
        assert response.header("Content-Encoding") is None
        assert len(response.json()["pods"]) == 100
        assert "accept-encoding" in response.words("Vary")

    def test_small_bodies_stay_plain(self, double, backend):
        double.script(ALLOCATION, SMALL, window="3d")
        response = backend.get(TARGET, headers=GZIP)
        assert response.header("Content-Encoding") is None

    def test_head_has_the_headers_of_the_compressed_answer(self, big):
        get = big.get(TARGET, headers=GZIP)
        with big.connect() as connection:
            connection.request(TARGET, "HEAD", GZIP)
            head = connection.read("HEAD")
        for name in ("Content-Length", "Content-Encoding", "ETag", "Vary", "Cache-Control"):
            assert head.header(name) == get.header(name)


class TestUncached:
    @pytest.mark.parametrize("target, status", [
        ("/api/v1/health", 200), ("/livez", 200), ("/readyz", 200), ("/health", 200), ("/metrics", 200), ("/nope", 404),
        ("/api/v1/cost/pods?idle=2", 422), ("/api/v1/cost/pods?window=13h", 503)])
    def test_must_not_be_stored(self, double, backend, target, status):
        double.script(ALLOCATION, answer(500), window="13h")
        response = backend.get(target)
        assert response.status == status
        assert response.header("Cache-Control") == "no-store"
        for name in ("Age", "X-Cache", "Cache-Status"):
            assert response.header(name) is None

    def test_probes_and_errors_are_never_304(self, shared_backend):
        for target, status in (("/livez", 200), ("/api/v1/health", 200), ("/nope", 404)):
            assert shared_backend.get(target, headers=[("If-None-Match", "*")]).status == status


class TestRequestId:
    @pytest.mark.parametrize("target", [TARGET, "/api/v1/health", "/livez", "/nope", "/api/v1/cost/pods?idle=2"])
    @pytest.mark.parametrize("name", ["abc", "0af7651916cd43dd8448eb211c80319c", "A-b_c.9", "x" * 128])
    def test_a_valid_one_is_echoed(self, shared_backend, target, name):
        for _ in range(2):
            assert shared_backend.get(target, headers=[("X-Request-ID", name)]).header("X-Request-ID") == name

    @pytest.mark.parametrize("name", ["", "x" * 129, "a b", "a\tb", '"quoted"', "<script>", "é", "a;b\\"])
    def test_an_invalid_one_is_not(self, shared_backend, name):
        assert shared_backend.get(TARGET, headers=[("X-Request-ID", name)]).header("X-Request-ID") is None

    def test_without_one_there_is_none(self, shared_backend):
        assert shared_backend.get(TARGET).header("X-Request-ID") is None

    def test_one_clients_never_reaches_another(self, shared_backend):
        for name in ("first", "second", None, "third"):
            headers = [("X-Request-ID", name)] if name else []
            assert shared_backend.get(TARGET, headers=headers).header("X-Request-ID") == name


def test_the_documented_size_for_compression_is_a_kibibyte(double, backend):
    body = (FIXTURES / "expected" / "oc2024-namespace_pod-1d.json").read_bytes()
    assert len(body) > 1024
    plain = backend.get("/api/v1/cost/namespaces?window=3d&detail=true")
    packed = backend.get("/api/v1/cost/namespaces?window=3d&detail=true", headers=GZIP)
    assert len(plain.body) >= 1024
    assert packed.header("Content-Encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
