// Settings that are claims of the course: run A is the default or its improvement, run B what the claim is about.

/** {title, a, b: changes of the defaults (b null: one run), says: what is to be expected, and where it is shown}. */
export const PRESETS = [
  { title: "It learns to reverse", a: {}, b: null, says: "An encoder and a decoder learn to write a word backwards." },
  { title: "No positions (lesson 4)", a: {}, b: { positions: "none" }, says: "Without positions run B learns which symbols there are, and no order." },
  { title: "The mask is off: too good (lesson 8)", a: {}, b: { causal_mask: false }, says: "Run B reads the answer while it learns: its loss falls to almost nothing, and it writes nothing right." },
  { title: "No scale (lesson 1)", a: {}, b: { scale_scores: false }, says: "Without 1/√K the softmax is sure too early: at this rate run B learns late, and less." },
  { title: "Post-norm without warm-up (lesson 6)", a: { norm: "post" }, b: { norm: "post", warmup_steps: 0 }, says: "With a warm-up the published form learns, too; without one, at this rate, it does not." },
  { title: "One head or four (lesson 3)", a: {}, b: { n_heads: 1 }, says: "Each symbol comes from one place: here one head does as well as four." },
  { title: "Number agreement (lesson 1)", a: { task: "agreement" }, b: { task: "agreement", positions: "none" }, says: "Which words are plural in French? The noun says it, at another place." },
  { title: "A small translator (lesson 12)", a: { task: "french" }, b: null, says: "Black cats become chats noirs: watch the cross-attention change order." },
];
