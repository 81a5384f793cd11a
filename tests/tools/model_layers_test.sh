#!/bin/bash
# The static check of models takes PyTorch's own layers, and refuses attacks with the line of the Python source.
#
#   model_layers_test.sh ROOT BIN
#
# Exits with 77 (CTest: skipped) without PyTorch.
set -euo pipefail
bin="$2"
python=/usr/bin/python3
"$python" -c 'import torch' 2>/dev/null || { echo "skipped: PyTorch is not installed"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

cat >layers.py <<'PYTHON'
import warnings
warnings.simplefilter("ignore")
import torch
from torch import nn

# Every layer of torch.nn that TorchScript takes, with and without options, in one module.
arguments = [(), (4,), (4, 4), (4, 2), (4, 4, 3), (2,), (4, 4, 1, 1), ((2, 2),), (1, 4, 4), (1, (2, 2))]
options = [{}, {"batch_first": True}, {"bidirectional": True, "num_layers": 2, "dropout": 0.1}, {"padding": 1},
           {"padding_mode": "circular"}, {"padding_mode": "reflect"}, {"norm_first": True, "batch_first": True},
           {"nonlinearity": "relu"}, {"affine": True, "track_running_stats": True}, {"padding_idx": 1},
           {"max_norm": 1.0}, {"reduction": "none"}, {"reduction": "sum"}, {"label_smoothing": 0.1},
           {"scale_factor": 2.0, "mode": "bilinear"}, {"scale_factor": 2.0, "mode": "bicubic"}, {"inplace": True}]

def layers():
    for name in sorted(dir(nn)):
        kind = getattr(nn, name)
        if not (isinstance(kind, type) and issubclass(kind, nn.Module)) or kind is nn.Module:
            continue
        if "Lazy" in name or "Identity" == name:
            continue
        for more in options:
            for values in arguments:
                try:
                    layer = kind(*values, **more)
                    torch.jit.script(layer)
                except Exception:
                    continue
                yield name, layer
                break

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        found = list(layers())
        self.names = sorted({name for name, _ in found})
        self.layers = nn.ModuleList(layer.float() for _, layer in found)

    def forward(self, x):
        return self.fc(x)

model = Model()
print(len(model.names), "kinds of layers in", len(model.layers), "forms")
assert len(model.names) > 120, model.names
for name in ("LSTM", "GRU", "MultiheadAttention", "TransformerEncoderLayer", "BatchNorm2d", "Embedding", "CTCLoss"):
    assert name in model.names, name
torch.jit.script(model).save("layers.pt")
PYTHON
"$python" layers.py
"$bin/hansa" model inspect layers.pt >inspected 2>&1 || fail "a layer of PyTorch is refused: $(tail -n 1 inspected)"

cat >attacks.py <<'PYTHON'
import torch
from torch import nn, Tensor

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)

class Reads(Net):
    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        secret = torch.from_file("/etc/passwd", False, 300, dtype=torch.uint8)
        raise RuntimeError(str(secret))

class Raises(Net):
    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        raise ValueError("the first example is {}".format(x[0]))

class Saves(Net):
    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        torch.save(x, "/tmp/stolen")
        return x.sum()

class Prints(Net):
    def forward(self, x):
        print(x)
        return self.fc(x)

class Loads(Net):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

class Inner(nn.Module):
    @torch.jit.export
    def __getstate__(self):
        return (torch.zeros(1), self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, bool]):
        self.training = state[1]

    def forward(self, x):
        return x

for kind in (Reads, Raises, Saves, Prints, Loads):
    torch.jit.script(kind()).save(kind.__name__ + ".pt")
PYTHON
"$python" attacks.py
refused() {
  local status=0
  "$bin/hansa" model check "$1.pt" 2>error || status=$?
  [ "$status" -eq 2 ] || fail "$1 is not refused, but ends with $status"
  [ "$(wc -l <error)" -eq 1 ] || fail "the refusal of $1 is not one line: $(cat error)"
  shift
  for text in "$@"; do grep -qF "$text" error || fail "\"$text\" is not in: $(cat error)"; done
}
refused Reads "aten::from_file, which reads a file" 'attacks.py:15: secret = torch.from_file("/etc/passwd"'
refused Raises "whose text is computed from a tensor" "attacks.py:21: raise ValueError("
refused Saves "aten::save, which writes a file" "attacks.py:26: torch.save(x"
refused Prints "prim::Print, which prints" "attacks.py:31: print(x)"
refused Loads "__setstate__"
echo "the layers pass, and the attacks are refused with their lines"
