#!/bin/bash
# Rounds without training over real CURVE sockets, the aggregator's memory, and its kernels: run.sh BUILD_FOLDER
# [--quick]
#
# --quick skips the rows that take long: 5,000 clients, and 100 clients with 10 M parameters.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: run.sh BUILD_FOLDER [--quick]}
quick=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load="$build/bin/hansa-loadgen"
plain=$'uplink = "f32"\ndownlink = "f32"'
figures=()
figure() { figures+=("figure: $1 $2 $3"); }

"$build/bin/hansa" model create cnn-small "$work/18k.pt" >/dev/null
while read -r name inputs outputs; do
  /usr/bin/python3 "$here/../loadgen/linear_model.py" "$inputs" "$outputs" "$work/$name.pt"
done <<'MODELS'
10k 99 100
1M 999 1000
10M 2500 4000
MODELS

# Sets round, turnaround, ingest (seconds) and memory (MiB).
measure() {
  rm -rf "$work/federation"
  read -r _ round turnaround ingest memory < <("$load" --folder "$work/federation" "$@" | grep '^figures:')
}
# TITLE MODEL CLIENTS ROUNDS COMPRESSION ...
row() {
  local title=$1 model=$2 clients=$3 rounds=$4 compression=$5
  shift 5
  measure --model "$work/$model.pt" --clients "$clients" --rounds "$rounds" --compression "$compression" "$@"
  printf '%-44s %10.4f %14.1f %12s\n' "$title" "$round" "$(awk "BEGIN { print 1000 * $turnaround }")" "$memory"
}

printf '%-44s %10s %14s %12s\n' 'rounds without training' 'round s' 'turnaround ms' 'peak MiB'
row '10 clients x 18,378 parameters, f32' 18k 10 200 "$plain"
figure data_plane/round_10x18k_ms "$(awk "BEGIN { print 1000 * $round }")" ms
row '10 clients x 10 M, f32' 10M 10 9 "$plain"
figure data_plane/round_10x10M_f32_s "$round" s
row '10 clients x 10 M, default codecs' 10M 10 9 ''
figure data_plane/round_10x10M_default_s "$round" s
row '10 clients x 1 M, f32' 1M 10 40 "$plain"
figure data_plane/round_10x1M_f32_s "$round" s
row '10 clients x 1 M, default codecs' 1M 10 40 ''
figure data_plane/round_10x1M_default_s "$round" s
figure data_plane/turnaround_1M_ms "$(awk "BEGIN { print 1000 * $turnaround }")" ms
row '500 clients x 10 k, default codecs' 10k 500 40 ''
figure data_plane/round_500x10k_s "$round" s
if [ "$quick" != --quick ]; then
  row '1,000 clients x 10 k, default codecs' 10k 1000 12 ''
  row '5,000 clients x 10 k, default codecs' 10k 5000 8 ''
  figure data_plane/round_5000x10k_s "$round" s
  row '50 clients x 10 M, f32, 32 MiB for spools' 10M 50 3 "$plain" --warm-up 1 --spool-memory-mib 32
  figure memory/aggregator_50x10M_mib "$memory" MiB
  row '100 clients x 10 M, f32' 10M 100 2 "$plain" --warm-up 1
  figure memory/aggregator_100x10M_mib "$memory" MiB
fi

# Raw CURVE is measured before and after each federation, because both depend on what else runs on the machine.
printf '\n%-44s %10s %14s\n' 'ingest: 8 clients x 10 M, f32, to the commit' 'GB/s' 'raw CURVE GB/s'
ratios=()
raw() { "$load" --raw --clients 8 --message-bytes 262144 --bytes 40016000; }
after=$(raw)
for turn in 1 2 3 4 5 6 7 8 9; do
  before=$after
  measure --model "$work/10M.pt" --clients 8 --rounds 7 --compression "$plain" --together
  after=$(raw)
  rate=$(awk "BEGIN { print 8 * 40.016e6 / $ingest / 1e9 }")
  around=$(awk "BEGIN { print ($before + $after) / 2 }")
  printf '%-44s %10.3f %14.3f\n' "turn $turn" "$rate" "$around"
  ratios+=("$(awk "BEGIN { print $rate / $around }")")
done
figure data_plane/ingest_fraction_of_curve "$(printf '%s\n' "${ratios[@]}" | sort -g | sed -n 5p)" ratio

printf '\n'
"$build/bin/hansa-bench-kernels" --benchmark_min_time=0.1 | grep -v '^Run on\|^CPU\|^  L\|_mean\|_stddev\|_cv\|^Load' | tee "$work/kernels"
printf '%s\n' "${figures[@]}"
