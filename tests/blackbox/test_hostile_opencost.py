# SPDX-License-Identifier: Apache-2.0
"""An OpenCost that lies, breaks off and attacks: the client gets a 503, the log one line that says what was wrong, and
the next good answer heals everything. What was tried, and how often, is in test_upstream_faults.py."""
import gzip
import json
import random
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend import Backend
from expected import exact, figures_of, namespaces_body
from hostility import Process, witnessed
from opencost_double import (ALLOCATION, FIXTURES, OpenCostDouble, allocation, allocations, answer, close_silently,
                             cut_chunks, dripping, endless, fixture, flood, garbage, gzipped, hang, http_case,
                             huge_length, raw, redirect, reset, truncated)
from patience import PATIENCE, wait_until

TYPICAL = "oc2024-namespace_pod-1d.json"
BODY = (FIXTURES / "encoded" / TYPICAL).read_bytes()
OK = b"HTTP/1.1 200 OK\r\n"
JSON_HEAD = OK + b"Content-Type: application/json\r\n"
SOON = 20.0 * PATIENCE  # three tries of OPENCOST_TIMEOUT, and air
LINE_LIMIT = 2000  # of the log, in characters


def target(window, view="namespaces"):
    return f"/api/v1/cost/{view}?window={window}"


def good(window):
    return namespaces_body(figures_of(TYPICAL, False), window)


def sized(body, extra=b""):
    return raw(JSON_HEAD + b"Content-Length: %d\r\n%s\r\n%s" % (len(body), extra, body))


def data(text):
    return answer(200, f'{{"code":200,"data":{text}}}')


# Each with words of which the log's line must have one.
FAULTS = {
    # No HTTP, or not the whole of it.
    "reset": (reset(), ("reset", "empty", "Recv")),
    "closed": (close_silently(), ("mpty reply", "reset", "closed")),
    "no_http": (garbage(), ("HTTP/0.9",)),
    "http_0_9": (raw(BODY), ("HTTP/0.9",)),
    "status_of_words": (raw(b"HTTP/1.1 OK\r\n\r\n" + BODY), ("HTTP", "status", "nsupported")),
    "status_0": (raw(b"HTTP/1.1 000 Nothing\r\n\r\n" + BODY), ("HTTP", "status", "answered")),
    "status_999": (raw(b"HTTP/1.1 999 What\r\n\r\n" + BODY), ("999",)),
    "status_204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), ("204",)),
    "status_206": (raw(b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/100\r\n\r\n" + BODY), ("206",)),
    "status_304": (raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), ("304",)),
    "head_cut": (raw(OK + b"Content-Ty"), ("complete", "ended", "mpty", "closed", "reset")),
    "head_with_nul": (raw(OK + b"X: a\0b\r\n\r\n" + BODY), ("ul", "header", "Nul")),
    "head_without_end": (flood(OK, b"X-Filler: y\r\n"), ("header", "large", "Too")),
    "header_without_end": (flood(OK + b"X: ", b"y"), ("header", "large", "Too")),
    "continues_without_end": (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), ("timed out", "time", "header", "large")),
    "length_negative": (raw(OK + b"Content-Length: -5\r\n\r\n" + BODY), ("ength",)),
    "length_of_words": (raw(OK + b"Content-Length: five\r\n\r\n" + BODY), ("ength",)),
    "length_too_long": (truncated(BODY, len(BODY) // 2), ("remaining", "transfer closed", "reset")),
    "coding_unknown": (raw(OK + b"Transfer-Encoding: rot13\r\n\r\n" + BODY), ("ncoding",)),
    "chunks_cut": (cut_chunks(BODY), ("chunk", "transfer closed", "reset", "remaining")),
    "chunk_size_garbage": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY), ("chunk", "hunk")),
    "chunk_size_huge": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + BODY), ("chunk", "hunk")),
    # Compression.
    "gzip_unasked_cut": (raw(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY)[:-40]), ("",)),
    "gzip_unasked_garbage": (raw(OK + b"Content-Encoding: gzip\r\n\r\n" + BODY), ("ncod", "ecompress", "gzip")),
    "compressed_unnamed": (answer(200, gzip.compress(BODY)), ("byte 0",)),
    "deflate": (raw(OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(BODY)[:-9]), ("",)),
    "coding_of_content_unknown": (raw(OK + b"Content-Encoding: zz\r\n\r\n" + BODY), ("ncod",)),
    "bomb": (gzipped(b'{"code":200,"data":[]' + b" " * (64 << 20) + b"}"), ("MiB", "larger", "exceed", "byte 0", "limit")),
    # Too much, too slow.
    "hanging": (hang, ("timed out", "time")),
    "dripping": (dripping(BODY), ("timed out", "time")),
    "silent_after_half": (raw(JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:999], then_wait=True),
                          ("timed out", "time")),
    "endless": (endless(), ("MiB", "larger", "exceed", "limit")),
    "endless_blanks": (flood(JSON_HEAD + b"\r\n", b" "), ("MiB", "larger", "exceed", "limit")),
    "endless_brackets": (flood(JSON_HEAD + b'\r\n{"data":', b"["), ("512 levels", "exceed")),
    "endless_rows": (flood(JSON_HEAD + b'\r\n{"data":[{}', b',{"a/b":{"totalCost":1}}'), ("MiB", "larger", "exceed", "limit")),
    "huge_length": (huge_length(), ("MiB", "larger", "exceed", "limit", "aximum")),
    "over_the_cap": (answer(200, b'{"data":[]' + b" " * (1 << 20) + b"}"), ("MiB", "larger", "exceed", "limit", "aximum")),
    # JSON.
    "empty": (answer(200, b""), ("empty",)),
    "html": (answer(200, "<html>secret of 10.0.0.7</html>", "text/html"), ("byte 0",)),
    "text": (answer(200, "true"), ("byte 0",)),
    "a_list": (answer(200, "[]"), ("byte 0",)),
    "no_data": (answer(200, '{"status":"success"}'), ("data",)),
    "others_data": (answer(200, '{"code":200,"items":[{"total":3}]}'), ("data",)),
    "two_data": (answer(200, '{"data":[],"data":[]}'), ("second data",)),
    "data_of_words": (data('"none"'), ("data",)),
    "code_500": (http_case("oc2026-200-with-code-500.json"), ("500",)),
    "code_of_words": (answer(200, '{"code":"200","data":[]}'), ("code",)),
    "cut": (answer(200, BODY[:-3]), ("before the answer is complete",)),
    "and_more": (answer(200, BODY + b"{}"), ("nothing behind",)),
    "deep": (data("[" * 100_000 + "]" * 100_000), ("512 levels",)),
    "deep_in_a_row": (data('[{"a/b":' + '{"x":' * 2000 + "1" + "}" * 2001 + "]"), ("512 levels",)),
    "number_beyond_double": (data('[{"a/b":{"totalCost":1e400}}]'), ("range", "number")),
    "number_beyond_ours": (data('[{"a/b":{"totalCost":1e18}}]'), ("1e18", "too large", "range", "figure")),
    "nan": (data('[{"a/b":{"totalCost":NaN}}]'), ("byte",)),
    "infinity": (data('[{"a/b":{"totalCost":-Infinity}}]'), ("byte",)),
    "leading_zero": (data('[{"a/b":{"totalCost":007}}]'), ("byte",)),
    "not_utf8": (answer(200, b'{"data":[{"\xff\xfe":{}}]}'), ("UTF-8",)),
    "overlong_utf8": (answer(200, b'{"data":[{"\xc0\xaf":{}}]}'), ("UTF-8",)),
    "lone_surrogate": (data('[{"a":"\\ud800"}]'), ("surrogate", "byte")),
    "nul_escaped": (data('[{"a\\u0000/b":{}}]'), ("NUL", "byte")),
    "nul_in_string": (answer(200, b'{"data":[{"a\0/b":{}}]}'), ("byte",)),
    "line_feed_in_string": (answer(200, b'{"data":[{"a\n{\\"event\\":\\"forged\\"}":{}}]}'), ("byte",)),
    "trailing_comma": (data('[{"a/b":{}},]'), ("byte",)),
    "comment": (data("[/* none */]"), ("byte",)),
    "single_quotes": (answer(200, "{'data':[]}"), ("byte",)),
    # Redirects.
    "redirect_to_a_file": (redirect("file:///etc/passwd"), ("redirect", "302")),
    "redirect_to_another_port": (redirect("http://127.0.0.1:9/"), ("redirect",)),
    "redirect_to_metadata": (redirect("http://169.254.169.254/latest/meta-data/"), ("redirect",)),
    "redirect_to_user_info": (redirect("http://127.0.0.1@169.254.169.254/"), ("redirect",)),
    "redirect_to_gopher": (redirect("gopher://127.0.0.1/_x"), ("redirect",)),
    "redirect_nowhere": (raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), ("302",)),
    # Errors with words of their own.
    "500": (http_case("oc2026-500-prometheus-timeout.json"), ("500",)),
    "500_of_lines": (answer(500, "a\r\n{\"event\":\"forged\"}\n\x1b[31m\0\xff" * 3000, "text/plain"), ("500",)),
    "504": (http_case("proxy-504-gateway-timeout.html"), ("504",)),
    "404": (http_case("404-unknown-path.txt"), ("404",)),
    "401": (answer(401, "who are you, 10.0.0.7?", "text/plain"), ("401",)),
}


@pytest.fixture(scope="module")
def double():
    with OpenCostDouble() as opencost:
        opencost.script(ALLOCATION, fixture(TYPICAL))
        yield opencost


good_windows = (f"{hours}h" for hours in range(25, 8784))


def assert_good_answer(backend):
    """Of a window not asked for before. It also keeps the circuit closed, which five failed queries in a row would
    open: then nothing would be asked, and so nothing tried."""
    window = next(good_windows)
    assert backend.get(target(window), deadline=SOON).text == good(window)


def in_fours(backend, pool, windows, ask):
    """ask(window) of all, four at once, with a good answer after each four. Yields window and result."""
    for at in range(0, len(windows), 4):
        four = windows[at:at + 4]
        yield from zip(four, list(pool.map(ask, four)))
        assert_good_answer(backend)


@pytest.fixture(scope="module")
def backend(double):
    """With short timeouts, a small cap, and a witness throughout."""
    with Backend(double, OPENCOST_TIMEOUT=1, OPENCOST_MAX_BODY_MB=1, OPENCOST_RETRY_WAIT_MS=1) as started:
        yield started
    for line in started.lines:
        assert line.isascii() and line.isprintable()
        assert len(line) < LINE_LIMIT
        json.loads(line)
    assert not started.events("forged")


WINDOWS = {name: f"{number}m" for number, name in enumerate(FAULTS, 1001)}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_503_and_a_line_in_the_log(double, backend, name):
    behaviour, words = FAULTS[name]
    window = WINDOWS[name]
    double.script(ALLOCATION, hang(double.closing) if behaviour is hang else behaviour, window=window)
    with witnessed(backend, [target("4d"), "/livez"]):
        response = backend.get(target(window), deadline=SOON)
    assert response.status == 503, response
    assert response.header("Retry-After")
    detail = response.json()["detail"]
    for secret in ("127.0.0.1", "10.0.0.7", "169.254", "http://", "file:", str(double.port), "forged"):
        assert secret not in detail

    failed = backend.wait_for_event("cost.fetch_failed", window=window)
    assert any(word in failed["error"] for word in words), failed
    assert len(failed["error"]) < 400
    assert "select/poll" not in failed["error"]  # says nothing of what happened
    assert len(backend.events("opencost.allocation_error", window=window)) == 1
    assert_good_answer(backend)


def test_the_next_good_answers_heal_everything(double, backend):
    """The windows of the tests above."""
    for window in WINDOWS.values():
        double.script(ALLOCATION, fixture(TYPICAL), window=window)
    for window in WINDOWS.values():
        wait_until(lambda: backend.get(target(window)).text == good(window), f"the recovery of {window}")
    assert '"healthy"' in backend.get("/api/v1/health").text


class TestCut:
    """Wherever an answer breaks off, no part of it is shown."""

    # Before, in and behind every kind of token, and every 97th byte.
    PLACES = sorted({*range(40), *range(0, len(BODY), 97), *range(len(BODY) - 40, len(BODY) - 1)})

    @staticmethod
    def framings(part):
        return {
            "length_of_the_whole": truncated(BODY, len(part)),
            "length_of_the_part": answer(200, part),
            "chunks": cut_chunks(part) if part else close_silently(),
            "until_the_end": raw(JSON_HEAD + b"\r\n" + part),
            "gzip": raw(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY)[:len(part) * 100 // len(BODY)]),
        }

    @pytest.mark.parametrize("framing", list(framings(b"x")))
    def test_anywhere(self, double, framing):
        with Backend(double, OPENCOST_RETRY_WAIT_MS=0, HTTP_MAX_WAITING=1024) as backend, ThreadPoolExecutor(16) as pool:
            windows = {place: f"{number}m" for number, place in enumerate(self.PLACES, 2001)}
            for place, window in windows.items():
                double.script(ALLOCATION, self.framings(BODY[:place])[framing], window=window)
            places = dict(zip(windows.values(), windows))
            for window, response in in_fours(backend, pool, list(places),
                                             lambda window: backend.get(target(window), deadline=SOON)):
                assert response.status == 503, (places[window], response)
                assert double.count(window=window) >= 3


class TestTolerated:
    """What is odd and no fault: read as the rules say."""

    ROW = allocation("shop", "web-0", cpuCost=1.5, ramCost=0.5)

    CASES = {
        "data_null": ("null", []),
        "data_empty": ("[]", []),
        "empty_set": ("[{}]", []),
        "null_set": ("[null]", []),
        "mixed_sets": ('[null,{},[],7,"None",true]', []),
        "object": ('{"shop/web-0":{"totalCost":1}}', [("shop", "1.0")]),
        "words_for_rows": ('[{"a/b":"None","c/d":null,"shop/web-0":{"totalCost":1}}]', [("shop", "1.0")]),
        "number_spellings": ('[{"a/1":{"totalCost":-0},"b/1":{"totalCost":-186.57},"c/1":{"totalCost":3.2e-7},'
                             '"d/1":{"totalCost":0.000000},"e/1":{"totalCost":1E2}}]',
                             [("a", "0.0"), ("b", "-186.57"), ("c", "0.00000032"), ("d", "0.0"), ("e", "100.0")]),
        "no_numbers": ('[{"a/1":{"totalCost":"5","cpuCost":[],"ramCost":{},"pvCost":true,"networkCost":null}}]', [("a", "0.0")]),
        "unknown_fields": ('[{"a/1":{"totalCost":1,"new":{"x":[1,{"y":null}]},"alsoNew":"\\u003c"}}]', [("a", "1.0")]),
        "unknown_special_name": ('[{"__new__/x":{"totalCost":1}}]', [("__new__", "1.0")]),
        "no_properties": ('[{"shop/web-0":{"cpuCost":0.25,"ramCost":0.5}}]', [("shop", "0.75")]),
        "properties_of_words": ('[{"shop/web-0":{"properties":"None","window":null,"totalCost":1}}]', [("shop", "1.0")]),
        "times_of_words": ('[{"shop/web-0":{"start":"null","end":7,"totalCost":1}}]', [("shop", "1.0")]),
        "negative_idle": ('[{"__idle__":{"totalCost":-9},"shop/web-0":{"totalCost":1}}]', [("shop", "1.0")]),
        "total_unlike_the_sum": ('[{"shop/web-0":{"cpuCost":5,"totalCost":1}}]', [("shop", "1.0")]),
        "names_of_all_sorts": ('[{"a:b/x.y":{"totalCost":1},"\\u00e9\\ud83d\\udcb0/p":{"totalCost":1},"\\"\\\\/p":{"totalCost":1}}]',
                               [("a:b", "1.0"), ("é💰", "1.0"), ('"\\', "1.0")]),
        "same_name_twice": ('[{"a/1":{"totalCost":1},"a/1":{"totalCost":2}},{"a/1":{"totalCost":4}}]', [("a", "7.0")]),
        "nul_in_an_annotation": ('[{"shop/web-0":{"properties":{"annotations":{"x":"\\u0000"}},"totalCost":1}}]', [("shop", "1.0")]),
        "white_space": (' \r\n[\t{ "a/1" :\n{ "totalCost"\t: 1 } } ]\n', [("a", "1.0")]),
    }

    @pytest.mark.parametrize("name", CASES)
    def test(self, double, backend, name):
        text, rows = self.CASES[name]
        window = f"{3001 + list(self.CASES).index(name)}m"
        double.script(ALLOCATION, data(text), window=window)
        shown = exact(backend.get(target(window)).text)
        assert [(row["name"], row["total_cost"]) for row in shown["namespaces"]] == rows
        assert double.count(window=window) == 1

    @pytest.mark.parametrize("body", ['{"code":200}', '{"code":200,"status":"success"}', '{"code":200,"warning":"none known","meta":{}}'])
    def test_no_data_at_all_in_an_envelope_of_opencosts(self, double, backend, body):
        window = f"{3900 + len(body)}m"
        double.script(ALLOCATION, answer(200, body), window=window)
        assert json.loads(backend.get(target(window)).text)["namespaces"] == []
        assert double.count(window=window) == 1

    @pytest.mark.parametrize("content_type", [None, "text/html", "application/octet-stream", "x" * 4000, "\xff"])
    def test_any_content_type(self, double, backend, content_type):
        window = f"{4001 + len(content_type or '')}m"
        double.script(ALLOCATION, answer(200, BODY, content_type), window=window)
        assert backend.get(target(window)).text == good(window)

    @pytest.mark.parametrize("behaviour", [
        raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + JSON_HEAD + b"\r\n" + BODY),
        raw(b"HTTP/1.0 200\r\n\r\n" + BODY),
        raw(b"HTTP/2 200 OK\r\n\r\n" + BODY),  # as some proxies say
        raw(b"HTTP/1.1 200 OK\n\n" + BODY),
        sized(BODY, b"X-Long: " + b"y" * 60_000 + b"\r\n"),
        sized(BODY, b"Set-Cookie: a=b\r\nConnection: close\r\nKeep-Alive: timeout=-1\r\n"),
    ], ids=["interim_answers", "http_1_0", "http_2", "line_feeds", "long_header", "odd_headers"])
    def test_any_head(self, double, backend, behaviour, request):
        window = f"{8001 + sum(request.node.name.encode())}m"
        double.script(ALLOCATION, behaviour, window=window)
        assert backend.get(target(window)).text == good(window)


def test_a_huge_number_of_rows_is_within_reason(double):
    rows = [allocation(f"ns-{number % 500}", f"pod-{number}", cpuCost=0.25) for number in range(20_000)]
    double.script(ALLOCATION, allocations(*rows), window="9d")
    with Backend(double) as backend:
        shown = backend.get(target("9d", "pods"), deadline=SOON).json()
        assert (shown["item_count"], shown["total"]) == (20_000, 5000)
        assert backend.get(target("9d")).json()["total"] == 5000


def mutilated(source):
    body = bytearray(BODY)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(body))
        body[at:at + source.choice((0, 1, 1, 5, 300))] = source.choice((b"", b'"', b"}", b"]", b",", b"{", b"[", b":", b"1", b"e", b"-", b"\\",
                                                                       b"\xff", b"\0", b"null", b'"x":', bytes(body[:200])))
    return bytes(body)


@pytest.mark.parametrize("seed", range(4))
def test_a_mutilated_answer_is_refused_or_makes_sense(double, seed):
    source = random.Random(seed)
    windows = [f"{5001 + number}m" for number in range(60)]
    for window in windows:
        double.script(ALLOCATION, answer(200, mutilated(source)), window=window)
    found = set()
    with Backend(double, OPENCOST_RETRY_WAIT_MS=0) as backend, ThreadPoolExecutor(8) as pool:
        for _, (namespaces, pods) in in_fours(backend, pool, windows, lambda window: [
                backend.get(target(window, view), deadline=SOON) for view in ("namespaces", "pods")]):
            assert namespaces.status == pods.status
            found.add(namespaces.status)
            if namespaces.status == 200:
                shown = namespaces.json()
                assert shown["total"] == sum(row["total_cost"] for row in shown["namespaces"])
                assert pods.json()["total"] == sum(row["total_cost"] for row in pods.json()["pods"])
    assert found == {200, 503}


def test_nothing_is_left_behind_by_a_hundred_faults(double):
    """Descriptors and memory after a storm are those before it, give or take a connection."""
    faults = [fault for name, (fault, _) in FAULTS.items() if fault is not hang and name not in ("dripping", "silent_after_half")
              and not name.startswith(("endless", "continues", "bomb", "head_without", "header_without", "huge", "over"))]
    with Backend(double, OPENCOST_RETRY_WAIT_MS=0, OPENCOST_TIMEOUT=2) as backend, ThreadPoolExecutor(8) as pool:
        backend.get(target("4d"))
        process = Process(backend.process.pid)
        descriptors, threads = process.descriptors(), process.threads()
        windows = [f"{6001 + number}m" for number in range(2 * len(faults))]
        for window, fault in zip(windows, faults * 2):
            double.script(ALLOCATION, fault, window=window)
        for window, response in in_fours(backend, pool, windows, lambda window: backend.get(target(window), deadline=SOON)):
            assert response.status == 503, (window, response)
        wait_until(lambda: process.descriptors() <= descriptors + 2, "the descriptors' return")
        assert process.threads() <= threads + 4  # the loop's pool, at most
