// Layer norm (Ba et al. 2016, equation 4): each vector on its own is brought to mean 0 and variance 1, then scaled.

const EPSILON = 1e-5;

/** y = γ · x̂ + β with x̂ = (x − mean) / √(variance + ε), a row a token. */
export class LayerNorm {
  constructor({ kernels, parameters, config, loops }, name, rows) {
    this.loops = loops;
    this.width = config.d_model;
    this.gamma = parameters.get(`${name}.gamma`);
    this.beta = parameters.get(`${name}.beta`);
    this.normal = kernels.floats(rows * this.width); // x̂
    this.scale = kernels.floats(rows); // 1 / √(variance + ε)
    this.y = kernels.floats(rows * this.width);
  }

  forward(x, count) {
    this.loops.normForward(this, x, count);
    return this.y;
  }

  /** The gradient of x goes to dx, or is added to it; dx may be dy. */
  backward(dy, dx, count, accumulate = false) {
    this.loops.normBackward(this, dy, dx, count, accumulate);
  }
}

export function normForward({ width, gamma, beta, normal, scale, y }, x, count) {
  for (let row = 0, from = 0; row < count; row++, from += width) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < width; i++) mean += x[from + i];
    mean /= width;
    for (let i = 0; i < width; i++) variance += (x[from + i] - mean) ** 2;
    const s = 1 / Math.sqrt(variance / width + EPSILON);
    scale[row] = s;
    for (let i = 0; i < width; i++) {
      const one = (x[from + i] - mean) * s;
      normal[from + i] = one;
      y[from + i] = gamma.value[i] * one + beta.value[i];
    }
  }
}

/**
 * With g = γ · dy: dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε). The mean and the variance depend on every
 * component of x, and the two means take away what moving all of them along would change.
 */
export function normBackward({ width, gamma, beta, normal, scale }, dy, dx, count, accumulate) {
  for (let row = 0, from = 0; row < count; row++, from += width) {
    let [mean, along] = [0, 0];
    for (let i = 0; i < width; i++) {
      const [d, one] = [dy[from + i], normal[from + i]];
      const g = d * gamma.value[i];
      mean += g;
      along += g * one;
      gamma.gradient[i] += d * one;
      beta.gradient[i] += d;
    }
    mean /= width;
    along /= width;
    for (let i = 0; i < width; i++) {
      const d = (dy[from + i] * gamma.value[i] - mean - normal[from + i] * along) * scale[row];
      dx[from + i] = accumulate ? dx[from + i] + d : d;
    }
  }
}
