#!/usr/bin/env python3
"""Reads TensorBoard event files without any code of Hansa: an independent check of what it writes.

  read_events.py FILE    prints each value as a line "TAG STEP WALL_TIME VALUE"

Fails (exit code 1) for a record that is incomplete or whose checksums are wrong, a field with another wire type than in
TensorFlow's event.proto and summary.proto, and a file that does not begin with the version of the format.
"""
import struct
import sys


def crc32c(data):
    """RFC 3720: bit by bit, without a table."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise ValueError(f"{at}: incomplete head")
        (length,) = struct.unpack_from("<Q", data, at)
        (check,) = struct.unpack_from("<I", data, at + 8)
        if check != masked(data[at : at + 8]):
            raise ValueError(f"{at}: the length does not match its checksum")
        message = data[at + 12 : at + 12 + length]
        if len(message) != length or len(data) < at + 16 + length:
            raise ValueError(f"{at}: incomplete record")
        (check,) = struct.unpack_from("<I", data, at + 12 + length)
        if check != masked(message):
            raise ValueError(f"{at}: the message does not match its checksum")
        yield message
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
        elif wire == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        elif wire == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(data):
            raise ValueError("a field is longer than its message")
        yield number, wire, value


# number: (name, wire type)
EVENT = {1: ("wall_time", 1), 2: ("step", 0), 3: ("file_version", 2), 5: ("summary", 2)}
SUMMARY = {1: ("value", 2)}
VALUE = {1: ("tag", 2), 2: ("simple_value", 5)}


def decode(data, schema):
    out = []
    for number, wire, value in fields(data):
        name, expected = schema[number]
        if wire != expected:
            raise ValueError(f"{name} has the wire type {wire}, not {expected}")
        out.append((name, value))
    return out


def main():
    with open(sys.argv[1], "rb") as file:
        events = [decode(message, EVENT) for message in records(file.read())]
    if dict(events[0])["file_version"] != b"brain.Event:2":
        raise ValueError("the first record is not the version")
    for event in events[1:]:
        of = dict(event)
        (wall_time,) = struct.unpack("<d", of["wall_time"])
        for _, value in decode(of["summary"], SUMMARY):
            fields_of_value = dict(decode(value, VALUE))
            (number,) = struct.unpack("<f", fields_of_value["simple_value"])
            print(fields_of_value["tag"].decode(), of["step"], repr(wall_time), repr(number))


try:
    main()
except (ValueError, KeyError, IndexError, struct.error) as error:
    sys.exit(f"{sys.argv[1]}: {error!r}")
