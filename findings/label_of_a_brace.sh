#!/bin/sh
# Where does the label of \underbrace stand in MathML that docutils and latex2mathml make?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q docutils==0.22.4 latex2mathml==3.81.1
cat > "$folder/check.py" <<'END'
import re
from importlib.metadata import version

from docutils.utils.math.latex2mathml import tex2mathml
from latex2mathml.converter import convert

TEX = {"brace": r"\underbrace{Q K}_{n}", "sum": r"\sum_{n} Q", "arrow": r"\underset{n}{Q}"}
found = {}
for name, make in (("docutils", lambda tex: tex2mathml(tex, as_block=True)), ("latex2mathml", lambda tex: convert(tex, display="block"))):
    for kind, tex in TEX.items():
        tags = re.findall(r"<(munder|msub|munderover|msubsup)\b", make(tex))
        found[name, kind] = tags
        print(f"{name} {version(name)}: {tex} -> {tags}")
assert found["docutils", "brace"] == ["msub", "munder"], "docutils puts it elsewhere now"
assert found["docutils", "sum"] == found["docutils", "arrow"] == ["munder"]
assert found["latex2mathml", "brace"] == ["munder", "munder"], "latex2mathml puts it elsewhere now"
END
"$folder/venv/bin/python" "$folder/check.py"
