#!/bin/sh
# Does nbval notice that a stored picture is not the one that the cell draws?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nbval==0.11.0 ipykernel==6.31.0 nbformat==5.10.4 matplotlib==3.10.7 matplotlib-inline==0.2.1
cd "$folder"
cat > make.py <<'END'
import base64
import io

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import nbformat
from nbformat import v4

written = io.BytesIO()
plt.figure(figsize=(0.1, 0.1), dpi=10).savefig(written, format="png")  # one pixel
data = {"image/png": base64.b64encode(written.getvalue()).decode(), "text/plain": "<Figure size 640x480 with 1 Axes>"}
cells = [
    v4.new_code_cell("%matplotlib inline\nimport matplotlib.pyplot as plt", execution_count=1),
    v4.new_code_cell("plt.plot([1, 3, 2])\nplt.show()", execution_count=2, outputs=[v4.new_output("display_data", data)]),
]
nbformat.write(v4.new_notebook(cells=cells), "pictures.ipynb")
END
venv/bin/python make.py
venv/bin/pip list 2>/dev/null | grep -i nbval
if venv/bin/python -m pytest -q --nbval --nbval-current-env -p no:cacheprovider pictures.ipynb; then
    echo "nbval passes: the stored picture has one pixel, the drawn one 640 x 480"
else
    echo "it behaves otherwise now" >&2
    exit 1
fi
