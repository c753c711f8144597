import { attend, attendBackward } from "./scaled_dot_product.js";

// The loops that are no product of matrices and take time nevertheless, on the memory of the kernels: heads.wat where there
// is SIMD, else the JavaScript that it repeats.

/** {attend(heads, spans), attendBackward(heads, spans)}. */
export function loopsOf(kernels) {
  const plain = { attend, attendBackward };
  if (!kernels.simd) return plain;
  const bytes = Uint8Array.from(atob(HEADS), (sign) => sign.charCodeAt(0)); // of `engine_text`
  const run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { page: { memory: kernels.memory } }).exports;
  const fits = ({ d_head }) => d_head % 4 === 0;
  return {
    attend(heads, spans) {
      if (!fits(heads)) return attend(heads, spans);
      const { q, k, v, weights, mixed, n_heads, d_head, queryStride, keyStride, scale, causal } = heads;
      const arrays = [q, k, v, weights, mixed, spans.list].map((array) => array.byteOffset);
      run.attend(...arrays, spans.count, n_heads, d_head, 4 * queryStride, 4 * keyStride, scale, causal);
    },
    attendBackward(heads, spans) {
      if (!fits(heads)) return attendBackward(heads, spans);
      const { q, k, v, dq, dk, dv, weights, mixed, dmixed, n_heads, d_head, queryStride, keyStride, scale, causal } = heads;
      const arrays = [q, k, v, dq, dk, dv, weights, mixed, dmixed, spans.list].map((array) => array.byteOffset);
      run.attendBackward(...arrays, spans.count, n_heads, d_head, 4 * queryStride, 4 * keyStride, scale, causal);
    },
  };
}
