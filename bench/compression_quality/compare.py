"""Trains Fashion-MNIST federations with one codec after the other: bytes, rounds and accuracy of each.

    compare.py HANSA [--clients 10] [--rounds 30] [--seed 1] [--alpha 0.3] [--dataset DIR] [--codec NAME ...]

DIR may hold another data set in the same four gzipped idx files, for example MNIST.

Every run starts from the same model, partition and seeds. The target is reached when the mean test accuracy of the last three
rounds is within half a point of the final accuracy with float32.
"""
import argparse
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile

DEFAULT = "default"
# Name: lines of [compression], and lines of [secure_aggregation] if it is enabled.
VARIANTS = {
    "f32": ('uplink = "f32"\ndownlink = "f32"', None),
    DEFAULT: ("", None),
    "q8": ('uplink = "q8"\ndownlink = "f32"', None),
    "q4": ('uplink = "q4"\ndownlink = "f32"', None),
    "q4-rotated": ('uplink = "q4-rotated"\ndownlink = "f32"', None),
    "q2-rotated": ('uplink = "q2-rotated"\ndownlink = "f32"', None),
    "q1-rotated": ('uplink = "q1-rotated"\ndownlink = "f32"', None),
    "sign": ('uplink = "sign"\ndownlink = "f32"', None),
    "topk 10 %": ('uplink = "topk(0.1, q4)"\ndownlink = "f32"', None),
    "topk 5 %": ('uplink = "topk(0.05, q4)"\ndownlink = "f32"', None),
    "topk 2 %": ('uplink = "topk(0.02, q4)"\ndownlink = "f32"', None),
    "topk 1 %": ('uplink = "topk(0.01, q4)"\ndownlink = "f32"', None),
    "randk 10 %": ('uplink = "randk(0.1, q8)"\ndownlink = "f32"', None),
    "lowrank 2": ('uplink = "lowrank(2)"\ndownlink = "f32"', None),
    "secure": ("", ""),
    "secure 2 bits": ("", "value_bits = 2"),
    "secure 3 bits": ("", "value_bits = 3"),
    "secure 4 bits": ("", "value_bits = 4"),
    "secure, half": ("", "fraction = 0.5"),
}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def federate(hansa, folder, name, rounds, seed):
    compression, secure = VARIANTS[name]
    text = (folder / "federation.toml").read_text()
    if secure is None:
        text = text.replace("[secure_aggregation]\nenabled = true", "[secure_aggregation]\nenabled = false")
    else:
        text = text.replace("[secure_aggregation]\n", f"[secure_aggregation]\n{secure}\n")
    if compression:
        text += f"\n[compression]\n{compression}\n"
    variant = folder / "variant.toml"
    variant.write_text(text)
    report = json.loads(
        run([hansa, "simulate", str(variant), "--rounds", str(rounds), "--seed", str(seed), "--json"]))
    run_folder = pathlib.Path(report["run_folder"])
    if not run_folder.is_absolute():
        run_folder = folder / run_folder
    with sqlite3.connect(run_folder / "run.sqlite") as database:
        traffic = database.execute(
            "SELECT sum(bytes_up), sum(bytes_down) FROM participations GROUP BY round ORDER BY round").fetchall()
    accuracy = [r["evaluation"]["accuracy"]["mean"] for r in report["rounds"]]
    return {"accuracy": accuracy, "up": [t[0] for t in traffic], "down": [t[1] for t in traffic]}


def last_of(accuracy):
    return statistics.mean(accuracy[-5:])


def rounds_to(accuracy, target):
    for i in range(2, len(accuracy)):
        if statistics.mean(accuracy[i - 2 : i + 1]) >= target:
            return i + 1
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hansa")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alpha", type=float, default=0.3)
    parser.add_argument("--dataset")
    parser.add_argument("--codec", action="append", choices=list(VARIANTS))
    options = parser.parse_args()
    names = ["f32"] + [n for n in options.codec or VARIANTS if n != "f32"]
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "fashion"
        run([options.hansa, "new", str(folder), "--example", "fashion-mnist", "--clients", str(options.clients),
             "--alpha", str(options.alpha), "--seed", str(options.seed),
             *(["--dataset", options.dataset] if options.dataset else [])])
        print(f"{options.clients} clients, Dirichlet {options.alpha}, {options.rounds} rounds, seed {options.seed}; MB of all clients")
        print(f"{'codec':<14}{'accuracy':>10}{'up MB':>10}{'ratio':>8}{'down MB':>10}{'ratio':>8}"
              f"{'rounds to target':>18}{'up MB to it':>13}{'ratio':>8}")
        base = target = base_bytes = None
        results = {}
        for name in names:
            result = federate(options.hansa, folder, name, options.rounds, options.seed)
            up, down = sum(result["up"]), sum(result["down"])
            if base is None:
                base = (up, down)
                target = last_of(result["accuracy"]) - 0.005
            rounds = rounds_to(result["accuracy"], target)
            to_target = sum(result["up"][:rounds]) if rounds else None
            if base_bytes is None:
                base_bytes = to_target
            results[name] = {
                "loss_points": 100 * (target + 0.005 - last_of(result["accuracy"])),
                "uplink_ratio": base_bytes / to_target if to_target else 0.0,
                "downlink_ratio": base[1] / down,
            }
            print(f"{name:<14}{last_of(result['accuracy']):>10.4f}{up / 1e6:>10.2f}{base[0] / up:>8.1f}{down / 1e6:>10.2f}"
                  f"{base[1] / down:>8.1f}{rounds or 'none':>18}"
                  f"{(f'{to_target / 1e6:.2f}' if to_target else '-'):>13}"
                  f"{(f'{base_bytes / to_target:.1f}' if to_target else '-'):>8}", flush=True)
        print(json.dumps(results), file=sys.stderr)


if __name__ == "__main__":
    main()
