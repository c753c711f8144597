// The functions between the two layers of the feed-forward network, with their slopes.

/** The error function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). */
function erfOf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** The share of a normal distribution below x. */
const below = (x) => (1 + erfOf(x / Math.SQRT2)) / 2;
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** By the names of lessons_lib.feedforward. */
export const ACTIVATIONS = {
  relu: { f: (x) => (x > 0 ? x : 0), slope: (x) => (x > 0 ? 1 : 0), gated: false },
  gelu: {
    f: (x) => x * below(x),
    slope: (x) => below(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
    gated: false,
  },
  swiglu: { f: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))), gated: true },
};
