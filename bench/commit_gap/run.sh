#!/bin/bash
# The time that a client waits for an answer while a model is committed: run.sh BUILD_FOLDER [options of the program]
#
# Measures a commit on the coordinator's thread, and one on its own thread, as in hansa-aggregator.
set -euo pipefail
build=${1:?usage: run.sh BUILD_FOLDER}
shift
bench="$build/bin/hansa-bench-commit-gap"
for executor in inline thread; do
  line=$("$bench" --executor "$executor" "$@")
  echo "$line"
  read -r gap _ < <(sed 's/.*longest gap //' <<<"$line")
  printf 'figure: commit_gap/%s_ms %s ms\n' "$executor" "$gap"
done
