// The kernels of kernels.wat in plain JavaScript, for where WebAssembly has no SIMD. They sum in double precision.

/** C += A·B, each read by steps from row to row and from column to column. */
function product(a, aRow, aStep, b, bRow, bStep, c, m, k, n) {
  if (bStep !== 1) return productOfRows(a, aRow, b, bStep, c, m, k, n);
  const sums = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    for (let p = 0; p < k; p++) {
      const factor = a[i * aRow + p * aStep];
      for (let j = 0, at = p * bRow; j < n; j++, at++) sums[j] += factor * b[at];
    }
    for (let j = 0, at = i * n; j < n; j++, at++) c[at] += sums[j];
  }
}

/** C += A·Bᵀ. Four sums at a time: none waits for the one before it. */
function productOfRows(a, aRow, b, bRow, c, m, k, n) {
  const whole = k - (k % 4);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let [x, y, p, q, r, s] = [i * aRow, j * bRow, 0, 0, 0, 0];
      for (const end = x + whole; x < end; x += 4, y += 4) {
        p += a[x] * b[y];
        q += a[x + 1] * b[y + 1];
        r += a[x + 2] * b[y + 2];
        s += a[x + 3] * b[y + 3];
      }
      for (const end = i * aRow + k; x < end; x++, y++) p += a[x] * b[y];
      c[i * n + j] += p + q + (r + s);
    }
}

/** y = x·(scale · W)ᵀ + bias for W of whole numbers, n×k. */
function linear8(x, w8, scales, bias, y, m, k, n) {
  y.fill(0, 0, m * n);
  productOfRows(x, k, w8, k, y, m, k, n);
  for (let i = 0, at = 0; i < m; i++)
    for (let j = 0; j < n; j++, at++) y[at] = y[at] * scales[j] + (bias ? bias[j] : 0);
}

export const plain = { product, linear8 };
