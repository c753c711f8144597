"""The page's kernels: the same numbers with SIMD, in plain JavaScript and in PyTorch, for any sizes."""

import random

import pytest
import torch
from in_node import in_node

from tools import kernels

FILES = ("arena", "plain", "kernels")
# Sums, differences and growth are looked at in both ways; `take` puts numbers into an array of the kernels.
TAKE = """
const take = (k, numbers) => {
  const array = k.floats(numbers.length);
  array.set(numbers);
  return array;
};
"""
PRODUCTS = (
    TAKE
    + """
return given.map(({ name, simd, sizes: [m, k, n], a, b, c, accumulate }) => {
  const kernels = createKernels({ simd });
  const [x, y, z] = [a, b, c].map((numbers) => take(kernels, numbers));
  const behind = take(kernels, [NaN, -0, 1e-45]);
  kernels[name](x, y, z, m, k, n, accumulate);
  return [[...z], kernels.simd, Object.is(behind[1], -0) && behind[2] > 0];
});
"""
)


def sizes() -> list[tuple[int, int, int]]:
    """Every remainder of a block in each direction, one alone, and sums that are longer than a part."""
    rng = random.Random(0)
    ends = [(m, k, n) for m in (1, 2, 3, 4, 5) for k in (1, 7) for n in range(1, 18)]
    return [*ends, *(tuple(rng.randint(1, 40) for _ in range(3)) for _ in range(40)), (6, 700, 9), (1, 513, 1)]


def test_the_committed_kernels_are_assembled_from_their_source():
    assert kernels.assembled() == kernels.TARGET.read_bytes()


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("name", ["matmul", "matmulTransposed", "transposedMatmul"])
def test_products_of_matrices(name, accumulate):
    torch.manual_seed(0)
    tasks, expected = [], []
    for m, k, n in sizes():
        a, b, c = torch.randn(m, k), torch.randn(k, n), torch.randn(m, n)
        expected.append((accumulate * c.double() + a.double() @ b.double()).flatten())
        lies_a, lies_b = a.T if name == "transposedMatmul" else a, b.T if name == "matmulTransposed" else b
        lists = {key: one.flatten().tolist() for key, one in (("a", lies_a), ("b", lies_b), ("c", c))}
        tasks += [
            {"name": name, "sizes": (m, k, n), "accumulate": accumulate, "simd": s, **lists} for s in (True, False)
        ]
    found = in_node(FILES, PRODUCTS, tasks)
    for i, one in enumerate(expected):
        for (numbers, simd, kept), wanted in zip(found[2 * i : 2 * i + 2], (True, False), strict=True):
            assert (simd, kept) == (wanted, True), "which way was taken; what lies behind the result"
            torch.testing.assert_close(torch.tensor(numbers, dtype=torch.float64), one, rtol=1e-5, atol=1e-5)


GROWTH = (
    TAKE
    + """
return [true, false].map((simd) => {
  const kernels = createKernels({ memoryBytes: 1000, simd });
  const [a, b, c] = [[1, 2], [3, 4], [0]].map((numbers) => take(kernels, numbers));
  const mark = kernels.mark();
  const large = kernels.floats(1e6).fill(7); // the memory grows
  kernels.matmul(a, b, c, 1, 2, 1); // by arrays that were there before
  const sum = kernels.again(c)[0];
  const same = kernels.again(large) === large && kernels.again(c) === kernels.again(c);
  kernels.release(mark);
  const next = kernels.floats(3);
  return [sum, same, next.byteOffset === large.byteOffset, next.byteOffset % 16, [...kernels.again(a)]];
});
"""
)


def test_arrays_outlive_the_growth_of_their_memory_and_are_given_back():
    assert in_node(FILES, GROWTH) == [[11, True, True, 0, [1, 2]]] * 2


ERRORS = """
const kernels = createKernels({ simd: given });
const why = (act) => {
  try {
    act();
  } catch (error) {
    return error.message;
  }
};
const [a, b] = [kernels.floats(5), kernels.floats(9)];
return [
  () => kernels.matmul(a, b, b, 2, 3, 3),
  () => kernels.matmul(new Float32Array(9), b, b, 3, 3, 3),
  () => kernels.floats(1e12),
].map(why);
"""


@pytest.mark.parametrize("simd", [True, False])
def test_errors_name_the_array_and_the_numbers(simd):
    short, foreign, huge = in_node(FILES, ERRORS, simd)
    assert short == "a has 5 numbers, and 6 are needed"
    assert foreign == "this array is not of these kernels; take it from floats() or bytes()"
    assert huge.startswith("4000000 MB are needed, and this page gets no more memory")


WITHOUT = """
WebAssembly.validate = () => given.validates;
if (given.refuses) WebAssembly.Module = function () { throw new WebAssembly.CompileError("by the page's policy"); };
let refused = "";
try {
  createKernels({ simd: true });
} catch (error) {
  refused = error.message;
}
return [createKernels().simd, refused];
"""


@pytest.mark.parametrize("lack", [{"validates": False}, {"validates": True, "refuses": True}])
def test_without_simd_the_plain_way_is_taken(lack):
    assert in_node(FILES, WITHOUT, lack) == [
        False,
        "simd=true: this browser has no WebAssembly SIMD, or may not run it; use auto",
    ]
