"""Lets the programs train in turns, one epoch each, and prints medians and their ratios.

They take turns because a machine's speed drifts: the epochs of one turn run within the same seconds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time


class Contestant:
    def __init__(self, name, command, environment=None):
        self.name = name
        self.speeds = []
        self.loss = float("nan")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **(environment or {})},
        )

    def epoch(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with code {self.process.wait()}")
        speed, loss = map(float, line.split())
        self.speeds.append(speed)
        self.loss = loss

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    @property
    def median(self):
        return statistics.median(self.speeds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="hansa-bench-training")
    parser.add_argument("loop", help="python_loop.py")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--examples", type=int, default=12_800)
    parser.add_argument("--jemalloc", default="libjemalloc.so.2", help="the library preloaded into the second Python loop")
    options = parser.parse_args()

    size = ["--examples", str(options.examples)]
    python = [sys.executable, options.loop, *size]
    hansa = Contestant("Hansa", [options.program, *size])
    plain = Contestant("Python", python)
    helped = Contestant("Python, jemalloc preloaded", python, {"LD_PRELOAD": options.jemalloc})
    contestants = [hansa, plain, helped]
    for turn in range(options.turns + 1):
        for contestant in contestants:
            contestant.epoch()
        if turn == 0:  # caches fill, code is compiled
            for contestant in contestants:
                contestant.speeds.clear()
    for contestant in contestants:
        contestant.close()

    print("cnn-small on Fashion-MNIST, batch 32, one thread, SGD 0.05;")
    date = time.strftime("%Y-%m-%d")
    print(f"{options.turns} epochs of {options.examples} examples each, in turns; {date}")
    print(f"{'':28}{'samples/s':>10}{'lowest':>10}{'highest':>10}{'against':>9}{'last loss':>11}")
    for c in contestants:
        print(f"{c.name:28}{c.median:10,.0f}{min(c.speeds):10,.0f}{max(c.speeds):10,.0f}"
              f"{hansa.median / c.median:8.2f}x{c.loss:11.4f}")
    # The median of the ratios in each turn: within a turn the drift of the machine cancels.
    ratio = statistics.median(a / b for a, b in zip(hansa.speeds, plain.speeds))
    ratio_helped = statistics.median(a / b for a, b in zip(hansa.speeds, helped.speeds))
    print(f"figure: training/ratio_to_python {ratio:.2f} x")
    print(f"figure: training/ratio_to_python_with_jemalloc {ratio_helped:.2f} x")
    print(f"figure: training/samples_per_second {hansa.median:.0f} samples/s")
    print(f"figure: training/python_samples_per_second {plain.median:.0f} samples/s")


if __name__ == "__main__":
    main()
