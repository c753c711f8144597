#!/bin/sh
# Gradescope runs this once, as root, when the autograder is uploaded: a Python, PyTorch for the CPU, the course's library.
set -eu
root=${AUTOGRADER:-/autograder}
cd "$root/source"

suits() { "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
    for python in python3.13 python3.12 python3.11 python3; do
        if suits "$python"; then echo "$python"; return; fi
    done
    return 1
}
if ! python=$(find_python); then
    apt-get update -q
    apt-get install -qy python3.11 python3.11-venv || apt-get install -qy python3 python3-venv
    python=$(find_python)
fi

"$python" -m venv "$root/lessons"
pip="$root/lessons/bin/python -m pip --no-input --disable-pip-version-check install --quiet"
export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-https://download.pytorch.org/whl/cpu}"
$pip --constraint requirements.txt ./*.whl
$pip --force-reinstall --no-deps ./*.whl  # the version may be the old one, and the files new
chmod 700 "$root/source"  # the seed is not for answers
"$root/lessons/bin/lessons" --version
