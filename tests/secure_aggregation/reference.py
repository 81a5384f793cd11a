#!/usr/bin/env python3
"""Key schedule, shares, masks, packing and parameters of secure aggregation, from docs/secure-aggregation.md alone.

Nothing here comes from the C++ code, and only Python's standard library is used. It computes the page's worked example
and compares: reference.py docs/secure-aggregation.md; exit code 0 if all lines agree.
"""
import hashlib
import hmac
import math
import struct
import sys


def H(data):
    return hashlib.sha256(data).digest()


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def hkdf(key, salt, info):
    prk = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()  # 32 bytes: one block


def derive(shared, context, purpose, first, second):
    return hkdf(shared, context, b"hansa secagg 1" + text(purpose) + text(first) + text(second))


# X25519, RFC 7748.
P = 2**255 - 19


def x25519(secret, point):
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    u = int.from_bytes(point, "little") & (2**255 - 1)
    x1, x2, z2, x3, z3, swap = u, 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


BASE = (9).to_bytes(32, "little")


# Ed25519 signatures, RFC 8032.
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def edwards_add(p, q):
    x1, y1, x2, y2 = *p, *q
    t = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P)


def edwards_times(n, p):
    out = (0, 1)
    while n:
        if n & 1:
            out = edwards_add(out, p)
        p = edwards_add(p, p)
        n >>= 1
    return out


def edwards_base():
    y = 4 * pow(5, P - 2, P) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    return (P - x if x & 1 else x, y)


def edwards_bytes(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def ed25519(secret):
    h = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(h[:32], "little") & ~7 & (2**254 - 1) | 2**254
    return scalar, h[32:], edwards_bytes(edwards_times(scalar, edwards_base()))


def sign(secret, message):
    scalar, prefix, public = ed25519(secret)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = edwards_bytes(edwards_times(r, edwards_base()))
    h = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % L
    return point + ((r + h * scalar) % L).to_bytes(32, "little")


# AES-256 (FIPS 197), encryption only: CTR and GCM need no decryption.
def xtime(a):
    return (a << 1 ^ (0x1B if a & 128 else 0)) & 255


def sbox():
    table, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ xtime(p)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 255
        if q & 128:
            q ^= 9
        rotated = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        table[p] = (rotated ^ 0x63) & 255
        if p == 1:
            break
    table[0] = 0x63
    return table


S = sbox()


def expand(key):
    words, rcon = [list(key[i : i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = list(words[-1])
        if i % 8 == 0:
            word = [S[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = xtime(rcon)
        elif i % 8 == 4:
            word = [S[b] for b in word]
        words.append([a ^ b for a, b in zip(word, words[i - 8])])
    return [sum(words[i : i + 4], []) for i in range(0, 60, 4)]


def aes(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [S[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c : c + 4]
                mixed += [xtime(a[i]) ^ xtime(a[(i + 1) % 4]) ^ a[(i + 1) % 4] ^ a[(i + 2) % 4] ^ a[(i + 3) % 4]
                          for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def mask(key, count, ring_bits):
    keys, size = expand(key), 2 if ring_bits <= 16 else 4
    stream = b"".join(aes(keys, i.to_bytes(16, "big")) for i in range((count * size + 15) // 16))
    return [int.from_bytes(stream[size * i : size * (i + 1)], "little") % 2**ring_bits for i in range(count)]


def gcm(key, data, plain):
    keys = expand(key)
    h = int.from_bytes(aes(keys, bytes(16)), "big")

    def multiply(x, y):
        z = 0
        for i in range(127, -1, -1):
            if y >> i & 1:
                z ^= x
            x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
        return z

    out = b"".join(bytes(a ^ b for a, b in zip(plain[i : i + 16], aes(keys, bytes(12) + struct.pack(">I", 2 + i // 16))))
                   for i in range(0, len(plain), 16))
    tag = 0
    for part in (data, out):
        for i in range(0, len(part), 16):
            tag = multiply(tag ^ int.from_bytes(part[i : i + 16].ljust(16, b"\0"), "big"), h)
    tag = multiply(tag ^ int.from_bytes(struct.pack(">QQ", 8 * len(data), 8 * len(out)), "big"), h)
    return out + bytes(a ^ b for a, b in zip(tag.to_bytes(16, "big"), aes(keys, bytes(12) + b"\0\0\0\x01")))


# GF(2^16), and shares of 16 field elements.
def field_multiply(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        a <<= 1
        if a & 0x10000:
            a ^= 0x1100B
        b >>= 1
    return out


def share(secret, coefficients, x):
    out = b""
    for i in range(0, 32, 2):
        value, power = int.from_bytes(secret[i : i + 2], "little"), 1
        for coefficient in coefficients:
            power = field_multiply(power, x)
            value ^= field_multiply(int.from_bytes(coefficient[i : i + 2], "little"), power)
        out += value.to_bytes(2, "little")
    return out


def pack(numbers, bits):
    whole = sum(number << i * bits for i, number in enumerate(numbers))
    return whole.to_bytes((len(numbers) * bits + 7) // 8, "little")


def counting(first):
    return bytes((first + i) % 256 for i in range(32))


def example():
    lines = {}
    ring = 10
    setup = H(text("hansa secagg setup 4") + text("example") + struct.pack(">II", 7, 1) + counting(0xE0) + H(b"model") + H(b"work")
              + struct.pack(">IIBddBd", 3, 255, ring, 0.5, 100.0, 0, 1.0) + struct.pack(">HQdBQdB", 2, 3, 1.0, 0, 2, 0.25, 1)
              + struct.pack(">H", 1) + text("loss")
              + struct.pack(">BddBBI", 0, 0.2, 0.1, 40, 20, 2))
    lines["H(setup)"] = setup.hex()
    root = counting(0x80)
    lines["root identity"] = ed25519(root)[2].hex()
    roster, keys = b"", []
    validity = struct.pack(">IQQ", 2, 1800000000, 1834560000)
    for i, name in enumerate("abc"):
        secret = counting(0x40 + i)
        identity = ed25519(secret)[2]
        certificate = sign(root, text("hansa certificate 2") + text("example") + text(name) + identity + validity)
        share_key, mask_key, seed, nonce = (counting(first + i) for first in (0x01, 0x11, 0x21, 0x31))
        share_public, mask_public = x25519(share_key, BASE), x25519(mask_key, BASE)
        commitment = H(b"hansa secagg seed 1" + setup + seed)
        signature = sign(secret, text("hansa secagg advert 1") + setup + text(name) + share_public + mask_public
                         + commitment + nonce)
        roster += bytes([len(name)]) + name.encode() + identity + validity + certificate + share_public + mask_public + commitment
        roster += nonce + signature
        keys.append((share_key, share_public, mask_key, mask_public, seed))
        if name == "a":
            lines["a: identity"] = identity.hex()
            lines["a: certificate"] = certificate.hex()
            lines["a: share key"] = share_public.hex()
            lines["a: mask key"] = mask_public.hex()
            lines["a: commitment"] = commitment.hex()
            lines["a: signature of the advert"] = signature.hex()
    lines["H(roster), of %d bytes" % len(roster)] = H(roster).hex()
    context = H(text("hansa secagg context 1") + setup + H(roster) + struct.pack(">III", 3, 2, 2))
    lines["H(context)"] = context.hex()
    for i, name in enumerate("abc"):
        lines["share of a's mask key for %s, x = %d" % (name, i + 1)] = share(keys[0][2], [counting(0xA0)], i + 1).hex()
    box_key = derive(x25519(keys[0][0], keys[1][1]), context, "share encryption", "a", "b")
    lines["key of shares from a to b"] = box_key.hex()
    pair = share(keys[0][2], [counting(0xA0)], 2) + share(keys[0][4], [counting(0xC0)], 2)
    data = text("hansa secagg shares 1") + context + text("a") + text("b")
    lines["sealed shares from a to b"] = gcm(box_key, data, pair).hex()

    # To the base 256: 48 bits are six digits, the 2 of a count of 3 one, 17 bits and 1 bit four, a statistic's 40 bits
    # five; one for the reporters.
    count = 3 + (1 + 2) * 6 + 1 + 40 + 2 * 4 + 2 * 5
    numbers = list(range(3)) + [10] + [0] * (count - 4)
    self_key = derive(keys[0][4], context, "self mask", "a", "")
    lines["self mask key of a"] = self_key.hex()
    masked = [(n + m) % 2**ring for n, m in zip(numbers, mask(self_key, count, ring))]
    for other, name in ((1, "b"), (2, "c")):
        key = derive(x25519(keys[0][2], keys[other][3]), context, "pairwise mask", "a", name)
        lines["pairwise mask key of a and " + name] = key.hex()
        words = mask(key, count, ring)
        if name == "b":
            lines["first words of this mask"] = " ".join(map(str, words[:8]))
        masked = [(n + m) % 2**ring for n, m in zip(masked, words)]  # a comes first: plus
    lines["masked elements of a"] = " ".join(map(str, masked[:8])) + " …"
    packed = pack(masked, ring)
    lines["packed, first 32 bytes of %d" % len(packed)] = packed[:32].hex()
    lines["SHA-256 of the packed vector"] = H(packed).hex()
    return lines


# k and t of the graph.
def log_choose(n, k):
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def hypergeometric(n, marked, k):
    """{number of marked ones among k of n: probability}"""
    return {x: math.exp(log_choose(marked, x) + log_choose(n - marked, k - x) - log_choose(n, k))
            for x in range(max(0, k + marked - n), min(k, marked) + 1)}


def graph_parameters(n, dropout, active=False, corrupt=0.2, s=40, c=20):
    a = max(1, math.ceil(corrupt * n - 1e-9))
    d = math.floor(dropout * n + 1e-9)
    if n <= 32 or active:
        return n - 1, max(((n + a) if active else n) // 2 + 1, a + 1)
    for k in range(2, min(500, n - 2) + 1, 2):
        b = a + d
        if k <= b:
            log_cut = math.log(n) + math.log(n - k - 1) - math.log(2) + math.lgamma(b + 1) - math.lgamma(b - k + 1)
            if log_cut + math.lgamma(n - k + 1) - math.lgamma(n + 1) >= -(s + 1) * math.log(2):
                continue
        corrupt_ones, survivors = hypergeometric(n, a, k), hypergeometric(n, n - d, k)
        most = min(x for x in corrupt_ones if sum(p for y, p in corrupt_ones.items() if y > x) <= 2.0 ** -(s + 1) / n)
        least = max(x for x in survivors if sum(p for y, p in survivors.items() if y < x) <= 2.0**-c / n)
        if most < least:
            return k, max(most + 1, 2)


def graph_tables():
    """Lines of the page's two tables."""
    out = []
    for n in (4, 10, 50, 100, 200, 500, 1000):
        pairs = [graph_parameters(n, dropout) for dropout in (0.05, 0.1, 0.2, 0.3)]
        out.append("| %d | %s |" % (n, " | ".join("%d, %d" % pair for pair in pairs)))
    for n in (4, 10, 50, 100, 500):
        out.append("| %d | %d |" % (n, graph_parameters(n, 0.1, active=True)[1]))
    return out


def page_lines(path):
    """Reads the example of the page; a value that continues on the next line is joined."""
    block = open(path, encoding="utf-8").read().split("<!-- generated: example -->")[1].split("<!-- end -->")[0]
    lines, last = {}, None
    for line in block.splitlines():
        if line.startswith("```") or not line.strip():
            continue
        if line.startswith(" "):
            lines[last] += line.strip()
            continue
        last, _, value = line.partition("  ") if "  " in line else line.rpartition(" ")
        last = last.strip()
        lines[last] = value.strip()
    return lines


def main():
    page, wrong = page_lines(sys.argv[1]), 0
    computed = example()
    text_ = open(sys.argv[1], encoding="utf-8").read()
    tables = text_.split("<!-- generated: parameters -->")[1].split("<!-- end -->")[0].splitlines()
    for line in graph_tables():
        if line not in tables:
            print("the tables of k and t lack " + line)
            wrong += 1
    identity = ed25519(hkdf(bytes(range(32)), b"", b"hansa identity 1"))[2].hex()
    if "The secret 00 01 … 1f has the identity %s." % identity not in text_:
        print("the identity of the secret 00 01 … 1f is " + identity)
        wrong += 1
    for name, value in computed.items():
        if page.get(name) != value:
            print("%s\n  page:     %s\n  computed: %s" % (name, page.get(name), value))
            wrong += 1
    print("%d values computed, %d differ" % (len(computed), wrong))
    return 1 if wrong else 0


sys.exit(main())
