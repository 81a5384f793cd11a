#!/bin/bash
# Published tables, ours beside theirs: run.sh BUILD_FOLDER [ROW[/METHOD] ...] [--seeds N] [--threads N] [--again] [--list]
#
# Writes docs/results.md. A row takes minutes to hours; what has been run is kept in results.json and is not run again.
set -euo pipefail
exec /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/tables.py" "$@"
