#!/bin/bash
# Disk and memory that the client takes on a device: run.sh BUILD_FOLDER
#
#   client_installed_mib  hansa-client, hansa-trainer and all libraries that they load, except those of glibc
#   client_idle_mib       resident memory of a client that is connected and waits for a round
#   client_training_mib   most resident memory of the client and its trainer together, while they train cnn-small on
#                         Fashion-MNIST
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec /usr/bin/python3 "$here/measure.py" "${1:?usage: run.sh BUILD_FOLDER}/bin"
