#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: hits beside bare libmicrohttpd and nginx, reading and fetching beside jansson, start and idle.

    bench.py BUILD_DIR [--rounds N] [--seconds S] [--only hits,latency,pods,life,growth] [--write docs/performance.md]

Every comparison is interleaved: each round runs all peers in turn, and what is printed is the median over the rounds and
the median of the rounds' ratios, so a machine that changes its speed meanwhile changes all of them alike. Behind a ratio
stands its bar, and "no" where it is not met. With --write the tables also replace those of the same titles in a document.
"""
import argparse
import gzip
import os
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack

import measure as m

OUR_POOL = 17 * 1024 + 272  # CONNECTION_MEMORY_BYTES of rooms.c
SMALL, LARGE = "/api/v1/cost/namespaces?window=7d", "/api/v1/cost/pods?window=7d"


def nginx(folder, files, upstream, large):
    """nginx with one worker: the files at /static/, and the same service behind a proxy cache at all other paths.

    As it is fastest: holding back what does not fill a packet spares the cache a system call for a small body, and makes it
    wait, with its CPU idle, in the midst of a large one.
    """
    port = m.free_port()
    os.chmod(folder, 0o755)  # the worker is another user
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w", encoding="ascii") as out:
        out.write(f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; keepalive_requests 100000000; types {{ application/json json; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; proxy_cache_path {folder}/cache keys_zone=z:1m;
  server {{ listen 127.0.0.1:{port};
    location /static/ {{ alias {files}/; tcp_nopush on; }}
    location / {{ tcp_nopush {'off' if large else 'on'};
      proxy_pass {upstream}; proxy_cache z; proxy_cache_valid 200 10m; proxy_ignore_headers Cache-Control Vary; }} }} }}
""")
    return m.Server(["nginx", "-c", conf, "-p", folder], port)


def ratio(ours, peers):
    return m.median(a / b for a, b in zip(ours, peers))


def run_rounds(rounds, runs):
    """Each run once a round; a list of results for each name. Every other round goes backwards, and another one begins, so that
    none gains by its place or by who comes before it."""
    results, names = {name: [] for name in runs}, list(runs)
    for turn in range(rounds):
        first = turn // 2 % len(names)
        for name in (names[first:] + names[:first])[::-1 if turn % 2 else 1]:
            results[name].append(runs[name]())
    return results


def bare(build, body, sent, memory=4096, cpu=m.SERVER_CPU):
    """libmicrohttpd alone, sending the same bytes: the body in that file, under the headers that we sent with it."""
    own = ("Date", "Content-Length", "Connection")  # it adds them itself
    port = m.free_port()
    headers = [part for name, value in sent.items() if name not in own for part in (name, value)]
    return m.Server([os.path.join(build, "bare_server"), port, body, memory, *headers], port, cpu=cpu)


# What is compared with what in the hits, and the bars for both ratios: small body, large body; None: no bar.
COMPARISONS = (
    ("ours", "bare", (">= 0.95", ">= 0.95"), ("<= 1.10", "<= 1.10")),
    ("ours", "bare, our pool", (None, None), (None, None)),
    ("logging", "bare", (">= 0.85", ">= 0.85"), ("<= 1.25", "<= 1.25")),
    ("ours", "nginx static", (">= 1.15", ">= 1.00"), (None, None)),
    ("ours", "nginx proxy_cache", (">= 1.50", ">= 1.00"), (None, None)),
    ("gzip", "ours", (None, ">= 1.00"), (None, None)),
    ("closing", "bare closing", (">= 0.95", ">= 0.95"), (None, None)),
)


def judged(value, bar, digits=2):
    figure = f"{value:,.{digits}f}"
    if bar is None:
        return figure
    met = value >= float(bar[3:]) if bar.startswith(">") else value <= float(bar[3:])
    return f"{figure} ({bar}{'' if met else ': no'})"


def compare(body, which, rate, cpu):
    for name, peer, rate_bars, cpu_bars in COMPARISONS:
        if peer in rate:
            yield (f"{body:,} B", name, peer, f"{m.median(rate[name]):,.0f}", f"{m.median(rate[peer]):,.0f}",
                   judged(ratio(rate[name], rate[peer]), rate_bars[which]), f"{m.median(cpu[name]):.1f}", f"{m.median(cpu[peer]):.1f}",
                   judged(ratio(cpu[name], cpu[peer]), cpu_bars[which]))


def hitting(server, path, *headers, body, seconds):
    """A run against a peer that is known to send that body."""
    sent = m.fetch(server.url(path), dict(header.split(": ") for header in headers))
    if (gzip.decompress(sent) if "Accept-Encoding: gzip" in headers else sent) != body:
        raise RuntimeError(f"{server.url(path)} sends another body")
    return lambda: m.wrk(server, path, seconds, headers=headers, least=len(sent))


def hits(build, folder, rounds, seconds):
    binary, rows = os.path.join(build, "kubecent-backend"), []
    with m.Origin(m.answer(folder, 500)) as origin, open(os.path.join(folder, "log"), "wb") as log, ExitStack() as stack:
        quiet = stack.enter_context(m.Server(*m.backend(binary, origin.url)))
        logging = stack.enter_context(m.Server(*m.backend(binary, origin.url, ACCESS_LOG="true"), stdout=log))
        m.wait_ready(quiet)
        m.wait_ready(logging)
        for which, path in enumerate((SMALL, LARGE)):
            body_file, body, sent = m.save_answer(quiet, path, folder)
            with bare(build, body_file, sent) as plain, bare(build, body_file, sent, OUR_POOL) as pooled, ExitStack() as front:
                # server, path and headers of each
                peers = {
                    "ours": (quiet, path), "bare": (plain, path), "bare, our pool": (pooled, path), "logging": (logging, path),
                    "gzip": (quiet, path, "Accept-Encoding: gzip"),
                    "closing": (quiet, path, "Connection: close"), "bare closing": (plain, path, "Connection: close"),
                }
                if m.have("nginx"):
                    server = front.enter_context(nginx(tempfile.mkdtemp(dir=folder), folder, quiet.url(""), path == LARGE))
                    peers |= {"nginx static": (server, f"/static/{os.path.basename(body_file)}"), "nginx proxy_cache": (server, path)}
                got = run_rounds(rounds, {name: hitting(*peer, body=body, seconds=seconds) for name, peer in peers.items()})
            rate = {name: [r for r, _ in values] for name, values in got.items()}
            cpu = {name: [c for _, c in values] for name, values in got.items()}
            rows += compare(len(body), which, rate, cpu)
            got = run_rounds(rounds, {"200": lambda p=path: m.one_by_one(quiet, p), "304": lambda p=path: m.one_by_one(quiet, p, "*")})
            rows.append((f"{len(body):,} B", "304, one connection", "200, one connection", "", "", "", f"{m.median(got['304']):.1f}",
                         f"{m.median(got['200']):.1f}", f"{ratio(got['304'], got['200']):.2f}"))
    m.table("Hits, 64 connections", ("body", "this", "beside", "this req/s", "its req/s", "ratio", "this CPU us/req",
                                     "its CPU us/req", "ratio"), rows)


def latency(build, folder, rounds, seconds):
    binary, rows = os.path.join(build, "kubecent-backend"), []
    with m.Origin(m.answer(folder, 500)) as origin, m.Server(*m.backend(binary, origin.url)) as ours:
        m.wait_ready(ours)
        body_file, _, sent = m.save_answer(ours, SMALL, folder)
        with bare(build, body_file, sent) as plain:
            got = run_rounds(rounds, {
                "ours": lambda: m.h2load_latencies(ours, SMALL, 4000, seconds, folder),
                "bare": lambda: m.h2load_latencies(plain, SMALL, 4000, seconds, folder),
            })
    for percent, bar in ((50, "<= 1.10"), (99, "<= 1.50")):
        a = [m.percentile(values, percent) for values in got["ours"]]
        b = [m.percentile(values, percent) for values in got["bare"]]
        rows.append((f"p{percent} at 4,000/s", "bare libmicrohttpd", f"{m.median(a):.0f}", f"{m.median(b):.0f}", judged(ratio(a, b), bar)))
    rows += during_refresh(build, folder, rounds, seconds, m.answer(folder, 50_000))
    m.table("Latency of hits, us", ("what", "beside", "this", "peer", "ratio"), rows)


WINDOWS = "7d,6d,5d,4d,3d,2d"  # each rests four times as long as its refresh took, so that one or two are always under way


def during_refresh(build, folder, rounds, seconds, large):
    """p99 of hits while 50,000 pods are refreshed, in one window every second or in six one after the other, and while nothing is.
    Both CPUs are the servers', so bare libmicrohttpd, in a process of its own, shows what of that is only want of CPUs."""
    path, log = "/api/v1/cost/pods?window=7d&namespace=namespace-00001", os.path.join(folder, "refreshes.log")
    calm, paced, within, busy, beside = [], [], [], [], []
    with m.Origin(large) as origin:
        def backend(interval, windows, stdout=subprocess.DEVNULL):
            return m.Server(*m.backend(os.path.join(build, "kubecent-backend"), origin.url, REFRESH_INTERVAL=interval,
                                       REFRESH_WINDOWS=windows, CACHE_MAX_MB=1024, HTTP_THREADS=2), cpu=None, stdout=stdout)

        def measured(server, into):
            before = origin.queries
            requests = m.h2load_requests(server, path, 2000, 4 * seconds, folder)
            into.append(m.percentile(sorted(took for _, took in requests), 99))
            if (origin.queries - before < seconds) != (into is calm):
                raise RuntimeError(f"{origin.queries - before} refreshes in {4 * seconds} s")
            return requests

        def measured_alone(interval, into):
            with open(log, "wb") as out, backend(interval, "7d", out) as server:
                m.wait_ready(server)
                m.fetch(server.url(path))
                return measured(server, into)

        for turn in range(rounds):
            for interval, into in ((3600, calm), (1, paced))[::1 if turn % 2 else -1]:
                requests = measured_alone(interval, into)
                if into is paced:
                    within.append(m.percentile(m.latencies_within(requests, m.refreshes(log)), 99))
            with backend(1, WINDOWS) as server:
                m.wait_ready(server)
                body_file, _, sent = m.save_answer(server, path, folder)
                with bare(build, body_file, sent, OUR_POOL, cpu=None) as plain:
                    for peer, into in ((server, busy), (plain, beside))[::1 if turn % 2 else -1]:
                        measured(peer, into)
    once, always = "p99 while 50,000 pods are refreshed every second", "p99 while they are refreshed without pause"
    for what, got in ((once, paced), ("p99 of the hits that fall within these refreshes", within)):
        yield what, "none running", f"{m.median(got):.0f}", f"{m.median(calm):.0f}", judged(ratio(got, calm), "<= 3.00")
    yield always, "none running", f"{m.median(busy):.0f}", f"{m.median(calm):.0f}", f"{ratio(busy, calm):.2f}"
    yield always, "bare libmicrohttpd beside it", f"{m.median(busy):.0f}", f"{m.median(beside):.0f}", f"{ratio(busy, beside):.2f}"


def expect(what, expected, found):
    if found != expected:
        raise RuntimeError(f"{found} {what} where there should be {expected}")


def read(program, engine, answer, pods_in_it):
    """What read_answer says of one run: CPU us, bytes of RSS, bytes rendered, CPU us of that."""
    fields = subprocess.run([program, engine, answer], capture_output=True, text=True, check=True).stdout.split()
    expect("rows", pods_in_it, int(fields[2]))
    return int(fields[3]), int(fields[4]) * 1024, *((int(fields[6]), int(fields[5])) if engine == "render" else ())


def fetch_cold(binary, origin, answer, empty, pods_in_it):
    """Milliseconds from the request to the whole answer, and by how many bytes the peak lay above what was there before."""
    origin.path = empty
    command, port, env = m.backend(binary, origin.url, REFRESH_WINDOWS="1m", CACHE_MAX_MB=4096)
    with m.Server(command, port, env, cpu=None) as server:
        m.wait_ready(server)
        idle = server.memory_kib("VmRSS") * 1024
        origin.path = answer
        begun = time.monotonic()
        body = m.fetch(server.url(LARGE))
        took = time.monotonic() - begun
        expect("pods", pods_in_it, body.count(b'"name":'))
        return took * 1000, server.memory_kib("VmHWM") * 1024 - idle


def pods(build, folder, rounds):
    """Reading, rendering and a cold fetch by size, and how they grow. Each file is made once and removed, for they are large."""
    binary, program = os.path.join(build, "kubecent-backend"), os.path.join(build, "read_answer")
    empty = os.path.join(folder, "empty.json")
    with open(empty, "w", encoding="ascii") as out:
        out.write('{"code":200,"data":[{}]}')
    reading, fetching, growing = [], [], []
    for count in (5_000, *DOUBLINGS):
        answer = m.answer(folder, count)
        size = os.path.getsize(answer)
        with m.Origin(answer) as origin:
            runs = {
                "decode": lambda a=answer, n=count: read(program, "decode", a, n),
                "render": lambda a=answer, n=count: read(program, "render", a, n),
                "fetch": lambda o=origin, a=answer, n=count: fetch_cold(binary, o, a, empty, n),
            }
            if count in JUDGED and m.available_bytes() > JANSSON_MEMORY * size:
                runs["jansson"] = lambda a=answer, n=count: read(program, "jansson", a, n)
            got = run_rounds(rounds, runs)
        decoded, rendered, fetched = (list(zip(*got[name])) for name in ("decode", "render", "fetch"))
        reading.append((f"{count:,}", "decode", judged(size / m.median(decoded[0]), ">= 300" if count == 50_000 else None, 0),
                        f"{m.median(decoded[1]) / size:.2f}"))
        reading.append((f"{count:,}", "rendering the pods view",
                        judged(m.median(b / us for b, us in zip(rendered[2], rendered[3])), ">= 600" if count == 50_000 else None, 0),
                        ""))
        fetching.append((f"{count:,}", f"{size / 1e6:,.1f}", f"{m.median(fetched[0]):,.1f}", f"{m.median(fetched[1]) / 1e6:,.1f}",
                         judged(m.median(fetched[1]) / size, "<= 0.35" if count == 200_000 else None)))
        if count in DOUBLINGS:
            growing.append((m.median(decoded[0]) / 1000, m.median(decoded[1]) / 1e6, m.median(fetched[0]), m.median(fetched[1]) / 1e6))
        if "jansson" in got:
            judge = list(zip(*got["jansson"]))
            reading.append((f"{count:,}", "jansson", f"{size / m.median(judge[0]):,.0f}", f"{m.median(judge[1]) / size:.2f}"))
        m.forget_answer(folder, count)
    m.table("Reading and writing, CPU", ("pods", "what", "MB/s", "peak RSS / body"), reading)
    m.table("A cold fetch of the pods view, upstream of zero latency", ("pods", "body MB", "ms", "peak RSS minus idle, MB", "/ body"), fetching)
    m.table("Growth with the pods", GROWTH_HEAD,
            [grown(what, DOUBLINGS, figures, unit) for (what, unit), figures in zip(
                (("decode, 25,000 to 200,000 pods", "ms CPU"), ("decode, peak memory", "MB"), ("cold fetch", "ms"),
                 ("cold fetch, peak memory", "MB")), zip(*growing))])


DOUBLINGS = (25_000, 50_000, 100_000, 200_000)
JUDGED = (5_000, 50_000, 200_000)
JANSSON_MEMORY = 9  # times the body, and some more than that
GROWTH_HEAD = ("what", "1x", "2x", "4x", "8x", "unit", "exponent")


def grown(what, sizes, figures, unit):
    return (what, *(f"{figure:,.1f}" for figure in figures), unit, f"{round(m.exponent(sizes, figures), 2) + 0.0:.2f}")


def growth(build, folder, rounds, seconds):
    """1, 2, 4, 8 times the clients and threads: what a hit costs then, and how many there are in a second."""
    binary, rows = os.path.join(build, "kubecent-backend"), []
    with m.Origin(m.answer(folder, 500)) as origin:
        for what, settings in (("clients, 16 to 128", [(1, c) for c in (16, 32, 64, 128)]),
                               ("threads, 1 to 8", [(t, 64) for t in (1, 2, 4, 8)])):
            with ExitStack() as stack:
                servers = [stack.enter_context(m.Server(*m.backend(binary, origin.url, HTTP_THREADS=threads))) for threads, _ in settings]
                for server in servers:
                    m.wait_ready(server)
                got = run_rounds(rounds, {setting: (lambda s=server, c=setting[1]: m.wrk(s, SMALL, seconds, c))
                                          for server, setting in zip(servers, settings)})
            scale = [threads * connections for threads, connections in settings]
            for index, unit in enumerate(("req/s", "CPU us/req")):
                rows.append(grown(f"hits, {what}", scale, [m.median(pair[index] for pair in got[setting]) for setting in settings], unit))
    m.table("Growth with clients and threads", GROWTH_HEAD, rows)


def ask_at_once(server, origin, path, count):
    """How often OpenCost is asked when so many want the same: it does not answer before all of them wait."""
    before, answered = origin.queries, []
    crowd = [threading.Thread(target=lambda: answered.append(m.fetch(server.url(path)))) for _ in range(count)]
    origin.may_answer.clear()
    for one in crowd:
        one.start()
    try:
        waiting = m.wait_for_gauge(server, "kubecent_requests_waiting", count)
    finally:
        origin.may_answer.set()
    for one in crowd:
        one.join()
    expect("requests waiting", count, waiting)
    expect("answers", count, len(answered))
    return origin.queries - before


SETTLING_S = 2  # OpenCost has been asked in vain by then, and again: what that takes counts as idle memory too


def life(build, folder, rounds):
    binary = os.path.join(build, "kubecent-backend")
    started, pss, libraries_pss, per_connection, misses, queries = [], [], [], [], [], []
    with m.Origin(m.answer(folder, 500)) as origin:
        for _ in range(rounds):
            port = m.free_port()
            with m.Server([os.path.join(build, "libraries_alone"), port], port) as server:
                libraries_pss.append(server.memory_kib("Pss") / 1024)
            command, port, env = m.backend(binary, "http://127.0.0.1:1", REFRESH_WINDOWS="7d")
            with m.Server(command, port, env, path="/livez") as server:
                started.append(server.first_answer_ms)
                time.sleep(SETTLING_S)
                m.fetch(server.url("/livez"))
                pss.append(server.memory_kib("Pss") / 1024)
                idle = server.memory_kib("VmRSS")
                connections = [m.socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
                for connection in connections:
                    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: b\r\n\r\n")
                    connection.recv(4096)
                per_connection.append((server.memory_kib("VmRSS") - idle) / 500)
                for connection in connections:
                    connection.close()
            command, port, env = m.backend(binary, origin.url, REFRESH_WINDOWS="7d", HTTP_MAX_WAITING_PER_ADDRESS=0)
            with m.Server(command, port, env, cpu=None) as server:
                m.wait_ready(server)
                for hours in range(100, 120):
                    begun = time.monotonic()
                    m.fetch(server.url(f"/api/v1/cost/pods?window={hours}h"))
                    misses.append((time.monotonic() - begun) * 1000)
                queries.append(ask_at_once(server, origin, "/api/v1/cost/pods?window=99h", 200))
    m.table("Life", ("what", "figure", "bar"), (
        ("start to first answer of /livez, ms", f"{m.median(started):.1f}", "20"),
        ("idle PSS, nothing cached, MB", f"{m.median(pss):.1f}", "8"),
        ("the same of its libraries alone", f"{m.median(libraries_pss):.1f}", ""),
        ("an idle keep-alive connection, KB", f"{m.median(per_connection) * 1.024:.1f}", "20"),
        ("cold miss of 500 pods, p50 ms", f"{m.median(misses):.1f}", "5"),
        ("upstream queries for 200 identical misses at once", f"{max(queries)}", "1"),
    ))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", default="hits,latency,pods,life,growth")
    parser.add_argument("--write", metavar="DOCUMENT")
    options = parser.parse_args()
    begun, wanted = time.monotonic(), options.only.split(",")
    m.document = options.write
    m.say(f"Measured on {time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f} before: "
          f"{options.rounds} interleaved rounds of {options.seconds} s.")
    with tempfile.TemporaryDirectory(prefix="kubecent-bench-") as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        if "hits" in wanted:
            hits(options.build, folder, options.rounds, options.seconds)
        if "latency" in wanted:
            latency(options.build, folder, options.rounds, 2 * options.seconds)
        if "pods" in wanted:
            pods(options.build, folder, min(options.rounds, 5))
        if "life" in wanted:
            life(options.build, folder, options.rounds)
        if "growth" in wanted:
            growth(options.build, folder, min(options.rounds, 5), options.seconds)
    print(f"\nin {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
