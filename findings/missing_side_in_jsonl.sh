#!/bin/sh
# What is left of a translation that has one side only?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0
cat > "$folder/check.py" <<'END'
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import datasets

folder = sys.argv[1]
print("datasets", datasets.__version__)
rows = {
    "missing": '{"translation": {"en": "one", "fr": "un"}}\n{"translation": {"en": "two"}}\n',
    "null": '{"translation": {"en": "one", "fr": "un"}}\n{"translation": {"en": "two", "fr": null}}\n',
}
seen = {}
for name, text in rows.items():
    path = os.path.join(folder, f"{name}.jsonl")
    with open(path, "w") as file:
        file.write(text)
    loaded = datasets.load_dataset("json", data_files=path, split="train", cache_dir=os.path.join(folder, name))
    seen[name] = loaded[1]["translation"]
    print(name, loaded.features["translation"], seen[name])
assert "fr" not in seen["missing"] and seen["null"]["fr"] is None, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py" "$folder"
