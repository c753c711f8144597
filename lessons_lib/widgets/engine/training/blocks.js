import { MultiHeadAttention } from "./attention.js";
import { Embedding } from "./embedding.js";
import { FeedForward } from "./feed_forward.js";
import { LayerNorm } from "./norm.js";
import { RotaryPositions } from "./positions.js";
import { Residual } from "./residual.js";

// A stack of layers, the encoder's or the decoder's: self-attention, in a decoder with an encoder cross-attention to
// what that read, and the feed-forward network, each with its residual path.

export class Stack {
  /** `source`: the encoder that a decoder reads from, if there is one. `self`, `across`: Spans, filled by the model. */
  constructor(context, name, { layers, causal, rows, longest, self, source = null, across = null }) {
    const { config, kernels } = context;
    this.width = config.d_model;
    this.embedding = new Embedding(context, name, rows);
    this.rotary = config.positions === "rope" ? new RotaryPositions(context) : null;
    this.norm = config.norm === "pre" ? new LayerNorm(context, `${name}.norm`, rows) : null;
    this.gradient = kernels.floats(rows * this.width); // of the residual path, on its way back
    this.attentions = [];
    this.crossAttentions = [];
    const sourceRows = source?.rows ?? 0;
    this.rows = rows;
    const residual = (one, sublayer) => new Residual(context, one, rows, sublayer);
    const selfAttention = (one) => {
      const attention = new MultiHeadAttention(context, one, { rows, longest, causal, rotary: this.rotary });
      this.attentions.push(attention);
      return residual(one, {
        forward: (x) => attention.forward(x, self, this.tokens),
        backward: (x, dy, dx, accumulate) => attention.backward(x, dy, dx, accumulate, self, this.tokens),
      });
    };
    const crossAttention = (one) => {
      const shape = { rows, sourceRows, longest: source.longest, cross: true, causal: false };
      const attention = new MultiHeadAttention(context, one, shape);
      this.crossAttentions.push(attention);
      return residual(one, {
        forward: (x) => attention.forward(x, across, this.tokens, source.y, source.tokens),
        backward: (x, dy, dx, accumulate) =>
          attention.backward(x, dy, dx, accumulate, across, this.tokens, source.y, source.tokens, source.gradient),
      });
    };
    const feedForward = (one) => {
      const network = new FeedForward(context, one, { rows });
      return residual(one, {
        forward: (x) => network.forward(x, this.tokens.rows),
        backward: (x, dy, dx, accumulate) => network.backward(x, dy, dx, this.tokens.rows, accumulate),
      });
    };
    this.longest = longest;
    this.sublayers = Array.from({ length: layers }, (_, i) => [
      selfAttention(`${name}.layers.${i}.attention`),
      ...(source ? [crossAttention(`${name}.layers.${i}.cross_attention`)] : []),
      feedForward(`${name}.layers.${i}.feed_forward`),
    ]).flat();
  }

  /** Vectors that know their neighbours, a row a token of a Packed. */
  forward(tokens, training) {
    this.tokens = tokens;
    let x = this.embedding.forward(tokens, training);
    for (const sublayer of this.sublayers) x = sublayer.forward(x, tokens.rows, training);
    this.y = this.norm ? this.norm.forward(x, tokens.rows) : x;
    return this.y;
  }

  /** From `this.gradient`, that of what came out, to the gradients of all parameters. */
  backward() {
    const { tokens, gradient } = this;
    if (this.norm) this.norm.backward(gradient, gradient, tokens.rows);
    for (let i = this.sublayers.length - 1; i >= 0; i--) this.sublayers[i].backward(gradient, tokens.rows);
    this.embedding.backward(tokens, gradient);
  }
}
