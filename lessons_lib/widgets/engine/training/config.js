import { checkTogether, DEFAULTS } from "./settings.js";

// Which settings can be, and the model that they make.

export const CHOICES = {
  task: ["copy", "reverse", "sort", "agreement", "french"],
  symbols: ["letters", "digits"],
  model: ["encoder-decoder", "decoder-only"],
  positions: ["none", "sinusoidal", "learned", "rope"],
  norm: ["none", "pre", "post"],
  activation: ["relu", "gelu", "swiglu"],
  causal_mask: [true, false],
  scale_scores: [true, false],
  tied: [true, false],
  optimizer: ["sgd", "adam", "adamw"],
  schedule: ["constant", "inverse_sqrt", "linear"],
};

const AT_LEAST = { shortest: 1, longest: 1, d_model: 1, n_heads: 1, n_layers: 1, d_ff: 1, batch_size: 1, steps: 1 };
const NOT_NEGATIVE = ["learning_rate", "warmup_steps", "clip_norm", "weight_decay", "momentum", "eps"];

/** The defaults with these changes; an Error names a value that cannot be, and what can. */
export function checkedSettings(changes = {}) {
  const unknown = Object.keys(changes).find((name) => !Object.hasOwn(DEFAULTS, name));
  if (unknown) throw new Error(`${unknown} is no setting; use one of ${Object.keys(DEFAULTS).join(", ")}`);
  const settings = { ...DEFAULTS, ...changes };
  for (const [name, choices] of Object.entries(CHOICES))
    if (!choices.includes(settings[name])) {
      throw new Error(`${name}=${settings[name]} is not known; use one of ${choices.join(", ")}`);
    }
  for (const [name, least] of Object.entries(AT_LEAST))
    if (!(Number.isInteger(settings[name]) && settings[name] >= least)) {
      throw new Error(`${name}=${settings[name]} is not a whole number from ${least} on; use ${DEFAULTS[name]}`);
    }
  for (const name of NOT_NEGATIVE)
    if (!(settings[name] >= 0 && settings[name] < Infinity)) {
      throw new Error(`${name}=${settings[name]} is not a number from 0 on; use ${DEFAULTS[name]}`);
    }
  checkTogether(settings);
  const { d_model, positions, dropout } = settings;
  if (positions === "sinusoidal" && d_model % 2) {
    throw new Error(`d_model=${d_model} is odd, and sines and cosines come in pairs; use ${d_model + 1}`);
  }
  if (!(dropout >= 0 && dropout < 1)) throw new Error(`dropout=${dropout} is not a probability below 1; use 0.1`);
  return settings;
}

/** The model's configuration, as lessons_lib.config.TransformerConfig has it, and what only this page can choose. */
export function configOf(settings, { vocabulary, longestSource, longestTarget }) {
  const { d_model, n_heads, n_layers, d_ff, activation, dropout, positions, norm, tied } = settings;
  const alone = settings.model === "decoder-only";
  return {
    ...{ d_model, n_heads, d_ff, activation, dropout, positions, norm, tied },
    vocab_size: vocabulary.length,
    n_encoder_layers: alone ? 0 : n_layers,
    n_decoder_layers: n_layers,
    // Beside the symbols: </s> behind the source, <s> in front of the target, and what it writes in place of </s>.
    max_length: alone ? longestSource + longestTarget + 3 : Math.max(longestSource, longestTarget + 1) + 1,
    causal_mask: settings.causal_mask,
    scale_scores: settings.scale_scores,
  };
}
