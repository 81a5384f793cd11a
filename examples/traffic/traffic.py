#!/usr/bin/python3
"""Synthetic hourly counts of vehicles at four stations, with a bridge that closes in the middle; README.md has the model.

    traffic.py messages STATION --hours BEGIN:END [--seed S]
        One JSON object per line on stdout for each of the hours BEGIN to END - 1, counted from midnight on a Monday.

    traffic.py held-out FILE --hours BEGIN:END [--seed S]
        Writes other days of the same stations to a CSV file, one station after the other, with a column `station`.

    traffic.py naive FILE --back H --window W
        Prints the mean squared error of the forecast "as H hours ago" on the windows that the model is evaluated on.

The fields of an hour: vehicles (in thousands), morning and evening (sine and cosine of the hour of the day), weekend (0
or 1). Needs only the Python standard library. Equal seeds give equal bytes.
"""
import argparse
import csv
import json
import math
import random
from dataclasses import dataclass

CLOSED_FROM = 24 * 7 * 6  # the bridge closes after six weeks


@dataclass(frozen=True)
class Station:
    level: float  # vehicles per hour on a working day
    rush: float  # weight of the two rush hours
    weekend: float  # level on Saturdays and Sundays, as a fraction
    closed: float  # level while the bridge is closed, as a fraction
    earlier: float  # hours by which the rush hours are earlier while it is closed


STATIONS = {
    "motorway": Station(2400, 0.9, 0.80, 0.45, 0.5),
    "ring-road": Station(1500, 1.2, 0.65, 1.70, 1.5),
    "school-street": Station(420, 1.8, 0.25, 1.10, 1.0),
    "market-street": Station(650, 0.4, 1.30, 1.35, 0.5),
}


def bump(hour, center, width):
    """A bell on the circle of 24 hours, 1 at its center."""
    distance = abs((hour - center + 12) % 24 - 12)
    return math.exp(-0.5 * (distance / width) ** 2)


def mean_count(station, t):
    """Expected vehicles in hour t."""
    hour, day = t % 24, t // 24 % 7
    closed = t >= CLOSED_FROM
    early = station.earlier if closed else 0.0
    level = station.level * (station.closed if closed else 1.0)
    if day >= 5:
        shape = 0.05 + 1.3 * bump(hour, 14, 4.0)
        level *= station.weekend
    else:
        shape = 0.05 + 0.9 * bump(hour, 13, 4.5)
        shape += station.rush * (bump(hour, 8 - early, 1.2) + 0.9 * bump(hour, 17 - early, 1.6))
    return level * shape


def poisson(mean, rng):
    """A Poisson number: Knuth's method for small means, the normal approximation for large ones."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, k, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        k += 1
        product *= rng.random()
    return k


FIELDS = ["vehicles", "morning", "evening", "weekend"]


def hourly(name, begin, end, seed):
    """The values of FIELDS. A factor of the day scales all its hours, so that days vary more than a Poisson process."""
    rng = random.Random(f"{seed} {name}")
    day_factor = 1.0
    for t in range(end):
        if t % 24 == 0:
            day_factor = math.exp(rng.gauss(0, 0.06))
        count = poisson(mean_count(STATIONS[name], t) * day_factor, rng)
        if t < begin:
            continue
        angle = 2 * math.pi * (t % 24) / 24
        yield count / 1000, round(math.sin(angle), 4), round(math.cos(angle), 4), int(t // 24 % 7 >= 5)


def print_messages(args):
    for values in hourly(args.station, *args.hours, args.seed):
        print(json.dumps(dict(zip(FIELDS, values))))


def write_held_out(args):
    with open(args.file, "w", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["station", *FIELDS])
        for name in STATIONS:
            writer.writerows([name, *values] for values in hourly(name, *args.hours, f"held-out {args.seed}"))


def print_naive(args):
    series = {}
    with open(args.file, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            series.setdefault(row["station"], []).append(float(row["vehicles"]))
    errors = [(values[i] - values[i - args.back]) ** 2 for values in series.values()
              for i in range(args.window, len(values))]
    print(f"{sum(errors) / len(errors):.6f}")


def hours(text):
    begin, end = (int(part) for part in text.split(":"))
    return begin, end


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    messages = commands.add_parser("messages")
    messages.add_argument("station", choices=STATIONS)
    messages.set_defaults(work=print_messages)
    held_out = commands.add_parser("held-out")
    held_out.add_argument("file")
    held_out.set_defaults(work=write_held_out)
    for command in (messages, held_out):
        command.add_argument("--hours", type=hours, required=True)
        command.add_argument("--seed", type=int, default=1)
    naive = commands.add_parser("naive")
    naive.add_argument("file")
    naive.add_argument("--back", type=int, required=True)
    naive.add_argument("--window", type=int, required=True)
    naive.set_defaults(work=print_naive)
    args = parser.parse_args()
    args.work(args)


if __name__ == "__main__":
    main()
