#!/bin/bash
# Training against the plain Python loop, in turns: run.sh BUILD_FOLDER [compare.py's options]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: run.sh BUILD_FOLDER}
shift
# Debian's own Python: it is the one that sees python3-torch, of the same LibTorch.
exec /usr/bin/python3 "$here/compare.py" "$build/bin/hansa-bench-training" "$here/python_loop.py" "$@"
