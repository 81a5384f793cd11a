#!/bin/bash
# Whether pages that are open on the dashboard slow rounds down: run.sh BUILD_FOLDER [STREAMS] [TURNS] [CLIENTS] [ROUNDS]
#
# Runs the load generator in turns without a dashboard and with STREAMS (200) open event streams, each TURNS (5) times with CLIENTS
# (50) and ROUNDS (20) of a model of 785,000 values, and prints the medians over the turns:
#
#   round_s, turnaround_s, ingest_s   as hansa-loadgen prints them
#   ratio                             with streams / without; below 1.03 is the aim
#
# Figures on a busy machine say little: the last line has its load.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs="${1:?usage: run.sh BUILD_FOLDER [STREAMS] [TURNS] [CLIENTS] [ROUNDS]}/bin"
streams="${2:-200}" turns="${3:-5}" clients="${4:-50}" rounds="${5:-20}"
work="$(mktemp -d)"
readers=
end() {
  [ -z "$readers" ] || kill "$readers" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

"$programs/hansa" model create logistic "$work/model.pt" --inputs 784 --classes 1000 >/dev/null
port="$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
measure() {
  "$programs/hansa-loadgen" --folder "$work/federation" --model "$work/model.pt" --clients "$clients" --rounds "$rounds" |
    sed -n 's/^figures: //p'
}
for ((turn = 0; turn < turns; ++turn)); do
  measure >>"$work/without"
  /usr/bin/python3 "$here/readers.py" "$port" "$streams" >"$work/read" &
  readers=$!
  HANSA__DASHBOARD__LISTEN="127.0.0.1:$port" measure >>"$work/with"
  wait "$readers"
  readers=
  cat "$work/read"
done
/usr/bin/python3 - "$work/without" "$work/with" <<'PYTHON'
import statistics
import sys

def medians(path):
    return [statistics.median(column) for column in zip(*([float(x) for x in line.split()] for line in open(path)))]

without, with_streams = (medians(path) for path in sys.argv[1:])
for name, a, b in zip(("round_s", "turnaround_s", "ingest_s"), without, with_streams):
    print(f"{name:13} without {a:.4f}  with {b:.4f}  ratio {b / a:.3f}")
PYTHON
echo "load: $(cat /proc/loadavg)"
