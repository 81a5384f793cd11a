#!/bin/bash
# Tests scripts/check-commands: it finds commands and options that do not exist, and accepts those that do.
#   check_commands_test.sh ROOT BIN
set -euo pipefail
check="$1/scripts/check-commands" bin="$2"
[ -x /usr/bin/python3 ] || { echo "skipped: no python3"; exit 77; }
work="$(mktemp -d)"
trap 'rm -rf "$work" "$work.programs"' EXIT
mkdir -p "$work/docs" "$work/server" "$work.programs/help"
fail() { echo "check_commands_test: $*"; exit 1; }

# The check runs seven times: each help is asked of the real program once.
for program in hansa hansa-aggregator hansa-client; do
  cat >"$work.programs/$program" <<PROGRAM
#!/bin/bash
help="$work.programs/help/$program \$*"
[ -e "\$help" ] || { "$bin/$program" "\$@" >"\$help.new" && mv "\$help.new" "\$help"; } || exit
exec cat "\$help"
PROGRAM
  chmod +x "$work.programs/$program"
done
bin="$work.programs"

cat >"$work/README.md" <<'PAGE'
Run `hansa keys generate NAME`, then `hansa status runs/RUN --json`. Every `hansa` is fine, and `hansa-client client.toml`.

    hansa runs                     # lists them
    hansa model create cnn-small model.pt --force
PAGE
cat >"$work/server/a.cpp" <<'CODE'
// `hansa runs remove RUN` and hansa of the text
auto a = fail("make one: hansa keys certify --root "
              "root.key --federation f a.pub");
auto label = "hansa identity 1";
CODE
"$check" "$bin" "$work" >"$work/said" || fail "these commands exist: $(cat "$work/said")"

expect() { # FILE TEXT REPORT: a mistake in the file is reported
  cp -r "$work" "$work.bad"
  printf '%s\n' "$2" >>"$work.bad/$1"
  "$check" "$bin" "$work.bad" >"$work.bad/said" && fail "not found in $1: $2"
  grep -qF "$3" "$work.bad/said" || fail "expected \"$3\", got $(cat "$work.bad/said")"
  rm -rf "$work.bad"
}
expect server/a.cpp 'auto b = "make one with \"hansa keys new NAME\"";' 'server/a.cpp:5: "hansa keys" has no command "new"'
expect server/a.cpp 'auto b = "hansa keys show --identify root.pub";' '"hansa keys show" has no option --identify'
expect server/a.cpp '// run `hansa statsu runs`' '"hansa" has no command "statsu"'
expect docs/page.md 'Run `hansa-aggregator f.toml --frmo RUN@1`.' '"hansa-aggregator" has no option --frmo'
expect docs/page.md '    hansa-client --no-sandboxes client.toml' '"hansa-client" has no option --no-sandboxes'
