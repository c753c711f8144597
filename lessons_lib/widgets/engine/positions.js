import { rowOf } from "./file.js";
import { addTo } from "./numbers.js";

// Six ways to tell order, as in lessons_lib/positions.py: {add, bias, rotate}, those that a way needs.

/**
 * The positions of one stack ("encoder" or "decoder"): `add(x, t)` to a vector; `bias(weights, count, t)` writes what a
 * query at t adds to its scores of `count` keys in every head; `rotate(x, from, heads, t)` turns the heads of a row.
 */
export function positionsOf(config, tensors, stack) {
  const { positions, d_model: width, n_heads: heads } = config;
  const table = tensors.get(`${stack}.positions.table`);
  const row = remembered((h) => rowOf(table, h));
  switch (positions) {
    case "sinusoidal":
    case "sinusoidal_halves": {
      const sinusoids = remembered((t) => sinusoidsOf(t, width, positions === "sinusoidal"));
      return { add: (x, t) => addTo(x, sinusoids(t), width) };
    }
    case "learned":
      return { add: (x, t) => addTo(x, row(t), width) };
    case "rope": {
      const half = (config.d_head ?? width / heads) / 2;
      const turns = remembered((t) => turnsOf(t, half, config.rope_base));
      return { rotate: (x, from, count, t) => rotate(x, from, count, half, turns(t)) };
    }
    case "alibi": {
      const slopes = alibiSlopes(heads);
      return { bias: biasOf(heads, (h, distance) => -slopes[h] * Math.abs(distance)) };
    }
    case "relative": {
      const far = (table.columns - 1) / 2;
      return { bias: biasOf(heads, (h, distance) => row(h)[Math.max(-far, Math.min(far, distance)) + far]) };
    }
    case "t5": {
      const bucket = remembered((distance) => t5Bucket(distance, stack === "decoder", table.columns));
      return { bias: biasOf(heads, (h, distance) => row(h)[bucket(distance)]) };
    }
    case "none":
      return {};
  }
  throw new Error(`positions='${positions}' is not known to this page`);
}

/** A function of a whole number that computes each of its values once. */
function remembered(f) {
  const values = new Map();
  return (t) => values.get(t) ?? values.set(t, f(t)).get(t);
}

/** Of a bias a head and distance, s − t: what `positionsOf` calls bias. */
const biasOf = (heads, f) => (weights, count, t) => {
  for (let h = 0, at = 0; h < heads; h++) for (let s = 0; s < count; s++, at++) weights[at] = f(h, s - t);
};

/** Angle of pair i at position t, in single precision as PyTorch counts it. */
const angle = (t, i, width, base = 10_000) => Math.fround(t * Math.fround(base ** ((-2 * i) / width)));

/** Sine, cosine, sine … (Vaswani et al. 2017, section 3.5); or all sines, then all cosines. */
function sinusoidsOf(t, width, interleaved) {
  const y = new Float32Array(width);
  for (let i = 0; i < width / 2; i++) {
    const [sine, cosine] = interleaved ? [2 * i, 2 * i + 1] : [i, width / 2 + i];
    y[sine] = Math.sin(angle(t, i, width));
    y[cosine] = Math.cos(angle(t, i, width));
  }
  return y;
}

/** Cosines, then sines, of the angles by which position t turns the pairs of a head. */
function turnsOf(t, half, base) {
  const angles = Array.from({ length: half }, (_, i) => angle(t, i, 2 * half, base));
  return Float32Array.from([...angles.map(Math.cos), ...angles.map(Math.sin)]);
}

/** Turns dimensions i and i + K/2 of each head by an angle that grows with t (Su et al. 2021). */
function rotate(x, from, heads, half, turns) {
  for (let h = 0; h < heads; h++, from += 2 * half)
    for (let i = 0; i < half; i++) {
      const [a, b, cosine, sine] = [x[from + i], x[from + half + i], turns[i], turns[half + i]];
      x[from + i] = a * cosine - b * sine;
      x[from + half + i] = b * cosine + a * sine;
    }
}

/** 2^(−8/H), 2^(−16/H) …; where H is no power of two, some of the next power too (Press et al. 2022). */
function alibiSlopes(heads) {
  const power = 2 ** Math.floor(Math.log2(heads));
  const exponent = (h) => (h < power ? -8 * (h + 1) : -4 * (2 * (h - power) + 1)) / power;
  return Array.from({ length: heads }, (_, h) => 2 ** exponent(h));
}

/** Half of the buckets hold one distance each, the rest widen up to 128 (Raffel et al. 2020, section 2.1). */
export function t5Bucket(distance, causal, count) {
  let offset = 0;
  if (causal) distance = Math.max(-distance, 0);
  else {
    count /= 2;
    offset = distance > 0 ? count : 0;
    distance = Math.abs(distance);
  }
  const exact = count >> 1;
  if (distance < exact) return offset + distance;
  const widened = (Math.log(distance / exact) / Math.log(128 / exact)) * (count - exact);
  return offset + Math.min(exact + Math.trunc(widened + 1e-6), count - 1); // 1e-6: a whole number stays whole
}
