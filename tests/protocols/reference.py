#!/usr/bin/env python3
"""Frames, digests and decoded updates, from docs/protocol.md alone.

Nothing here comes from the C++ code, and only Python's standard library is used. It reads every golden frame field by
field and writes it again, decodes every golden update, and computes the digests of the page's example:

    reference.py docs/protocol.md tests/protocols/golden/messages.txt tests/codecs/golden/updates.txt

Exit code 0 if all agree.
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


# ---- Frames: a field is a pair of functions, read(bytes) -> (value, rest) and write(value) -> bytes.
class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def number(code, least=None, most=None):
    size = struct.calcsize("<" + code)

    def read(data):
        need(len(data) >= size, "too short")
        value = struct.unpack("<" + code, data[:size])[0]
        need(code != "d" or math.isfinite(value), "not finite")
        need(least is None or value >= least, "below %s" % least)
        need(most is None or value <= most, "above %s" % most)
        return value, data[size:]

    return read, lambda value: struct.pack("<" + code, value)


def octets(n):
    def read(data):
        need(len(data) >= n, "too short")
        return data[:n], data[n:]

    return read, lambda value: value


def text(most):
    def read(data):
        size, data = number("I", 0, most)[0](data)
        need(len(data) >= size, "too short")
        return data[:size].decode("utf-8"), data[size:]

    def write(value):
        return struct.pack("<I", len(value.encode())) + value.encode()

    return read, write


def sequence(*fields):
    def read(data):
        values = []
        for field in fields:
            value, data = field[0](data)
            values.append(value)
        return values, data

    return read, lambda values: b"".join(field[1](value) for field, value in zip(fields, values))


def several(field, most, least=0):
    def read(data):
        count, data = number("I", least, most)[0](data)
        values = []
        for _ in range(count):
            value, data = field[0](data)
            values.append(value)
        return values, data

    return read, lambda values: struct.pack("<I", len(values)) + b"".join(map(field[1], values))


def optional(field):
    def read(data):
        there, data = number("B", 0, 1)[0](data)
        return field[0](data) if there else (None, data)

    return read, lambda value: b"\0" if value is None else b"\1" + field[1](value)


def either(*kinds):
    def read(data):
        kind, data = number("B", 0, len(kinds) - 1)[0](data)
        value, data = kinds[kind][0](data)
        return (kind, value), data

    return read, lambda value: bytes([value[0]]) + kinds[value[0]][1](value[1])


u8, u32, u64, i64, f64 = (number(code) for code in "BIQqd")
digest, name, words, setup = octets(32), text(64), text(1024), octets(32)
flag, size = number("B", 0, 1), number("Q", 0, 2**40)
blob_bytes = number("Q", 1, 2**40)


def enum(last):
    return number("B", 0, last)


metrics = several(sequence(name, f64, f64), 64)
report = sequence(enum(51), several(sequence(enum(10), u64), 8), words)
data_report = sequence(u64, u64, report, several(report, 8))
codecs = several(sequence(number("Q", 1, 2**38), enum(8), number("B", 0, 8), f64, number("I", 0, 1024), u64), 512)
value = either(i64, f64, words, several(name, 64))
deltas = sequence(codecs, several(sequence(digest, digest, blob_bytes), 16, 1))
inputs = several(sequence(name, digest, size, octets(16), optional(deltas), optional(digest)), 16, 1)
method = sequence(name, several(sequence(name, value), 64))
outputs = several(sequence(name, number("Q", 1, 2**38), codecs), 16, 1)
secure = sequence(u64, u32, digest, number("I", 3, 1000), number("I", 2, 2**24 - 1), number("I", 2, 32), f64, f64, flag, f64,
                  several(sequence(number("Q", 0, 2**38), f64), 1024), several(name, 64), enum(1), f64, f64,
                  number("I", 1, 80), number("I", 1, 80))
bits, sealed = several(u8, 125), several(octets(80), 501)
MESSAGES = {
    0: sequence(name, u64, name, data_report),
    1: sequence(name, name, number("I", 100, 3600000), number("I", 4, 1048576)),
    2: sequence(enum(5), words, words, u32),
    3: sequence(u64, u32, digest, blob_bytes, digest, optional(sequence(name, name, octets(64))), inputs, method, outputs, u64,
                u32, f64, optional(sequence(flag, u64)), optional(secure)),
    4: sequence(u64, words),
    5: sequence(u64, report),
    6: sequence(digest, size, number("I", 1, 16 * 2**20)),
    7: sequence(digest, size),
    8: sequence(digest),
    9: sequence(u64, octets(16), size, u64, f64, metrics, digest),
    10: sequence(u64, size, size),
    11: sequence(u64, size),
    12: sequence(u64, enum(3), words),
    13: sequence(u64),
    14: sequence(u64),
    15: sequence(u32, digest),
    16: sequence(words),
    17: data_report,
    18: sequence(u64, setup, octets(32), octets(32), digest, octets(32), octets(64)),
    19: sequence(u64, setup),
    20: sequence(u64, setup, sealed),
    21: sequence(u64, setup, bits, sealed),
    22: sequence(u64, setup, bits),
    23: sequence(u64, setup, octets(64)),
    24: sequence(u64, setup, bits, several(sequence(u32, octets(64)), 501)),
    25: sequence(u64, setup, several(octets(32), 501)),
}


def check_frame(frame, version):
    """The fields of a frame, which must be exactly those of the page."""
    need(frame[:2] == b"HN" and frame[2] == version, "is of another protocol or version")
    need(frame[12] == 1, "is not little-endian")
    read, write = MESSAGES[frame[3]]
    fields, rest = read(frame[13:])
    need(not rest, "%d bytes after the last field" % len(rest))
    need(frame[:13] + write(fields) == frame, "is written in another way")
    return fields


# ---- Numbers of encoded updates.
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


# ---- The page's example of digests and keys.
def transcript_text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def vector_digest(data):
    if len(data) <= 2**20:
        return hashlib.sha256(data).digest()
    pieces = b"".join(hashlib.sha256(data[i : i + 2**20]).digest() for i in range(0, len(data), 2**20))
    return hashlib.sha256(b"hansa vector 1" + struct.pack("<Q", len(data)) + pieces).digest()


def derive_seed(root, purpose, number_=0, name_=""):
    data = b"hansa seed v1" + struct.pack("<QQ", root, len(purpose)) + purpose.encode()
    data += struct.pack("<QQ", number_, len(name_)) + name_.encode()
    return struct.unpack("<Q", hashlib.sha256(data).digest()[:8])[0]


def work_digest(frame):
    task = check_frame(frame, frame[2])
    out = transcript_text("hansa work 1") + task[2] + task[4] + transcript_text(task[7][0]) + struct.pack(">H", len(task[7][1]))
    for option, (kind, value_) in task[7][1]:
        out += transcript_text(option) + bytes([kind])
        if kind == 0:
            out += struct.pack(">q", value_)
        elif kind == 1:
            out += struct.pack(">d", value_)
        elif kind == 2:
            out += transcript_text(value_)
        else:
            out += struct.pack(">H", len(value_)) + b"".join(map(transcript_text, value_))
    out += struct.pack(">H", len(task[6]))
    for entry in task[6]:
        out += transcript_text(entry[0]) + (entry[5] or bytes(32))
    out += struct.pack(">H", len(task[8])) + b"".join(transcript_text(o[0]) + struct.pack(">Q", o[1]) for o in task[8])
    return hashlib.sha256(out + struct.pack(">dQ", task[11], task[13][0])).digest()


def check_example(page, task):
    block = page.split("<!-- example: digests -->")[1].split("<!-- end -->")[0]
    layout = re.search(r"```\n(.*?)```", block, re.S).group(1)
    facts = dict(re.findall(r"^\| (.*?) \| `?(.*?)`? \|$", block, re.M))
    computed = {
        "layout": hashlib.sha256(layout.encode()).hexdigest(),
        "values 0, 1, 2": vector_digest(struct.pack("<3f", 0, 1, 2)).hex(),
        "values 0, 1, ... 262,144": vector_digest(struct.pack("<262145f", *range(262145))).hex(),
        "derive_seed(1, \"cohort\")": "%016x" % derive_seed(1, "cohort"),
        "derive_seed(1, \"training\", 7, \"client-03\")": "%016x" % derive_seed(1, "training", 7, "client-03"),
        "*work* of the golden TrainTask": work_digest(task).hex(),
    }
    return len(computed), [key for key, result in computed.items() if facts.get(key) != result]


def main():
    page_path, messages, updates = sys.argv[1:]
    page = open(page_path, encoding="utf-8").read()
    version = int(re.search(r"\*\*The current version is (\d+)\.\*\*", page).group(1))
    wrong, frames, train_task = [], 0, b""
    for message, line in golden(messages):
        frames += 1
        frame = bytes.fromhex(line.removeprefix("= "))
        if message == "TrainTask":
            train_task = frame
        try:
            check_frame(frame, version)
        except (Wrong, UnicodeDecodeError) as error:
            wrong.append("%s: %s" % (message, error))
    need(frames == len(MESSAGES), "a message has no golden frame")
    count, bad = check_updates(updates)
    wrong += bad
    digests, bad = check_example(page, train_task)
    wrong += ["%s: the page has another value" % key for key in bad]
    print("\n".join(wrong + ["%d frames, %d updates, %d digests; %d differ" % (frames, count, digests, len(wrong))]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
