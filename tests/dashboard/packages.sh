#!/bin/bash
# Installs the packages that dashboard/package-lock.json names into dashboard/node_modules, if they are not there. The
# other tests of the dashboard need them. Without the npm registry this test fails: "ctest -E Dashboard" leaves them out.
set -euo pipefail
cd "$1/dashboard"

command -v node >/dev/null || { echo "node is missing: scripts/install-packages npm" >&2; exit 1; }
# npm writes this file at the end of an installation.
if [ node_modules/.package-lock.json -nt package-lock.json ] && [ node_modules/.package-lock.json -nt package.json ]; then exit 0; fi
command -v npm >/dev/null || { echo "npm is missing: scripts/install-packages npm" >&2; exit 1; }
npm ci || {
  echo "npm ci failed: the tests of the dashboard need the npm registry (npm config get registry), once" >&2
  exit 1
}
