"""Writes the archive and the data of a module, trains the same module in Python, and compares the weights.

    compare.py write NAME FOLDER     FOLDER/model.pt, FOLDER/data.pt
    compare.py check NAME FOLDER     FOLDER/trained.pt, which Hansa has trained, against STEPS steps in Python
"""
import sys

import torch

from modules import ZOO, loss_of

STEPS = 20
RATE, MOMENTUM = 0.05, 0.9
BOUND = 1e-5


def write(name: str, folder: str) -> None:
    module, tensors = ZOO[name]
    torch.jit.script(module).save(f"{folder}/model.pt")
    torch.save(tensors, f"{folder}/data.pt")


def check(name: str, folder: str) -> None:
    module, tensors = ZOO[name]
    first = {key: value.clone() for key, value in module.state_dict().items()}
    module.train()
    optimiser = torch.optim.SGD(module.parameters(), lr=RATE, momentum=MOMENTUM)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss_of(name, module, tensors).backward()
        optimiser.step()
    trained = torch.jit.load(f"{folder}/trained.pt").state_dict()
    worst, moved = 0.0, 0.0
    for key, value in module.state_dict().items():
        if not value.is_floating_point() or not torch.isfinite(value).all():
            continue  # counters, and a mask of infinities
        worst = max(worst, (trained[key] - value).abs().max().item())
        moved = max(moved, (first[key] - value).abs().max().item())
    print(f"{name}: {STEPS} steps moved a weight by {moved:.3g}; the largest difference is {worst:.1e}")
    if worst > BOUND or moved < 1e-3:
        sys.exit(f"{name}: not the weights of Python")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](sys.argv[2], sys.argv[3])
