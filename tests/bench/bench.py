#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: hits beside bare libmicrohttpd and nginx, reading and fetching beside jansson, start and idle.

    bench.py BUILD_DIR [--rounds N] [--seconds S] [--only hits,latency,reading,fetch,life,growth]

Every comparison is interleaved: each round runs all peers in turn, and what is printed is the median over the rounds and
the median of the rounds' ratios, so a machine that changes its speed meanwhile changes all of them alike.
"""
import argparse
import os
import subprocess
import tempfile
import threading
import time

import measure as m

SMALL, LARGE = "/api/v1/cost/namespaces?window=7d", "/api/v1/cost/pods?window=7d"


def nginx(folder, files, upstream):
    """nginx with one worker: the files at /static/, and the same service behind a proxy cache at /cached/."""
    port = m.free_port()
    os.chmod(folder, 0o755)  # the worker is another user
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w", encoding="ascii") as out:
        out.write(f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; types {{ application/json json; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s; proxy_cache_path {folder}/cache keys_zone=z:1m;
  server {{ listen 127.0.0.1:{port};
    location /static/ {{ alias {files}/; }}
    location / {{ proxy_pass {upstream}; proxy_cache z; proxy_cache_valid 200 10m; proxy_ignore_headers Cache-Control Vary; }} }} }}
""")
    return m.Server(["nginx", "-c", conf, "-p", folder], port)


def ratio(ours, peers):
    return f"{m.median(a / b for a, b in zip(ours, peers)):.2f}"


def run_rounds(rounds, runs):
    """Each run once a round, in turn; a list of results for each name."""
    results = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    return results


def hits(build, folder, rounds, seconds):
    answer = os.path.join(folder, "answer.json")
    m.write_answer(answer, 500)
    binary = os.path.join(build, "kubecent-backend")
    with m.Origin(answer) as origin, open(os.path.join(folder, "log"), "wb") as log:
        quiet = m.Server(*m.backend(binary, origin.url))
        logging = m.Server(*m.backend(binary, origin.url, ACCESS_LOG="true"), stdout=log)
        m.wait_ready(quiet)
        m.wait_ready(logging)
        rows, peers = [], []
        try:
            for label, path in (("small", SMALL), ("large", LARGE)):
                body = m.fetch(quiet.url(path))
                body_file = os.path.join(folder, f"{label}.json")
                with open(body_file, "wb") as out:
                    out.write(body)
                port = m.free_port()
                bare = m.Server([os.path.join(build, "bare_server"), port, body_file, 4096, "Content-Type", "application/json"],
                                port)
                front = nginx(tempfile.mkdtemp(dir=folder), folder, quiet.url("")) if m.have("nginx") else None
                peers += [bare] + ([front] if front else [])
                runs = {
                    "ours": lambda p=path: m.wrk(quiet, p, seconds),
                    "bare": lambda b=bare: m.wrk(b, "/", seconds),
                    "logging": lambda p=path: m.wrk(logging, p, seconds),
                    "gzip": lambda p=path: m.wrk(quiet, p, seconds, headers=["Accept-Encoding: gzip"]),
                    "closing": lambda p=path: m.wrk(quiet, p, seconds, headers=["Connection: close"]),
                    "bare closing": lambda b=bare: m.wrk(b, "/", seconds, headers=["Connection: close"]),
                }
                if front:
                    runs["nginx static"] = lambda f=front, n=label: m.wrk(f, f"/static/{n}.json", seconds)
                    runs["nginx proxy_cache"] = lambda f=front, p=path: m.wrk(f, p, seconds)
                got = run_rounds(rounds, runs)
                rate = {name: [r for r, _ in values] for name, values in got.items()}
                cpu = {name: [c for _, c in values] for name, values in got.items()}
                for name, peer in (("ours", "bare"), ("logging", "bare"), ("ours", "nginx static"), ("ours", "nginx proxy_cache"),
                                   ("gzip", "ours"), ("closing", "bare closing")):
                    if peer in rate:
                        rows.append((f"{len(body):,} B", name, peer, f"{m.median(rate[name]):,.0f}", f"{m.median(rate[peer]):,.0f}",
                                     ratio(rate[name], rate[peer]), f"{m.median(cpu[name]):.1f}", f"{m.median(cpu[peer]):.1f}",
                                     ratio(cpu[name], cpu[peer])))
                got = run_rounds(rounds, {"200": lambda p=path: m.one_by_one(quiet, p), "304": lambda p=path: m.one_by_one(quiet, p, "*")})
                rows.append((f"{len(body):,} B", "304, one connection", "200, one connection", "", "", "", f"{m.median(got['304']):.1f}",
                             f"{m.median(got['200']):.1f}", ratio(got["304"], got["200"])))
        finally:
            for server in (quiet, logging, *peers):
                server.stop()
    m.table("Hits, 64 connections", ("body", "this", "beside", "this req/s", "its req/s", "ratio", "this CPU us/req",
                                     "its CPU us/req", "ratio"), rows)


def latency(build, folder, rounds, seconds):
    small, large = os.path.join(folder, "answer500.json"), os.path.join(folder, "answer50k.json")
    m.write_answer(small, 500)
    m.write_answer(large, 50_000)
    binary = os.path.join(build, "kubecent-backend")
    rows = []
    with m.Origin(small) as origin:
        command, port, env = m.backend(binary, origin.url)
        with m.Server(command, port, env) as ours:
            m.wait_ready(ours)
            body_file = os.path.join(folder, "small.json")
            with open(body_file, "wb") as out:
                out.write(m.fetch(ours.url(SMALL)))
            bare_port = m.free_port()
            with m.Server([os.path.join(build, "bare_server"), bare_port, body_file, 4096], bare_port) as bare:
                got = run_rounds(rounds, {
                    "ours": lambda: m.h2load_latencies(ours, SMALL, 4000, seconds, folder),
                    "bare": lambda: m.h2load_latencies(bare, "/", 4000, seconds, folder),
                })
                for percent in (50, 99):
                    a = [m.percentile(values, percent) for values in got["ours"]]
                    b = [m.percentile(values, percent) for values in got["bare"]]
                    rows.append((f"p{percent} at 4,000/s", "bare libmicrohttpd", f"{m.median(a):.0f}", f"{m.median(b):.0f}", ratio(a, b)))
    rows.append(during_refresh(binary, folder, rounds, seconds, large))
    m.table("Latency of hits, us", ("what", "beside", "this", "peer", "ratio"), rows)


def during_refresh(binary, folder, rounds, seconds, large):
    """p99 of hits while 50,000 pods are refreshed without pause, and while nothing is; both CPUs for the server."""
    calm, busy = [], []
    with m.Origin(large) as origin:
        for _ in range(rounds):
            for interval, into in ((3600, calm), (1, busy)):
                command, port, env = m.backend(binary, origin.url, REFRESH_INTERVAL=interval, CACHE_MAX_MB=1024, HTTP_THREADS=2)
                with m.Server(command, port, env, cpu=None) as server:
                    m.wait_ready(server)
                    path = "/api/v1/cost/pods?window=7d&namespace=namespace-00001"
                    m.fetch(server.url(path))
                    into.append(m.percentile(m.h2load_latencies(server, path, 2000, seconds, folder), 99))
    return ("p99 while 50,000 pods are refreshed", "none running", f"{m.median(busy):.0f}", f"{m.median(calm):.0f}", ratio(busy, calm))


def reading(build, folder, rounds, pods):
    program = os.path.join(build, "read_answer")
    rows = []
    for count in pods:
        answer = os.path.join(folder, f"answer{count}.json")
        m.write_answer(answer, count)
        engines = ["decode", "render"] + (["jansson"] if count <= 50_000 else [])
        got = run_rounds(rounds, {engine: (lambda e=engine: subprocess.run([program, e, answer], capture_output=True, text=True,
                                                                         check=True).stdout.split()) for engine in engines})
        size = os.path.getsize(answer)
        for engine in engines:
            cpu = [int(line[3]) for line in got[engine]]
            rss = [int(line[4]) * 1024 for line in got[engine]]
            if engine == "render":
                speed = [int(line[6]) / int(line[5]) for line in got[engine]]
                rows.append((f"{count:,}", "rendering the pods view", f"{m.median(speed):,.0f}", ""))
            else:
                rows.append((f"{count:,}", engine, f"{m.median(size / us for us in cpu):,.0f}", f"{m.median(rss) / size:.2f}"))
        os.unlink(answer)
    m.table("Reading and writing, CPU", ("pods", "what", "MB/s", "peak RSS / body"), rows)


def fetching(build, folder, rounds, pods):
    binary = os.path.join(build, "kubecent-backend")
    rows = []
    for count in pods:
        answer = os.path.join(folder, f"answer{count}.json")
        m.write_answer(answer, count)
        size = os.path.getsize(answer)
        took, grown = [], []
        with m.Origin(answer) as origin:
            for _ in range(rounds):
                command, port, env = m.backend(binary, origin.url, REFRESH_WINDOWS="1m", CACHE_MAX_MB=4096)
                small = os.path.join(folder, "empty.json")
                with open(small, "w", encoding="ascii") as out:
                    out.write('{"code":200,"data":[{}]}')
                origin.path = small
                with m.Server(command, port, env, cpu=None) as server:
                    m.wait_ready(server)
                    idle = server.memory_kib("VmRSS") * 1024
                    origin.path = answer
                    begun = time.monotonic()
                    m.fetch(server.url(LARGE))
                    took.append((time.monotonic() - begun) * 1000)
                    grown.append(server.memory_kib("VmHWM") * 1024 - idle)
        rows.append((f"{count:,}", f"{size / 1e6:,.1f}", f"{m.median(took):,.1f}", f"{m.median(grown) / 1e6:,.1f}", f"{m.median(grown) / size:.2f}"))
        os.unlink(answer)
    m.table("A cold fetch of the pods view, upstream of zero latency",
            ("pods", "body MB", "ms", "peak RSS minus idle, MB", "/ body"), rows)


def growth(build, folder, rounds, seconds):
    """1, 2, 4, 8 times the pods, clients and threads, and the exponent of what grows with them (1: linear, 0: flat)."""
    binary, program = os.path.join(build, "kubecent-backend"), os.path.join(build, "read_answer")
    rows = []

    def add(what, sizes, figures, unit):
        rows.append((what, *(f"{figure:,.1f}" for figure in figures), unit, f"{m.exponent(sizes, figures):.2f}"))

    sizes, decode_ms, rss = [25_000, 50_000, 100_000, 200_000], [], []
    for count in sizes:
        answer = os.path.join(folder, f"answer{count}.json")
        m.write_answer(answer, count)
        lines = [subprocess.run([program, "decode", answer], capture_output=True, text=True, check=True).stdout.split()
                 for _ in range(rounds)]
        decode_ms.append(m.median(int(line[3]) for line in lines) / 1000)
        rss.append(m.median(int(line[4]) for line in lines) / 1024)
        os.unlink(answer)
    add("decode, 25,000 to 200,000 pods", sizes, decode_ms, "ms CPU")
    add("decode, memory", sizes, rss, "MB")
    answer = os.path.join(folder, "answer500.json")
    m.write_answer(answer, 500)
    with m.Origin(answer) as origin:
        for what, settings in (("clients, 16 to 128", [(1, c) for c in (16, 32, 64, 128)]),
                               ("threads, 1 to 8", [(t, 64) for t in (1, 2, 4, 8)])):
            rates, costs = [], []
            for threads, connections in settings:
                command, port, env = m.backend(binary, origin.url, HTTP_THREADS=threads)
                with m.Server(command, port, env) as server:
                    m.wait_ready(server)
                    got = [m.wrk(server, SMALL, seconds, connections) for _ in range(rounds)]
                    rates.append(m.median(rate for rate, _ in got))
                    costs.append(m.median(cost for _, cost in got))
            scale = [t * c for t, c in settings]
            add(f"hits, {what}", scale, rates, "req/s")
            add(f"hits, {what}", scale, costs, "CPU us/req")
    m.table("Growth: 1, 2, 4, 8 times", ("what", "1x", "2x", "4x", "8x", "unit", "exponent"), rows)


def life(build, folder, rounds):
    binary = os.path.join(build, "kubecent-backend")
    answer = os.path.join(folder, "answer500.json")
    m.write_answer(answer, 500)
    started, pss, per_connection, misses, queries = [], [], [], [], []
    with m.Origin(answer) as origin:
        for _ in range(rounds):
            command, port, env = m.backend(binary, "http://127.0.0.1:1", REFRESH_WINDOWS="7d")
            with m.Server(command, port, env, path="/livez") as server:
                started.append(server.first_answer_ms)
                pss.append(server.memory_kib("Pss") / 1024)
                idle = server.memory_kib("VmRSS")
                connections = [m.socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
                for connection in connections:
                    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: b\r\n\r\n")
                    connection.recv(4096)
                per_connection.append((server.memory_kib("VmRSS") - idle) / 500)
                for connection in connections:
                    connection.close()
            command, port, env = m.backend(binary, origin.url, REFRESH_WINDOWS="7d")
            with m.Server(command, port, env, cpu=None) as server:
                m.wait_ready(server)
                for hours in range(100, 120):
                    begun = time.monotonic()
                    m.fetch(server.url(f"/api/v1/cost/pods?window={hours}h"))
                    misses.append((time.monotonic() - begun) * 1000)
                before = origin.queries
                crowd = [threading.Thread(target=m.fetch, args=(server.url("/api/v1/cost/pods?window=99h"),)) for _ in range(200)]
                for one in crowd:
                    one.start()
                for one in crowd:
                    one.join()
                queries.append(origin.queries - before)
    m.table("Life", ("what", "figure"), (
        ("start to first answer of /livez, ms", f"{m.median(started):.1f}"),
        ("idle PSS, nothing cached, MB", f"{m.median(pss):.1f}"),
        ("an idle keep-alive connection, KiB", f"{m.median(per_connection):.1f}"),
        ("cold miss of 500 pods, p50 ms", f"{m.median(misses):.1f}"),
        ("upstream queries for 200 identical misses at once", f"{max(queries)}"),
    ))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", default="hits,latency,reading,fetch,life,growth")
    options = parser.parse_args()
    wanted = options.only.split(",")
    print(f"{options.rounds} interleaved rounds, medians; {os.cpu_count()} CPUs, server on {m.SERVER_CPU}, client on {m.CLIENT_CPU}")
    with tempfile.TemporaryDirectory(prefix="kubecent-bench-") as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        if "hits" in wanted:
            hits(options.build, folder, options.rounds, options.seconds)
        if "latency" in wanted:
            latency(options.build, folder, options.rounds, options.seconds)
        if "reading" in wanted:
            reading(options.build, folder, options.rounds, (5_000, 50_000, 100_000, 200_000))
        if "fetch" in wanted:
            fetching(options.build, folder, options.rounds, (5_000, 50_000, 100_000, 200_000))
        if "life" in wanted:
            life(options.build, folder, options.rounds)
        if "growth" in wanted:
            growth(options.build, folder, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
