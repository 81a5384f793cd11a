#!/bin/bash
# How fast images and CSV files are read, and whether decoding keeps up with training: run.sh BUILD_FOLDER [options of
# the program]
set -euo pipefail
build=${1:?usage: run.sh BUILD_FOLDER}
shift
exec "$build/bin/hansa-bench-data" "$@"
