// Everything that can be set: the task, the model by the names of lessons_lib.config, and the training. The page has a
// knob for most of it, whose values can all be, but not all of them together.

export const DEFAULTS = {
  task: "reverse",
  symbols: "letters",
  shortest: 8, // symbols in a sequence, at least and at most
  longest: 12,
  model: "encoder-decoder",
  d_model: 64,
  n_heads: 4,
  n_layers: 2, // of each stack
  d_ff: 128,
  positions: "sinusoidal",
  norm: "pre",
  activation: "relu",
  causal_mask: true, // of the decoder
  scale_scores: true, // by 1 / √d_head
  tied: true,
  dropout: 0,
  optimizer: "adamw",
  learning_rate: 8e-3, // at its highest
  warmup_steps: 100,
  schedule: "linear", // after the warm-up
  steps: 700, // "linear": where the rate has fallen
  momentum: 0.9, // sgd
  betas: [0.9, 0.98], // adam, adamw: as lessons_lib trains
  eps: 1e-9,
  weight_decay: 0.01, // adamw
  clip_norm: 1, // 0: the gradient stays as long as it is
  batch_size: 32, // sequences
  seed: 0,
};

/** An Error names two values that cannot be together, and what can. */
export function checkTogether({ d_model, n_heads, positions, shortest, longest }) {
  if (d_model % n_heads)
    throw new Error(`d_model=${d_model} is not divisible by n_heads=${n_heads}; use ${divisors(d_model)}`);
  if (positions === "rope" && (d_model / n_heads) % 2) {
    throw new Error(
      `d_model=${d_model} makes ${n_heads} heads of odd width, which RoPE cannot turn; use ${2 * n_heads}`,
    );
  }
  if (shortest > longest)
    throw new Error(`shortest=${shortest} is more than longest=${longest}; use ${longest} or less`);
}

const divisors = (number) =>
  Array.from({ length: number }, (_, i) => i + 1)
    .filter((one) => number % one === 0 && one <= 16)
    .join(", ");
