#!/usr/bin/python3
"""Splits the Wisconsin breast cancer table among hospitals with different fractions of malignant cases.

    prepare.py SOURCE OUT [--seed S]

SOURCE is scikit-learn's folder `datasets`: data/breast_cancer.csv and descr/breast_cancer.rst. OUT gets
hospital-1.csv to hospital-5.csv, pooled.csv (all five) and held-out.csv (cases of no hospital).
The Python standard library is enough.
"""
import argparse
import csv
import pathlib
import random
import re
import sys

DIAGNOSES = ["malignant", "benign"]  # target 0 and 1 in the table
# The percentage of the malignant and of the benign cases that each hospital sees, from a cancer centre, where nearly
# every patient was referred on suspicion, to a screening practice.
FRACTIONS = {
    "hospital-1": (45, 3),
    "hospital-2": (30, 7),
    "hospital-3": (15, 15),
    "hospital-4": (7, 30),
    "hospital-5": (3, 45),
}
HELD_OUT_PERCENT = 40


def die(message):
    sys.exit(f"prepare.py: {message}")


def read_ranges(path):
    """Name, minimum and maximum of each column, in the table's order, from the data set's description."""
    pattern = re.compile(r"^ *([a-z ]+) \((mean|standard error|worst)\): +([0-9.]+) +([0-9.]+) *$", re.MULTILINE)
    ranges = []
    for name, kind, low, high in pattern.findall(path.read_text(encoding="utf-8")):
        ranges.append((f"{name} {kind}".replace(" ", "_"), float(low), float(high)))
    return ranges


def scaled(value, low, high):
    """Maps the range to -1 to 3. Most values are in its lower half, so they get a mean near 0 and a spread near 1."""
    return 4 * (value - low) / (high - low) - 1


def read_cases(path, ranges):
    """Rows of scaled inputs, by diagnosis. The first line of the file has the number of rows and columns, and the classes."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        count, columns = (int(field) for field in next(rows)[:2])
        if columns != len(ranges):
            die(f"{path} has {columns} columns, but its description has {len(ranges)} ranges")
        cases = {diagnosis: [] for diagnosis in DIAGNOSES}
        for row in rows:
            values = [scaled(float(x), low, high) for x, (_, low, high) in zip(row, ranges)]
            cases[DIAGNOSES[int(row[columns])]].append(values)
    if sum(map(len, cases.values())) != count:
        die(f"{path} announces {count} rows, but has {sum(map(len, cases.values()))}")
    return cases


def split(cases, random_source):
    """Maps each file name to its list of (values, diagnosis)."""
    parts = {name: [] for name in [*FRACTIONS, "pooled", "held-out"]}
    for index, diagnosis in enumerate(DIAGNOSES):
        rows = [(values, diagnosis) for values in cases[diagnosis]]
        random_source.shuffle(rows)
        held_out = round(len(rows) * HELD_OUT_PERCENT / 100)
        parts["held-out"] += rows[:held_out]
        rows = rows[held_out:]
        parts["pooled"] += rows
        begin = percent = 0
        for name, percentages in FRACTIONS.items():
            percent += percentages[index]
            end = round(len(rows) * percent / 100)
            parts[name] += rows[begin:end]
            begin = end
    for rows in parts.values():
        random_source.shuffle(rows)
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    ranges = read_ranges(args.source / "descr" / "breast_cancer.rst")
    cases = read_cases(args.source / "data" / "breast_cancer.csv", ranges)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, rows in split(cases, random.Random(args.seed)).items():
        with open(args.out / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([name for name, _, _ in ranges] + ["diagnosis"])
            for values, diagnosis in rows:
                writer.writerow([f"{value:.6g}" for value in values] + [diagnosis])


if __name__ == "__main__":
    main()
