"""Tunes the clients' and the server's learning rate of a row's methods.

    tune.py BUILD_FOLDER ROW[/METHOD] [--seed N] [--threads N]

Evaluates on a part of the training data. Begins at the rates of rows.py, tries those that are about 3 times as large and as small,
one rate at a time, and moves to the best ones until none is better. Prints each training and the best rates; changes no file.
"""
import argparse
import math
import pathlib
import sys
import tempfile
from dataclasses import replace

from rows import ROWS
from tables import configure, figure_of, prepare, train_prepared


def next_rate(rate, halves):
    """The rate at that number of half powers of ten: 1, 3, 10, 30, ..."""
    return float(f"{10 ** ((round(2 * math.log10(rate)) + halves) / 2):.1g}")


def tune(options, row, rates, folder, evaluation):
    found = {}

    def figure(point):
        if point not in found:
            method = rates.method(*point)
            file = configure(folder, row, method, evaluation)
            run = train_prepared(options.build, file, row, method, options.seed, options.threads)
            found[point] = 0 if run.get("diverged") else figure_of(row, run)
            print(f"  clients {point[0]:g}, server {point[1]:g}: {found[point]:.2f}", flush=True)
        return found[point]

    best = (rates.clients, rates.server)
    while True:
        near = [best] + [(next_rate(best[0], a), next_rate(best[1], b)) for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        better = max(near, key=figure)
        if better == best:
            return best, found[best]
        best = better


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    name, _, only = options.row.partition("/")
    methods = [m for m in ROWS[name].methods if m.rates and only in ("", m.name)] if name in ROWS else []
    if not methods:
        sys.exit(f"tune: {options.row} has no method whose rates can be tuned")
    row = replace(ROWS[name], data=ROWS[name].data + ("tuning",))
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "table"
        evaluation = prepare(options.build / "bin" / "hansa", folder, row, options.seed)
        for method in methods:
            print(f"{method.name}:", flush=True)
            (clients_rate, server_rate), value = tune(options, row, method.rates, folder, evaluation)
            print(f"{method.name}: best: clients {clients_rate:g}, server {server_rate:g}: {value:.2f}", flush=True)


if __name__ == "__main__":
    main()
