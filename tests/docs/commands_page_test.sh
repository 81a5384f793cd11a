#!/bin/bash
# docs/commands.md is what the programs say, and a page that is not is found.
#   commands_page_test.sh ROOT BIN
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/scripts" "$work/docs"
cp "$1/scripts/docs" "$work/scripts/"
"$work/scripts/docs" --commands "$2"
diff "$1/docs/commands.md" "$work/docs/commands.md" || { echo "hint: scripts/docs --commands build/dev/bin"; exit 1; }
for command in "hansa keys rotate" "hansa-client join" "hansa-aggregator"; do
  grep -qxE "###? $command" "$work/docs/commands.md" || { echo "FAILED: the page lacks $command"; exit 1; }
done
