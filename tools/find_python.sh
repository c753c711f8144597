#!/bin/sh
# Print the command of a Python >= 3.11: $PYTHON if it is set, else the first one on the PATH.
enough='import sys; sys.exit(sys.version_info < (3, 11))'
for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
  if "$name" -c "$enough" 2>/dev/null; then
    command -v "$name"
    exit 0
  fi
done
echo "This course needs Python 3.11 or newer; found: $("${PYTHON:-python3}" --version 2>&1 || echo none)." >&2
echo "Install one (Debian, Ubuntu: sudo apt-get install python3 python3-venv), or name yours: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
