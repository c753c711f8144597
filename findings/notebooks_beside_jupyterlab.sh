#!/bin/sh
# How long does `import nbformat` take before and after a package is installed that it does not name?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nbformat==5.11.1 jsonschema==4.26.0
cat > "$folder/check.py" <<'END'
import statistics
import subprocess
import sys
import time


def seconds() -> float:
    """Of a fresh Python that imports nbformat: the median of five."""
    found = []
    for _ in range(6):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import nbformat"], check=True)
        found.append(time.perf_counter() - start)
    return statistics.median(found[1:])  # the first writes bytecode


before = seconds()
# What jupyterlab brings with it, by jupyter-events.
pip = [sys.executable, "-m", "pip", "install", "-q", "jsonschema[format-nongpl]==4.26.0", "rfc3987-syntax==1.1.0"]
subprocess.run(pip, check=True)
after = seconds()
print("nbformat 5.11.1, jsonschema 4.26.0, rfc3987-syntax 1.1.0")
print(f"import nbformat: {after / before:.1f} times as long with the formats of jsonschema installed")
assert after / before > 2, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
