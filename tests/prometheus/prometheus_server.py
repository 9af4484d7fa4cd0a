# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus on loopback that scrapes one target every second, and its HTTP API."""
import json
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from patience import LONG, wait_until
from ports import free_port

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
  - job_name: kubecent-backend
    static_configs: [{{targets: ['{target}']}}]
"""

# Prometheus is asked directly, whatever proxy the environment names.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Prometheus:
    def __init__(self, target, rules):
        self.config = CONFIG.format(target=target, rules=rules)
        self.port = free_port()

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="kubecent-prometheus-")
        folder = Path(self._folder.name)
        (folder / "prometheus.yml").write_text(self.config, encoding="utf-8")
        self._output = folder / "output"
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(self._is_ready, "Prometheus to be ready", deadline=3 * LONG)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self.process.terminate()
        try:
            self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()

    def _is_ready(self):
        assert self.process.poll() is None, self._output.read_text(encoding="utf-8", errors="replace")
        try:
            with DIRECT.open(f"http://127.0.0.1:{self.port}/-/ready", timeout=LONG):
                return True
        except OSError:
            return False

    def api(self, what, **params):
        """The `data` of the answer; fails with Prometheus' own complaint."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(params)}"
        try:
            with DIRECT.open(url, timeout=LONG) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{params}: {refusal.read().decode()}") from None

    def query(self, expression):
        """The samples of an instant query: labels and number."""
        data = self.api("query", query=expression)
        assert data["resultType"] == "vector", expression
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def wait_for(self, expression, condition=bool):
        """Asks until the samples are as wanted, and returns them."""
        def ask():
            samples = self.query(expression)
            return samples if condition(samples) else None
        return wait_until(ask, f"Prometheus to know {expression}")
