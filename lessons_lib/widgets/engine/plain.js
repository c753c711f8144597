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

/** y += x·(scale · W)ᵀ for W of whole numbers, n×k. */
function linear8(x, w8, scales, y, m, k, n) {
  const sums = new Float32Array(m * n);
  productOfRows(x, k, w8, k, sums, m, k, n);
  for (let i = 0, at = 0; i < m; i++) for (let j = 0; j < n; j++, at++) y[at] += sums[at] * scales[j];
}

/** One query in every head: weights = softmax(q·k · scale + weights), and out = their mixture of the values. */
function attend(q, keys, values, places, count, heads, group, width, row, scale, weights, out) {
  const sums = new Float64Array(width);
  for (let h = 0; h < heads; h++) {
    const [from, shared] = [h * width, Math.floor(h / group) * width];
    const own = weights.subarray(h * count, (h + 1) * count);
    for (let s = 0; s < count; s++) {
      let sum = 0;
      for (let i = 0, at = places[s] * row + shared; i < width; i++, at++) sum += q[from + i] * keys[at];
      own[s] += sum * scale;
    }
    softmax(own, 1, count);
    sums.fill(0);
    for (let s = 0; s < count; s++)
      for (let i = 0, at = places[s] * row + shared; i < width; i++, at++) sums[i] += own[s] * values[at];
    out.set(sums, from);
  }
}

/** Scores to weights that sum to 1, in every row and in place. */
function softmax(x, rows, count) {
  for (let row = 0; row < rows; row++) {
    const [begin, end] = [row * count, (row + 1) * count];
    const top = greatest(x, begin, end);
    let sum = 0;
    for (let i = begin; i < end; i++) sum += x[i] = Math.exp(x[i] - top);
    for (let i = begin; i < end; i++) x[i] /= sum;
  }
}

/** The logarithm of the sum of e^x. */
function logSumExp(x, count) {
  const top = greatest(x, 0, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp(x[i] - top);
  return top + Math.log(sum);
}

function greatest(x, begin, end) {
  let top = -Infinity;
  for (let i = begin; i < end; i++) if (!(x[i] <= top)) top = x[i];
  return top;
}

export const plain = { product, linear8, attend, softmax, logSumExp };
