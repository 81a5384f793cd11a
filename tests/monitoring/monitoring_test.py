#!/usr/bin/python3
"""The files of deploy/monitoring: promtool accepts them, each alert has a test, every expression uses metrics of
docs/monitoring.md, and a real Prometheus evaluates them on a page with all these metrics.

  monitoring_test.py ROOT [METRICS_URL]

METRICS_URL: the /metrics of a running aggregator, which Prometheus then scrapes instead of a made page; every metric of it
must be in docs/monitoring.md. Exits with 77 without prometheus.
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import yaml

PATIENCE_S = 60
# Words of an expression that are no metrics.
NO_METRIC = {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right", "bool", "offset", "inf", "nan"}


def fail(text):
    sys.exit(f"FAILED: {text}")


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, **options)


def must_pass(done, what):
    if done.returncode != 0:
        fail(f"{what}: {done.stdout}{done.stderr}")


class Metrics:
    """The table of metrics of docs/monitoring.md."""

    ROW = re.compile(r"^\| `((?:hansa|process)_\w+)` \| (\w+) \|(.*?)\|(.*)\|$", re.MULTILINE)

    def __init__(self, page):
        self.rows = [(name, kind, re.findall(r"`(\w+)`", labels), re.findall(r"`(\w+)`", meaning))
                     for name, kind, labels, meaning in self.ROW.findall(page)]
        others = re.search(r"From other programs: (.*)", page)[1]
        self.known = set(re.findall(r"`(\w+)`", others))
        for name, kind, _, _ in self.rows:
            self.known |= {name + end for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}

    def page(self):
        """All metrics as an aggregator serves them, each with 1, or with 1 observation."""
        lines = []
        for name, kind, labels, meanings in self.rows:
            lines += [f"# HELP {name} Of docs/monitoring.md.", f"# TYPE {name} {kind}"]
            values = {"metric": ["accuracy", "loss"], "code": ["200"]}.get(labels[0] if labels else "", meanings) or ["x"]
            sets = [",".join(f'{label}="{value}"' for label in labels) for value in values] if labels else [""]
            for text in sets:
                if kind == "histogram":
                    lines += [f'{name}_bucket{{{text}{"," if text else ""}le="{bound}"}} 1' for bound in ("1", "10", "+Inf")]
                    lines += [f"{name}_sum{{{text}}} 0.5", f"{name}_count{{{text}}} 1"]
                else:
                    lines.append(f"{name}{{{text}}} 1")
        return "\n".join(lines) + "\n"


def metrics_of(expression):
    """The names of metrics in an expression: words that are no function, keyword, label or number."""
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    text = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    names = re.findall(r"(?<![\w.])([A-Za-z_:][\w:]*)(?!\w)(?!\s*\()", text)
    return {name for name in names if name.lower() not in NO_METRIC}


def expressions_of_dashboard(file):
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    if len({panel["id"] for panel in dashboard["panels"]}) != len(dashboard["panels"]):
        fail("two panels of the dashboard have one id")
    for panel in panels:
        if not panel.get("targets") or not panel.get("title"):
            fail(f"a panel has no title or no expression: {panel.get('title')}")
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            fail(f"the panel {panel['title']} is wider than the page")
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    out = {}
    for panel in panels:
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "1m")
            for used in re.findall(r"\$(\w+)", text):
                if used not in variables:
                    fail(f"the panel {panel['title']} uses ${used}, which the dashboard does not have")
            out[f"panel {panel['title']}, {target['refId']}"] = text.replace("$instance", ".*")
    return out


def check_rules(folder, rules, tests, metrics):
    """promtool accepts the alerts; each is tested to fire and to stay silent; the test notices a changed alert."""
    alerts = [rule["alert"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]
    (folder / "alerts_test.yml").write_text(tests, encoding="utf-8")
    must_pass(promtool("test", "rules", "alerts_test.yml", cwd=folder), "the alerts do otherwise than their test says")
    cases = [case for test in yaml.safe_load(tests)["tests"] for case in test["alert_rule_test"]]
    for fires in (True, False):
        tested = {case["alertname"] for case in cases if bool(case["exp_alerts"]) == fires}
        if set(alerts) != tested:
            fail(f"alerts that {'fire' if fires else 'stay silent'} in no test, or tests without an alert: {set(alerts) ^ tested}")
    documented = re.findall(r"^\| `(Hansa\w+)` \|", metrics, re.MULTILINE)
    if documented != alerts:
        fail(f"docs/monitoring.md has other alerts, or in another order: {set(alerts) ^ set(documented)}")

    changed = folder / "changed"
    changed.mkdir()
    (changed / "alerts_test.yml").write_text(tests, encoding="utf-8")
    for old, new in (("> 0.3", "> 0.6"), ("hansa_clients_ready <", "hansa_clients_ready <="), ("for: 10m", "for: 1000h")):
        if old not in rules:
            fail(f"alerts.yml has no \"{old}\" any more")
        (changed / "alerts.yml").write_text(rules.replace(old, new), encoding="utf-8")
        if promtool("test", "rules", "alerts_test.yml", cwd=changed).returncode == 0:
            fail(f"the test of the alerts does not notice \"{new}\" instead of \"{old}\"")


def check_expressions(folder, expressions, known):
    """Each parses, and uses known metrics only."""
    rules = [{"record": f"e:{number}", "expr": text} for number, text in enumerate(expressions.values())]
    (folder / "expressions.yml").write_text(yaml.safe_dump({"groups": [{"name": "e", "rules": rules}]}), encoding="utf-8")
    must_pass(promtool("check", "rules", str(folder / "expressions.yml")), "an expression does not parse")
    for where, text in expressions.items():
        names = metrics_of(text)
        if not names or names - known:
            fail(f"{where}: docs/monitoring.md has no {sorted(names - known) or 'metric of it'}: {text}")
    if metrics_of('rate(hansa_typo_total{a="b"}[5m]) / on (instance) sum by (x) (up)') != {"hansa_typo_total", "up"}:
        fail("names of metrics are not found")


class MetricsPage(http.server.BaseHTTPRequestHandler):
    text = ""

    def do_GET(self):
        data = self.text.encode()
        self.send_response(200 if self.path == "/metrics" else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Prometheus:
    def __init__(self, folder, target):
        text = (folder / "prometheus.yml").read_text(encoding="utf-8").replace("127.0.0.1:7471", target)
        (folder / "prometheus.yml").write_text(text.replace("_interval: 15s", "_interval: 1s"), encoding="utf-8")
        self.address = f"127.0.0.1:{free_port()}"
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.address}"], stdout=self.log, stderr=self.log)

    def get(self, path, **query):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return json.load(answer)["data"]

    def wait_until(self, what, condition):
        """Asks until the condition holds; only a Prometheus that has failed takes longer than the patience."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if condition():
                    return
            except OSError:
                pass  # not yet listening
            time.sleep(0.1)
        fail(f"prometheus: {what} does not come: {pathlib.Path(self.log.name).read_text(encoding='utf-8')[-2000:]}")

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        self.log.close()


def evaluate(folder, target, expressions, metrics, is_real):
    """A real Prometheus scrapes the target, and evaluates the alerts and the dashboard."""
    prometheus = Prometheus(folder, target)
    try:
        # Two samples, so that rates have values.
        prometheus.wait_until("the second sample", lambda: any(
            int(series["value"][1]) >= 2
            for series in prometheus.get("query", query='count_over_time(up{job="hansa"}[1m])')["result"]))
        prometheus.wait_until("an evaluation of each alert", lambda: all(
            rule["health"] != "unknown" for group in prometheus.get("rules")["groups"] for rule in group["rules"]))
        for group in prometheus.get("rules")["groups"]:
            for rule in group["rules"]:
                if rule["health"] != "ok":
                    fail(f"the alert {rule['name']} is not evaluated: {rule.get('lastError')}")
        scraped = {name for name in prometheus.get("label/__name__/values") if re.match("hansa_|process_", name)}
        if is_real:
            print("served, and not in docs/monitoring.md:", sorted(scraped - metrics.known) or "none")
            print("in docs/monitoring.md, and not served:",
                  sorted(name for name in metrics.known - scraped if not name.startswith("node_") and name != "up") or "none")
        elif scraped != {name for name in metrics.known if re.match("hansa_|process_", name)}:
            fail(f"of the page are not scraped: {metrics.known - scraped}")
        empty = [where for where, text in expressions.items()
                 if where.startswith("panel") and not prometheus.get("query", query=text)["result"]]
        if is_real:
            print("panels without a value:", empty or "none")
        elif empty:
            fail(f"panels are empty although all metrics are there: {empty}")
    finally:
        prometheus.close()


def check_compose(root):
    compose = shutil.which("docker-compose", path="/usr/bin:/usr/local/bin")
    if compose is None:
        print("without docker-compose, docker/compose.monitoring.yml is not checked")
        return
    command = [compose, "-f", "docker/compose.yaml", "-f", "docker/compose.monitoring.yml", "config"]
    environment = {name: value for name, value in os.environ.items() if name != "GRAFANA_PASSWORD"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0 or "GRAFANA_PASSWORD" not in done.stderr:
        fail("Grafana would start without a password of its own")
    done = subprocess.run(command, cwd=root, env={**environment, "GRAFANA_PASSWORD": "x"}, capture_output=True, text=True,
                          check=False)
    must_pass(done, "docker-compose refuses the overlay")
    services = yaml.safe_load(done.stdout)["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                fail(f"{name} publishes {port} to other machines")
        for volume in service.get("volumes", []):
            source = str(volume).split(":", maxsplit=1)[0]
            if source.startswith("/") and not pathlib.Path(source).exists():
                fail(f"{name} mounts {source}, which does not exist")


def main():
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("skipped: apt-get install prometheus")
        return 77
    root = pathlib.Path(sys.argv[1]).resolve()
    files = root / "deploy" / "monitoring"
    page = (root / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rules = (files / "alerts.yml").read_text(encoding="utf-8")
    metrics = Metrics(page)
    expressions = expressions_of_dashboard(files / "grafana" / "dashboards" / "hansa.json")
    for group in yaml.safe_load(rules)["groups"]:
        expressions |= {f"alert {rule['alert']}": rule["expr"] for rule in group["rules"]}
    for file in files.glob("grafana/provisioning/*/*.yml"):
        yaml.safe_load(file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for name in ("prometheus.yml", "alerts.yml"):
            shutil.copy(files / name, folder)
        must_pass(promtool("check", "config", str(folder / "prometheus.yml")), "prometheus.yml")
        must_pass(promtool("check", "metrics", input=metrics.page()), "the metrics of docs/monitoring.md")
        check_rules(folder, rules, (root / "tests" / "monitoring" / "alerts_test.yml").read_text(encoding="utf-8"), page)
        check_expressions(folder, expressions, metrics.known)
        check_compose(root)
        if len(sys.argv) > 2:
            target = urllib.parse.urlsplit(sys.argv[2]).netloc
        else:
            MetricsPage.text = metrics.page()
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), MetricsPage)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            target = f"127.0.0.1:{server.server_address[1]}"
        evaluate(folder, target, expressions, metrics, is_real=len(sys.argv) > 2)
    print(f"{len(metrics.rows)} metrics, {len(expressions)} expressions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
