#!/bin/bash
# A PyTorch module that Hansa does not know is trained in a federation by configuration alone and loaded back:
# examples/python/hansa_export.py, `hansa simulate`, torch.jit.load.
#
#   hansa_export_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH"
export_program="$1/examples/python/hansa_export.py"

. "$(dirname "$0")/torch_python.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }

cat >meter.py <<'PYTHON'
from typing import Dict, Tuple

import torch
from torch import Tensor, nn


class Meter(nn.Module):
    """A GRU over batch-normalised steps, with a loss and metrics of its own."""

    def __init__(self, hidden: int = 6):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.gru(self.norm(x).unsqueeze(2))
        return self.head(steps[:, -1]).squeeze(1)

    @torch.jit.export
    def training_loss(self, x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.smooth_l1_loss(self.forward(x), y.float().reshape(-1))

    @torch.jit.export
    def metrics(self, x: Tensor, y: Tensor) -> Dict[str, Tuple[Tensor, Tensor]]:
        error = (self.forward(x) - y.float().reshape(-1)).abs()
        return {"absolute_error": (error.sum(), torch.tensor(float(len(error)))),
                "within_half": ((error < 0.5).float().sum(), torch.tensor(float(len(error))))}


class Sawtooth(nn.Module):
    """One that cannot be trained: its only operator has no gradient."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.floor(x * self.scale).long().float()
PYTHON

hansa new federation --clients 3 --rounds 4 >/dev/null
rm federation/model.pt
"$python" - <<'PYTHON'
import random
random.seed(3)
for name in ["client-01", "client-02", "client-03", "held-out"]:
    with open(f"federation/{name}.csv", "w") as file:
        file.write("a,b,c,d,y\n")
        for _ in range(96):
            x = [random.gauss(0, 1) for _ in range(4)]
            file.write(",".join(f"{v:.5f}" for v in x + [0.8 * x[3] - 0.5 * x[0]]) + "\n")
PYTHON
data() { printf '[data]\nkind = "csv"\nfile = "../../%s.csv"\nlabel = "y"\ntarget = "real"\n\n' "$1"; }
for client in client-01 client-02 client-03; do
  awk -v data="$(data $client)" '/^\[data\]/ { print data "\n"; skip = 1; next } /^(#|\[)/ { skip = 0 } !skip' \
    "federation/sites/$client/client.toml" >changed
  mv changed "federation/sites/$client/client.toml"
done
{ data held-out | sed 's/\[data\]/[evaluation]/; s|\.\./\.\./||'; } >>federation/federation.toml

"$python" "$export_program" export meter.py:Meter federation/model.pt --check federation/sites/client-01/client.toml ||
  fail "the module is not taken"
hansa model sign federation/model.pt --key federation/keys/root.key | grep -q "clients report absolute_error" ||
  fail "the module's own metrics are not signed"
hansa model sign federation/model.pt --key federation/keys/root.key --no-metrics | grep -q "clients report" &&
  fail "the module's own metrics are signed against --no-metrics"
hansa model sign federation/model.pt --key federation/keys/root.key >/dev/null
hansa simulate federation/federation.toml --json >simulated.json || fail "it does not train"
run="$("$python" -c 'import json; print(json.load(open("simulated.json"))["run_folder"])')"
hansa status "$run" | grep -q absolute_error || fail "hansa status does not show the module's own metrics"
"$python" "$export_program" load "$run@4" meter.py:Meter back.pth || fail "the global model is not loaded"
hansa model export "$run@4" back.pt
"$python" - <<'PYTHON' || fail "what came back is not the global model"
import json, sys
import torch
sys.path.insert(0, ".")
from meter import Meter
module = Meter()
module.load_state_dict(torch.load("back.pth"))
module.eval()
archive = torch.jit.load("back.pt").eval()
x = torch.randn(5, 4)
assert torch.equal(module(x), archive(x))
state = module.state_dict()
assert all(torch.isfinite(v.float()).all() for v in state.values())
assert (state["norm.running_var"] > 0).all() and not torch.equal(state["norm.running_var"], torch.ones(4))
held_out = [r["held_out"] for r in json.load(open("simulated.json"))["rounds"] if r.get("held_out")]
assert len(held_out) >= 2 and all("absolute_error" in str(h) for h in held_out), held_out
rounds = [r["evaluation"]["absolute_error"]["mean"] for r in json.load(open("simulated.json"))["rounds"]]
assert rounds[-1] < rounds[0], rounds
PYTHON

if "$python" "$export_program" export meter.py:Sawtooth saw.pt --check federation/sites/client-01/client.toml 2>refused; then
  fail "a module without a gradient is taken"
fi
[ "$(wc -l <refused)" -eq 1 ] || fail "the refusal is not one line: $(cat refused)"
echo "the module trained, and came back"
