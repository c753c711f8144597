// The arithmetic of a Transformer beside its products: on rows of numbers in one array, and in place.

/** By the names of lessons_lib.norms: γ · (x − mean) / √(variance + ε) + β, and γ · x / √(mean of x² + ε). */
export const NORMS = {
  layer(x, y, rows, width, { gamma, beta }, eps) {
    for (let from = 0; from < rows * width; from += width) {
      let [mean, square] = [0, 0];
      for (let i = 0; i < width; i++) mean += x[from + i];
      mean /= width;
      for (let i = 0; i < width; i++) square += (x[from + i] - mean) * (x[from + i] - mean);
      const scale = 1 / Math.sqrt(square / width + eps);
      for (let i = 0; i < width; i++) y[from + i] = gamma[i] * (x[from + i] - mean) * scale + beta[i];
    }
  },
  rms(x, y, rows, width, { gamma }, eps) {
    for (let from = 0; from < rows * width; from += width) {
      let square = 0;
      for (let i = 0; i < width; i++) square += x[from + i] * x[from + i];
      const scale = 1 / Math.sqrt(square / width + eps);
      for (let i = 0; i < width; i++) y[from + i] = gamma[i] * x[from + i] * scale;
    }
  },
};

/** The entry of a table by its name in a configuration; an Error says what this page does not know. */
export function known(table, name, value) {
  if (Object.hasOwn(table, value)) return table[value];
  throw new Error(`${name}='${value}' is not known to this page`);
}

/** x += y, the first `count` numbers. */
export function addTo(x, y, count) {
  for (let i = 0; i < count; i++) x[i] += y[i];
}

/** x *= y, the first `count` numbers. */
export function multiplyBy(x, y, count) {
  for (let i = 0; i < count; i++) x[i] *= y[i];
}

/** The error function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** A function of a number, for the first `count` numbers of an array. */
const each = (f) => (x, count) => {
  for (let i = 0; i < count; i++) x[i] = f(x[i]);
};

const silu = each((x) => x / (1 + Math.exp(-x)));
const geluTanh = each((x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))));
/** By the names of lessons_lib.feedforward; those with a gate have a third matrix. */
export const ACTIVATIONS = {
  relu: each((x) => Math.max(x, 0)),
  gelu: each((x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  gelu_tanh: geluTanh,
  silu,
  swiglu: silu,
  geglu: geluTanh,
};

/** Indices of the `count` largest numbers, the largest first. */
export function largestOf(numbers, count) {
  const best = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === count && numbers[i] <= numbers[best[count - 1]]) continue;
    let place = best.length;
    while (place && numbers[best[place - 1]] < numbers[i]) place--;
    best.splice(place, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}
