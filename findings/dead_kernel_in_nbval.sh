#!/bin/sh
# How long does nbval wait for a kernel that has died, as one does where the memory is too small?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nbval==0.11.0 ipykernel==6.31.0 nbformat==5.10.4
cd "$folder"
cat > make.py <<'END'
import nbformat
from nbformat import v4

nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("import os\nos._exit(1)", execution_count=1)]), "dies.ipynb")
END
venv/bin/python make.py
venv/bin/pip list 2>/dev/null | grep -i nbval
begin=$(date +%s)
venv/bin/python -m pytest -q --nbval --nbval-current-env --nbval-cell-timeout 20 -p no:cacheprovider dies.ipynb || true
took=$(($(date +%s) - begin))
echo "the kernel dies at once; with a limit of 20 s a cell, nbval took $took s"
test "$took" -ge 20
