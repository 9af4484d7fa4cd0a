# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: servers pinned to a CPU, wrk, CPU and memory of processes, an OpenCost without latency."""
import atexit
import datetime
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

SERVER_CPU, CLIENT_CPU = "0", str(min(1, (os.cpu_count() or 1) - 1))
ALLOCATION = ('"{ns}/{pod}":{{"name":"{ns}/{pod}","properties":{{"cluster":"c1","node":"node-{node}","container":"app",'
              '"controller":"{ns}-app","controllerKind":"deployment","namespace":"{ns}","pod":"{pod}","providerID":"i-{node}",'
              '"labels":{{"app_kubernetes_io_name":"{ns}-app","app_kubernetes_io_instance":"release-{ns}","team":"team-{node}",'
              '"pod_template_hash":"{hash}","app_kubernetes_io_managed_by":"Helm","app_kubernetes_io_part_of":"platform-{ns}",'
              '"app_kubernetes_io_version":"1.{n}.0","environment":"production","cost_center":"cc-{node}-{n}"}},'
              '"annotations":{{"prometheus_io_scrape":"true","prometheus_io_port":"8080","checksum_config":"{hash}{hash}{hash}"}},'
              '"namespaceLabels":{{"kubernetes_io_metadata_name":"{ns}"}}}},'
              '"window":{{"start":"2026-11-17T00:00:00Z","end":"2026-11-24T00:00:00Z"}},"start":"2026-11-17T00:00:00Z",'
              '"end":"2026-11-24T00:00:00Z","minutes":10080,"cpuCores":0.25,"cpuCoreRequestAverage":0.25,'
              '"cpuCoreUsageAverage":0.1{n},"cpuCoreHours":42,"cpuCost":1.3{n},"cpuCostAdjustment":0,"cpuCostIdle":0,'
              '"cpuEfficiency":0.4{n},"gpuCount":0,"gpuHours":0,"gpuCost":0,"gpuCostAdjustment":0,"gpuCostIdle":0,'
              '"gpuEfficiency":0,"networkTransferBytes":123456{n},"networkReceiveBytes":654321{n},"networkCost":0.0{n},'
              '"networkCrossZoneCost":0,"networkCrossRegionCost":0,"networkInternetCost":0,"networkCostAdjustment":0,'
              '"loadBalancerCost":0,"loadBalancerCostAdjustment":0,"pvBytes":0,"pvByteHours":0,"pvCost":0,"pvs":null,'
              '"pvCostAdjustment":0,"ramBytes":268435456,"ramByteRequestAverage":268435456,"ramByteUsageAverage":13421{n},'
              '"ramByteHours":45097156608,"ramCost":0.2{n},"ramCostAdjustment":0,"ramCostIdle":0,"ramEfficiency":0.5{n},'
              '"externalCost":0,"sharedCost":0,"totalCost":1.6{n},"totalEfficiency":0.42,"lbAllocations":null,'
              '"gpuAllocation":null}}')


def write_answer(path, pods):
    """An OpenCost answer of that many pods, about 20 to a namespace and at least 12 namespaces."""
    namespaces = max(12, pods // 20)
    with open(path, "w", encoding="ascii") as out:
        out.write('{"code":200,"data":[{')
        for i in range(pods):
            ns = f"namespace-{i % namespaces:05d}"
            out.write("," if i else "")
            out.write(ALLOCATION.format(ns=ns, pod=f"{ns}-app-{i * 7919 % 16777216:06x}-{i:05x}", node=i % 97,
                                        hash=f"{i * 7919 % 16777216:06x}", n=f"{i * 37 % 1000:03d}"))
        out.write("}]}\n")


def answer(folder, pods):
    """The file with that answer, made when it is not there yet."""
    path = os.path.join(folder, f"answer{pods}.json")
    if not os.path.exists(path):
        write_answer(path, pods)
    return path


def forget_answer(folder, pods):
    os.unlink(os.path.join(folder, f"answer{pods}.json"))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Origin:
    """An OpenCost of no latency: sends one file for every allocation query, at once or when it may."""

    def __init__(self, path):
        self.path, self.queries, self.may_answer = path, 0, threading.Event()
        self.may_answer.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._answer_all(connection)
        except OSError:  # it has left
            pass

    def _answer_all(self, connection):
        with connection, connection.makefile("rb") as requests:
            for line in requests:
                if line == b"\r\n":
                    continue
                if not line.startswith(b"GET "):
                    continue
                while requests.readline() not in (b"\r\n", b""):
                    pass
                self._answer(connection, line)

    def _answer(self, connection, line):
        if b"/healthz" in line:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        self.queries += 1
        self.may_answer.wait()
        with open(self.path, "rb") as body:
            size = os.fstat(body.fileno()).st_size
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode())
            connection.sendfile(body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class Server:
    """A process that listens on a port, pinned to a CPU."""

    def __init__(self, command, port, env=None, cpu=SERVER_CPU, stdout=subprocess.DEVNULL, path="/"):
        self.port = port
        self.begun = time.monotonic()
        pin = ["taskset", "-c", cpu] if cpu else []
        self.process = subprocess.Popen([*pin, *map(str, command)], env={**os.environ, **(env or {})}, stdout=stdout,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)  # in case nobody comes to stop it
        self._wait(path)
        self.first_answer_ms = (time.monotonic() - self.begun) * 1000

    def _wait(self, path):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n".encode())
                    if connection.recv(12).startswith(b"HTTP/1.1"):
                        return
            except OSError:
                time.sleep(0.0005)
        raise RuntimeError("the server does not answer")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def pids(self):
        """The process and its children: nginx works in one."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False).stdout
        return [self.process.pid, *map(int, children.split())]

    def cpu_us(self):
        """Of all threads that live, to the nanosecond: the ticks of /proc/PID/stat are too coarse for short rounds."""
        total_ns = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
                    total_ns += int(stat.read().split()[0])
        return total_ns / 1000

    def memory_kib(self, key):
        total = 0
        for pid in self.pids():
            name = "smaps_rollup" if key == "Pss" else "status"
            with open(f"/proc/{pid}/{name}", encoding="ascii") as lines:
                total += int(re.search(rf"^{key}:\s+(\d+)", lines.read(), re.M).group(1))
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        atexit.unregister(self.process.kill)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def backend(binary, origin_url, **settings):
    port = free_port()
    env = {"HOST": "127.0.0.1", "PORT": str(port), "OPENCOST_URL": origin_url, "HTTP_THREADS": "1", "LOG_LEVEL": "INFO",
           "ACCESS_LOG": "false", "REFRESH_WINDOWS": "7d", "OPENCOST_TIMEOUT": "600"} | {k: str(v) for k, v in settings.items()}
    return [binary], port, env


def wait_ready(server, path="/readyz", seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(server.url(path), timeout=5):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{path} does not become 200")


def fetch(url, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=600) as answer:
        return answer.read()


def wait_for_gauge(server, name, value, seconds=10):
    """The gauge's value, once it is that much or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = int(re.search(rf"^{name} (\d+)$", fetch(server.url("/metrics")).decode(), re.M).group(1))
        if found >= value or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


def save_answer(server, path, folder):
    """An answer's file, body and headers."""
    with urllib.request.urlopen(server.url(path), timeout=600) as answer_:
        body, headers = answer_.read(), dict(answer_.headers)
    file = os.path.join(folder, f"body{len(body)}.json")
    with open(file, "wb") as out:
        out.write(body)
    return file, body, headers


def received_bytes(said):
    """What wrk says that it read, to two decimals."""
    number, unit = re.search(r"([\d.]+)([KMGT]?)B read", said).groups()
    return float(number) * 1024 ** " KMGT".index(unit or " ")


def wrk(server, path, seconds=2, connections=64, headers=(), least=0):
    """Requests a second, and the server's CPU microseconds a request. Answers of less than that many bytes are wrong ones."""
    command = ["taskset", "-c", CLIENT_CPU, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    before = server.cpu_us()
    out = subprocess.run([*command, server.url(path)], capture_output=True, text=True, check=True).stdout
    used = server.cpu_us() - before
    requests, received = int(re.search(r"(\d+) requests in", out).group(1)), received_bytes(out)
    if "Non-2xx or 3xx responses" in out or "Socket errors" in out or requests == 0 or received < 0.98 * least * requests:
        raise RuntimeError(f"wrk: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), used / requests


def one_by_one(server, path, etag=None, count=5000):
    """The server's CPU microseconds a request on one connection. wrk cannot be used for 304: it waits for their body."""
    condition = f"If-None-Match: {etag}\r\n" if etag else ""
    request = f"GET {path} HTTP/1.1\r\nHost: b\r\n{condition}\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection, connection.makefile("rb") as answers:
        before = server.cpu_us()
        for _ in range(count):
            connection.sendall(request)
            length, said = 0, answers.readline()
            if said.split()[1:2] != [b"304" if etag else b"200"]:
                raise RuntimeError(f"answered {said!r}")
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not etag:
                answers.read(length)
        return (server.cpu_us() - before) / count


def h2load_requests(server, path, rate, seconds, folder):
    """Requests at a fixed rate over 16 connections: when each began and how long it took, in microseconds."""
    log = os.path.join(folder, "h2load.log")
    if os.path.exists(log):
        os.unlink(log)
    clients = 16
    subprocess.run(["taskset", "-c", CLIENT_CPU, "h2load", "--h1", f"--log-file={log}", "-c", str(clients), "-t1",
                    f"--rps={rate // clients}", f"-D{seconds}", server.url(path)], capture_output=True, text=True, check=True)
    with open(log, encoding="ascii") as lines:
        answers = [line.split() for line in lines]
    wrong = sum(fields[1] != "200" for fields in answers)
    if wrong or len(answers) < 0.9 * rate * seconds:
        raise RuntimeError(f"h2load: of {rate * seconds} requests {len(answers)} were answered, {wrong} of them wrongly")
    return [(int(fields[0]), int(fields[2])) for fields in answers]


def h2load_latencies(server, path, rate, seconds, folder):
    """The same, but only how long they took, sorted."""
    return sorted(took for _, took in h2load_requests(server, path, rate, seconds, folder))


def refreshes(log):
    """When each refresh of a backend began and when its data were there, in microseconds, by its log. Of one that was not over yet,
    nothing."""
    spans, begun = [], {}
    with open(log, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            at = datetime.datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")).timestamp() * 1e6
            if line["event"] == "opencost.allocation_request":
                begun[line["window"]] = at
            elif line["event"] == "background.cache_refresh":
                spans.append((begun.pop(line["window"]), at))
    return spans


def latencies_within(requests, spans):
    """Of the requests that were under way at some moment of a span, sorted."""
    return sorted(took for begun, took in requests
                  if any(begun <= last and begun + took >= first for first, last in spans))


def percentile(values, percent):
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


median = statistics.median


def exponent(sizes, figures):
    """The slope of the line through the logarithms."""
    xs, ys = [math.log(x) for x in sizes], [math.log(y) for y in figures]
    mean_x, mean_y = statistics.mean(xs), statistics.mean(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs)


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as lines:
        return int(re.search(r"^MemAvailable:\s+(\d+)", lines.read(), re.M).group(1)) * 1024


def have(program):
    return shutil.which(program) is not None


document = None  # the document that is brought up to date too


def rewrite(pattern, replacement):
    """Replaces what is in the document exactly once."""
    if document is None:
        return
    with open(document, encoding="utf-8") as file:
        text, count = re.subn(pattern, lambda _: replacement, file.read(), flags=re.M)
    if count != 1:
        raise RuntimeError(f"{document} has {count} places for {replacement[:60]}")
    with open(document, "w", encoding="utf-8") as file:
        file.write(text)


def say(line):
    """A line that begins with the same two words in the document."""
    print(line, flush=True)
    rewrite(rf"^{' '.join(line.split()[:2])} .*$", line)


def table(title, head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(map(str, row))} |" for row in rows)]
    print(f"\n## {title}\n", *lines, sep="\n", flush=True)
    rewrite(rf"^## {re.escape(title)}\n\n(?:\|.*\n)+", "\n".join([f"## {title}", "", *lines, ""]))
