#!/bin/bash
# How long the HTTP API takes for a long run, without a socket: bench/api/main.cpp.
#
#   scripts/bench api [--rounds N] [--clients N] [--folder DIR]
set -euo pipefail
exec "$1/bin/hansa-bench-api" "${@:2}"
