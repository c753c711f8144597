import { ACTIVATIONS } from "./activations.js";
import { Linear } from "./linear.js";

// The feed-forward network: the same two layers at every position, alone (Vaswani et al. 2017, section 3.3).

/** f(x W₁ + b₁) W₂ + b₂; gated (Shazeer 2020): (f(x W₁ + b₁) ⊙ (x W_gate + b_gate)) W₂ + b₂. */
export class FeedForward {
  constructor(context, name, { rows }) {
    const { kernels, config } = context;
    const { d_model, d_ff } = config;
    const { f, slope, gated } = ACTIVATIONS[config.activation];
    Object.assign(this, { f, slope, gated, d_ff });
    this.expand = new Linear(context, (gated ? ["expand", "gate"] : ["expand"]).map((part) => `${name}.${part}`), d_model);
    this.contract = new Linear(context, [`${name}.contract`], d_ff);
    this.before = kernels.floats(rows * d_ff * (gated ? 2 : 1)); // f: each row what f gets, and the gate
    this.hidden = kernels.floats(rows * d_ff);
    this.dbefore = context.shared("dbefore", this.before.length);
    this.dhidden = context.shared("dhidden", this.hidden.length);
    this.y = kernels.floats(rows * d_model);
  }

  forward(x, rows) {
    const { f, gated, d_ff, before, hidden } = this;
    this.expand.forward(x, before, rows);
    const stride = this.expand.rows;
    for (let row = 0, at = 0; row < rows; row++) {
      const from = row * stride;
      for (let i = 0; i < d_ff; i++, at++) {
        const one = f(before[from + i]);
        hidden[at] = gated ? one * before[from + d_ff + i] : one;
      }
    }
    this.contract.forward(hidden, this.y, rows);
    return this.y;
  }

  backward(x, dy, dx, rows, accumulate) {
    const { f, slope, gated, d_ff, before, dbefore, dhidden } = this;
    this.contract.backward(this.hidden, dy, dhidden, rows);
    const stride = this.expand.rows;
    for (let row = 0, at = 0; row < rows; row++) {
      const from = row * stride;
      for (let i = 0; i < d_ff; i++, at++) {
        const one = before[from + i];
        const gate = gated ? before[from + d_ff + i] : 1;
        dbefore[from + i] = dhidden[at] * slope(one) * gate;
        if (gated) dbefore[from + d_ff + i] = dhidden[at] * f(one);
      }
    }
    this.expand.backward(x, dbefore, dx, rows, accumulate);
  }
}
