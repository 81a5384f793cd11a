#!/usr/bin/python3
"""The Prometheus of docker/compose.monitoring.yml, asked at its published address while the federation of containers runs.

  overlay_check.py ROOT ADDRESS

It must read the aggregator, evaluate each alert, and have values for the panels of the dashboard. Called by scripts/test-containers --monitoring.
"""
import json
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request

import yaml
from monitoring_test import expressions_of_dashboard, fail

PATIENCE_S = 300


def get(address, path, **query):
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]


def wait_until(what, condition):
    """Asks until the condition holds. The patience is for machines that are busy with the training of all clients."""
    end = time.monotonic() + PATIENCE_S
    seen = "no answer"
    while time.monotonic() < end:
        try:
            seen = condition()
            if seen is True:
                return
        except OSError as error:
            seen = error  # not yet listening
        time.sleep(0.5)
    fail(f"{what}: {seen}")


def is_read(address):
    targets = [target for target in get(address, "targets")["activeTargets"] if target["labels"]["job"] == "hansa"]
    return [target["lastError"] or target["health"] for target in targets] == ["up"] or targets


def counts_rounds(address):
    result = get(address, "query", query="hansa_rounds_committed_total")["result"]
    return bool(result) and int(result[0]["value"][1]) >= 2 or result


def evaluates_alerts(address, alerts):
    rules = {rule["name"]: rule for group in get(address, "rules")["groups"] for rule in group["rules"]}
    if set(rules) != alerts:
        fail(f"other alerts than those of alerts.yml: {set(rules) ^ alerts}")
    return {name: rule["health"] for name, rule in rules.items() if rule["health"] != "ok"} == {} or "not all are evaluated"


def main():
    root, address = pathlib.Path(sys.argv[1]), sys.argv[2]
    files = root / "deploy" / "monitoring"
    groups = yaml.safe_load((files / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    wait_until("the aggregator is not read", lambda: is_read(address))
    wait_until("no rounds are counted", lambda: counts_rounds(address))
    wait_until("the alerts", lambda: evaluates_alerts(address, alerts))
    panels = expressions_of_dashboard(files / "grafana" / "dashboards" / "hansa.json")
    # Rates need two samples, and the federation of containers holds out no examples and has no certificates.
    needed = {where: text for where, text in panels.items() if not re.search("hansa_held_out|hansa_certificates", text)}
    wait_until("panels without a value", lambda: [
        where for where, text in needed.items() if not get(address, "query", query=text)["result"]] or True)
    print(f"{len(alerts)} alerts are evaluated, {len(needed)} expressions of the dashboard have values")


if __name__ == "__main__":
    main()
