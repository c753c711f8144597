#!/bin/sh
# Which shapes in a list does beartype check?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q beartype==0.23.1 jaxtyping==0.3.11 numpy==2.3.5
cat > "$folder/check.py" <<'END'
import random
from importlib.metadata import version

import numpy as np
from beartype import beartype
from jaxtyping import Float, jaxtyped

print("beartype", version("beartype"), "jaxtyping", version("jaxtyping"))


@jaxtyped(typechecker=beartype)
def takes(arrays: list[Float[np.ndarray, "a b"]]) -> None:
    pass


def refused(arrays) -> int:
    """Of 200 calls, how many were refused?"""
    count = 0
    for _ in range(200):
        try:
            takes(arrays)
        except Exception:
            count += 1
    return count


random.seed(0)
good, other, flat = np.zeros((2, 3)), np.zeros((4, 5)), np.zeros(3)
one_wrong = refused([good] * 9 + [flat])
disagree = refused([good, other])
alone = refused([flat])
print(f"a vector among nine matrices: refused {one_wrong} times of 200")
print(f"two matrices of different shapes for one 'a b': refused {disagree} times of 200")
print(f"a vector alone: refused {alone} times of 200")
assert 0 < one_wrong < 100 and 60 < disagree < 140 and alone == 200, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
