#!/bin/bash
# Tests scripts/check-arrows on generated trees: each violation must be found, and a correct tree must pass.
#   check_arrows_test.sh ROOT
set -euo pipefail
check="$1/scripts/check-arrows"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
failures=0

# expect VERDICT PATH INCLUDE [TEXT OF THE MESSAGE]
expect() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/$(dirname "$2")" "$tree/common"
  echo '#pragma once' >"$tree/common/error.h"
  printf '#pragma once\n#include %s\n' "$3" >"$tree/$2"
  local verdict=good output
  output="$("$check" "$tree" 2>&1)" || verdict=bad
  if [ "$verdict" != "$1" ] || ! grep -qF -- "${4:-}" <<<"$output"; then
    echo "expected $1, got $verdict for $2 with #include $3: $output"
    failures=$((failures + 1))
  fi
}

expect good server/store/a.cpp '"common/error.h"'
expect good server/store/a.cpp '"server/store/internal/b.h"'
expect good server/coordinator/a.h '"protocols/round/round.h"'
expect good client/agent/a.cpp '"learning/trainer.h"'
expect good learning/internal/a.cpp '<torch/script.h>'
expect good server/config/a.h '"learning/data/data_config.h"'
expect good tests/server_parts/a.cpp '"server/store/internal/b.h"'
expect good tools/a.cpp '"simulation/simulate.h"'
expect good common/a.h '<vector>'

expect bad common/a.h '"protocols/round/round.h"' 'common/a.h:2: common/ must not include'
expect bad protocols/round/a.h '"server/store/store.h"'
expect bad protocols/round/a.h '"client/engine/engine.h"'
expect bad server/coordinator/a.h '"client/engine/engine.h"'
expect bad server/coordinator/a.h '"learning/trainer.h"'
expect bad server/config/a.h '"learning/trainer.h"'
expect bad client/agent/a.cpp '"server/store/store.h"'
expect bad learning/a.cpp '"protocols/round/round.h"'
expect bad simulation/a.cpp '"tools/commands.h"'
expect bad server/coordinator/a.cpp '"server/store/internal/b.h"' 'is internal to server/store/'
expect bad client/agent/a.cpp '"learning/internal/b.h"' 'is internal to learning/'
expect bad client/agent/a.cpp '<torch/torch.h>' 'which is for learning'
expect bad server/evaluation/a.cpp '<ATen/ATen.h>'
expect bad simulation/a.cpp '<c10/util/Optional.h>'
expect bad tools/a.cpp '<toml++/toml.h>'
expect bad server/store/a.cpp '"store.h"' 'not a path from the root'
expect bad server/store/a.cpp '"../common/error.h"' 'not a path from the root'
expect bad common/a.h '  "server/store/store.h"'

rm -rf "${tree:?}"/*
if "$check" "$tree" >/dev/null 2>&1; then echo "a tree without files must not pass"; failures=$((failures + 1)); fi
[ "$failures" -eq 0 ]
