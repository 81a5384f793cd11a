# Sourced by tests that need PyTorch: `python` is a Python that has it. Without one the test is skipped.
for python in python3 /usr/bin/python3 none; do
  if [ "$python" = none ]; then
    echo "skipped: no python3 here has PyTorch; apt-get install python3-torch"
    exit 77
  fi
  if "$python" -c 'import torch' 2>/dev/null; then break; fi
done
