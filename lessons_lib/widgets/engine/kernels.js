import { Arena, pagesOf, PlainMemory, taken } from "./arena.js";
import { plain } from "./plain.js";

// The arithmetic that takes the time, on arrays of one memory. A matrix is an array by rows: number (i, j) of an m×n
// matrix stands at i · n + j.
//
//   const k = createKernels({ memoryBytes: 64e6 });     // grows when more is needed; simd: true, false or "auto"
//   const [a, b, c] = [k.floats(2 * 3), k.floats(3 * 4), k.floats(2 * 4)];
//   a.set([1, 2, 3, 4, 5, 6]); …                        // an array is what stood there before: fill it
//   k.matmul(a, b, c, 2, 3, 4);                         // c = a·b, from 2×3 and 3×4
//
//   floats(n)                 a Float32Array, at a multiple of 16 bytes (`byteOffset`);
//   bytes(n), integers(n)     an Int8Array, an Int32Array
//   ensure(bytes)             grow now, so that so many bytes more come without growth
//   mark(), release(mark)     give back every array since the mark: one mark a step, and a step leaves no garbage
//   again(array)              the array where the memory is now. When the memory grows (floats and bytes may do that),
//                             older arrays become empty: take them again before you read or write them. What the
//                             kernels are given they look up themselves.
//   matmul(a, b, c, m, k, n, accumulate = false)            c = a·b, or c += a·b;   a is m×k, b is k×n, c is m×n
//   matmulTransposed(a, b, c, m, k, n, accumulate = false)  c = a·bᵀ;               b is n×k, as a Linear's weight lies
//   transposedMatmul(a, b, c, m, k, n, accumulate = false)  c = aᵀ·b;               a is k×m
//   softmax(x, rows, n)                                     every row to weights that sum to 1, in place
//   logSumExp(x, n)                                         returns the logarithm of the sum of e^x
//   linear8(x, w8, scales, bias or null, y, m, k, n)        y = x·(scales · w8)ᵀ + bias; w8 n×k of 8 bits, a scale a row
//   attend(q, keys, values, places, count, { heads, group, width, row, scale }, weights, out)
//                             one query in every head: weights (heads×count) = softmax(q·k · scale + weights), and
//                             out = their mixture of the values. Key and value s begin at places[s] · row of theirs;
//                             `group` heads share one key and value of `width` numbers
//
// An array that overlaps the result must not be an argument. `simd` says which way was taken; both give the same
// numbers to 1e-5. What no name holds any longer, memory and all, the browser takes back.

export function createKernels({ memoryBytes = 1 << 20, simd = "auto" } = {}) {
  if (simd) {
    const loaded = load(memoryBytes + WORKSPACE);
    if (loaded) return new Kernels(loaded.memory, WORKSPACE, true, withSimd(loaded.run));
    if (simd !== "auto")
      throw new Error("simd=true: this browser has no WebAssembly SIMD, or may not run it; use auto");
  }
  const memory = taken(memoryBytes, () => new PlainMemory(pagesOf(memoryBytes)));
  return new Kernels(memory, 0, false, plain);
}

const WORKSPACE = 8192; // bytes for the panel of kernels.wat, at the beginning

/** The assembled kernels and their memory; null where there is no SIMD, or the page is not allowed WebAssembly. */
function load(memoryBytes) {
  if (!globalThis.WebAssembly) return null;
  const bytes = Uint8Array.from(atob(KERNELS), (sign) => sign.charCodeAt(0)); // of `engine_text`
  if (!WebAssembly.validate(bytes)) return null;
  const memory = taken(memoryBytes, () => new WebAssembly.Memory({ initial: pagesOf(memoryBytes) }));
  try {
    return { memory, run: new WebAssembly.Instance(new WebAssembly.Module(bytes), { page: { memory } }).exports };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return null; // the page's policy
    throw error;
  }
}

/** The kernels of kernels.wat, called as those of plain.js are; `free` is the first byte that no array has. */
const withSimd = (run) => ({
  product(a, aRow, aStep, b, bRow, bStep, c, m, k, n) {
    const [x, y, z] = [a.byteOffset, b.byteOffset, c.byteOffset];
    run.product(x, 4 * aRow, 4 * aStep, y, 4 * bRow, 4 * bStep, z, 4 * n, m, k, n, 0);
  },
  linear8(x, w8, scales, y, m, k, n, free) {
    run.linear8(x.byteOffset, w8.byteOffset, scales.byteOffset, y.byteOffset, m, k, n, free);
  },
  attend(q, keys, values, places, count, heads, group, width, row, scale, weights, out) {
    const [x, k, v, p] = [q.byteOffset, keys.byteOffset, values.byteOffset, places.byteOffset];
    run.attend(x, k, v, p, count, heads, group, width, 4 * row, scale, weights.byteOffset, out.byteOffset);
  },
  softmax(x, rows, count) {
    run.softmax(x.byteOffset, rows, count);
  },
  logSumExp(x, count) {
    const top = run.greatest(x.byteOffset, count);
    return top + Math.log(run.exponentials(x.byteOffset, count, top, 0));
  },
});

class Kernels extends Arena {
  #run;

  constructor(memory, begin, simd, run) {
    super(memory, begin);
    this.simd = simd;
    this.#run = run;
  }

  matmul(a, b, c, m, k, n, accumulate = false) {
    this.#product(a, k, 1, b, n, 1, c, m, k, n, accumulate);
  }

  matmulTransposed(a, b, c, m, k, n, accumulate = false) {
    this.#product(a, k, 1, b, 1, k, c, m, k, n, accumulate);
  }

  transposedMatmul(a, b, c, m, k, n, accumulate = false) {
    this.#product(a, 1, m, b, n, 1, c, m, k, n, accumulate);
  }

  #product(a, aRow, aStep, b, bRow, bStep, c, m, k, n, accumulate) {
    [a, b, c] = [this.of(a, m * k, "a"), this.of(b, k * n, "b"), this.of(c, m * n, "c")];
    if (!accumulate) c.fill(0, 0, m * n);
    if (m && k && n) this.#run.product(a, aRow, aStep, b, bRow, bStep, c, m, k, n);
  }

  linear8(x, w8, scales, bias, y, m, k, n) {
    this.ensure(halvesBytes(m, k));
    [x, y] = [this.of(x, m * k, "x"), this.of(y, m * n, "y")];
    if (bias) bias = this.of(bias, n, "bias").subarray(0, n);
    else y.fill(0, 0, m * n);
    for (let i = 0; bias && i < m; i++) y.set(bias, i * n);
    this.#run.linear8(x, this.of(w8, n * k, "w8"), this.of(scales, n, "scales"), y, m, k, n, this.mark());
  }

  attend(q, keys, values, places, count, { heads, group, width, row, scale }, weights, out) {
    [q, keys, values] = [this.of(q, heads * width, "q"), this.of(keys, row, "keys"), this.of(values, row, "values")];
    [places, weights] = [this.of(places, count, "places"), this.of(weights, heads * count, "weights")];
    out = this.of(out, heads * width, "out");
    this.#run.attend(q, keys, values, places, count, heads, group, width, row, scale, weights, out);
  }

  softmax(x, rows, count) {
    this.#run.softmax(this.of(x, rows * count, "x"), rows, count);
  }

  logSumExp(x, count) {
    return this.#run.logSumExp(this.of(x, count, "x"), count);
  }
}

/**
 * What linear8 needs for a while: x once more, in rows of 16 bytes and 32 for each 8 numbers. It lies behind all arrays,
 * so that w8 may be read 3 rows past its end.
 */
export const halvesBytes = (m, k) => m * (16 + 32 * Math.ceil(k / 8));
