// y = x Wᵀ + b, a row a token, and what its gradient says of x, W and b.

/** Matrices with the same input lie together and are one product: names = queries, keys and values, for example. */
export class Linear {
  constructor({ kernels, parameters, loops }, names, columns) {
    this.kernels = kernels;
    this.loops = loops;
    this.weight = parameters.get(...names.map((name) => `${name}.weight`));
    this.bias = parameters.get(...names.map((name) => `${name}.bias`));
    this.columns = columns;
    this.rows = this.bias.value.length;
  }

  /** y (count, rows of W) of x (count, columns of W). */
  forward(x, y, count) {
    const { kernels, weight, bias, rows, columns } = this;
    for (let row = 0; row < count; row++) y.set(bias.value, row * rows);
    kernels.matmulTransposed(x, weight.value, y, count, columns, rows, true);
  }

  /** Adds to the gradients of W and b; that of x goes to dx, or is added to it. */
  backward(x, dy, dx, count, accumulate = false) {
    const { kernels, weight, bias, rows, columns } = this;
    kernels.transposedMatmul(dy, x, weight.gradient, rows, count, columns, true);
    this.loops.sumRows(dy, bias.gradient, count, rows);
    kernels.matmul(dy, weight.value, dx, count, rows, columns, accumulate);
  }
}

/** Adds each of `count` rows to `sums`. */
export function sumRows(rows, sums, count, width) {
  for (let row = 0, at = 0; row < count; row++) for (let i = 0; i < width; i++, at++) sums[i] += rows[at];
}
