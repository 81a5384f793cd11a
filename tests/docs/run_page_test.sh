#!/bin/bash
# Tests run_page.py: it runs commands in their order, writes files, replaces ports, ends what is left running, and refuses
# blocks that would not run.
set -euo pipefail
run="$(readlink -f "$(dirname "$0")/run_page.py")"
[ -x /usr/bin/python3 ] || { echo "skipped: no python3"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir "$work/folder"
# page LINES...: writes the page, with ''' for ```.
page() { printf '%s\n' "$@" | sed "s/'''/\`\`\`/" >"$work/page.md"; }
runs() { /usr/bin/python3 "$run" "$work/page.md" "$work/folder" "$@" >"$work/said" 2>&1; }

page '# P' '<!-- file: a.txt -->' "'''toml" 'port 7470' "'''" "'''sh" 'name=kept' 'sleep 1000 & echo $! >left' "'''" \
  '<!-- append: a.txt -->' "'''" 'more' "'''" '<!-- not run: it fails -->' "'''sh" 'exit 9' "'''" \
  "'''sh" 'echo "$name: $(cat a.txt)"' "'''"
runs 7470=99 || fail "this page runs: $(cat "$work/said")"
grep -qF "kept: port 99" "$work/said" && grep -qx "more" "$work/said" || fail "the blocks ran otherwise: $(cat "$work/said")"
grep -qF "2 blocks of commands run, 1 marked as not run" "$work/said" || fail "$(cat "$work/said")"
left="$(cat "$work/folder/left")"
[ ! -e "/proc/$left" ] || grep -q '^State:.*Z' "/proc/$left/status" || fail "what the page started still runs"

refused() { # MESSAGE ARGUMENTS...
  local message="$1"
  shift
  if runs "$@"; then fail "accepted: $(cat "$work/page.md")"; fi
  grep -qF -e "$message" "$work/said" || fail "expected \"$message\", got $(cat "$work/said")"
}
refused 'no block of page.md has the text 7471' 7471=1
page "'''sh" 'false' 'touch reached' "'''"
refused 'FAILED: page.md:1: false'
[ ! -e "$work/folder/reached" ] || fail "the page went on after a command that failed"
page "'''sh" 'sleep 1000' "'''"
refused 'still runs after 1 s' --seconds 1
page "'''sh" 'true' "'''" "'''python" 'print()' "'''"
refused 'page.md:4: a block of "python" is neither commands'
page "'''sh" 'true' "'''" '' '    hansa runs'
refused 'a block is indented'
page "'''sh" 'true' "'''" "'''sh" 'true'
refused 'a block has no end'
page 'Only text.'
refused 'has no commands'
echo "pages run, and blocks that would not are refused"
