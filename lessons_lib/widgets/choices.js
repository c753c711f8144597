// What the choices of a configuration count and are called. One that is not in a table is refused by its name.

const place = (rows, scores = 0) => ({ rows, scores });

export const CONFIGURATION = {
  // It learns so many numbers, of the width that it norms; a training step keeps so many bytes for its way back.
  norm_type: {
    layer: {
      title: "LayerNorm",
      numbers: (width) => 2 * width,
      kept: (s, length) => s.vectors(length) + s.vectors(length, 2),
    },
    rms: {
      title: "RMSNorm",
      numbers: (width) => width,
      kept: (s, length) => ((2 * s.vectors(length) + s.vectors(length, 1)) / s.value) * Math.max(s.value, 4),
    },
  },
  norm: { pre: { title: "before" }, post: { title: "behind" } },
  activation: {
    relu: { title: "ReLU", gated: false },
    gelu: { title: "GELU", gated: false },
    gelu_tanh: { title: "GELU", gated: false },
    silu: { title: "SiLU", gated: false },
    swiglu: { title: "SwiGLU", gated: true },
    geglu: { title: "GeGLU", gated: true },
  },
  // What a stack learns of them: rows as wide as a token's vector, and numbers that are added to the scores.
  positions: {
    sinusoidal: () => place(0),
    sinusoidal_halves: () => place(0),
    learned: (c) => place(c.max_length),
    rope: () => place(0),
    alibi: () => place(0),
    relative: (c) => place(0, c.n_heads * 33),
    t5: (c) => place(0, c.n_heads * 32),
    none: () => place(0),
  },
  bias: {
    all: { title: "everywhere", qkv: true, rest: true },
    qkv: { title: "on queries, keys, values", qkv: true, rest: false },
    none: { title: "none", qkv: false, rest: false },
  },
};

/** What CONFIGURATION says of the choice that a configuration makes. */
export function entryOf(c, name) {
  if (Object.hasOwn(CONFIGURATION[name], c[name])) return CONFIGURATION[name][c[name]];
  throw new Error(`${name} = ${c[name]} is not known; use one of ${Object.keys(CONFIGURATION[name]).join(", ")}`);
}

export const gated = (c) => entryOf(c, "activation").gated;
export const positionsLearned = (c) => entryOf(c, "positions")(c);

/** The learned numbers of one norm of this width. */
export const normNumbers = (c, width = c.d_model) => entryOf(c, "norm_type").numbers(width);
