import { Dropout } from "./dropout.js";
import { LayerNorm } from "./norm.js";

// The path around a sub-layer: pre-norm x + f(norm(x)) (Xiong et al. 2020), post-norm norm(x + f(x)) as published, or
// without a norm x + f(x).

/** Add & norm around one sub-layer, an object with forward(x) and backward(x, dy, dx, accumulate). */
export class Residual {
  constructor(context, name, rows, sublayer) {
    const { d_model, norm } = context.config;
    Object.assign(this, { sublayer, width: d_model, place: norm });
    this.norm = norm === "none" ? null : new LayerNorm(context, `${name}_residual.norm`, rows);
    this.dropout = new Dropout(context, rows * d_model);
    this.dnormal = context.shared("dnormal", rows * d_model);
  }

  forward(x, rows, training) {
    const { place, norm, sublayer, width } = this;
    this.x = place === "pre" ? norm.forward(x, rows) : x;
    const y = sublayer.forward(this.x);
    this.dropout.forward(y, rows * width, training);
    for (let i = 0; i < rows * width; i++) y[i] += x[i];
    return place === "post" ? norm.forward(y, rows) : y;
  }

  /** Turns the gradient of what came out into that of what went in, in place. */
  backward(gradient, rows) {
    const { place, norm, sublayer, width, dnormal } = this;
    if (place === "post") norm.backward(gradient, gradient, rows);
    const dy = this.dropout.backward(gradient, rows * width);
    if (place === "pre") {
      sublayer.backward(this.x, dy, dnormal, false);
      norm.backward(dnormal, gradient, rows, true);
    } else sublayer.backward(this.x, dy, gradient, true);
  }
}
