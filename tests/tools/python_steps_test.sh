#!/bin/bash
# Ten PyTorch modules of the kinds that people bring: a federation of one client trains each for twenty steps through
# its configuration alone, and the final values must be those of the same steps in Python.
#
#   python_steps_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
. "$(dirname "$0")/torch_python.sh"
export PYTHONPATH="$1/tests/tools:$1/examples/python"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cp "$1/tests/tools/ten_modules.py" .
fail() { echo "FAILED: $*" >&2; exit 1; }

hansa new federation --clients 1 --clients-min 1 --rounds 1 >/dev/null
# Twenty epochs of one batch each, so that the order of the examples does not matter; exact updates; no example is held out.
sed -i 's/^epochs = .*/epochs = 20/; s/^batch_size = .*/batch_size = 64/; /^\[evaluation.on_clients\]/,/^$/d' \
  federation/federation.toml
printf '\n[compression]\nuplink = "f32"\n' >>federation/federation.toml
site=federation/sites/client-01
sed -i '/^images = /d; s|^labels = .*|kind = "tensors"\nfile = "examples.pt"|' "$site/client.toml"

for name in $("$python" ten_modules.py names); do
  rate="$("$python" ten_modules.py begin "$name" "$site/examples.pt" weights.pth)"
  sed -i "s/^learning_rate = .*/learning_rate = $rate/" federation/federation.toml
  "$python" "$1/examples/python/hansa_export.py" export "ten_modules.py:$name" federation/model.pt --weights weights.pth \
    >exported 2>&1 || fail "$name is not exported: $(cat exported)"
  hansa model sign federation/model.pt --key federation/keys/root.key >/dev/null
  hansa simulate federation/federation.toml --threads 1 --json >simulated.json || fail "$name does not train"
  run="$("$python" -c 'import json; print(json.load(open("simulated.json"))["run_folder"])')"
  hansa model export "$run" trained.pt >/dev/null
  "$python" ten_modules.py compare "$name" "$site/examples.pt" weights.pth trained.pt || fail "$name is another model than in Python"
  rm -rf federation/runs
done
