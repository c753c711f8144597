import { ACTIVATIONS } from "./activations.js";
import { Linear } from "./linear.js";

// The feed-forward network: the same two layers at every position, alone (Vaswani et al. 2017, section 3.3).

/** f(x W₁ + b₁) W₂ + b₂; gated (Shazeer 2020): (f(x W₁ + b₁) ⊙ (x W_gate + b_gate)) W₂ + b₂. */
export class FeedForward {
  constructor(context, name, { rows }) {
    const { kernels, config } = context;
    const { d_model, d_ff } = config;
    const { f, slope, gated } = ACTIVATIONS[config.activation];
    Object.assign(this, { name: config.activation, f, slope, gated, d_ff, loops: context.loops });
    this.expand = new Linear(
      context,
      (gated ? ["expand", "gate"] : ["expand"]).map((part) => `${name}.${part}`),
      d_model,
    );
    this.contract = new Linear(context, [`${name}.contract`], d_ff);
    this.before = kernels.floats(rows * d_ff * (gated ? 2 : 1)); // f: each row what f gets, and the gate
    this.hidden = kernels.floats(rows * d_ff);
    this.dbefore = context.shared("dbefore", this.before.length);
    this.dhidden = context.shared("dhidden", this.hidden.length);
    this.y = kernels.floats(rows * d_model);
  }

  forward(x, rows) {
    this.expand.forward(x, this.before, rows);
    this.loops.activate(this, rows);
    this.contract.forward(this.hidden, this.y, rows);
    return this.y;
  }

  backward(x, dy, dx, rows, accumulate) {
    this.contract.backward(this.hidden, dy, this.dhidden, rows);
    this.loops.activateBackward(this, rows);
    this.expand.backward(x, this.dbefore, dx, rows, accumulate);
  }
}

/** hidden = f(what comes before it), times the gate if there is one. */
export function activate({ f, gated, d_ff, before, hidden }, rows) {
  for (let row = 0, at = 0, from = 0; row < rows; row++, from += gated ? d_ff : 0)
    for (let i = 0; i < d_ff; i++, at++, from++) {
      const one = f(before[from]);
      hidden[at] = gated ? one * before[from + d_ff] : one;
    }
}

export function activateBackward({ f, slope, gated, d_ff, before, dbefore, dhidden }, rows) {
  for (let row = 0, at = 0, from = 0; row < rows; row++, from += gated ? d_ff : 0)
    for (let i = 0; i < d_ff; i++, at++, from++) {
      const one = before[from];
      dbefore[from] = dhidden[at] * slope(one) * (gated ? before[from + d_ff] : 1);
      if (gated) dbefore[from + d_ff] = dhidden[at] * f(one);
    }
}
