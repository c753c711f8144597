// Settings that are claims of the course: run A is the default or its improvement, run B what the claim is about.

/** {title, a, b: changes of the defaults (b null: one run), says: what is to be expected, and where it is shown}. */
export const PRESETS = [
  { title: "It learns to reverse", a: {}, b: null, says: "The default: an encoder and a decoder write a sequence backwards." },
  {
    title: "No positions (lesson 4)",
    a: {},
    b: { positions: "none" },
    says: "Without positions the decoder cannot tell which symbol comes last: run B stays far behind. Sorting needs no positions of the source: try the task sort.",
  },
  {
    title: "The mask is off: too good (lesson 8)",
    a: {},
    b: { causal_mask: false },
    says: "Run B reads the answer while it learns: its loss falls to almost nothing, and it writes nothing right.",
  },
  {
    title: "No scale (lesson 2)",
    a: { d_model: 128, n_heads: 1 },
    b: { d_model: 128, n_heads: 1, scale_scores: false },
    says: "Without 1/√K the scores of wide heads start large and the softmax is sure too early: look whether run B learns later.",
  },
  {
    title: "Post-norm without warm-up (lesson 6)",
    a: { norm: "post", warmup_steps: 200, n_layers: 4 },
    b: { norm: "post", warmup_steps: 0, n_layers: 4 },
    says: "As published, norms stand behind the residual; at a high rate from the first step on, run B learns late or never.",
  },
  { title: "One head or four (lesson 3)", a: { n_heads: 4 }, b: { n_heads: 1 }, says: "Reversing needs one place at a time: one head may do. Is it as fast?" },
  { title: "Number agreement (lesson 1)", a: { task: "agreement" }, b: { task: "agreement", positions: "none" }, says: "Which words are plural in French? The noun says it, at another place." },
];
