#!/usr/bin/env python3
"""Decodes every golden update from the rules of docs/protocol.md, "Encoded updates".

Nothing here comes from the C++ code, and only Python's standard library is used: reference.py golden/updates.txt; exit
code 0 if all updates decode to the values of the golden file, bit for bit.
"""
import hashlib
import math
import re
import struct
import sys

WORD = 2**64 - 1


def golden(path):
    """{first word: rest of the line without " ="}"""
    for line in open(path, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            name, _, value = line.strip().partition(" ")
            yield name, value


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def mix(s, p):
    z = (s + (p + 1) * 0x9E3779B97F4A7C15) & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def f16(bytes_):
    return list(struct.unpack("<%de" % (len(bytes_) // 2), bytes_))


def codes(data, bits, count):
    whole = int.from_bytes(data[: (count * bits + 7) // 8], "little")
    return [whole >> i * bits & (1 << bits) - 1 for i in range(count)]


def level(code, bits):
    return 2 * code + 1 - 2**bits


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        out, self.data = self.data[:n], self.data[n:]
        need(len(out) == n, "too short")
        return out

    def float(self):
        return struct.unpack("<f", self.take(4))[0]


def blocks(count):
    return [min(4096, count - first) for first in range(0, count, 4096)]


def uniform(r, count, bits):
    """At most 4,096 values: the scales of each 512 of them, then the codes."""
    scales = [r.float() for _ in range(0, count, 512)]
    packed = codes(r.take((count * bits + 7) // 8), bits, count)
    return [f32(level(c, bits) * scales[i // 512]) for i, c in enumerate(packed)]


def rotated(r, count, bits, seed, limit):
    padded = max(16, 1 << (count - 1).bit_length())
    scale = r.float()
    y = [f32(level(c, bits) * scale) for c in codes(r.take((padded * bits + 7) // 8), bits, padded)]
    stride = 1
    while stride < padded:
        for i in range(padded):
            if not i & stride:
                y[i], y[i + stride] = f32(y[i] + y[i + stride]), f32(y[i] - y[i + stride])
        stride *= 2
    signed = [-v if mix(seed, i // 64) >> i % 64 & 1 else v for i, v in enumerate(y[:count])]
    return [min(max(v, -limit), limit) for v in signed]


def coordinates(seed, n, k):
    random = seed
    at, stride = (random % 2**32) * n >> 32, (random >> 32) * n >> 32
    while math.gcd(stride, n) != 1:
        stride = stride + 1 if stride < n else 1
    return [(at + i * stride) % n for i in range(k)]


def gaps(data, count, values, k):
    mean, r = (values - k) / k, 0
    while 2 ** (r + 1) <= 0.6931 * mean + 1:
        r += 1
    whole, at, out, following = int.from_bytes(data, "little"), 0, [], 0
    for _ in range(count):
        quotient = 0
        while whole >> at & 1:
            quotient, at = quotient + 1, at + 1
        at += 1
        gap = quotient << r | whole >> at & (1 << r) - 1
        at += r
        out.append(following + gap)
        following += gap + 1
    need(whole >> at == 0 and at > 8 * (len(data) - 1), "bits after the gaps")
    return out


def decode(spec, data, values, rows, update_seed, cohort_seed, limit=64.0):
    """{index: value} of the only part of an update."""
    need(data[0] == 0, "stored as zstd")
    r, out = Reader(data[1:]), []
    seed, cohort = mix(update_seed, 0), mix(cohort_seed, 0)
    kind, fraction, bits = re.fullmatch(r"([a-z0-9-]+)(?:\(([0-9.]+)(?:,q(\d))?\))?", spec).groups()
    if kind in ("f32", "f16", "bf16"):
        raw = r.take(values * (4 if kind == "f32" else 2))
        if kind == "f32":
            out = list(struct.unpack("<%df" % values, raw))
        elif kind == "f16":
            out = f16(raw)
        else:
            out = list(struct.unpack("<%df" % values, b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))))
    elif kind.endswith("-rotated"):
        for block, count in enumerate(blocks(values)):
            out += rotated(r, count, int(kind[1]), mix(seed, block), limit)
    elif re.fullmatch(r"q\d", kind):
        for count in blocks(values):
            out += uniform(r, count, int(kind[1]))
    elif kind == "sign":
        for count in blocks(values):
            scale = r.float()
            out += [f32(level(c, 1) * scale) for c in codes(r.take((count + 7) // 8), 1, count)]
    elif kind == "topk":
        k = min(max(math.ceil(float(fraction) * values), 1), values)
        places = gaps(r.take(struct.unpack("<I", r.take(4))[0]), k, values, k)
        selected = []
        for count in blocks(k):
            selected += uniform(r, count, int(bits))
        need(not r.data, "bytes after the end")
        return dict(zip(places, selected))
    elif kind == "randk":
        for block, count in enumerate(blocks(values)):
            k = max(1, math.floor(float(fraction) * count + 0.5))
            part = [0.0] * count
            for place, v in zip(coordinates(mix(cohort, block), count, k), uniform(r, k, int(bits))):
                part[place] = v
            out += part
    elif kind == "lowrank":
        rank, columns = int(fraction), values // rows
        p = f16(r.take(2 * rank * rows))
        scale = r.float()
        q = [f32(v * scale) for v in f16(r.take(2 * rank * columns))]
        for i in range(rows):
            for j in range(columns):
                total = 0.0
                for k in range(rank):
                    total = f32(total + f32(p[k * rows + i] * q[k * columns + j]))
                out.append(min(max(total, -limit), limit))
    need(not r.data, "bytes after the end")
    return dict(enumerate(out))


def check_updates(path):
    """An update of the golden file is added to zeros, in float32."""
    updates, wrong = {}, []
    for spec, line in golden(path):
        sign, _, hex_ = line.partition(" ")
        updates.setdefault(spec, {})[sign] = hex_
    for spec, entry in updates.items():
        values, rows = (41, 1) if spec.startswith("lowrank") else (40, 0)
        vector = [0.0] * (values // max(rows, 1) * max(rows, 1))
        try:
            for i, v in decode(spec, bytes.fromhex(entry["="]), len(vector), rows, 1, 2).items():
                vector[i] = f32(vector[i] + v)
            computed = hashlib.sha256(struct.pack("<%df" % len(vector), *vector)).hexdigest()
            if computed != entry["decodes-to"]:
                wrong.append("%s decodes to other values" % spec)
        except Wrong as error:
            wrong.append("%s: %s" % (spec, error))
    return len(updates), wrong


def main():
    count, wrong = check_updates(sys.argv[1])
    print("\n".join(wrong + ["%d updates; %d differ" % (count, len(wrong))]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
