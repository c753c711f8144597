#!/bin/sh
# Of 100 sentences two systems translate one differently. What do the paired tests say of that?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q sacrebleu==2.6.0
cat > "$folder/check.py" <<'END'
import sacrebleu
from sacrebleu.significance import PairedTest

references = [f"the {n} black cats slept on the mat near the door" for n in range(100)]
rival = list(references)
baseline = ["the 0 black dogs slept on a mat near the door", *references[1:]]
systems = [("baseline", baseline), ("rival", rival)]
print("sacrebleu", sacrebleu.__version__)
found = {}
for kind in ("bs", "ar"):
    test = PairedTest(systems, {"BLEU": sacrebleu.BLEU()}, [references], test_type=kind, n_samples=1000)
    found[kind] = round(test()[1]["BLEU"][1].p_value, 3)
    print({"bs": "paired bootstrap", "ar": "approximate randomization"}[kind], "p =", found[kind])
# An exchange of that one sentence, or none, gives a difference of the same size: the exact test has p = 1.
assert found["ar"] == 0.001, "the randomization behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
