"""PyTorch modules of the kinds that people bring, each with data of its kind.

ZOO[name] is (module, tensors): the tensors of a `tensors` file, named as forward() takes them, with the target `y`.
loss_of(name, module, tensors) is what a user would write in Python for the loss that Hansa chooses.
"""
from typing import Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.Sequential(Block(8), nn.MaxPool2d(2), Block(8))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1).view(x.size(0), -1))


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(3, 12, 1)
        self.depthwise = nn.Conv2d(12, 12, 3, stride=2, padding=1, groups=12)
        self.project = nn.Conv2d(12, 6, 1)
        self.norm = nn.GroupNorm(3, 6)
        self.head = nn.Linear(6 * 16, 4)

    def forward(self, x):
        x = F.relu6(self.depthwise(F.relu6(self.expand(x))))
        return self.head(F.hardswish(self.norm(self.project(x))).flatten(1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.out = nn.Conv2d(16, 3, 1)

    def forward(self, image):
        a = F.relu(self.down(image))
        b = F.relu(self.middle(F.max_pool2d(a, 2)))
        return self.out(torch.cat([a, self.up(b)], dim=1))


class GruTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 12, padding_idx=0)
        self.gru = nn.GRU(12, 10, batch_first=True, bidirectional=True)
        self.out = nn.Linear(20, 4)

    def forward(self, tokens):
        hidden, _ = self.gru(self.embedding(tokens))
        return self.out(hidden).transpose(1, 2)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm = nn.LayerNorm(16)
        self.out = nn.Linear(16, 3)

    def forward(self, tokens, mask):
        x = self.embedding(tokens)
        attended, _ = self.attention(x, x, x, key_padding_mask=mask, need_weights=False)
        x = self.norm(x + attended)
        keep = (~mask).unsqueeze(2).to(x.dtype)
        return self.out((x * keep).sum(1) / keep.sum(1))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(20, 16)
        self.positions = nn.Parameter(torch.randn(10, 16) * 0.02)
        self.qkv = nn.Linear(16, 48)
        self.project = nn.Linear(16, 16)
        self.mlp = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 20, bias=False)
        self.register_buffer("causal", torch.full((10, 10), float("-inf")).triu(1))

    def forward(self, x):
        h = self.tokens(x) + self.positions
        q, k, v = self.qkv(self.norm(h)).view(x.size(0), x.size(1), 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        scores = torch.softmax(q @ k.transpose(-1, -2) / 8**0.5 + self.causal, dim=-1)
        h = h + self.project((scores @ v).transpose(1, 2).reshape(x.size(0), x.size(1), 16))
        return self.head(h + self.mlp(h)).transpose(1, 2)


class Fusion(nn.Module):
    """Two inputs in a dictionary."""

    def __init__(self):
        super().__init__()
        self.image = nn.Conv2d(1, 4, 3)
        self.table = nn.Linear(3, 8)
        self.out = nn.Linear(4 * 36 + 8, 2)

    def forward(self, inputs: Dict[str, Tensor]):
        image = F.relu(self.image(inputs["image"])).flatten(1)
        return self.out(torch.cat([image, torch.tanh(self.table(inputs["age"]))], dim=1))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(12, 3)
        self.decode = nn.Linear(3, 12)

    def forward(self, x):
        return self.decode(torch.sigmoid(self.encode(x)))

    @torch.jit.export
    def training_loss(self, x):
        return F.mse_loss(self.forward(x), x)


class MultiLabel(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 16), nn.LeakyReLU(), nn.Linear(16, 6))

    def forward(self, x):
        return self.net(x)


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, num_layers=2, batch_first=True)
        self.out = nn.Linear(8, 1)

    def forward(self, x, scale: float = 2.0, bias: Optional[Tensor] = None):
        _, (hidden, _) = self.lstm(x * scale)
        return self.out(hidden[-1])


N = 24
torch.manual_seed(11)
tokens = torch.randint(1, 20, (N, 10))
ZOO: Dict[str, Tuple[nn.Module, Dict[str, Tensor]]] = {
    "resnet": (ResNet(), {"x": torch.randn(N, 3, 8, 8), "y": torch.randint(0, 5, (N,))}),
    "mobilenet": (MobileNet(), {"x": torch.randn(N, 3, 8, 8), "y": torch.randint(0, 4, (N,))}),
    "unet": (UNet(), {"image": torch.randn(N, 1, 8, 8), "y": torch.randint(0, 3, (N, 8, 8))}),
    "gru_tagger": (GruTagger(), {"tokens": tokens, "y": torch.where(torch.rand(N, 10) < 0.3, -100, tokens % 4)}),
    "encoder": (Encoder(), {"tokens": tokens, "mask": torch.arange(10).expand(N, 10) >= torch.randint(4, 11, (N, 1)),
                            "y": torch.randint(0, 3, (N,))}),
    "gpt": (Gpt(), {"x": tokens, "y": tokens.roll(-1, 1)}),
    "fusion": (Fusion(), {"image": torch.randn(N, 1, 8, 8), "age": torch.randn(N, 3), "y": torch.randint(0, 2, (N,))}),
    "autoencoder": (Autoencoder(), {"x": torch.randn(N, 12)}),
    "multi_label": (MultiLabel(), {"x": torch.randn(N, 12), "y": torch.rand(N, 6) < 0.4}),
    "regression": (Regression(), {"x": torch.randn(N, 7, 4), "y": torch.randn(N, 1)}),
}


def loss_of(name: str, module: nn.Module, tensors: Dict[str, Tensor]) -> Tensor:
    inputs = {key: value for key, value in tensors.items() if key != "y"}
    if name == "autoencoder":
        return module.training_loss(tensors["x"])
    output = module(inputs) if name == "fusion" else module(**inputs)
    if name == "multi_label":
        return F.binary_cross_entropy_with_logits(output, tensors["y"].float())
    if name == "regression":
        return F.mse_loss(output, tensors["y"])
    return F.cross_entropy(output, tensors["y"])
