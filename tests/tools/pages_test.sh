#!/bin/bash
# Tests the manual pages and completion scripts of the programs: every command and option of --help is in them, man and
# the shells accept them, and bash completes with them.
#   pages_test.sh BIN
set -euo pipefail
bin="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
fail() { echo "pages_test: $*"; exit 1; }
generate() { "$bin/$1" --generate "$2"; }

for program in hansa hansa-client hansa-aggregator; do
  for page in man bash zsh; do generate "$program" "$page" >"$work/$program.$page"; done
  bash -n "$work/$program.bash"
  if command -v zsh >/dev/null; then zsh -n "$work/$program.zsh"; fi
done
generate hansa-client settings-man >"$work/client.man"
generate hansa-aggregator settings-man >"$work/federation.man"
if command -v groff >/dev/null; then
  for page in "$work"/*.man; do
    groff -man -ww -Tutf8 -rLL=100n "$page" 2>&1 >"$page.text" | tee "$page.warnings"
    [ ! -s "$page.warnings" ] || fail "groff warns about $page"
  done
fi

# every_command PROGRAM WORDS...: the options of --help are in all three pages, and so on below.
every_command() {
  local help option command
  help="$("$bin/$1" "${@:2}" --help)"
  for option in $(grep -oE '(^| |,)--[a-z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u); do
    for page in bash zsh; do
      grep -qF -e "$option" "$work/$1.$page" || fail "$1 --generate $page lacks $option of $*"
    done
    grep -qF -e "${option//-/\\-}" "$work/$1.man" || fail "$1 --generate man lacks $option of $*"
  done
  for command in $(sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help"); do
    grep -qx -e "\.SS ${*//-/\\\\-} ${command//-/\\\\-}" "$work/$1.man" || fail "the manual page lacks $* $command"
    every_command "$@" "$command"
  done
}
every_command hansa
every_command hansa-client
every_command hansa-aggregator

# complete PROGRAM WORDS...: what bash offers for the last word.
complete_words() {
  bash -c '
    . "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    function="_${1//-/_}"
    "$function"
    echo "${COMPREPLY[*]:-}"' bash "$work/$1.bash" "$@"
}
equal() { [ "$1" = "$2" ] || fail "expected \"$2\", got \"$1\""; }
equal "$(complete_words hansa stat)" status
equal "$(complete_words hansa runs re)" remove
equal "$(complete_words hansa keys generate --fol)" --folder
equal "$(complete_words hansa-aggregator --progress "")" "auto live plain none"
equal "$(complete_words hansa-client fed)" "" # files, by the shell
equal "$(complete_words hansa config)" "" # hidden
