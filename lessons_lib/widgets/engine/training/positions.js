// Where a token stands, as lessons_lib/positions.py: a table added to the embeddings, or a turn of queries and keys.

/** Angle of pair i at place t, in single precision as PyTorch counts it. */
const angleOf = (t, i, width) => Math.fround(t * Math.fround(10_000 ** ((-2 * i) / width)));

/** Sine, cosine, sine … (Vaswani et al. 2017, section 3.5): (length, width). */
export function sinusoidalTable(kernels, length, width) {
  const table = kernels.floats(length * width);
  for (let at = 0; at < table.length; at++) {
    const angle = angleOf(Math.floor(at / width), (at % width) >> 1, width);
    table[at] = at % 2 ? Math.cos(angle) : Math.sin(angle);
  }
  return table;
}

/** Turns dimensions i and i + K/2 of a head by an angle that grows with the place (Su et al. 2021, section 3.2.2). */
export class RotaryPositions {
  constructor({ kernels, config }) {
    this.width = config.d_model;
    this.d_head = config.d_model / config.n_heads;
    this.half = this.d_head / 2;
    const size = config.max_length * this.half;
    [this.cosines, this.sines] = [kernels.floats(size), kernels.floats(size)];
    for (let at = 0; at < size; at++) {
      const angle = angleOf(Math.floor(at / this.half), at % this.half, this.d_head);
      [this.cosines[at], this.sines[at]] = [Math.cos(angle), Math.sin(angle)];
    }
  }

  /** In place; with direction −1 back again, as the gradient goes: a turn's transpose is its inverse. */
  rotate(x, stride, { rows, places }, direction) {
    const { width, d_head, half, cosines, sines } = this;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < width; column += d_head) {
        for (let i = 0; i < half; i++) {
          const at = row * stride + column + i;
          const cosine = cosines[places[row] * half + i];
          const sine = direction * sines[places[row] * half + i];
          const one = x[at];
          const other = x[at + half];
          x[at] = one * cosine - other * sine;
          x[at + half] = other * cosine + one * sine;
        }
      }
    }
  }
}
