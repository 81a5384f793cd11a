#!/bin/bash
# A round's fixed cost and the aggregator's memory: run.sh BUILD_FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: run.sh BUILD_FOLDER}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/bin/hansa" model create cnn-small "$work/small.pt" >/dev/null
/usr/bin/python3 "$here/large_model.py" "$work/large.pt"
read -r small_ms small_mib < <("$build/bin/hansa-bench-data-plane" --folder "$work/small" --model "$work/small.pt" --clients 10 --rounds 200)
read -r large_ms large_mib < <("$build/bin/hansa-bench-data-plane" --folder "$work/large" --model "$work/large.pt" --clients 50 --rounds 4)
printf '%-34s %14s %22s\n' 'rounds without training' 'ms a round' 'aggregator peak MiB'
printf '%-34s %14s %22s\n' '10 clients x 18,378 parameters' "$small_ms" "$small_mib"
printf '%-34s %14s %22s\n' '50 clients x 10,004,000 parameters' "$large_ms" "$large_mib"
echo "limits: system calls of small messages on shared cores, and flushes to disk (small); the cipher (large)"
echo "figure: data_plane/round_10x18k_ms $small_ms ms"
echo "figure: memory/aggregator_50x10M_mib $large_mib MiB"
