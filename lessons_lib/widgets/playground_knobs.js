// What can be turned in the playground, the presets that are the course's claims, and a setting as a part of an address.

const on = [[true, "on"], [false, "off"]]; // prettier-ignore
const listed = (...values) => values.map((value) => [value, value.toLocaleString("en", { maximumFractionDigits: 6 })]);
const named = (...values) => values.map((value) => [value, String(value)]);

/** Groups of knobs: {name of the setting, label, options: [value, text]}. */
export const KNOBS = [
  {
    group: "Task",
    knobs: [
      { name: "task", label: "task", options: [["copy", "copy"], ["reverse", "reverse"], ["sort", "sort"], ["agreement", "number agreement"], ["french", "English to French"]] },
      { name: "symbols", label: "symbols", options: named("letters", "digits") },
      { name: "shortest", label: "shortest", options: listed(1, 2, 4, 6, 8, 12) },
      { name: "longest", label: "longest", options: listed(4, 6, 8, 12, 16, 24) },
    ],
  },
  {
    group: "Model",
    knobs: [
      { name: "model", label: "stacks", options: [["encoder-decoder", "encoder and decoder"], ["decoder-only", "decoder only"]] },
      { name: "d_model", label: "d_model", options: listed(8, 16, 32, 48, 64, 96, 128) },
      { name: "n_heads", label: "heads", options: listed(1, 2, 3, 4, 8) },
      { name: "n_layers", label: "layers", options: listed(1, 2, 3, 4) },
      { name: "d_ff", label: "d_ff", options: listed(16, 64, 128, 256, 512) },
      { name: "positions", label: "positions", options: [["none", "none"], ["sinusoidal", "sinusoids"], ["learned", "learned"], ["rope", "RoPE"]] },
      { name: "norm", label: "norm", options: named("none", "pre", "post") },
      { name: "activation", label: "activation", options: [["relu", "ReLU"], ["gelu", "GELU"], ["swiglu", "SwiGLU"]] },
      { name: "causal_mask", label: "causal mask", options: on },
      { name: "scale_scores", label: "scale 1/√K", options: on },
      { name: "tied", label: "tied output", options: on },
      { name: "dropout", label: "dropout", options: listed(0, 0.1, 0.2, 0.3, 0.5) },
    ],
  },
  {
    group: "Training",
    knobs: [
      { name: "optimizer", label: "optimizer", options: [["sgd", "SGD, momentum"], ["adam", "Adam"], ["adamw", "AdamW"]] },
      { name: "learning_rate", label: "rate", options: listed(0.0003, 0.001, 0.003, 0.008, 0.02, 0.05, 0.1, 0.3, 1) },
      { name: "warmup_steps", label: "warm-up", options: listed(0, 20, 50, 100, 200, 400) },
      { name: "schedule", label: "then", options: [["constant", "stays"], ["inverse_sqrt", "falls by 1/√step"], ["linear", "falls to 1 % at"]] },
      { name: "steps", label: "step", options: listed(300, 700, 1500, 3000, 6000) },
      { name: "batch_size", label: "batch", options: listed(1, 8, 16, 32, 64, 128) },
      { name: "weight_decay", label: "weight decay", options: listed(0, 0.01, 0.1, 0.3) },
      { name: "clip_norm", label: "longest gradient", options: [[0, "any"], ...listed(0.1, 1, 10)] },
      { name: "seed", label: "seed", options: listed(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) },
    ],
  },
];
const BY_NAME = new Map(KNOBS.flatMap(({ knobs }) => knobs).map((knob) => [knob.name, knob]));

/** What differs from the defaults, in words: "positions none, causal mask off". */
export function inWords(changes, defaults) {
  const words = Object.entries(changes)
    .filter(([name, value]) => value !== defaults[name])
    .map(([name, value]) => `${BY_NAME.get(name).label} ${textOf(name, value)}`);
  return words.join(", ") || "as it comes";
}

function textOf(name, value) {
  return BY_NAME.get(name).options.find(([one]) => one === value)?.[1] ?? String(value);
}

/** The changes of one run, or of two, as an address: "#play=positions=none,causal_mask=false&with=". */
export function addressOf(a, b) {
  const [first, second] = [a, b || {}].map((changes) => Object.entries(changes).map(([name, value]) => `${name}=${value}`).join(","));
  return `#play=${first}${b ? `&with=${second}` : ""}`;
}

/** The changes of one run of it; an Error names what is no setting. */
export function fromAddress(text) {
  const changes = {};
  for (const part of text.split(",").filter(Boolean)) {
    const [name, value = ""] = part.split("=");
    const knob = BY_NAME.get(name);
    if (!knob) throw new Error(`‘${name.slice(0, 40)}’ in the address is no setting`);
    const option = knob.options.find(([one]) => String(one) === value);
    if (!option) {
      const known = knob.options.map(([one]) => one).join(", ");
      throw new Error(`‘${value.slice(0, 40)}’ in the address is no ${knob.label}; use one of ${known}`);
    }
    changes[name] = option[0];
  }
  return changes;
}
