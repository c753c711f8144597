import { activate, activateBackward } from "./feed_forward.js";
import { sumRows } from "./linear.js";
import { normBackward, normForward } from "./norm.js";
import { attendHeads, attendHeadsBackward } from "./scaled_dot_product.js";

// The loops that are no product of matrices and take time nevertheless, on the memory of the kernels: those of
// loops.wat where there is SIMD and sizes are multiples of 4, else the JavaScript that they repeat.

export function loopsOf(kernels) {
  const plain = { attendHeads, attendHeadsBackward, normForward, normBackward, sumRows, activate, activateBackward };
  return kernels.simd ? withLoops(plain, kernels.memory) : plain;
}

const inFours = (size) => size % 4 === 0;

function withLoops(plain, memory) {
  const bytes = Uint8Array.from(atob(LOOPS), (sign) => sign.charCodeAt(0)); // of `engine_text`
  const run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { page: { memory } }).exports;
  return {
    attendHeads(heads, spans) {
      if (!inFours(heads.d_head)) return plain.attendHeads(heads, spans);
      const { q, k, v, weights, mixed } = heads;
      const arrays = [q, k, v, weights, mixed, spans.list].map((array) => array.byteOffset);
      run.attendHeads(...arrays, ...sizesOf(heads, spans));
    },
    attendHeadsBackward(heads, spans) {
      if (!inFours(heads.d_head)) return plain.attendHeadsBackward(heads, spans);
      const { q, k, v, dq, dk, dv, weights, mixed, dmixed } = heads;
      const arrays = [q, k, v, dq, dk, dv, weights, mixed, dmixed, spans.list].map((array) => array.byteOffset);
      run.attendHeadsBackward(...arrays, ...sizesOf(heads, spans));
    },
    normForward(norm, x, count) {
      if (!inFours(norm.width)) return plain.normForward(norm, x, count);
      const { gamma, beta, normal, scale, y } = norm;
      const arrays = [x, gamma.value, beta.value, normal, scale, y].map((array) => array.byteOffset);
      run.normForward(...arrays, count, norm.width);
    },
    normBackward(norm, dy, dx, count, accumulate) {
      if (!inFours(norm.width)) return plain.normBackward(norm, dy, dx, count, accumulate);
      const { gamma, beta, normal, scale } = norm;
      const arrays = [dy, gamma.value, normal, scale, dx, gamma.gradient, beta.gradient].map(
        (array) => array.byteOffset,
      );
      run.normBackward(...arrays, count, norm.width, accumulate);
    },
    sumRows(rows, sums, count, width) {
      if (!inFours(width)) return plain.sumRows(rows, sums, count, width);
      run.sumRows(rows.byteOffset, sums.byteOffset, count, width);
    },
    activate(network, rows) {
      const { before, hidden, d_ff, name } = network;
      if (name !== "relu" || !inFours(rows * d_ff)) return plain.activate(network, rows);
      run.above(before.byteOffset, before.byteOffset, hidden.byteOffset, rows * d_ff);
    },
    activateBackward(network, rows) {
      const { before, dbefore, dhidden, d_ff, name } = network;
      if (name !== "relu" || !inFours(rows * d_ff)) return plain.activateBackward(network, rows);
      run.above(before.byteOffset, dhidden.byteOffset, dbefore.byteOffset, rows * d_ff);
    },
  };
}

const sizesOf = ({ n_heads, d_head, queryStride, keyStride, scale, causal }, { count }) => [
  ...[count, n_heads, d_head, 4 * queryStride, 4 * keyStride, scale, causal],
];
