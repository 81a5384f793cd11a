#!/bin/bash
# Training against a plain Python loop, in turns: run.sh BUILD_FOLDER [options of compare.py]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:?usage: run.sh BUILD_FOLDER}
shift
# Debian's own Python, because it finds python3-torch, which uses the same LibTorch.
exec /usr/bin/python3 "$here/compare.py" "$build/bin/hansa-bench-training" "$here/python_loop.py" "$@"
