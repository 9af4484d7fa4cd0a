# SPDX-License-Identifier: Apache-2.0
"""Whatever arrives on the listening port: it gets the contract's answer or a closed connection, soon, and a client
who behaves notices nothing."""
import random
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend import Backend
from hostility import CACHED, FAREWELL, Process, converse, converse_and_leave, statuses, witnessed
from patience import PATIENCE, wait_until

SOON = 5.0 * PATIENCE
TARGET = b"/api/v1/cost/namespaces?window=3d"
HOST = b"Host: x\r\n"
GET = b"GET " + TARGET + b" HTTP/1.1\r\n" + HOST
END = b"\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"  # would be answered 404


def get(target, version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + HOST + END


@pytest.fixture(scope="module")
def backend(shared_double):
    with Backend(shared_double) as started:
        yield started
    for line in started.lines:
        assert line.isascii() and line.isprintable()
    assert started.events("http.request")


@pytest.fixture(scope="module")
def impatient(shared_double):
    """A backend that waits a second only for requests that come no further."""
    with Backend(shared_double, HTTP_IDLE_TIMEOUT=1) as started:
        yield started


# Answered with one of the statuses, or by closing; nothing behind it is answered.
REFUSED = {
    # The request line.
    "no_target": b"GET\r\n\r\n",
    "no_version": b"GET /livez\r\n\r\n",
    "two_targets": b"GET /livez /readyz HTTP/1.1\r\n" + HOST + END,
    "version_9": get(b"/livez", b"HTTP/9.9"),
    "version_2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version_of_words": get(b"/livez", b"HTTP/one"),
    "lower_case_version": get(b"/livez", b"http/1.1"),
    "tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
    "all_bytes": bytes(range(256)) * 4 + b"\r\n\r\n",
    "method_of_512_kb": b"G" * 524_288 + b" / HTTP/1.1\r\n\r\n",
    "line_of_512_kb": get(b"/" + b"x" * 524_288),
    "query_of_512_kb": get(b"/livez?" + b"x" * 524_288),
    "100000_parameters": get(b"/livez?" + b"a=1&" * 100_000),
    "method_no_token": b"G<T /livez HTTP/1.1\r\n" + HOST + END,
    "relative_target": get(b"livez"),
    "authority_target": b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + END,
    "file_target": get(b"file:///etc/passwd"),
    "absolute_without_host": get(b"http:///livez"),
    # Bytes that are no text.
    "nul_escaped_in_path": get(b"/livez%00"),
    "nul_escaped_in_query": get(TARGET + b"%00"),
    "nul_in_path": get(b"/livez\0"),
    "nul_in_query": get(TARGET + b"\0"),
    "nul_before_version": b"GET /livez \0HTTP/1.1\r\n" + HOST + END,
    "response_splitting": get(b"/livez/%0d%0aSet-Cookie:%20a=b"),
    "response_splitting_in_query": get(b"/livez?x=%0d%0a%0d%0aHTTP/1.1%20200%20OK"),
    "escape_character": get(b"/%1b[31m"),
    "delete": get(b"/%7f"),
    "tab_in_target": get(b"/livez\t"),
    # The headers.
    "no_host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two_hosts": b"GET /livez HTTP/1.1\r\n" + HOST + HOST + END,
    "header_of_512_kb": GET + b"X: " + b"y" * 524_288 + b"\r\n" + END,
    "name_of_512_kb": GET + b"X" * 524_288 + b": y\r\n" + END,
    "50000_headers": GET + b"X: y\r\n" * 50_000 + END,
    "header_without_colon": GET + b"Header\r\n" + END,
    "blank_before_colon": GET + b"X : y\r\n" + END,
    "blank_before_colon_of_length": GET + b"Content-Length : 5\r\n" + END + b"hello",
    "folded_first": b"GET /livez HTTP/1.1\r\n X: y\r\n" + HOST + END,
    "header_without_name": GET + b": y\r\n" + END,
    "nul_in_header": GET + b"X: a\0b\r\n" + END,
    "nul_behind_header": GET + b"X: a\0\r\n" + END,
    "nul_behind_version": b"GET /livez HTTP/1.1\0\r\n" + HOST + END,
    "nul_in_length": GET + b"Content-Length: 0\0 5\r\n" + END,
    "nul_in_coding": GET + b"Transfer-Encoding: chunked\0x\r\n" + END + b"0\r\n\r\n",
    "name_no_token": GET + b"X(y): z\r\n" + END,
    "carriage_return_in_what_is_sent_back": GET + b"Cookie: a\r\nOrigin: https://a\rSet-Cookie: b=c\r\n" + END,
    "carriage_return_in_value": GET + b"X: y\rContent-Length: 5\r\n" + END,
    # The framing.
    "length_and_coding": GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
    "coding_and_length": GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + END + b"0\r\n\r\n",
    "two_lengths": GET + b"Content-Length: 0\r\nContent-Length: 36\r\n" + END,
    "two_equal_lengths": GET + b"Content-Length: 0\r\nContent-Length: 0\r\n" + END,
    "length_list": GET + b"Content-Length: 0, 0\r\n" + END,
    "length_signed": GET + b"Content-Length: +0\r\n" + END,
    "length_negative": GET + b"Content-Length: -1\r\n" + END,
    "length_hexadecimal": GET + b"Content-Length: 0x10\r\n" + END,
    "length_beyond_64_bits": GET + b"Content-Length: 18446744073709551617\r\n" + END,
    "length_empty": GET + b"Content-Length:\r\n" + END,
    "coding_gzip": GET + b"Transfer-Encoding: gzip\r\n" + END,
    "coding_list": GET + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n",
    "coding_twice": GET + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + END + b"0\r\n\r\n",
    "coding_with_vertical_tab": GET + b"Transfer-Encoding: \x0bchunked\r\n" + END + b"0\r\n\r\n",
    "coding_quoted": GET + b'Transfer-Encoding: "chunked"\r\n' + END + b"0\r\n\r\n",
    "coding_in_1_0": b"GET /livez HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "body_of_1_gb": GET + b"Content-Length: 1073741824\r\n" + END,
    "chunk_size_garbage": GET + b"Transfer-Encoding: chunked\r\n" + END + b"xyz\r\nhello\r\n0\r\n\r\n",
    "chunk_size_negative": GET + b"Transfer-Encoding: chunked\r\n" + END + b"-1\r\nhello\r\n0\r\n\r\n",
    "chunk_size_beyond_64_bits": GET + b"Transfer-Encoding: chunked\r\n" + END + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk_longer_than_it_says": GET + b"Transfer-Encoding: chunked\r\n" + END + b"2\r\nhello\r\n0\r\n\r\n",
    "chunk_size_empty": GET + b"Transfer-Encoding: chunked\r\n" + END + b"\r\n\r\n",
}

REFUSALS = (400, 405, 413, 414, 431, 505)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_and_the_connection_closed(backend, name):
    with witnessed(backend):
        received = converse(backend.port, REFUSED[name] + NEXT, deadline=SOON)
    assert all(status in REFUSALS for status in statuses(received)), received[:500]
    assert b"Not Found" not in received


class TestUnusual:
    """Accepted as any request, though browsers send no such thing."""

    CASES = {
        "absolute_form": (get(b"http://elsewhere.example/livez"), [200]),
        "absolute_form_of_another_scheme": (get(b"HTTPS://elsewhere.example:1/livez?x"), [200]),
        "line_feeds_alone": (b"GET /livez HTTP/1.1\nHost: x\n\n", [200]),
        "empty_lines_before": (b"\r\n\r\n" + get(b"/livez"), [200]),
        "empty_host": (b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", [200]),
        "hostile_host": (b"GET /livez HTTP/1.1\r\nHost: \"><script>\r\n\r\n", [200]),
        "body_on_get": (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", [200]),
        "chunked_body_on_get": (b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                b"5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", [200]),
        "request_as_body": (b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT, [405]),
        "folded_header": (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", [200, 400]),
        "lower_case_method": (b"get /livez HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        "method_with_nul": (b"G\0T /livez HTTP/1.1\r\n" + HOST + END, [400, 405]),
        "long_method": (b"G" * 500 + b" /livez HTTP/1.1\r\nHost: x\r\n\r\n", [405]),
        "dot_segments": (get(b"/api/v1/../../livez"), [404]),
        "dot_segments_escaped": (get(b"/api/v1/%2e%2e/%2e%2e/livez"), [404]),
        "slash_escaped": (get(b"/api%2fv1%2fhealth"), [200, 404]),
        "double_slash": (get(b"//livez"), [404]),
        "backslash": (get(b"/..\\..\\livez"), [404]),
        "half_escape": (get(b"/livez%"), [404]),
        "double_escape": (get(b"/livez%2500"), [404]),
        "broken_utf8_in_path": (get(b"/\xff\xfe%c0%af"), [404]),
        "broken_utf8_in_query": (get(b"/api/v1/cost/pods?window=3d&namespace=%ff%c0%80\xed\xa0\x80"), [200]),
        "question_marks": (get(b"/livez???=?&&&=&?"), [200]),
        "1000_parameters": (get(b"/livez?" + b"&".join(b"a%d" % number for number in range(1000))), [200]),
        "high_bytes_in_header": (GET + b"X: \xff\xfe\x80\r\n" + END, [200]),
        "100_continue": (b"POST /livez HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
                         b"hi", [100, 405]),
        "upgrade": (b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", [200]),
        "range": (GET + b"Range: bytes=0-1,-1,5-3,0-" + b"9" * 1000 + b"\r\n" + END, [200]),
        "forged_request_id": (GET + b'X-Request-ID: a"}\\n{"event": "forged"\r\n' + END, [200]),
        "origin_of_7_kb": (GET + b"Origin: " + b"o" * 7000 + b"\r\nCookie: a=b\r\n" + END, [200]),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_gets_its_one_answer(self, backend, name):
        data, expected = self.CASES[name]
        with witnessed(backend):
            found = statuses(received := converse(backend.port, data + FAREWELL, deadline=SOON))
        if 400 not in found:
            assert found.pop() == 200  # the farewell's
        assert found and all(status in expected for status in found), received[:500]
        assert len([status for status in found if status != 100]) == 1

    def test_nothing_of_it_is_believed_in_the_log(self, backend):
        converse_and_leave(backend.port, self.CASES["forged_request_id"][0], deadline=SOON)
        converse_and_leave(backend.port, get(b'/"}\\x1b\xff{"event":"forged"}'), deadline=SOON)
        wait_until(lambda: any('"event"' in event["path"] for event in backend.events("http.request")), "the log line")
        assert not backend.events("forged")

    def test_an_answer_never_repeats_what_was_sent_as_markup(self, backend):
        for target in (b"/<script>alert(1)</script>", b"/livez/?<script>", TARGET + b"&window=<script>", b"/%3Cscript%3E/"):
            received = converse_and_leave(backend.port, get(target), deadline=SOON)
            head, _, body = received.partition(b"\r\n\r\n")
            assert b"text/html" not in head
            assert b"<script" not in body or b"application/json" in head


class TestPipelines:
    def test_are_answered_in_order_and_whole(self, backend):
        expected = [200, 404, 422, 405, 200] * 40
        data = (get(TARGET) + get(b"/nope") + get(b"/api/v1/cost/pods?idle=2")
                + b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + get(b"/livez")) * 40
        with witnessed(backend):
            assert statuses(converse_and_leave(backend.port, data, deadline=SOON)) == expected

    def test_end_at_the_first_refusal(self, backend):
        data = get(b"/livez") * 3 + get(b"/livez%00") + get(b"/livez") * 3
        assert statuses(converse(backend.port, data, deadline=SOON)) == [200, 200, 200, 400]

    def test_of_1000_requests_by_a_client_that_does_not_read_block_nobody(self, backend):
        with witnessed(backend), backend.connect() as deaf:
            deaf.socket.setblocking(False)
            sent = 0
            try:
                while sent < 64 << 20:
                    sent += deaf.socket.send(get(b"/api/docs") * 100)
            except BlockingIOError:
                pass  # The server has stopped reading, as it must.
            assert sent < 64 << 20


CUT = (b"POST " + TARGET + b" HTTP/1.1\r\nHost: x\r\nX-Request-ID: cut\r\nTransfer-Encoding: chunked\r\n\r\n"
       b"5\r\nhello\r\n0\r\n\r\n")


class TestHalfSent:
    """A request cut off anywhere, after which the client leaves or falls silent."""

    def test_and_left_by_closing(self, impatient):
        before = Process(impatient.process.pid).descriptors()
        with witnessed(impatient):
            for length in range(len(CUT)):
                with impatient.connect() as connection:
                    connection.send(CUT[:length])
            wait_until(lambda: Process(impatient.process.pid).descriptors() <= before + 1, "the connections' end")

    def test_and_left_by_a_reset(self, impatient):
        before = Process(impatient.process.pid).descriptors()
        with witnessed(impatient):
            for length in range(len(CUT) + 1):
                with impatient.connect() as connection:
                    connection.send(CUT[:length])
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wait_until(lambda: Process(impatient.process.pid).descriptors() <= before + 1, "the connections' end")

    @pytest.mark.parametrize("half_close", [False, True])
    def test_and_nothing_more(self, impatient, half_close):
        with witnessed(impatient), ThreadPoolExecutor(32) as pool:
            conversations = [pool.submit(converse, impatient.port, CUT[:length], half_close=half_close, deadline=SOON)
                             for length in range(len(CUT))]
            for length, conversation in enumerate(conversations):
                assert statuses(conversation.result()) in ([], [400]), (length, conversation.result())


FRAGMENTS = [b"GET ", b"HEAD ", b"OPTIONS ", b"POST ", TARGET, b"/livez", b"/", b"*", b"http://x", b"?", b"&", b"=", b"%", b"%00",
             b"%2f", b"+", b" ", b"\t", b"\0", b"\xff", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b": ",
             b"Host: x", b"Content-Length: ", b"Transfer-Encoding: ", b"chunked", b"gzip", b"0", b"5", b"-1",
             b"99999999999999999999", b"hello", b"Connection: close", b"Connection: keep-alive", b"Expect: 100-continue",
             b"Accept-Encoding: gzip;q=0.5,*;q=0", b"If-None-Match: ", b'W/"x"', b"*", b",", b'"', b"Origin: http://o",
             b"Access-Control-Request-Method: GET", b"Cookie: a", b"X-Request-ID: r", b"window=", b"limit=51", b"idle=\xc3", b"x" * 5000]


POSSIBLE = {100, 200, 204, 304, 307, 400, 404, 405, 413, 414, 422, 431, 501, 505}


def mutilated(random_source, request):
    """The request with a few pieces inserted, deleted, repeated or replaced."""
    data = bytearray(request)
    for _ in range(random_source.randint(1, 4)):
        at = random_source.randint(0, len(data))
        length = random_source.choice((0, 0, 1, 2, 10))
        data[at:at + length] = random_source.choice(FRAGMENTS) if random_source.random() < 0.8 else data[at:at + length] * 2
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_mutilated_requests_end_soon(impatient, seed):
    source = random.Random(seed)
    whole = [get(TARGET), CUT, get(b"/livez") * 3, TestUnusual.CASES["chunked_body_on_get"][0],
             GET + b"Accept-Encoding: gzip\r\nIf-None-Match: W/\"a\", \"b\"\r\nOrigin: http://o\r\n" + END]
    attacks = [(mutilated(source, source.choice(whole)), source.choice((None, None, 1, 13))) for _ in range(200)]
    with witnessed(impatient), ThreadPoolExecutor(32) as pool:
        conversations = [(data, pool.submit(converse, impatient.port, data, pieces=pieces, deadline=SOON))
                         for data, pieces in attacks]
        for data, conversation in conversations:
            received = conversation.result()
            assert b"witness" not in received
            assert set(statuses(received)) <= POSSIBLE, (data, received)


def test_the_witness_would_notice(backend):
    """A witness that could not fail would prove nothing."""
    with pytest.raises(AssertionError, match="the witness"):
        with witnessed(backend) as witness:
            witness.expected[CACHED[0]] = b"something else"
