#!/bin/bash
# Tests scripts/check-targets on generated trees: each violation must be found, and a correct tree must pass.
#   check_targets_test.sh ROOT
set -euo pipefail
check="$1/scripts/check-targets"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
failures=0

# make DEPS INCLUDE-OF-a.h INCLUDE-OF-a.cpp: a tree with the library one in common/, and two in server/, which has a.h
# and a.cpp.
make_tree() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/common" "$tree/server/internal"
  printf 'hansa_library(one\n  SOURCES b.cpp)  # a comment\n' >"$tree/common/CMakeLists.txt"
  echo '#pragma once' >"$tree/common/b.h"
  echo '#include "common/b.h"' >"$tree/common/b.cpp"
  printf 'hansa_library(two\n  SOURCES\n    a.cpp\n    internal/c.cpp\n  %s)\n' "$1" >"$tree/server/CMakeLists.txt"
  printf '#pragma once\n%s\n' "$2" >"$tree/server/a.h"
  printf '#include "server/a.h"\n%s\n' "$3" >"$tree/server/a.cpp"
  printf '#pragma once\n%s\n' "${4:-}" >"$tree/server/internal/c.h"
  echo '#include "server/internal/c.h"' >"$tree/server/internal/c.cpp"
}
# expect VERDICT TEXT-OF-THE-MESSAGE make_tree-ARGUMENTS...
expect() {
  local verdict=good output expected="$1" text="$2"
  shift 2
  make_tree "$@"
  output="$("$check" "$tree" 2>&1)" || verdict=bad
  if [ "$verdict" != "$expected" ] || ! grep -qF -- "$text" <<<"$output"; then
    echo "expected $expected, got $verdict for $*: $output"
    failures=$((failures + 1))
  fi
}

expect good '' '' '' ''
expect good '' 'DEPS one' '#include "common/b.h"' ''
expect good '' 'PRIVATE_DEPS one' '' '#include "common/b.h"'
expect good '' 'PRIVATE_DEPS one' '' '' '#include "common/b.h"'
expect good '' 'DEPS one PRIVATE_DEPS fmt::fmt Threads::Threads' '#include "common/b.h"' '#include <fmt/core.h>'

expect bad 'server/a.h:2: includes common/b.h: add one to DEPS of two' '' '#include "common/b.h"' ''
expect bad 'server/a.cpp:2: includes common/b.h: add one to PRIVATE_DEPS of two' '' '' '#include "common/b.h"'
expect bad 'server/internal/c.h:2: includes common/b.h: add one to PRIVATE_DEPS of two' '' '' '' '#include "common/b.h"'
expect bad 'server/a.cpp:2: includes fmt/core.h: add fmt::fmt to PRIVATE_DEPS of two' '' '' '#include <fmt/core.h>'
expect bad 'a public header includes one: move it to DEPS of two' 'PRIVATE_DEPS one' '#include "common/b.h"' ''
expect bad 'no public header of two includes one: move it to PRIVATE_DEPS' 'DEPS one' '' '#include "common/b.h"'
expect bad 'two lists one, whose headers none of its files includes' 'PRIVATE_DEPS one' '' ''

rm -rf "${tree:?}"/*
if "$check" "$tree" >/dev/null 2>&1; then echo "a tree without files must not pass"; failures=$((failures + 1)); fi
[ "$failures" -eq 0 ]
