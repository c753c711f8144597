// The arithmetic of a Transformer on plain arrays: a vector is a Float32Array, a matrix {rows, columns, data} by rows.

/** W x + b, a number a row of W; b may be missing. Four sums at a time: none waits for the one before it. */
export function linear(x, { rows, columns, data }, bias) {
  const y = new Float32Array(rows);
  const whole = columns - (columns % 4);
  for (let row = 0, at = 0; row < rows; row++) {
    let p = bias ? bias[row] : 0;
    let q = 0;
    let r = 0;
    let s = 0;
    let i = 0;
    for (; i < whole; i += 4, at += 4) {
      p += data[at] * x[i];
      q += data[at + 1] * x[i + 1];
      r += data[at + 2] * x[i + 2];
      s += data[at + 3] * x[i + 3];
    }
    for (; i < columns; i++) p += data[at++] * x[i];
    y[row] = p + q + (r + s);
  }
  return y;
}

/** By the names of lessons_lib.norms: γ · (x − mean) / √(variance + ε) + β, and γ · x / √(mean of x² + ε). */
export const NORMS = {
  layer(x, { gamma, beta }, eps) {
    let [mean, square] = [0, 0];
    for (const one of x) mean += one / x.length;
    for (const one of x) square += (one - mean) ** 2 / x.length;
    const scale = 1 / Math.sqrt(square + eps);
    return x.map((one, i) => gamma[i] * (one - mean) * scale + beta[i]);
  },
  rms(x, { gamma }, eps) {
    let square = 0;
    for (const one of x) square += one ** 2 / x.length;
    const scale = 1 / Math.sqrt(square + eps);
    return x.map((one, i) => gamma[i] * one * scale);
  },
};

/** The entry of a table by its name in a configuration; an Error says what this page does not know. */
export function known(table, name, value) {
  if (Object.hasOwn(table, value)) return table[value];
  throw new Error(`${name}='${value}' is not known to this page`);
}

/** Scores to weights that sum to 1, in place. */
export function softmax(scores) {
  const top = maximum(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp(scores[i] - top);
  for (let i = 0; i < scores.length; i++) scores[i] /= sum;
  return scores;
}

/** Natural logarithms of what softmax gives. */
export function logSoftmax(scores) {
  const top = maximum(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i] - top);
  const log = top + Math.log(sum);
  return scores.map((one) => one - log);
}

function maximum(numbers) {
  let top = -Infinity;
  for (let i = 0; i < numbers.length; i++) if (numbers[i] > top) top = numbers[i];
  return top;
}

/** The error function, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26). */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const silu = (x) => x / (1 + Math.exp(-x));
const geluTanh = (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
/** By the names of lessons_lib.feedforward; those with a gate have a third matrix. */
export const ACTIVATIONS = {
  relu: (x) => Math.max(x, 0),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
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
