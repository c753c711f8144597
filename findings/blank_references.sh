#!/bin/sh
# A sentence has one reference in a corpus where others have two: is "" for the missing one the same as None?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q sacrebleu==2.6.0
cat > "$folder/check.py" <<'END'
import sacrebleu

short, whole = ["the cat sat on"], ["the cat sat on the mat today again now"]
print("sacrebleu", sacrebleu.__version__)
found = {}
for missing in ("", None):
    references = [whole, [missing]]
    metrics = (sacrebleu.corpus_bleu, sacrebleu.corpus_chrf, sacrebleu.corpus_ter)
    found[missing] = [round(metric(short, references).score, 1) for metric in metrics]
    print(f"the second reference is {missing!r}: BLEU, chrF, TER {found[missing]}")
assert found == {"": [100.0, 35.6, 88.9], None: [28.7, 35.6, 55.6]}, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
