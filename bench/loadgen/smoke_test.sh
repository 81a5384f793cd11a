#!/bin/bash
# Tests hansa-loadgen: with slow readers, cut connections and training time, every round ends.
#   smoke_test.sh PROGRAM_FOLDER
set -euo pipefail
programs="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$programs/hansa" model create logistic "$work/model.pt" --inputs 1 --classes 2000 >/dev/null
"$programs/hansa-loadgen" --folder "$work/federation" --model "$work/model.pt" --clients 60 --rounds 6 --warm-up 1 \
  --think-ms 20 --slow 10 --slow-pause-ms 5 --disconnect 0.2 >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
grep -q "^60 clients, 6 rounds" "$work/out" && grep -qE "^disconnects [1-9]" "$work/out" || { cat "$work/out"; exit 1; }
