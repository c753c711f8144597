// Layer norm (Ba et al. 2016, equation 4): each vector on its own is brought to mean 0 and variance 1, then scaled.

const EPSILON = 1e-5;

/** y = γ · x̂ + β with x̂ = (x − mean) / √(variance + ε). */
export class LayerNorm {
  constructor({ kernels, parameters, config }, name, rows) {
    this.width = config.d_model;
    this.gamma = parameters.get(`${name}.gamma`);
    this.beta = parameters.get(`${name}.beta`);
    this.normal = kernels.floats(rows * this.width); // x̂
    this.scale = kernels.floats(rows); // 1 / √(variance + ε)
    this.y = kernels.floats(rows * this.width);
  }

  forward(x, count) {
    const { width, normal, scale, y } = this;
    const [gamma, beta] = [this.gamma.value, this.beta.value];
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
        y[from + i] = gamma[i] * one + beta[i];
      }
    }
    return y;
  }

  /**
   * With g = γ · dy: dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε). The mean and the variance depend on every
   * component of x, and the two means take away what moving all of them along would change. May be in place.
   */
  backward(dy, dx, count, accumulate = false) {
    const { width, normal, scale } = this;
    const gamma = this.gamma.value;
    const [dgamma, dbeta] = [this.gamma.gradient, this.beta.gradient];
    for (let row = 0, from = 0; row < count; row++, from += width) {
      let [mean, along] = [0, 0];
      for (let i = 0; i < width; i++) {
        const d = dy[from + i];
        const one = normal[from + i];
        const g = d * gamma[i];
        mean += g;
        along += g * one;
        dgamma[i] += d * one;
        dbeta[i] += d;
      }
      mean /= width;
      along /= width;
      const s = scale[row];
      for (let i = 0; i < width; i++) {
        const d = (dy[from + i] * gamma[i] - mean - normal[from + i] * along) * s;
        dx[from + i] = accumulate ? dx[from + i] + d : d;
      }
    }
  }
}
