#!/usr/bin/python3
"""The texts of the example, and the pre-training of its model; README.md says what they are.

    texts.py pretrain TEXT WEIGHTS.pth [--steps N] [--seed S] [--threads N]
        Trains the model of model.py on a text file, and saves its state_dict.

    texts.py tensors FORTUNES TRAIN.pt HELD_OUT.pt
        Splits a file of Debian's package `fortunes`: every tenth entry is held out. Writes windows of both parts as
        {"x": int64 [n, window], "y": int64 [n, window]}, where y has the character that follows each of x.

    texts.py join FILE.pt... OUT.pt
        Writes the examples of several files as one.

Characters are numbered as in Hansa's kind of data `text`: newline is 0, space to tilde are 1 to 95.
"""
import argparse
import math
import pathlib
import time

import torch

from model import Gpt

WINDOW = 64


def encode(text):
    """The numbers of the characters; any character that is not in the table is read as a space."""
    codes = [0 if c == "\n" else ord(c) - 31 if " " <= c <= "~" else 1 for c in text]
    return torch.tensor(codes, dtype=torch.int64)


def windows(codes):
    """Windows that do not overlap, as x and y."""
    n = (len(codes) - 1) // WINDOW
    return {"x": codes[:n * WINDOW].view(n, WINDOW).clone(), "y": codes[1:n * WINDOW + 1].view(n, WINDOW).clone()}


def pretrain(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    codes = encode(args.text.read_text(encoding="utf-8"))
    model = Gpt(window=WINDOW)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
    batch, peak, warmup = 16, 3e-3, 30
    began, mean_loss = time.monotonic(), 0.0
    for step in range(1, args.steps + 1):
        # Linear warm-up, then a half cosine down to a tenth.
        fraction = max(0, step - warmup) / max(1, args.steps - warmup)
        rate = peak * min(step / warmup, 0.1 + 0.45 * (1 + math.cos(math.pi * fraction)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        begins = torch.randint(0, len(codes) - WINDOW, (batch, 1))
        places = begins + torch.arange(WINDOW + 1)
        examples = codes[places]
        loss = model.training_loss(examples[:, :-1], examples[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean_loss += (loss.item() - mean_loss) / min(step, 50)
        if step % 100 == 0 or step == args.steps:
            print(f"  step {step} of {args.steps}: loss {mean_loss:.3f}, {time.monotonic() - began:.0f} s", flush=True)
    torch.save(model.state_dict(), args.weights)


def write_tensors(args):
    # A line of "%" ends an entry.
    entries = args.fortunes.read_text(encoding="utf-8").split("\n%\n")
    train = [entry for i, entry in enumerate(entries) if i % 10 != 9]
    held_out = [entry for i, entry in enumerate(entries) if i % 10 == 9]
    for part, path in ((train, args.train), (held_out, args.held_out)):
        # One more newline between two entries, like an empty line.
        examples = windows(encode("\n\n".join(entry.expandtabs() for entry in part)))
        torch.save(examples, path)
        print(f"{path}: {len(examples['x'])} windows of {WINDOW} characters")


def join(args):
    parts = [torch.load(path) for path in args.files]
    torch.save({name: torch.cat([part[name] for part in parts]) for name in ("x", "y")}, args.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("pretrain")
    command.add_argument("text", type=pathlib.Path)
    command.add_argument("weights")
    command.add_argument("--steps", type=int, default=300)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--threads", type=int, default=1)
    command.set_defaults(work=pretrain)
    command = commands.add_parser("tensors")
    command.add_argument("fortunes", type=pathlib.Path)
    command.add_argument("train")
    command.add_argument("held_out")
    command.set_defaults(work=write_tensors)
    command = commands.add_parser("join")
    command.add_argument("files", nargs="+")
    command.add_argument("out")
    command.set_defaults(work=join)
    args = parser.parse_args()
    args.work(args)


if __name__ == "__main__":
    main()
