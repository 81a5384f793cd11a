"""Runs published tables and writes docs/results.md.

    tables.py BUILD_FOLDER [ROW[/METHOD] ...] [--seeds N] [--threads N] [--again] [--list]

Without ROW every row. Each training is one process. Its result is added to results.json as soon as it has ended, so that the command
can be stopped and started again: what is there is not computed again, unless --again is given. A training that ends early because
the clients' changes are beyond every limit is a result too: it diverged. MNIST is read from ~/.cache/hansa-tables/mnist. tune.py
finds learning rates.
"""
import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import data
from rows import ROWS

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent.parent / "docs" / "results.md"


def load():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def store(results):
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def set_table(text, name, lines):
    """Replaces the lines of [name] in the text of a TOML file."""
    pattern = rf"(?ms)^\[{re.escape(name)}\]\n.*?(?=^\[|\Z)"
    block = f"[{name}]\n{lines}\n"
    return re.sub(pattern, lambda _: block, text) if re.search(pattern, text) else f"{text}\n{block}"


def remove_table(text, name):
    return re.sub(rf"(?ms)^\[{re.escape(name)}\]\n.*?(?=^\[|\Z)", "", text)


def clients_of(row):
    return row.data[1]


def prepare(hansa, folder, row, seed):
    """Makes the federation's folder with its data and its first model. Returns the lines of [evaluation]."""
    data.run([hansa, "new", folder, "--clients", clients_of(row), "--rounds", row.rounds, "--seed", seed])
    name, *arguments = row.data
    for site in sorted((folder / "sites").iterdir()):
        config = (site / "client.toml").read_text()
        (site / "client.toml").write_text(
            set_table(config, "data", 'images = "data/images.idx"\nlabels = "data/labels.idx"\n'))
    evaluation = getattr(data, name)(hansa, folder, seed, *arguments)
    model, *sizes = row.model.split(":")
    sizes = ["--inputs", sizes[0], "--classes", sizes[1]] if sizes else []
    data.run([hansa, "model", "create", model, folder / "model.pt", "--seed", seed, "--force", *sizes])
    return evaluation


def configure(folder, row, method, evaluation):
    """Writes the configuration of a training into a prepared folder."""
    text = (folder / "federation.toml").read_text()
    text = set_table(text, "training", method.training or row.training)
    # The clients train on all of their examples.
    text = remove_table(text, "evaluation.on_clients")
    text = set_table(text, "evaluation", evaluation)
    text = set_table(text, "secure_aggregation", "enabled = false\n")
    text = set_table(text, "compression", 'uplink = "f32"\ndownlink = "f32"\n')
    # Without the checks of the aggregator's own, which the sources do not have.
    text = set_table(text, "limits", "magnitude_max = 1000.0\nnorm_ratio_max = 1000000.0\n")
    text = set_table(text, "simulation", 'clients = "sites/*/client.toml"\n' + row.simulation)
    cohort = re.search(r"(?ms)^\[cohort\]\n(.*?)(?=^\[|\Z)", text)[1]
    for line in (row.cohort + method.cohort).splitlines():
        key = line.split("=")[0].strip()
        cohort = re.sub(rf"(?m)^{key} *=.*\n", "", cohort) + line + "\n"
    text = set_table(text, "cohort", cohort)
    file = folder / "table.toml"
    file.write_text(text + "\n" + method.toml + "\n" + row.more)
    return file


def train_prepared(build, file, row, method, seed, threads):
    command = [build / "bin" / "hansa-bench-tables", file, "--seed", seed, "--threads", threads]
    for option, names in (("--sign", method.sign), ("--reversed", method.reversed), ("--gaussian", method.gaussian)):
        if names:
            command += [option, *names]
    began = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    diverged = done.returncode != 0 and rounds and "declined: training diverged" in done.stderr
    if done.returncode != 0 and not diverged:
        sys.exit(f"{row.name}/{method.name}, seed {seed}:\n{done.stderr}")
    out = {
        "accuracy": [round(entry["metrics"]["accuracy"], 6) for entry in rounds],
        "seconds": round(time.monotonic() - began),
        "machine": f"{processor()}, {threads or 'all'} threads",
        "version": data_version(build),
    }
    if diverged:
        out["diverged"] = True
    if row.figure == "clock":
        out["clock"] = [entry["clock"] for entry in rounds]
    return out


def train(build, row, method, seed, threads):
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "table"
        evaluation = prepare(build / "bin" / "hansa", folder, row, seed)
        return train_prepared(build, configure(folder, row, method, evaluation), row, method, seed, threads)


def data_version(build):
    done = subprocess.run([str(build / "bin" / "hansa"), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[0].strip()


def figure_of(row, run):
    """The figure of one training; None: it has none, because the target was not reached."""
    accuracy = run["accuracy"]
    if row.figure in ("rounds", "clock"):
        place = next((i for i, value in enumerate(accuracy) if value >= row.target), None)
        return None if place is None else place + 1 if row.figure == "rounds" else run["clock"][place]
    if row.figure == "tail":
        return 100 * statistics.mean(accuracy[-10:])
    return 100 * (max(accuracy) if row.figure == "best" else accuracy[-1])


def unit_of(row):
    target = f"{100 * row.target:.0f} %"
    return {"rounds": f"rounds to {target}", "clock": f"seconds of the clock to {target}"}.get(row.figure, "accuracy, %")


def text_of(row, runs):
    figures = [figure_of(row, run) for run in runs]
    diverged = [len(run["accuracy"]) for run in runs if run.get("diverged")]
    ends = f"; diverged after round {', '.join(map(str, diverged))}" if diverged else ""
    if None in figures:
        return f"not within {row.rounds} rounds{ends}"
    digits = 0 if row.figure in ("rounds", "clock") else 2
    mean = statistics.mean(figures)
    spread = f" ± {statistics.stdev(figures):.{digits}f}" if len(figures) > 1 else ""
    return f"{mean:.{digits}f}{spread}{ends}"


def table_line(cells):
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def difference_of(row, figures, theirs):
    if theirs is None or not figures or None in figures:
        return ""
    return f"{statistics.mean(figures) - theirs:+.{0 if row.target else 2}f}"


def write_page(results):
    lines = [
        "# Published tables", "",
        "Written by `scripts/bench tables`. Ours is the mean over the seeds with its standard deviation, where more than one seed was",
        "run. Every training is `hansa simulate`'s federation on one machine, in the open and without compression, as in the",
        "sources. The machine was not always idle: `seconds a run` are an upper bound.", ""
    ]
    for row in ROWS.values():
        unit = unit_of(row)
        lines += [f"## {row.title}", "", f"Source of \"theirs\": {row.source}.", ""]
        once = any(method.theirs_once is not None for method in row.methods)
        titles = ["method", f"ours, {unit}", "theirs", "ours - theirs", *(["theirs, one run", "ours - that run"] if once else []),
                  "seeds", "seconds a run", "run by"]
        lines += [table_line(titles), table_line(["---"] * len(titles))]
        for method in row.methods:
            runs = results.get(row.name, {}).get(method.name, {})
            figures = [figure_of(row, run) for run in runs.values()]
            theirs = "" if method.theirs is None else f"{method.theirs:g}" if row.target else f"{method.theirs:.2f}"
            if method.theirs_spread is not None:
                theirs += f" ± {method.theirs_spread:.2f}"
            cells = [f"`{method.name}`", text_of(row, runs.values()) if runs else "not run", theirs,
                     difference_of(row, figures, method.theirs)]
            if once:
                cells += [f"{method.theirs_once:.1f}", difference_of(row, figures, method.theirs_once)]
            if runs:
                seconds = round(statistics.mean(run["seconds"] for run in runs.values()))
                cells += [str(len(runs)), str(seconds), ", ".join(sorted({run["version"] for run in runs.values()}))]
            lines.append(table_line(cells + [""] * (len(titles) - len(cells))))
        if row.note:
            lines += ["", row.note]
        lines.append("")
    machines = sorted({run["machine"] for row in results.values() for method in row.values() for run in method.values()})
    lines += ["Machines: " + "; ".join(machines) + ".", ""]
    PAGE.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--seeds", type=int, default=1, help="of those that the row names")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for row in ROWS.values():
            print(f"{row.name:<20} {row.title}: {', '.join(method.name for method in row.methods)}")
        return
    wanted = [name.partition("/") for name in options.rows or ROWS]
    for name, _, method in wanted:
        if name not in ROWS or (method and method not in [m.name for m in ROWS[name].methods]):
            sys.exit(f"tables: there is no {name}/{method}; --list names the rows and their methods")
    results = load()
    for name, _, only in wanted:
        row = ROWS[name]
        for method in row.methods:
            if only and method.name != only:
                continue
            runs = results.setdefault(row.name, {}).setdefault(method.name, {})
            for seed in row.seeds[:options.seeds]:
                if str(seed) in runs and not options.again:
                    continue
                try:
                    runs[str(seed)] = train(options.build, row, method, seed, options.threads)
                except data.Missing as missing:
                    print(f"{row.name}/{method.name}: not run: {missing}", file=sys.stderr)
                    continue
                store(results)
                write_page(results)
                print(f"{row.name}/{method.name}, seed {seed}: "
                      f"{text_of(row, [runs[str(seed)]])}, {runs[str(seed)]['seconds']} s", flush=True)
            figures = [figure_of(row, run) for run in runs.values()]
            if figures and None not in figures:
                kind, unit = {"rounds": ("rounds", "rounds"), "clock": ("clock", "seconds")}.get(row.figure, ("accuracy", "percent"))
                print(f"figure: tables/{row.name}/{method.name}_{kind} {statistics.mean(figures):.2f} {unit}")
    write_page(results)


if __name__ == "__main__":
    main()
