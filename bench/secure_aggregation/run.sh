#!/bin/bash
# Secure rounds against the times of Flower 1.8's SecAgg+ on a similar machine: run.sh BUILD_FOLDER
set -euo pipefail
build=${1:?usage: run.sh BUILD_FOLDER}
bench="$build/bin/hansa-bench-secure-aggregation"
figures=()
figure() { figures+=("figure: secagg/$1 $2 $3"); }
times_of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1fx", a / b }'; }

printf 'a tenth of the clients drops out before sending its masked vector; 8 bits per value; one core per client, all cores for unmasking\n'
printf '%-12s %4s %4s %12s %20s %20s %20s %8s\n' row k t 'rounding s' 'client masks s' 'server sum s' 'server unmask s' 'B/param'
# Row, parameters, clients, runs, and three times of Flower: k = 21 and t = 11 (n = 10: complete graph), 2 cores.
while read -r row parameters clients runs flower_mask flower_sum flower_unmask; do
  read -r round mask sum unmask _ _ bytes k t < <("$bench" --parameters "$parameters" --clients "$clients" --runs "$runs")
  printf '%-12s %4s %4s %12s %20s %20s %20s %8s\n' "$row" "$k" "$t" "$round" \
    "$mask ($(times_of "$flower_mask" "$mask"))" "$sum ($(times_of "$flower_sum" "$sum"))" \
    "$unmask ($(times_of "$flower_unmask" "$unmask"))" "$bytes"
  figure "client_mask_s_$row" "$mask" s
  figure "server_sum_s_$row" "$sum" s
  figure "server_unmask_s_$row" "$unmask" s
  [ "$row" != 1M_n100 ] || figure wire_bytes_per_parameter_n100 "$bytes" B
done <<'ROWS'
100k_n100 100000 100 5 0.052 0.035 7.27
1M_n50 1000000 50 3 0.174 0.22 4.67
1M_n100 1000000 100 3 0.228 0.38 8.83
10M_n10 10000000 10 3 1.03 0.64 1.25
ROWS
printf '(in brackets: how many times faster than Flower 1.8)\n\n'

printf '%-12s %4s %4s %16s %16s %22s\n' 'large cohort' k t 'server total s' 'unmask s' 'peak MiB, all sides'
for clients in 500 1000; do
  read -r _ _ _ unmask total peak _ k t < <("$bench" --parameters 1000000 --clients "$clients")
  printf '%-12s %4s %4s %16s %16s %22s\n' "1M_n$clients" "$k" "$t" "$total" "$unmask" "$peak"
  figure "server_total_s_1M_n$clients" "$total" s
  figure "server_memory_mib_1M_n$clients" "$peak" MiB
done
read -r fraction rate < <("$bench" --cipher)
printf '\nmask generation: %s of the speed of AES-256-CTR alone, which is %s GB/s on this core\n' "$fraction" "$rate"
echo 'bound by: the cipher (masks, unmasking), memory (sum)'
figure mask_fraction_of_aes_ctr "$fraction" ratio
printf '%s\n' "${figures[@]}"
