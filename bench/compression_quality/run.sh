#!/bin/bash
# Bytes and accuracy of the codecs: run.sh BUILD_FOLDER [--all]
#
# Runs 10 and 50 clients with float32, the default codecs and secure aggregation. --all runs every codec and takes half
# an hour longer.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: run.sh BUILD_FOLDER [--all]}
codecs=(--codec default --codec secure)
[ "${2:-}" != --all ] || codecs=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for clients in 10 50; do
  /usr/bin/python3 "$here/compare.py" "$build/bin/hansa" --clients "$clients" --rounds 20 "${codecs[@]}" 2>"$work/$clients.json"
  printf '\n'
done
# The figures are those of the 10 clients.
/usr/bin/python3 - "$work/10.json" <<'PY'
import json
import sys

results = json.loads(open(sys.argv[1]).read().splitlines()[-1])
default, secure = results["default"], results["secure"]
print(f"figure: compression/uplink_ratio_default {default['uplink_ratio']:.2f} ratio")
print(f"figure: compression/accuracy_loss_points_default {default['loss_points']:.3f} points")
print(f"figure: compression/uplink_ratio_secure {secure['uplink_ratio']:.2f} ratio")
print(f"figure: compression/downlink_ratio_default {default['downlink_ratio']:.2f} ratio")
PY
