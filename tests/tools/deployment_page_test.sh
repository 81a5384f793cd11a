#!/bin/bash
# The edit of federation.toml in docs/deployment.md: every file that the aggregator's service writes is where its unit lets it
# write. The register of devices was left in /etc, which is read-only for the service, and nobody noticed.
#
#   deployment_page_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH"
page="$1/docs/deployment.md"
. "$(dirname "$0")/page_blocks.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }

hansa new mine --clients a,b,c >/dev/null
page_blocks "$page" "The aggregator" sh |
  awk '/^sudo sed / { inside = 1 } inside { print } inside && !/\\$/ { inside = 0 }' |
  sed 's#^sudo ##; s#/etc/hansa/#mine/#' >edit.sh
[ -s edit.sh ] || fail "the page edits no federation.toml"
. ./edit.sh
for key in key admitted runs register; do
  grep -q "^$key = \"/var/lib/hansa-aggregator/" mine/federation.toml ||
    fail "$key is not in /var/lib/hansa-aggregator: $(grep "^$key = " mine/federation.toml || echo "it has its default, beside federation.toml")"
done
grep -qF '/a register = \"/var/lib/hansa-aggregator/devices.sqlite\"' "$1/scripts/test-packages" ||
  fail "scripts/test-packages does not do what the page says"
echo "the service's files are in /var/lib/hansa-aggregator"
