#!/usr/bin/env python3
"""Checks answers of the HTTP API against openapi.json.

  openapi_check.py OPENAPI API_TEST [HANSA PAGE]

Runs the program API_TEST, which writes every answer that its tests get, and validates each one by the JSON schema of its
path, method and status. With HANSA, a real `hansa dashboard` answers too, and the commands of PAGE (docs/api.md) run against it. Every route that the description has must
have been answered with success, and every answer must have a description.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import jsonschema

BASE = "/api/v1"
STREAMS = {("get", "/events")}  # a stream has no schema; tests/http reads it


class Description:
    def __init__(self, path):
        self.document = json.loads(pathlib.Path(path).read_text())
        if not self.document["openapi"].startswith("3.1."):
            raise SystemExit("openapi.json is not of version 3.1")
        self.routes = []
        for path, operations in self.document["paths"].items():
            # A run's name has slashes; of two paths that match, the one with more fixed segments is meant.
            pattern = re.sub(r"\\{run\\}", ".+", re.escape(path))
            pattern = re.sub(r"\\{[a-z]+\\}", "[^/]+", pattern)
            for method, operation in operations.items():
                self.routes.append((re.compile(pattern), method, path, operation))
        self.routes.sort(key=lambda route: -len(re.sub(r"{[a-z]+}", "", route[2])))
        self.check_itself()

    def check_itself(self):
        schemas = self.document["components"]["schemas"]
        for schema in schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)
        text = json.dumps(self.document)
        references = set(re.findall(r'"\$ref": "#/components/([^"]+)"', text))
        defined = {f"{kind}/{name}" for kind, parts in self.document["components"].items() for name in parts}
        defined -= {"securitySchemes/token"}
        if references - defined:
            raise SystemExit(f"openapi.json refers to what it does not define: {sorted(references - defined)}")
        if defined - references:
            raise SystemExit(f"openapi.json defines what it does not use: {sorted(defined - references)}")
        identifiers = [route[3]["operationId"] for route in self.routes]
        if len(identifiers) != len(set(identifiers)):
            raise SystemExit("an operationId is there twice")

    def resolved(self, part):
        while "$ref" in part:
            found = self.document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def validator(self, schema):
        return jsonschema.Draft202012Validator({**schema, "components": self.document["components"]})

    def route_of(self, method, path):
        for pattern, of_method, name, operation in self.routes:
            if of_method == method.lower() and pattern.fullmatch(path):
                return name, operation
        return None


def check(description, answer, seen):
    """Returns what is wrong with an answer; None: nothing."""
    path, status = answer["path"].removeprefix(BASE), answer["status"]
    what = f'{answer["method"]} {answer["path"][:200]}: {status}'
    found = description.route_of(answer["method"], path)
    error = description.validator({"$ref": "#/components/schemas/Error"})
    if status >= 400 and found is None:
        return None if error.is_valid(json.loads(answer["body"])) else f"{what}: is not an Error"
    if found is None:
        return f"{what}: openapi.json has no such path"
    name, operation = found
    if status == 405:  # of any path with another method
        return None if error.is_valid(json.loads(answer["body"])) else f"{what}: is not an Error"
    if str(status) not in operation["responses"]:
        return f"{what}: this status is not described"
    contents = description.resolved(operation["responses"][str(status)])["content"]
    if answer["content_type"] not in contents:
        return f'{what}: the type {answer["content_type"]} is not described'
    if status < 300:
        seen.add((answer["method"].lower(), name))
    if answer["content_type"] != "application/json":
        return None
    problems = list(description.validator(contents["application/json"]["schema"]).iter_errors(json.loads(answer["body"])))
    return f"{what}: {problems[0].json_path}: {problems[0].message[:300]}" if problems else None


def answers_of_tests(program, folder):
    responses = folder / "responses"
    responses.mkdir()
    subprocess.run([program, "--gtest_brief=1"], check=True, env={**os.environ, "HANSA_API_RESPONSES": str(responses)},
                   stdout=subprocess.DEVNULL)
    return [json.loads(file.read_text()) for file in sorted(responses.iterdir())]


def fetch(address, path):
    try:
        with urllib.request.urlopen(f"http://{address}{path}") as response:
            return {"method": "GET", "path": path.split("?")[0], "status": response.status,
                    "content_type": response.headers["Content-Type"].split(";")[0], "body": response.read().decode("utf-8", "replace")}
    except urllib.error.HTTPError as error:
        return {"method": "GET", "path": path.split("?")[0], "status": error.code,
                "content_type": error.headers["Content-Type"].split(";")[0], "body": error.read().decode()}


def run_page(page, address, folder):
    """The commands of the page, except for the start of the server, which runs already at another port."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", pathlib.Path(page).read_text(), re.DOTALL | re.MULTILINE)
    commands = [line.replace("127.0.0.1:7473", address) for block in blocks for line in block.splitlines()
                if not line.startswith("hansa dashboard")]
    if not any(address in command for command in commands):
        raise SystemExit(f"{page} has no command with its port")
    script = "set -euo pipefail\ncurl() { command curl --fail --max-time 60 \"$@\"; }\n" + "\n".join(commands)
    subprocess.run(["bash", "-c", script], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    if (folder / "model.f32").stat().st_size == 0:
        raise SystemExit(f"{page}: the model has no values")


def answers_of_process(hansa, page, program, folder):
    """Of `hansa dashboard` over a run that a test has written."""
    federation = folder / "harbour"
    subprocess.run([program, "--gtest_brief=1", "--gtest_also_run_disabled_tests",
                    "--gtest_filter=ApiProcess.DISABLED_WritesAFolderForAnotherProcess"], check=True,
                   env={**os.environ, "HANSA_API_FOLDER": str(federation)}, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([hansa, "dashboard", str(federation), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://([0-9.:]+)", server.stdout.readline()).group(1)
        run = "/runs/harbour-20260102-030405"
        paths = ["/federation", "/runs", run, run + "/rounds?points=2", run + "/rounds?after=1", run + "/rounds/2",
                 run + "/rounds/1/model", run + "/model", run + "/configuration", run + "/privacy", "/devices", "/devices/riga",
                 "/live", "/log", "/openapi.json", "/nothing", "/runs/x", run + "/rounds?points=x"]
        run_page(page, address, folder)
        return [fetch(address, BASE + path) for path in paths]
    finally:
        server.terminate()
        server.wait()


def main():
    description = Description(sys.argv[1])
    seen, problems = set(), []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        answers = answers_of_tests(sys.argv[2], folder)
        if len(sys.argv) > 4:
            answers += answers_of_process(sys.argv[3], sys.argv[4], sys.argv[2], folder)
    for answer in answers:
        if problem := check(description, answer, seen):
            problems.append(problem)
    for _, method, path, _ in description.routes:
        if (method, path) not in seen | STREAMS:
            problems.append(f"{method.upper()} {path}: was never answered with success")
    print(f"{len(answers)} answers of {len(seen)} routes")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
