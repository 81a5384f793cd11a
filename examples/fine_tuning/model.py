"""A small decoder in the style of GPT-2 (Radford et al. 2019): a language model of the 96 characters of kind `text`."""
import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Causal self-attention with several heads."""

    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        # Added to the scores: a position attends to itself and to those before it. No code writes to this buffer, so
        # it is not sent.
        self.register_buffer("mask", torch.full((window, window), -math.inf).triu(1))

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        parts = self.query_key_value(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        scores = torch.matmul(query, key.transpose(-2, -1)) / math.sqrt(width // self.heads)
        # Written out: PyTorch 1.13 has no public scaled_dot_product_attention.
        weights = torch.softmax(scores + self.mask[:length, :length], dim=-1)
        return self.out(torch.matmul(weights, value).transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads, window)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_attention(x))
        return x + self.mlp(self.norm_mlp(x))


class Gpt(nn.Module):
    """Scores of the next character at each position: [n, length] -> [n, length, characters]."""

    def __init__(self, window: int = 64, characters: int = 96, width: int = 128, heads: int = 4, layers: int = 4):
        super().__init__()
        self.characters = nn.Embedding(characters, width)
        self.positions = nn.Parameter(torch.zeros(window, width))
        self.blocks = nn.ModuleList([Block(width, heads, window) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)
        for name, value in self.named_parameters():
            if name.endswith("weight") and value.dim() == 2 or name == "positions":
                # GPT-2's initial values; the last layer of each branch is scaled by the number of branches.
                branch = name.endswith("attention.out.weight") or name.endswith("mlp.2.weight")
                nn.init.normal_(value, std=0.02 / (math.sqrt(2 * layers) if branch else 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.characters(x) + self.positions[:x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(self.forward(x).flatten(0, 1), y.flatten())
