import { Arena, pagesOf, PlainMemory } from "./arena.js";
import { plain } from "./plain.js";

// The arithmetic that takes the time, on arrays of one memory. A matrix is an array by rows: number (i, j) of an m×n
// matrix stands at i · n + j.
//
//   const k = createKernels({ memoryBytes: 64e6 });     // grows when more is needed; simd: true, false or "auto"
//   const [a, b, c] = [k.floats(2 * 3), k.floats(3 * 4), k.floats(2 * 4)];
//   a.set([1, 2, 3, 4, 5, 6]); …                        // an array is what stood there before: fill it
//   k.matmul(a, b, c, 2, 3, 4);                         // c = a·b, from 2×3 and 3×4
//
//   floats(n), bytes(n)       a Float32Array, an Int8Array, at a multiple of 16 bytes (`byteOffset`)
//   mark(), release(mark)     give back every array since the mark: one mark a step, and a step leaves no garbage
//   again(array)              the array where the memory is now. When the memory grows (floats and bytes may do that),
//                             older arrays become empty: take them again before you read or write them. What the
//                             kernels are given they look up themselves.
//   matmul(a, b, c, m, k, n, accumulate = false)            c = a·b, or c += a·b;   a is m×k, b is k×n, c is m×n
//   matmulTransposed(a, b, c, m, k, n, accumulate = false)  c = a·bᵀ;               b is n×k, as a Linear's weight lies
//   transposedMatmul(a, b, c, m, k, n, accumulate = false)  c = aᵀ·b;               a is k×m
//   linear8(x, w8, scales, bias or null, y, m, k, n)        y = x·(scales · w8)ᵀ + bias; w8 n×k of 8 bits, a scale a row
//
// An array that overlaps the result must not be an argument. `simd` says which way was taken; both give the same
// numbers to 1e-5. What no name holds any longer, memory and all, the browser takes back.

export function createKernels({ memoryBytes = 1 << 20, simd = "auto" } = {}) {
  if (simd) {
    const loaded = load(pagesOf(memoryBytes + WORKSPACE));
    if (loaded) return new Kernels(loaded.memory, WORKSPACE, true, withSimd(loaded.run));
    if (simd !== "auto") throw new Error("simd=true: this browser has no WebAssembly SIMD, or may not run it; use auto");
  }
  return new Kernels(new PlainMemory(pagesOf(memoryBytes)), 0, false, plain);
}

const WORKSPACE = 8192; // bytes for the panel of kernels.wat, at the beginning

/** The assembled kernels and their memory; null where there is no SIMD, or the page is not allowed WebAssembly. */
function load(pages) {
  if (!globalThis.WebAssembly) return null;
  const bytes = Uint8Array.from(atob(KERNELS), (sign) => sign.charCodeAt(0)); // of `engine_text`
  if (!WebAssembly.validate(bytes)) return null;
  const memory = new WebAssembly.Memory({ initial: pages });
  try {
    return { memory, run: new WebAssembly.Instance(new WebAssembly.Module(bytes), { page: { memory } }).exports };
  } catch (error) {
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return null; // the page's policy
    throw error;
  }
}

/** The kernels of kernels.wat, called as those of plain.js are. */
const withSimd = (run) => ({
  product(a, aRow, aStep, b, bRow, bStep, c, m, k, n) {
    const [x, y, z] = [a.byteOffset, b.byteOffset, c.byteOffset];
    run.product(x, 4 * aRow, 4 * aStep, y, 4 * bRow, 4 * bStep, z, m, k, n, 0);
  },
  linear8: plain.linear8,
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
    [x, w8, scales, y] = [this.of(x, m * k, "x"), this.of(w8, n * k, "w8"), this.of(scales, n, "scales"), this.of(y, m * n, "y")]; // prettier-ignore
    this.#run.linear8(x, w8, scales, bias && this.of(bias, n, "bias"), y, m, k, n);
  }
}
