"""The training of hansa-bench-training as usual PyTorch code: one epoch for each line on stdin.

Prints "SAMPLES_PER_SECOND LOSS" for each epoch. The data is one tensor, and a batch is an
index into it, which is faster than a DataLoader.
"""

import argparse
import gzip
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn


class CnnSmall(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.conv2 = nn.Conv2d(16, 32, 5)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(torch.flatten(x, 1))


def load(folder, examples):
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = numpy.frombuffer(file.read(), numpy.uint8, offset=8)
    inputs = torch.from_numpy(pixels[:examples].astype(numpy.float32) / 255)
    return inputs, torch.from_numpy(labels[:examples].astype(numpy.int64))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--examples", type=int, default=12_800)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs, labels = load(options.data, options.examples)
    model = CnnSmall()
    optimizer = torch.optim.SGD(model.parameters(), lr=options.learning_rate)
    model.train()
    for _ in sys.stdin:
        start = time.perf_counter()
        total = 0.0
        order = torch.randperm(len(inputs))
        for batch in order.split(options.batch_size):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        seconds = time.perf_counter() - start
        print(f"{len(inputs) / seconds:.1f} {total / len(inputs):.4f}", flush=True)


if __name__ == "__main__":
    main()
