"""Ten modules, their examples, and twenty steps of SGD with momentum in plain PyTorch.

  ten_modules.py names
  ten_modules.py begin NAME EXAMPLES WEIGHTS              writes examples and initial values, prints the learning rate
  ten_modules.py compare NAME EXAMPLES WEIGHTS TRAINED    trains, and compares with the archive TRAINED
"""
import sys
from typing import Dict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EXAMPLES = 64
STEPS = 20
MOMENTUM = 0.9
DIFFERENCE_MAX = 1e-5


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class ResNet(nn.Module):
    rate = 0.01

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(3, 8, 1), Block(8, 16, 2))
        self.classes = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.blocks(x).mean(dim=[2, 3]))

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"x": torch.randn(EXAMPLES, 3, 12, 12), "y": torch.randint(0, 5, (EXAMPLES,))}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["x"]), e["y"])


class MobileNet(nn.Module):
    rate = 0.01

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(),
            nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8), nn.Hardswish(),
            nn.Conv2d(8, 16, 1), nn.BatchNorm2d(16), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classes = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.features(x))

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"x": torch.randn(EXAMPLES, 3, 16, 16), "y": torch.randint(0, 4, (EXAMPLES,))}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["x"]), e["y"])


class UNet(nn.Module):
    rate = 0.05

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 8, 3, padding=1)
        self.bottom = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = F.relu(self.down(x))
        bottom = F.relu(self.bottom(F.max_pool2d(first, 2)))
        return self.out(torch.cat([first, self.up(bottom)], dim=1))

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"x": torch.randn(EXAMPLES, 1, 8, 8), "y": torch.randint(0, 3, (EXAMPLES, 8, 8))}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["x"]), e["y"])


class GruTagger(nn.Module):
    rate = 0.1

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(40, 12)
        self.gru = nn.GRU(12, 10, batch_first=True, bidirectional=True)
        self.tags = nn.Linear(20, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.tags(self.gru(self.words(x))[0]).transpose(1, 2)

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        tags = torch.randint(0, 6, (EXAMPLES, 9))
        tags[torch.rand(EXAMPLES, 9) < 0.3] = -100
        return {"x": torch.randint(0, 40, (EXAMPLES, 9)), "y": tags}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["x"]), e["y"])


class Encoder(nn.Module):
    rate = 0.02

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(30, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.classes = nn.Linear(16, 3)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        y = self.layer(self.words(tokens), src_key_padding_mask=mask == 0)
        weights = mask.unsqueeze(2).to(y.dtype)
        return self.classes((y * weights).sum(1) / weights.sum(1))

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        lengths = torch.randint(2, 9, (EXAMPLES, 1))
        return {"tokens": torch.randint(0, 30, (EXAMPLES, 8)), "mask": (torch.arange(8) < lengths).long(),
                "y": torch.randint(0, 3, (EXAMPLES,))}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["tokens"], e["mask"]), e["y"])


class Gpt(nn.Module):
    rate = 0.05

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(24, 16)
        self.positions = nn.Parameter(torch.zeros(10, 16))
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 24)
        self.register_buffer("causal", torch.full((10, 10), float("-inf")).triu(1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.words(x) + self.positions
        q, k, v = self.qkv(self.norm(h)).chunk(3, dim=2)
        scores = q @ k.transpose(1, 2) / 4.0 + self.causal
        return self.head(h + self.out(scores.softmax(dim=2) @ v)).transpose(1, 2)

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        text = torch.randint(0, 24, (EXAMPLES, 11))
        return {"x": text[:, :-1].clone(), "y": text[:, 1:].clone()}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self(e["x"]), e["y"])


class Fusion(nn.Module):
    rate = 0.02

    def __init__(self):
        super().__init__()
        self.picture = nn.Conv2d(1, 6, 3, 2)
        self.both = nn.Linear(6 * 9 + 2, 3)

    def forward(self, batch: Dict[str, Tensor]) -> Tensor:
        y = F.relu(self.picture(batch["image"]))
        return self.both(torch.cat([y.view(y.size(0), -1), batch["person"]], dim=1))

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"image": torch.randn(EXAMPLES, 1, 8, 8), "person": torch.randn(EXAMPLES, 2),
                "y": torch.randint(0, 3, (EXAMPLES,))}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(self({"image": e["image"], "person": e["person"]}), e["y"])


class Autoencoder(nn.Module):
    rate = 0.1

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(20, 4)
        self.decoder = nn.Linear(4, 20)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(torch.tanh(self.encoder(x)))

    @torch.jit.export
    def training_loss(self, x: Tensor) -> Tensor:
        return F.mse_loss(self.forward(x), x)

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"x": torch.randn(EXAMPLES, 20), "y": torch.zeros(EXAMPLES, dtype=torch.long)}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return self.training_loss(e["x"])


class MultiLabel(nn.Module):
    rate = 0.1

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 16), nn.GELU(), nn.Linear(16, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.forward(x), y)

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        return {"x": torch.randn(EXAMPLES, 10), "y": (torch.rand(EXAMPLES, 4) < 0.4).float()}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return self.training_loss(e["x"], e["y"])


class Regression(nn.Module):
    rate = 0.02

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(7, 12), nn.ReLU(), nn.Linear(12, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(1)

    @staticmethod
    def examples() -> Dict[str, Tensor]:
        x = torch.randn(EXAMPLES, 7)
        return {"x": x, "y": x.sum(1) + 0.1 * torch.randn(EXAMPLES)}

    def loss(self, e: Dict[str, Tensor]) -> Tensor:
        return F.mse_loss(self(e["x"]), e["y"])


MODULES = {module.__name__: module for module in (
    ResNet, MobileNet, UNet, GruTagger, Encoder, Gpt, Fusion, Autoencoder, MultiLabel, Regression)}


def begin(name: str, examples: str, weights: str) -> None:
    torch.manual_seed(3)
    torch.save(MODULES[name].examples(), examples)
    torch.save(MODULES[name]().state_dict(), weights)
    print(MODULES[name].rate)


def compare(name: str, examples: str, weights: str, trained: str) -> None:
    model = MODULES[name]()
    before = torch.load(weights)
    model.load_state_dict(before)
    model.train()
    batch = torch.load(examples)
    optimizer = torch.optim.SGD(model.parameters(), lr=model.rate, momentum=MOMENTUM)
    for _ in range(STEPS):
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    found = torch.jit.load(trained).state_dict()
    worst = changed = 0.0
    for key, value in model.state_dict().items():
        if not value.is_floating_point() or torch.isinf(value).any():
            continue
        worst = max(worst, (found[key] - value).abs().max().item())
        changed = max(changed, (before[key] - value).abs().max().item())
    print(f"{name}: differs by {worst:.1e}; the steps changed values by up to {changed:.1e}")
    if worst > DIFFERENCE_MAX or changed < 1e-2:
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "names":
        print(*MODULES)
    else:
        {"begin": begin, "compare": compare}[sys.argv[1]](*sys.argv[2:])
