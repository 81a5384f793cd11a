#!/usr/bin/env python3
"""Frames and digests, from docs/protocol.md alone.

Nothing here comes from the C++ code, and only Python's standard library is used. It reads every golden frame by the
page's tables of fields and writes it again, and computes the digests of the page's example:

    reference.py docs/protocol.md tests/protocols/golden/messages.txt

Exit code 0 if all agree. tests/codecs/reference.py decodes updates.
"""
import hashlib
import math
import re
import struct
import sys

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


def sequence(fields):
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


# ---- The page's tables of fields.
def cells(page, heading):
    """The rows of the table that begins with this heading, without its two first lines."""
    rows = page.split(heading)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def split_fields(line):
    """At commas and semicolons that are not in parentheses. A list that ends with "of:" takes all up to a semicolon."""
    groups, depth, item = [[]], 0, ""
    for c in line + ";":
        depth += (c == "(") - (c == ")")
        if depth == 0 and c in ",;":
            groups[-1].append(item.strip())
            item = ""
            if c == ";":
                groups.append([])
        else:
            item += c
    return [group for group in groups if group]


def quantity(words):
    amount, _, unit = words.replace(",", "").strip().partition(" ")
    base, _, exponent = amount.partition("^")
    less = unit.startswith("- 1")
    return int(base) ** int(exponent or 1) * (2**20 if unit == "Mi" else 1) - less


class Fields:
    """The fields of messages and of their parts, as the page writes them."""

    def __init__(self, page):
        self.last = {
            "reason": self.highest(page, r"`Refuse.reason`: ([^.]*)\."),
            "kind": self.highest(page, r"`kind`: ([^.]*)\."),
            "segment kind": self.highest(page, r"`segment kind`: ([^(]*) \("),
            "verdict": self.highest(page, r"`Receipt.verdict`: ([^.]*)\."),
            "target": self.highest(page, r"`target`: ([^.]*)\."),
            "dtype": self.highest(page, r"`dtype`: ([^.]*)\."),
            "threat_model": self.highest(page, r"`threat_model`: ([^.]*)\."),
            "quantity": self.highest(page, r"`quantity`: ([^.]*?) 10 data_kind") + 1,
            "code": max(int(n) for row in cells(page, "| about | code |") for n in re.findall(r"(?:^|; )(\d+) ", row[1])),
        }
        name = text(64)
        self.named = {
            "metrics": several(sequence([name, number("d"), number("d")]), 64),
            "value": either(number("q"), number("d"), text(1024), several(name, 64)),
        }
        for kind, line in cells(page, "| kind | bytes |"):
            if kind in ("report", "codecs"):
                self.named[kind] = self.parse(line.split(": [below]")[0])
        self.parts = dict(cells(page, "| part | fields |"))
        self.messages = {}
        lines = {row[1].removesuffix(" + bulk"): (int(row[0]), row[3]) for row in cells(page, "| type | message | from | fields |")}
        for message, (number_, line) in lines.items():
            line = line.replace("and the fields of DataReport", lines["DataReport"][1])
            self.messages[number_] = self.parse(line)

    @staticmethod
    def highest(page, pattern):
        return max(int(n) for n in re.findall(r"(?:^|, )(\d+) ", re.search(pattern, page, re.S).group(1).replace("\n", " ")))

    def parse(self, line):
        fields = []
        for group in split_fields(line):
            while group:
                item = group.pop(0)
                before, of, first = item.partition(" of: ")
                if of:
                    inner = self.parse(", ".join([first] + group))
                    group = []
                    fields.append(self.list_of(before, inner))
                else:
                    fields.append(self.field(item))
        return sequence(fields)

    def list_of(self, words, inner):
        least, most = re.search(r"list\((?:(\d+)\.\.)?(\d+)\)$", words).groups()
        return several(inner, int(most), int(least or 0))

    def field(self, item):
        if item.startswith("optional "):
            return optional(self.field(item.removeprefix("optional ")))
        part = re.fullmatch(r"\*(\w+)\*", item)
        if part:
            return self.parse(self.parts[part.group(1)])
        before, of, inner = item.partition(" of ")
        if of and before.endswith(")"):
            return self.list_of(before, self.field(inner))
        found = re.fullmatch(r"(?:(.*) )?(size u64|u8|u32|u64|i64|f64|text\(\d+\)|texts\(\d+, 64\)|digest|enum|flag|octets\(\d+\)"
                             r"|metrics|value|report|codecs)(?: \((.*)\))?", item)
        need(found, "the page has a field that is not understood: " + item)
        name, kind, remark = found.groups()
        limits = re.fullmatch(r"(\S+) to (.*)", remark or "")
        least, most = map(quantity, limits.groups()) if limits else (None, None)
        if kind == "size u64":
            return number("Q", 0, 2**40)
        if kind in ("u8", "u32", "u64", "i64", "f64"):
            return number({"u8": "B", "u32": "I", "u64": "Q", "i64": "q", "f64": "d"}[kind], least, most)
        if kind == "enum":
            return number("B", 0, self.last[name])
        size = int((re.search(r"\d+", kind) or [0])[0])
        if kind.startswith("octets"):
            return octets(size)
        if kind.startswith("texts"):
            return several(text(64), size)
        if kind.startswith("text"):
            return text(size)
        return {"digest": octets(32), "flag": number("B", 0, 1), **self.named}[kind]


def check_frame(frame, version, messages):
    """The fields of a frame, which must be exactly those of the page."""
    need(frame[:2] == b"HN" and frame[2] == version, "is of another protocol or version")
    need(frame[12] == 1, "is not little-endian")
    read, write = messages[frame[3]]
    fields, rest = read(frame[13:])
    need(not rest, "%d bytes after the last field" % len(rest))
    need(frame[:13] + write(fields) == frame, "is written in another way")
    return fields


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


def work_digest(task):
    inputs, outputs = task[6][0], task[8][0]
    out = transcript_text("hansa work 2") + task[2] + task[4] + transcript_text(task[7][0]) + struct.pack(">H", len(task[7][1]))
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
    out += struct.pack(">H", len(inputs))
    for entry in inputs:
        out += transcript_text(entry[0]) + (entry[5] or bytes(32))
    out += struct.pack(">H", len(outputs)) + b"".join(transcript_text(o[0]) + struct.pack(">Q", o[1]) for o in outputs)
    fraction, measure = task[12] or (0.0, 0)
    return hashlib.sha256(out + struct.pack(">ddBQ", task[11], fraction, measure, task[14][0])).digest()


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
    page_path, messages = sys.argv[1:]
    page = open(page_path, encoding="utf-8").read()
    version = int(re.search(r"\*\*The current version is (\d+)\.\*\*", page).group(1))
    fields = Fields(page)
    wrong, frames, train_task = [], 0, None
    for message, line in golden(messages):
        frames += 1
        try:
            values = check_frame(bytes.fromhex(line.removeprefix("= ")), version, fields.messages)
            train_task = values if message == "TrainTask" else train_task
        except (Wrong, UnicodeDecodeError) as error:
            wrong.append("%s: %s" % (message, error))
    if frames != len(fields.messages):
        wrong.append("a message has no golden frame")
    digests, bad = check_example(page, train_task) if train_task else (0, [])
    wrong += ["%s: the page has another value" % key for key in bad]
    print("\n".join(wrong + ["%d frames, %d digests; %d differ" % (frames, digests, len(wrong))]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
