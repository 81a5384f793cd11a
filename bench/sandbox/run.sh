#!/bin/bash
# What training in the locked child process costs: run.sh BUILD_FOLDER [options of the program]
#
# Three sizes of training: the example of the README, a short task on a small model, and a model of 1.6 M values.
set -euo pipefail
build=${1:?usage: run.sh BUILD_FOLDER}
shift
bench="$build/bin/hansa-bench-sandbox"
measure() {
  local name=$1 line
  shift
  line=$("$bench" "$@")
  echo "$name: $line"
  read -r ratio _ < <(sed 's/.*child over in-process: //' <<<"$line")
  printf 'figure: sandbox/%s %s ratio\n' "$name" "$ratio"
}
measure epoch --model cnn-small --examples 12800 --turns 7 "$@"
measure short_task --model cnn-small --examples 600 --turns 41 "$@"
measure large_model --model cnn-mcmahan --examples 600 --turns 15 "$@"
