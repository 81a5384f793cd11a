# shellcheck shell=bash disable=SC2034,SC2012
# Common functions of the examples' `run` scripts, which source this file.
#
#   begin_example "$@"                     reads options, finds the programs, makes the folder; sets full, seed, folder, bin
#   need_file FILE PACKAGE                 ends with 77 (CTest: skipped) if the data's package is not installed
#   new_federation DIR ROUNDS CLIENT...    `hansa new`, with these clients' names
#   set_table FILE TABLE <<TOML            replaces the keys of one [TABLE] of a configuration file
#   run_federation DIR SECONDS             runs hansa-aggregator and its clients ($client_program); sets run, the run folder
#   run_federation_while DIR SECONDS COMMAND...   the same, but ends the federation when the command has ended
#   wait_for_round DIR N                   for COMMAND: returns when round N is committed
#   wait_for_records DIR CLIENT N          for COMMAND: returns when the client has consumed N records
#   simulate FILE OUT.json                 `hansa simulate`
#   limited SECONDS COMMAND...             runs a command with a time limit; a signal to the script ends it too
#   newest_run DIR                         prints the federation's newest run folder
#   json_value FILE KEY...                 prints a value: json_value status.json rounds -1 evaluation loss mean
#   number EXPRESSION                      prints its value: number "(0.91 + 0.93) / 2"
#   check TEXT EXPRESSION                  prints whether a condition holds: check "it fell" "1.2 < 3.4"
#   finish_example                         ends with 0, or 1 if a check failed
#
# Do not call functions that start processes within $( ): the clean-up does not know the processes of a subshell.

export LC_ALL=C # decimal points, and one sort order of files
example="$(basename "$(dirname "$(readlink -f "$0")")")"
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)"
bin="${HANSA_BIN:-$root/build/release/bin}"
full= seed=1 folder= run=
client_program="$bin/hansa-client" # or another program that takes a client.toml
temporary=
failed_checks=0
declare -A running=() # process id -> name of the process

die() { echo "$example: $*" >&2; exit 2; }

# Ends the processes that the script has started, by process id, and removes its folder.
clean_up() {
  trap '' INT TERM HUP
  local pid
  for pid in "${!running[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait || true
  [ -z "$temporary" ] || rm -rf "$temporary"
}

begin_example() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
      --full) full=yes; shift; continue ;;
      --seed | --folder) ;;
      *) die "unknown option $1; examples/$example/run --help" ;;
    esac
    [ $# -ge 2 ] || die "$1 needs a value"
    printf -v "${1#--}" '%s' "$2"
    shift 2
  done
  [[ "$seed" =~ ^[0-9]+$ ]] || die "--seed must be an integer, not \"$seed\""
  local program
  for program in hansa hansa-aggregator hansa-client hansa-evaluator hansa-learning hansa-trainer; do
    [ -x "$bin/$program" ] || die "$bin/$program is missing; scripts/examples $example builds it"
  done
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -z "$folder" ]; then
    temporary="$(mktemp -d)"
    folder="$temporary"
  else
    mkdir -p "$folder"
    [ -z "$(ls -A "$folder")" ] || die "$folder is not empty; name another --folder"
    folder="$(cd "$folder" && pwd)"
  fi
}

need_file() {
  [ -e "$1" ] || { echo "$example: skipped: $1 is missing; apt-get install $2" >&2; exit 77; }
}

finish_example() {
  [ "$failed_checks" -eq 0 ] || exit 1
  exit 0
}

# --- configuration

new_federation() {
  local dir="$1" rounds="$2"
  shift 2
  "$bin/hansa" new "$dir" --clients "$(IFS=,; echo "$*")" --rounds "$rounds" --seed "$seed" --bind tcp://127.0.0.1:7470 >/dev/null
}

# The keys of a table end at an empty line or the next table. A missing table is appended.
set_table() {
  TABLE="[$2]" KEYS="$(cat)" awk '
    $0 == ENVIRON["TABLE"] { print; print ENVIRON["KEYS"]; found = replacing = 1; next }
    /^$/ || /^\[/ { replacing = 0 }
    !replacing
    END { if (!found) printf "\n%s\n%s\n", ENVIRON["TABLE"], ENVIRON["KEYS"] }' "$1" >"$1.new"
  mv "$1.new" "$1"
}

# --- processes

# In the background, because the shell handles a signal only after the foreground command has ended.
limited() {
  timeout -k 10 "$@" &
  local pid=$! status=0
  running[$pid]="$2"
  wait "$pid" || status=$?
  unset "running[$pid]"
  return "$status"
}

simulate() {
  limited 300 "$bin/hansa" simulate "$1" --json >"$2" || die "hansa simulate $1 failed, see above"
}

# Whether a process listens on the port. Reads the kernel's table instead of connecting.
is_taken() {
  awk -v port="$(printf ':%04X' "$1")" \
    '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Starts the aggregator on a free port and waits until it listens; sets aggregator.
start_aggregator() {
  local dir="$1" seconds="$2" port status=0
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    while is_taken "$port"; do port=$((20000 + RANDOM % 12000)); done
    sed -i "s|^bind = .*|bind = \"tcp://127.0.0.1:$port\"|" "$dir/federation.toml"
    sed -i "s|^address = .*|address = \"tcp://127.0.0.1:$port\"|" "$dir"/sites/*/client.toml
    timeout -k 10 "$seconds" "$bin/hansa-aggregator" "$dir/federation.toml" --new --progress plain \
      >"$dir/logs/aggregator.log" 2>&1 </dev/null &
    aggregator=$!
    running[$aggregator]=aggregator
    while kill -0 "$aggregator" 2>/dev/null; do
      if is_taken "$port"; then return 0; fi
      sleep 0.05
    done
    unset "running[$aggregator]"
    status=0
    wait "$aggregator" || status=$?
    # 6: another process took the port after the check.
    [ "$status" -eq 6 ] || break
  done
  federation_failed "$dir" "the aggregator ended with exit code $status"
}

# The folder may be temporary, so the last log lines are printed.
federation_failed() {
  tail -n 5 "$1"/logs/*.log >&2
  die "$2; the last log lines are above (exit codes: docs/exit-codes.md)"
}

declare -A client_of=() # process id -> client name, in this federation

start_federation() {
  local dir="$1" seconds="$2" file name
  mkdir -p "$dir/logs"
  # Clients train only models that the root key has signed.
  "$bin/hansa" model sign "$dir/model.pt" --key "$dir/keys/root.key" >/dev/null
  start_aggregator "$dir" "$seconds"
  client_of=()
  for file in "$dir"/sites/*/client.toml; do
    name="$(basename "$(dirname "$file")")"
    timeout -k 10 "$seconds" "$client_program" "$file" >"$dir/logs/$name.log" 2>&1 </dev/null &
    running[$!]="$name"
    client_of[$!]="$name"
  done
}

wait_for_aggregator() {
  local dir="$1" seconds="$2" status=0
  wait "$aggregator" || status=$?
  unset "running[$aggregator]"
  [ "$status" -ne 124 ] || federation_failed "$dir" "the federation took more than $seconds s"
  [ "$status" -eq 0 ] || federation_failed "$dir" "the aggregator ended with exit code $status"
}

wait_for_clients() {
  local dir="$1" alive pid
  for _ in $(seq 100); do
    alive=
    for pid in "${!client_of[@]}"; do if kill -0 "$pid" 2>/dev/null; then alive=yes; fi; done
    [ -n "$alive" ] || break
    sleep 0.1
  done
  for pid in "${!client_of[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then federation_failed "$dir" "${client_of[$pid]} did not end"; fi
    unset "running[$pid]"
    wait "$pid" || federation_failed "$dir" "${client_of[$pid]} failed"
  done
}

run_federation() {
  local aggregator
  start_federation "$1" "$2"
  wait_for_aggregator "$1" "$2"
  # The clients end by themselves, because the aggregator sends them the end of the federation.
  wait_for_clients "$1"
  run="$(newest_run "$1")"
}

run_federation_while() {
  local dir="$1" seconds="$2" aggregator pid
  shift 2
  start_federation "$dir" "$seconds"
  "$@"
  kill -TERM "$aggregator" 2>/dev/null || true
  wait_for_aggregator "$dir" "$seconds"
  # Otherwise they would wait for the aggregator to return.
  for pid in "${!client_of[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait_for_clients "$dir"
  run="$(newest_run "$dir")"
}

is_running() { kill -0 "$aggregator" 2>/dev/null || federation_failed "$1" "the aggregator ended"; }

wait_for_round() {
  # metrics.jsonl has one line for each commit and one for each evaluation.
  while [ "$(cat "$1"/runs/*/metrics.jsonl 2>/dev/null | grep -c '"model"')" -lt "$2" ]; do
    is_running "$1"
    sleep 0.1
  done
}

wait_for_records() {
  while "$bin/hansa" data consumed "$1/sites/$2/state" --json >"$1/consumed.json"; do
    [ "$(json_value "$1/consumed.json" sources 0 records)" -lt "$3" ] || return 0
    is_running "$1"
    sleep 0.1
  done
  federation_failed "$1" "the state of $2 cannot be read"
}

# --- results

# In the federation's folder $1.
newest_run() { ls -1td "$1"/runs/*-*/ | sed -n '1s|/$||p'; }

json_value() {
  /usr/bin/python3 -c '
import json, sys
with open(sys.argv[1]) as file:
    value = json.load(file)
for key in sys.argv[2:]:
    value = value[int(key) if isinstance(value, list) else key]
print(value)' "$@"
}

number() { awk "BEGIN { printf \"%.4f\n\", $1 }"; }

check() {
  if awk "BEGIN { exit !($2) }"; then
    echo "ok: $1 ($2)"
  else
    echo "FAILED: $1 ($2)"
    failed_checks=$((failed_checks + 1))
  fi
}
