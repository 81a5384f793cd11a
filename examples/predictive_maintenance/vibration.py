#!/usr/bin/python3
"""Synthetic vibration of rolling element bearings whose outer race wears out; README.md has the model and its source.

    vibration.py held-out FILE [--machine NAME] [--recordings N] [--seed S]
        Writes recordings of another life of every machine (or of one): half healthy, half faulty, also for the mixer.

    vibration.py life FOLDER --recordings N --begin A --end B [--seed S]
        Appends recordings A to B - 1 of each machine to FOLDER/NAME.csv; a life has N recordings.

The columns: recording (its number), g (acceleration in g), state (healthy or faulty). The Python standard library is
enough. Equal seeds give equal bytes.
"""
import argparse
import math
import pathlib
import random
from dataclasses import dataclass

SAMPLES_PER_SECOND = 4000
SAMPLES_PER_RECORDING = 1024


@dataclass(frozen=True)
class Machine:
    shaft_hz: float  # speed
    balls: int
    diameter_ratio: float  # ball to pitch diameter, d / D
    contact_degrees: float
    resonance_hz: float  # of the structure between bearing and accelerometer
    damping: float  # of that resonance, as a fraction of critical
    imbalance_g: float  # amplitude at the shaft's frequency
    noise_g: float  # standard deviation
    fault_g: float  # amplitude of an impact when the race is worn out
    onset: float  # fraction of its life after which the race has a spall; 1: never

    def outer_race_hz(self):
        """BPFO: how many times per second a ball passes a point of the outer race."""
        return self.balls / 2 * self.shaft_hz * (
            1 - self.diameter_ratio * math.cos(math.radians(self.contact_degrees)))


MACHINES = {
    "pump": Machine(29.2, 9, 0.22, 0, 1150, 0.05, 0.30, 0.30, 1.8, 0.45),
    "fan": Machine(24.6, 8, 0.25, 0, 950, 0.06, 0.50, 0.40, 2.0, 0.30),
    "compressor": Machine(48.7, 10, 0.20, 15, 1400, 0.04, 0.25, 0.50, 2.2, 0.60),
    "conveyor": Machine(19.5, 12, 0.18, 10, 1050, 0.05, 0.20, 0.25, 1.6, 0.40),
    "mixer": Machine(33.1, 9, 0.24, 0, 1250, 0.05, 0.40, 0.35, 1.8, 1.00),
}


def severity(machine, age):
    """Strength of an impact as a fraction of fault_g; age is 0 to 1. It grows with the square of the time since onset."""
    if age < machine.onset or machine.onset >= 1:
        return 0.0
    worn = (age - machine.onset) / (1 - machine.onset)
    return 0.3 + 0.7 * worn**2


def recording(machine, fault, rng):
    """SAMPLES_PER_RECORDING accelerations in g; fault is the strength of an impact as a fraction of fault_g."""
    step = 1 / SAMPLES_PER_SECOND
    shaft = 2 * math.pi * machine.shaft_hz
    phases = [rng.uniform(0, 2 * math.pi) for _ in range(3)]
    signal = []
    for i in range(SAMPLES_PER_RECORDING):
        t = i * step
        value = sum(machine.imbalance_g / (k * k) * math.sin(k * shaft * t + phases[k - 1]) for k in (1, 2, 3))
        signal.append(value + rng.gauss(0, machine.noise_g))
    if fault <= 0:
        return signal
    omega = 2 * math.pi * machine.resonance_hz
    decay = machine.damping * omega
    ring = int(5 / decay * SAMPLES_PER_SECOND)
    period = 1 / machine.outer_race_hz()
    at = rng.uniform(0, period)
    while at < SAMPLES_PER_RECORDING * step:
        strength = fault * machine.fault_g * rng.uniform(0.8, 1.2)
        begin = math.ceil(at / step)
        for i in range(begin, min(begin + ring, SAMPLES_PER_RECORDING)):
            since = i * step - at
            signal[i] += strength * math.exp(-decay * since) * math.sin(omega * since)
        at += period * rng.gauss(1, 0.015)  # random slip of the balls
    return signal


def rows(number, machine, fault, rng):
    state = "faulty" if fault > 0 else "healthy"
    return "".join(f"{number},{value:.4f},{state}\n" for value in recording(machine, fault, rng))


HEADER = "recording,g,state\n"


def write_held_out(args):
    names = [args.machine] if args.machine else list(MACHINES)
    number = 0
    with open(args.file, "w", encoding="utf-8") as file:
        file.write(HEADER)
        for name in names:
            rng = random.Random(f"held-out {args.seed} {name}")
            for i in range(args.recordings):
                fault = 0.0 if i % 2 == 0 else 0.3 + 0.7 * rng.random()
                file.write(rows(number, MACHINES[name], fault, rng))
                number += 1


def write_lives(args):
    for name, machine in MACHINES.items():
        with open(args.folder / f"{name}.csv", "a", encoding="utf-8") as file:
            if args.begin == 0:
                file.write(HEADER)
            for number in range(args.begin, args.end):
                rng = random.Random(f"life {args.seed} {name} {number}")
                text = rows(number, machine, severity(machine, number / args.recordings), rng)
                # In two writes, because a recording arrives while it is made, and a row may be incomplete.
                file.write(text[: len(text) // 2])
                file.flush()
                file.write(text[len(text) // 2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    held_out = commands.add_parser("held-out")
    held_out.add_argument("file")
    held_out.add_argument("--machine", choices=MACHINES)
    held_out.set_defaults(work=write_held_out)
    life = commands.add_parser("life")
    life.add_argument("folder", type=pathlib.Path)
    life.add_argument("--begin", type=int, required=True)
    life.add_argument("--end", type=int, required=True)
    life.set_defaults(work=write_lives)
    for command in (held_out, life):
        command.add_argument("--recordings", type=int, default=40)
        command.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.work(args)


if __name__ == "__main__":
    main()
