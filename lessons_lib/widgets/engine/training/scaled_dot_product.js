// softmax(QKᵀ · scale) V for every head of every sequence (Vaswani et al. 2017, section 3.2.1), and its gradient.

/** Fills `mixed` and `weights`. A head's columns of q, k, v and mixed begin at head · d_head. */
export function attendHeads(
  { q, k, v, weights, mixed, n_heads, d_head, queryStride, keyStride, scale, causal },
  spans,
) {
  const { list, count } = spans;
  const width = n_heads * d_head;
  for (let i = 0; i < count; i++) {
    const [from, T, keysFrom, S] = [list[5 * i], list[5 * i + 1], list[5 * i + 2], list[5 * i + 3]];
    let row = list[5 * i + 4];
    for (let head = 0, column = 0; head < n_heads; head++, column += d_head) {
      for (let t = 0; t < T; t++, row += S) {
        const seen = causal ? t + 1 : S; // the causal mask: what comes later is not looked at
        const query = (from + t) * queryStride + column;
        let top = -Infinity;
        for (let s = 0; s < seen; s++) {
          const key = (keysFrom + s) * keyStride + column;
          let sum = 0;
          for (let j = 0; j < d_head; j++) sum += q[query + j] * k[key + j];
          sum *= scale;
          weights[row + s] = sum;
          if (sum > top) top = sum;
        }
        let total = 0;
        for (let s = 0; s < seen; s++) total += weights[row + s] = Math.exp(weights[row + s] - top);
        const out = (from + t) * width + column;
        mixed.fill(0, out, out + d_head);
        for (let s = 0; s < seen; s++) {
          const weight = (weights[row + s] /= total);
          const value = (keysFrom + s) * keyStride + column;
          for (let j = 0; j < d_head; j++) mixed[out + j] += weight * v[value + j];
        }
        weights.fill(0, row + seen, row + S);
      }
    }
  }
}

/**
 * Adds to dq, dk and dv, which begin at zero. With weights w and dw = dmixed · v, the softmax gives the score
 * w · (dw − Σ w dw): what raises one weight lowers the others.
 */
export function attendHeadsBackward(heads, spans) {
  const { q, k, v, dq, dk, dv, weights, dmixed, n_heads, d_head, queryStride, keyStride, scale, causal } = heads;
  const { list, count } = spans;
  const width = n_heads * d_head;
  for (let i = 0; i < count; i++) {
    const [from, T, keysFrom, S] = [list[5 * i], list[5 * i + 1], list[5 * i + 2], list[5 * i + 3]];
    let row = list[5 * i + 4];
    for (let head = 0, column = 0; head < n_heads; head++, column += d_head) {
      for (let t = 0; t < T; t++, row += S) {
        const seen = causal ? t + 1 : S;
        const query = (from + t) * queryStride + column;
        const out = (from + t) * width + column;
        let mean = 0; // Σ w dw = dmixed · mixed
        for (let j = 0; j < d_head; j++) mean += dmixed[out + j] * heads.mixed[out + j];
        for (let s = 0; s < seen; s++) {
          const at = (keysFrom + s) * keyStride + column;
          const weight = weights[row + s];
          let dweight = 0;
          for (let j = 0; j < d_head; j++) {
            dweight += dmixed[out + j] * v[at + j];
            dv[at + j] += weight * dmixed[out + j];
          }
          const dscore = weight * (dweight - mean) * scale;
          for (let j = 0; j < d_head; j++) {
            dq[query + j] += dscore * k[at + j];
            dk[at + j] += dscore * q[query + j];
          }
        }
      }
    }
  }
}
