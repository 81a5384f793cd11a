#!/bin/bash
# Low-rank adapters and frozen parameters, from a PyTorch module through a federation and back:
# examples/python/hansa_export.py lora, merge and export --freeze, `hansa model inspect`, `hansa simulate`,
# `hansa status`. The modules have the layers and parameter names of Hugging Face's GPT-2 and BERT (traced), and of an
# encoder with batch normalisation (compiled). The library transformers is not used.
#
#   lora_export_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
export_program="$1/examples/python/hansa_export.py"

. "$(dirname "$0")/torch_python.sh"
export PYTHONPATH="$1/examples/python"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }
export_model() { "$python" "$export_program" "$@"; }
# Arguments: what the message must contain, and a command of hansa_export.py that must be refused with one line.
refused() {
  local expected="$1"
  shift
  if export_model "$@" >/dev/null 2>message; then fail "not refused: $*"; fi
  [ "$(wc -l <message)" -eq 1 ] || fail "the refusal of \"$*\" is not one line: $(cat message)"
  grep -qF -- "$expected" message || fail "the refusal of \"$*\" lacks \"$expected\": $(cat message)"
}

cat >models.py <<'PYTHON'
import torch
from torch import Tensor, nn


class Conv1D(nn.Module):
    """The linear layer of transformers' GPT-2: its weight is [in, out]."""

    def __init__(self, nf, nx):
        super().__init__()
        self.nf = nf
        self.weight = nn.Parameter(torch.randn(nx, nf) * 0.1)
        self.bias = nn.Parameter(torch.zeros(nf))

    def forward(self, x):
        size_out = x.size()[:-1] + (self.nf,)  # TorchScript cannot compile this line
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(size_out)


class GPT2Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = Conv1D(3 * width, width)
        self.c_proj = Conv1D(width, width)

    def forward(self, x, *, mask):
        query, key, value = (part.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
                             for part in self.c_attn(x).split(x.shape[-1], dim=2))
        scores = query @ key.transpose(-1, -2) / (x.shape[-1] // self.heads) ** 0.5
        causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
        scores = scores.masked_fill(~(causal & mask[:, None, None, :].bool()), -1e4)
        return self.c_proj((torch.softmax(scores, -1) @ value).transpose(1, 2).reshape(x.shape))


class GPT2MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = Conv1D(4 * width, width)
        self.c_proj = Conv1D(width, 4 * width)

    def forward(self, x):
        return self.c_proj(nn.functional.gelu(self.c_fc(x)))


class GPT2Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = GPT2Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = GPT2MLP(width)

    def forward(self, x, **options):  # nor this signature
        x = x + self.attn(self.ln_1(x), **options)
        return x + self.mlp(self.ln_2(x))


class GPT2Model(nn.Module):
    def __init__(self, words, window, width, layers, heads):
        super().__init__()
        self.wte = nn.Embedding(words, width)
        self.wpe = nn.Embedding(window, width)
        self.drop = nn.Dropout(0.1)
        self.h = nn.ModuleList([GPT2Block(width, heads) for _ in range(layers)])
        self.ln_f = nn.LayerNorm(width)

    def forward(self, input_ids, mask):
        x = self.drop(self.wte(input_ids) + self.wpe(torch.arange(input_ids.shape[1])))
        for block in self.h:
            x = block(x, mask=mask)
        return self.ln_f(x)


class GPT2LMHeadModel(nn.Module):
    def __init__(self, words, window, width, layers, heads):
        super().__init__()
        self.transformer = GPT2Model(words, window, width, layers, heads)
        self.lm_head = nn.Linear(width, words, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, input_ids, mask):
        return self.lm_head(self.transformer(input_ids, mask))


class Wrapped(nn.Module):
    """What a user writes around such a model."""

    def __init__(self, words: int = 32, window: int = 12, width: int = 16, layers: int = 2, heads: int = 2):
        super().__init__()
        self.window = window
        self.gpt2 = GPT2LMHeadModel(words, window, width, layers, heads)

    def example_inputs(self):
        return torch.ones(2, self.window, dtype=torch.int64), torch.ones(2, self.window, dtype=torch.int64)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.gpt2(x, mask)

    @torch.jit.export
    def training_loss(self, x: Tensor, mask: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.forward(x, mask).flatten(0, 1), y.flatten(), ignore_index=-100)


class BertSelfAttention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x, **options):
        scores = self.query(x) @ self.key(x).transpose(1, 2) + (1 - options["mask"].float())[:, None] * -1e4
        return torch.softmax(scores, -1) @ self.value(x)


class BertLayer(nn.Module):
    """A part of BERT, with its names: a layer is called `self`."""

    def __init__(self, width):
        super().__init__()
        self.attention = nn.ModuleDict({"self": BertSelfAttention(width), "output": nn.Linear(width, width)})

    def forward(self, x, **options):
        return x + self.attention["output"](self.attention["self"](x, **options))


class BertModel(nn.Module):
    def __init__(self, words, width, layers):
        super().__init__()
        self.embeddings = nn.Embedding(words, width)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList([BertLayer(width) for _ in range(layers)])})

    def forward(self, input_ids, attention_mask):
        x = self.embeddings(input_ids)
        for layer in self.encoder["layer"]:
            x = layer(x, mask=attention_mask)
        return x[:, 0]


class Classifier(nn.Module):
    """Whether the first word is one of the second half."""

    def __init__(self):
        super().__init__()
        self.bert = BertModel(32, 16, 2)
        self.classifier = nn.Linear(16, 2)

    def example_inputs(self):
        return torch.ones(2, 12, dtype=torch.int64), torch.ones(2, 12, dtype=torch.int64)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.classifier(self.bert(x, mask))

    @torch.jit.export
    def training_loss(self, x: Tensor, mask: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(self.forward(x, mask), (x[:, 0] > 15).long())


class Encoder(nn.Module):
    """A compiled model of layers that adapters fit, with batch normalisation and a shared layer."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(32, 16, padding_idx=0)
        self.backbone = nn.Sequential(nn.Conv1d(16, 16, 3, padding=1, groups=2), nn.BatchNorm1d(16), nn.ReLU())
        self.first = nn.Linear(16, 16)
        self.second = self.first
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)
        self.head = nn.Linear(16, 32)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.backbone(self.words(x).transpose(1, 2)).transpose(1, 2)
        return self.head(self.layer(self.second(torch.relu(self.first(x)))) * mask.unsqueeze(2))
PYTHON

# Four clients, and examples in which each word is followed by the next one.
hansa new federation --clients 4 --rounds 3 >/dev/null
grep -A 1 '^\[secure_aggregation\]' federation/federation.toml | grep -q 'enabled = true' || fail "secure aggregation is off"
"$python" - <<'PYTHON'
import glob, os, torch
torch.manual_seed(7)
for folder in [*sorted(glob.glob("federation/sites/*")), "federation"]:
    x = (torch.randint(0, 32, (64, 1)) + torch.arange(12)) % 32
    mask = (torch.arange(12) < torch.randint(6, 13, (64, 1))).long()
    y = torch.where(mask == 1, (x + 1) % 32, torch.tensor(-100))
    torch.save({"x": x, "mask": mask, "y": y}, os.path.join(folder, "examples.pt"))
    if "sites" not in folder:
        continue
    name = os.path.join(folder, "client.toml")
    text = open(name).read()
    begin = text.index("[data]")
    end = text.index("\n\n", begin)
    open(name, "w").write(text[:begin] + '[data]\nkind = "tensors"\nfile = "examples.pt"' + text[end:])
PYTHON
sed -i 's/^learning_rate = .*/learning_rate = 0.05/' federation/federation.toml
printf '\n[evaluation]\nkind = "tensors"\nfile = "examples.pt"\n' >>federation/federation.toml
client=federation/sites/client-01/client.toml

# --- refusals
gpt2=(models.py:Wrapped)
refused "matches no layer; layers that can be adapted are gpt2.transformer.wte" lora "${gpt2[@]}" x.pt --rank 2 --match '*.atn.*'
refused "only gpt2.transformer.drop (Dropout)" lora "${gpt2[@]}" x.pt --rank 2 --match '*.drop'
refused "gpt2.lm_head.weight is also gpt2.transformer.wte.weight" lora "${gpt2[@]}" x.pt --rank 2 --match '*lm_head'
refused "--rank is 0" lora "${gpt2[@]}" x.pt --rank 0 --match '*.c_attn'
refused "is more than 16, the full rank of" lora "${gpt2[@]}" x.pt --rank 17 --match '*.c_attn'
refused "--train 'hed' matches no parameter" lora "${gpt2[@]}" x.pt --rank 2 --match '*.c_attn' --train hed
refused "--trace gpt3: the module has no submodule" lora "${gpt2[@]}" x.pt --rank 2 --match '*.c_attn' --trace gpt3
refused "is no state_dict" lora "${gpt2[@]}" x.pt --rank 2 --match '*.c_attn' --weights models.py
refused "--freeze 'x*' matches no parameter" export models.py:Encoder x.pt --freeze 'x*'
refused "there is nothing to train" export models.py:Encoder x.pt --freeze '*'
# nn.MultiheadAttention reads the weight of its projection, so an adapter would have no effect.
refused "does not call layer.self_attn.out_proj" lora models.py:Encoder x.pt --rank 2 --match 'layer.*'
[ ! -e x.pt ] || fail "a refused module is written"

# --- an archive has the values of the plain module, and only the adapters are sent
"$python" - <<'PYTHON'
import torch, models
torch.manual_seed(11)
torch.save(models.Wrapped().state_dict(), "gpt2.pth")
encoder = models.Encoder()
encoder(torch.randint(0, 32, (64, 12)), torch.ones(64, 12))  # statistics that are not 0 and 1
torch.save(encoder.state_dict(), "encoder.pth")
PYTHON
lora=(lora "${gpt2[@]}" federation/model.pt --weights gpt2.pth --trace gpt2 --rank 2 --alpha 6)
export_model "${lora[@]}" --match '*.c_attn' --match '*.mlp.*' --match '*.wpe' --train '*.ln_f.*' --check "$client" >exported 2>&1 ||
  fail "the adapters are not taken: $(cat exported)"
grep -q "warning: .*dropout is always in evaluation mode: it drops nothing, also in training (.*drop.*). Keep it" exported ||
  fail "the constant mode of the trace is not explained: $(cat exported)"
hansa model check federation/model.pt --data "$client" >checked
if grep -q "note:" checked; then fail "matrices are reported that only the first step does not change: $(cat checked)"; fi
cp federation/model.pt again.pt
export_model "${lora[@]}" --match '*.c_attn' --match '*.mlp.*' --match '*.wpe' --train '*.ln_f.*' >/dev/null
hansa model inspect federation/model.pt --json >inspected.json
hansa model inspect again.pt --json >again.json
cmp <(grep -v archive inspected.json) <(grep -v archive again.json) || fail "equal seeds give different adapters"
"$python" - <<'PYTHON' || fail "other values than the adapters are sent, or the archive computes something else"
import json, re, torch, models
text = open("inspected.json").read()
names = set(re.findall(r'"(gpt2\.[^"]+)"', text))
layers = [f"transformer.h.{i}.{part}" for i in range(2) for part in ("attn.c_attn", "mlp.c_fc", "mlp.c_proj")]
expected = {f"gpt2.{layer}.lora_{m}" for layer in [*layers, "transformer.wpe"] for m in "AB"}
expected |= {"gpt2.transformer.ln_f.weight", "gpt2.transformer.ln_f.bias"}
assert names == expected, names ^ expected
a, b = torch.jit.load("federation/model.pt").state_dict(), torch.jit.load("again.pt").state_dict()
assert all(torch.equal(a[name], b[name]) for name in a)
plain = models.Wrapped()
plain.load_state_dict(torch.load("gpt2.pth"))
plain.eval()
archive = torch.jit.load("federation/model.pt").eval()
x, mask = torch.randint(0, 32, (3, 12)), torch.ones(3, 12, dtype=torch.int64)
assert torch.allclose(plain(x, mask), archive(x, mask), atol=1e-5)
PYTHON

# --- a federation with secure aggregation trains the adapters, and merge gives the plain module back
hansa simulate federation/federation.toml --threads 1 --json >simulated.json || fail "it does not train"
run="$("$python" -c 'import json; print(json.load(open("simulated.json"))["run_folder"])')"
export_model merge "$run@3" "${gpt2[@]}" merged.pth >/dev/null || fail "the adapters are not merged"
hansa model export "$run@3" global.pt >/dev/null
export_model merge global.pt "${gpt2[@]}" merged-archive.pth >/dev/null || fail "the adapters of an archive are not merged"
hansa status "$run" --json >status.json
"$python" - <<'PYTHON' || fail "what came back is not the global model"
import json, torch, models
plain = models.Wrapped()
before = {name: value.clone() for name, value in torch.load("gpt2.pth").items()}
plain.load_state_dict(torch.load("merged.pth"))
assert all(torch.equal(value, plain.state_dict()[name]) for name, value in torch.load("merged-archive.pth").items())
plain.eval()
archive = torch.jit.load("global.pt").eval()
x, mask = torch.randint(0, 32, (3, 12)), torch.ones(3, 12, dtype=torch.int64)
assert torch.allclose(plain(x, mask), archive(x, mask), atol=1e-4), (plain(x, mask) - archive(x, mask)).abs().max()
adapted = ("c_attn.weight", "c_fc.weight", "mlp.c_proj.weight", "wpe.weight", "ln_f.weight", "ln_f.bias")
for name, value in plain.state_dict().items():
    assert torch.equal(value, before[name]) != name.endswith(adapted), name
rounds = json.load(open("simulated.json"))["rounds"]
losses = [entry["evaluation"]["loss"]["mean"] for entry in rounds]
assert losses[-1] < losses[0], losses
sent = sum(value.numel() for name, value in torch.jit.load("global.pt").named_parameters() if value.requires_grad)
every = sum(value.numel() for value in plain.parameters())
for entry in json.load(open("status.json"))["rounds"]:
    assert entry["secure"]["ring_bits"] > 0
    # Keys and shares of secure aggregation are less than 8 KB for each of four clients.
    assert entry["bytes_up"] < 4 * (4 * sent + 8192) and entry["bytes_down"] < 4 * (4 * sent + 8192), entry
assert sent < every / 3, (sent, every)
PYTHON
refused "has adapters" load "$run" "${gpt2[@]}" x.pth
refused "has another shape than in the module" merge "$run" "${gpt2[@]}" x.pth --arguments '{"width": 32}'

# --- BERT's names, and a classifier that is trained in full
export_model lora models.py:Classifier bert.pt --trace bert --rank 2 --match '*.attention.self.query' \
  --match '*.attention.self.value' --train 'classifier.*' --check "$client" >/dev/null || fail "BERT's layers are not taken"
hansa model inspect bert.pt >inspected
[ "$(grep -c trainable inspected)" -eq 10 ] || fail "the classifier and four adapters are not what is sent: $(cat inspected)"

# --- layers of a compiled module: embedding, convolution, shared linear layer; frozen batch normalisation stays
export_model lora models.py:Encoder encoder.pt --weights encoder.pth --rank 2 --match words --match 'backbone.*' \
  --match second --match 'layer.linear?' --check "$client" >/dev/null || fail "the layers of an encoder are not taken"
cp encoder.pt federation/model.pt
hansa simulate federation/federation.toml --threads 1 --json >simulated.json || fail "the encoder does not train"
run="$("$python" -c 'import json; print(json.load(open("simulated.json"))["run_folder"])')"
hansa model export "$run" global.pt >/dev/null
export_model merge "$run" models.py:Encoder merged.pth >/dev/null || fail "the encoder's adapters are not merged"
export_model export models.py:Encoder frozen.pt --weights encoder.pth --freeze 'words.*' --freeze 'backbone.*' >/dev/null
hansa model inspect frozen.pt >frozen
if grep -qE 'words|backbone.0|running|backbone.1.(weight|bias)' frozen; then fail "frozen values are sent: $(cat frozen)"; fi
"$python" - <<'PYTHON' || fail "what came back is not the encoder"
import torch, models
before = torch.load("encoder.pth")
plain = models.Encoder()
plain.load_state_dict(torch.load("merged.pth"))
plain.eval()
archive = torch.jit.load("global.pt").eval()
x, mask = torch.randint(0, 32, (3, 12)), torch.ones(3, 12, dtype=torch.int64)
with torch.no_grad():  # in which nn.TransformerEncoderLayer would take its fast path
    assert torch.allclose(plain(x, mask), archive(x, mask), atol=1e-4)
adapted = ("words.weight", "backbone.0.weight", "first.weight", "second.weight", "layer.linear1.weight", "layer.linear2.weight")
for name, value in plain.state_dict().items():
    assert torch.equal(value, before[name]) != (name in adapted), name
# In training mode, as on a device: the statistics are constants.
frozen = torch.jit.load("frozen.pt").train()
expected = models.Encoder()
expected.load_state_dict(before)
assert torch.allclose(frozen(x, mask), expected.eval()(x, mask), atol=1e-4)
assert torch.equal(frozen.state_dict()["backbone.1.running_mean"], before["backbone.1.running_mean"])
PYTHON
refused "has no adapters" merge frozen.pt models.py:Encoder x.pth
echo "adapters trained, and came back merged"
