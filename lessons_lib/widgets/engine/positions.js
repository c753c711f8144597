// Six ways to tell order, as in lessons_lib/positions.py: {add, bias, rotate}, those that a way needs.

/** The positions of one stack ("encoder" or "decoder"). */
export function positionsOf(config, tensors, stack) {
  const { positions, d_model: width, n_heads: heads } = config;
  const table = tensors.get(`${stack}.positions.table`);
  const row = (h) => table.data.subarray(h * table.columns, (h + 1) * table.columns);
  switch (positions) {
    case "sinusoidal":
    case "sinusoidal_halves":
      return { add: (x, t) => addSinusoids(x, t, width, positions === "sinusoidal") };
    case "learned":
      return { add: (x, t) => x.map((one, i) => one + row(t)[i]) };
    case "rope":
      return { rotate: (x, t) => rotate(x, t, config.d_head ?? width / heads, config.rope_base) };
    case "alibi": {
      const slopes = alibiSlopes(heads);
      return { bias: (h, distance) => -slopes[h] * Math.abs(distance) };
    }
    case "relative": {
      const far = (table.columns - 1) / 2;
      return { bias: (h, distance) => row(h)[Math.max(-far, Math.min(far, distance)) + far] };
    }
    case "t5":
      return { bias: (h, distance) => row(h)[t5Bucket(distance, stack === "decoder", table.columns)] };
    case "none":
      return {};
  }
  throw new Error(`positions='${positions}' is not known to this page`);
}

/** Angle of pair i at position t, in single precision as PyTorch counts it. */
const angle = (t, i, width, base = 10_000) => Math.fround(t * Math.fround(base ** ((-2 * i) / width)));

/** Sine, cosine, sine … (Vaswani et al. 2017, section 3.5); or all sines, then all cosines. */
function addSinusoids(x, t, width, interleaved) {
  const y = x.slice();
  for (let i = 0; i < width / 2; i++) {
    const [sine, cosine] = interleaved ? [2 * i, 2 * i + 1] : [i, width / 2 + i];
    y[sine] += Math.sin(angle(t, i, width));
    y[cosine] += Math.cos(angle(t, i, width));
  }
  return y;
}

/** Turns dimensions i and i + K/2 of each head by an angle that grows with t (Su et al. 2021). */
function rotate(x, t, width, base) {
  const half = width / 2;
  return x.map((one, at) => {
    const i = at % width;
    const [cosine, sine] = [Math.cos(angle(t, i % half, width, base)), Math.sin(angle(t, i % half, width, base))];
    return i < half ? one * cosine - x[at + half] * sine : one * cosine + x[at - half] * sine;
  });
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
