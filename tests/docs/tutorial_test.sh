#!/bin/bash
# Runs docs/tutorial.md as a reader does, with other ports, and checks what it promises: the devices train twenty rounds,
# the one that joined takes part, and the federation's model is better than that of a single site.
#   tutorial_test.sh ROOT BIN
set -euo pipefail
. "$1/tests/tools/torch_python.sh"
export PATH="$2:$PATH" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# The reader's python3 has PyTorch.
mkdir "$folder/programs" "$folder/work"
printf '#!/bin/bash\nexec "%s" "$@"\n' "$(command -v "$python")" >"$folder/programs/python3"
printf '#!/bin/bash\nexec python3 "%s" "$@"\n' "$1/examples/python/hansa_export.py" >"$folder/programs/hansa_export.py"
chmod +x "$folder/programs/"*
export PATH="$folder/programs:$PATH"

read -r first second < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))')
/usr/bin/python3 "$(dirname "$0")/run_page.py" "$1/docs/tutorial.md" "$folder/work" "127.0.0.1:7470=127.0.0.1:$first" \
  "127.0.0.1:7472=127.0.0.1:$second" >"$folder/said" 2>&1 ||
  fail "$(tail -n 30 "$folder/said"; cd "$folder/work" && tail -n 5 ./*.log)"
cat "$folder/said"

cd "$folder/work"
hansa status pumps --json >"$folder/status.json"
python3 - "$folder/status.json" <<'PYTHON' || fail "the run is not what the page says"
import json, sys
rounds = json.load(open(sys.argv[1]))["rounds"]
assert len(rounds) == 20, len(rounds)
counted = {client["client"] for entry in rounds for client in entry["participations"] if client["outcome"] == "counted"}
assert counted == {"line-1", "line-2", "line-3", "line-4"}, counted
assert all(entry["secure"]["ring_bits"] > 0 for entry in rounds)
PYTHON
alone="$(sed -n 's/^line-1 alone: //p' "$folder/said")" together="$(sed -n 's/^federation: *//p' "$folder/said")"
python3 -c "assert $together > 0.93 and $together > $alone + 0.02" || fail "the federation has $together, one site alone $alone"
