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


@pytest.mark.parametrize("source", kernels.SOURCES, ids=lambda path: path.stem)
def test_the_committed_kernels_are_assembled_from_their_source(source):
    assert kernels.assembled(source) == source.with_suffix(".wasm").read_bytes()


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


def random_linears() -> list[dict]:
    """Of any sizes; numbers of x that differ by orders of magnitude, a row of zeros, sums in two parts."""
    rng = random.Random(1)
    sizes = [
        *((m, k, n) for m in (1, 3) for k in range(1, 18) for n in (1, 4, 6)),
        (2, 300, 9),
        (1, 8195, 2),
        (2, 1, 1),
    ]
    tasks = []
    for m, k, n in sizes:
        x = torch.randn(m, k) * 10 ** (3 * torch.rand(m, k) - 1)
        x[-1] *= rng.random() < 0.7
        w8, scales, bias = torch.randint(-127, 128, (n, k)), torch.rand(n), torch.randn(n) * (rng.random() < 0.5)
        lists = {name: one.flatten().tolist() for name, one in (("x", x), ("w8", w8), ("scales", scales))}
        tasks.append({"sizes": (m, k, n), "bias": bias.tolist() if bias.any() else None, **lists})
    return tasks


LINEARS = (
    TAKE
    + """
return given.map(({ sizes: [m, k, n], x, w8, scales, bias }) => [true, false].map((simd) => {
  const kernels = createKernels({ simd });
  const weights = kernels.bytes(n * k);
  weights.set(w8);
  kernels.bytes(200).fill(-1); // neighbours that are no numbers
  const y = take(kernels, Array(m * n).fill(9));
  const behind = take(kernels, [NaN, -0]);
  kernels.linear8(take(kernels, x), weights, take(kernels, scales), bias && take(kernels, bias), y, m, k, n);
  return [[...kernels.again(y)], Object.is(kernels.again(behind)[1], -0)];
}));
"""
)


def test_weights_of_8_bits():
    torch.manual_seed(0)
    tasks = random_linears()
    for task, found in zip(tasks, in_node(FILES, LINEARS, tasks), strict=True):
        m, k, n = task["sizes"]
        x, scales = torch.tensor(task["x"]).double().view(m, k), torch.tensor(task["scales"]).double()
        weights = torch.tensor(task["w8"]).double().view(n, k) * scales[:, None]
        expected = x @ weights.T + torch.tensor(task["bias"] or [0.0] * n).double()
        size = (x.abs() @ weights.abs().T).max() + 1e-9  # of what is added: a sum near 0 is as exact as its parts
        for numbers, kept in found:
            assert kept
            error = (torch.tensor(numbers).double().view(m, n) - expected).abs().max()
            assert error < 1e-6 * size, (m, k, n)


ATTENTION = (
    TAKE
    + """
const ints = (kernels, numbers) => {
  const array = kernels.integers(numbers.length);
  array.set(numbers);
  return array;
};
return given.map(({ q, keys, values, places, bias, sizes, rows }) => [true, false].map((simd) => {
  const kernels = createKernels({ simd });
  const [x, k, v] = [q, keys, values].map((numbers) => take(kernels, numbers));
  const out = take(kernels, Array(q.length + 1).fill(NaN));
  const weights = take(kernels, [...bias, 5]);
  kernels.attend(x, k, v, ints(kernels, places), places.length, sizes, weights, out);
  return [[...weights], [...out].slice(0, -1), Number.isNaN(out[q.length])];
}));
"""
)


def random_attentions() -> list[dict]:
    """Keys in any order and more often than once, heads that share keys, widths and counts that fill no register."""
    rng = random.Random(2)
    tasks = []
    for width, count in [*((width, 5) for width in range(2, 36, 2)), *((6, count) for count in range(1, 14)), (64, 90)]:
        kv_heads, group, rows = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 9)
        heads, row = kv_heads * group, kv_heads * width
        numbers = lambda n: torch.randn(n).tolist()  # noqa: E731
        tasks.append({
            "q": numbers(heads * width), "keys": numbers(rows * row), "values": numbers(rows * row),
            "places": [rng.randrange(rows) for _ in range(count)], "bias": numbers(heads * count),
            "sizes": {"heads": heads, "group": group, "width": width, "row": row, "scale": width**-0.5},
        })  # fmt: skip
    return tasks


def test_attention_of_a_query_over_keys_in_any_places():
    torch.manual_seed(0)
    tasks = random_attentions()
    for task, found in zip(tasks, in_node(FILES, ATTENTION, tasks), strict=True):
        heads, group, width, row, scale = task["sizes"].values()
        q = torch.tensor(task["q"]).view(heads, width)
        keys, values = (
            torch.tensor(task[name]).view(-1, row // width, width)[task["places"]].repeat_interleave(group, dim=1)
            for name in ("keys", "values")
        )  # (S, H, K)
        scores = torch.einsum("hk,shk->hs", q, keys) * scale + torch.tensor(task["bias"]).view(heads, -1)
        weights = scores.softmax(-1)
        mixed = torch.einsum("hs,shk->hk", weights, values)
        for found_weights, found_mixed, kept in found:
            assert kept
            assert found_weights[-1] == 5  # what lies behind them
            torch.testing.assert_close(
                torch.tensor(found_weights[:-1], dtype=torch.float32).view(heads, -1), weights, rtol=1e-5, atol=1e-6
            )
            torch.testing.assert_close(
                torch.tensor(found_mixed, dtype=torch.float32).view(heads, -1), mixed, rtol=1e-5, atol=1e-5
            )


EXPONENTIALS = (
    TAKE
    + """
const number = (text) => ({ "-inf": -Infinity, nan: NaN })[text] ?? text;
return given.map(({ rows, n, x }) => [true, false].map((simd) => {
  const kernels = createKernels({ simd });
  const scores = take(kernels, [...x.map(number), 5]);
  const sums = Array.from({ length: rows }, (_, i) => kernels.logSumExp(scores.subarray(i * n), n));
  kernels.softmax(scores, rows, n);
  return [[...scores].map(String), sums.map(String)];
}));
"""
)


@pytest.mark.parametrize("spread", [1, 30, 300])
def test_softmax_and_the_logarithm_of_its_sum(spread):
    torch.manual_seed(0)
    rows = [torch.randn(2, n) * spread for n in [*range(1, 14), 4000]]
    rows[5][0, 3], rows[6][1, 0], rows[7][0, 5] = -torch.inf, -torch.inf, torch.nan
    lists = [[x if abs(x) < 1e9 else str(x) for x in one.flatten().tolist()] for one in rows]
    tasks = [{"rows": 2, "n": one.shape[1], "x": x} for one, x in zip(rows, lists, strict=True)]
    for one, found in zip(rows, in_node(FILES, EXPONENTIALS, tasks), strict=True):
        for weights, sums in found:
            assert weights.pop() == "5"
            as_tensor = lambda texts: torch.tensor([float(text) for text in texts])  # noqa: E731
            expected = one.softmax(-1)
            torch.testing.assert_close(as_tensor(weights).view(2, -1), expected, rtol=1e-5, atol=1e-12, equal_nan=True)
            torch.testing.assert_close(as_tensor(sums), one.logsumexp(-1), rtol=1e-5, atol=1e-5, equal_nan=True)


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
