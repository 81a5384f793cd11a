#!/bin/bash
# Modules of the kinds that people bring are trained on one client through configuration alone, and have the weights
# that the same steps in Python give: python_comparison/.
#
#   python_comparison_test.sh PROJECT_FOLDER PROGRAM_FOLDER [NAME...]
set -euo pipefail
export PATH="$2:$PATH"
compare="$1/tests/tools/python_comparison/compare.py"
shift 2

. "$(dirname "$0")/torch_python.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
[ $# -gt 0 ] || set -- resnet mobilenet unet gru_tagger encoder gpt fusion autoencoder multi_label regression
failed=0
for name in "$@"; do
  hansa new "$name" --clients 1 --clients-min 1 --rounds 1 >/dev/null
  "$python" -W ignore "$compare" write "$name" "$name"
  # All 24 examples are one batch, so that the order of the examples does not matter; updates are sent as they are.
  sed -i -e 's/^epochs = .*/epochs = 20/' -e 's/^batch_size = .*/batch_size = 24/' -e 's/^learning_rate = .*/learning_rate = 0.05/' \
    -e 's/^momentum = .*/momentum = 0.9/' -e '/^\[evaluation.on_clients\]/,/^$/d' "$name/federation.toml"
  printf '\n[compression]\nuplink = "f32"\n' >>"$name/federation.toml"
  awk '/^\[data\]/ { print "[data]\nkind = \"tensors\"\nfile = \"../../data.pt\"\n"; skip = 1; next } /^(#|\[)/ { skip = 0 } !skip' \
    "$name/sites/client-01/client.toml" >changed
  mv changed "$name/sites/client-01/client.toml"
  if ! hansa simulate "$name/federation.toml" --json >run.json 2>error; then
    echo "$name: $(tail -n 1 error)"
    failed=1
    continue
  fi
  run="$("$python" -c 'import json; print(json.load(open("run.json"))["run_folder"])')"
  hansa model export "$run@1" "$name/trained.pt" >/dev/null
  "$python" -W ignore "$compare" check "$name" "$name" || failed=1
done
exit "$failed"
