import { Dropout } from "./dropout.js";
import { sinusoidalTable } from "./positions.js";

// Tokens to vectors (Vaswani et al. 2017, section 3.4): a token's row of the embedding, times √d_model, and its place.

/** The entrance of one stack. */
export class Embedding {
  constructor(context, stack, rows) {
    const { kernels, parameters, config } = context;
    this.width = config.d_model;
    this.scale = Math.sqrt(this.width);
    this.embedding = parameters.get("embedding.weight");
    this.learned = config.positions === "learned" ? parameters.get(`${stack}.positions.table`) : null;
    this.table = this.learned?.value ?? null;
    if (config.positions === "sinusoidal") this.table = sinusoidalTable(kernels, config.max_length, this.width);
    this.dropout = new Dropout(context, rows * this.width);
    this.y = kernels.floats(rows * this.width);
  }

  forward({ tokens, places, rows }, training) {
    const { width, scale, table, y } = this;
    const embedding = this.embedding.value;
    for (let row = 0, at = 0; row < rows; row++) {
      const [from, place] = [tokens[row] * width, places[row] * width];
      for (let i = 0; i < width; i++, at++) y[at] = embedding[from + i] * scale + (table ? table[place + i] : 0);
    }
    this.dropout.forward(y, rows * width, training);
    return y;
  }

  backward({ tokens, places, rows }, dy) {
    const { width, scale, learned } = this;
    const dembedding = this.embedding.gradient;
    dy = this.dropout.backward(dy, rows * width);
    for (let row = 0, at = 0; row < rows; row++) {
      const [from, place] = [tokens[row] * width, places[row] * width];
      for (let i = 0; i < width; i++, at++) {
        dembedding[from + i] += dy[at] * scale;
        if (learned) learned.gradient[place + i] += dy[at];
      }
    }
  }
}
