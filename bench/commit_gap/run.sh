#!/bin/bash
# How long a client waits for an answer while a model is committed: run.sh BUILD_FOLDER [OPTIONS OF THE PROGRAM]
#
# Once with the commit on the thread that decides, once on a thread of its own, as in hansa-aggregator.
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
