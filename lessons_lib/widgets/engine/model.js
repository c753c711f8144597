import { createKernels, halvesBytes } from "./kernels.js";
import { ACTIVATIONS, addTo, known, multiplyBy, NORMS } from "./numbers.js";
import { positionsOf } from "./positions.js";

// The encoder–decoder of lessons_lib/transformer.py. The tokens of a source are the rows of one matrix, and so are the
// beams of a step. Weights stay in 8 bits. All arrays lie in the memory of the kernels, where one reading of a source
// takes the place of the one before.

/** The model of a file that `readModel` read; `simd` as in kernels.js. */
export class Transformer {
  #kernels;
  #begin; // the arrays behind it are those of one source
  #reading; // those arrays, and how far it has come

  constructor({ config, tensors }, simd = "auto") {
    this.config = config;
    this.norm = known(NORMS, "norm_type", config.norm_type);
    this.activation = known(ACTIVATIONS, "activation", config.activation);
    this.width = config.d_head ?? config.d_model / config.n_heads;
    this.kvHeads = config.n_kv_heads ?? config.n_heads;
    const bytes = [...tensors.values()].reduce(
      (sum, one) => sum + (one.whole?.length ?? 0) + 4 * (one.scales ?? one).length,
      0,
    );
    this.#kernels = createKernels({ memoryBytes: bytes + 32 * tensors.size, simd });
    const placed = (name) => {
      const tensor = tensors.get(name);
      if (tensor?.whole)
        return { ...tensor, whole: this.#copy("bytes", tensor.whole), scales: this.#copy("floats", tensor.scales) };
      return tensor && this.#copy("floats", tensor);
    };
    const normOf = (name) => ({
      gamma: tensors.get(`${name}.gamma`)?.slice(),
      beta: tensors.get(`${name}.beta`)?.slice(),
    });
    const sublayer = (name, ...parts) => ({
      norm: normOf(`${name}_residual.norm`),
      ...Object.fromEntries(
        parts.map((part) => [part, { weight: placed(`${name}.${part}.weight`), bias: placed(`${name}.${part}.bias`) }]),
      ),
    });
    const attention = (name) => sublayer(name, "query", "key", "value", "output");
    const layer = (name) => ({
      attention: attention(`${name}.attention`),
      cross: attention(`${name}.cross_attention`), // the decoder's
      feedForward: sublayer(`${name}.feed_forward`, "expand", "gate", "contract"),
    });
    [this.encoder, this.decoder] = ["encoder", "decoder"].map((stack) => ({
      positions: positionsOf(config, tensors, stack),
      layers: Array.from({ length: config[`n_${stack}_layers`] }, (_, i) => layer(`${stack}.layers.${i}`)),
      norm: config.norm === "pre" ? normOf(`${stack}.norm`) : null,
      embeddingNorm: config.embedding_norm ? normOf(`${stack}.embedding_norm`) : null,
    }));
    this.embedding = placed("embedding.weight");
    this.output = config.tied ? this.embedding : placed("output.weight");
    this.#begin = this.#kernels.mark();
  }

  #copy(kind, numbers) {
    const array = this.#kernels[kind](numbers.length);
    array.set(numbers);
    return array;
  }

  /**
   * Read a source, to go on with `step`: at most `limit` steps of at most `beams` beginnings. What was read before is
   * forgotten. It yields after each layer, so that others may do something in between.
   */
  *read(source, beams, limit) {
    const now = (this.#reading = this.#arrays(source.length, beams, limit));
    now.identity.forEach((_, s) => (now.identity[s] = s));
    const { positions, layers } = this.encoder;
    this.#enter(this.encoder, source, (row) => row);
    for (const { attention, feedForward } of layers) {
      this.#residual(attention.norm, source.length, (x) => {
        this.#keysAndValues(attention, x, source.length, now.k, now.v, positions, (row) => row);
        this.#attend(attention, x, source.length, positions, (row) => ({
          ...{ keys: now.k, values: now.v, places: now.identity, count: source.length, t: row, weights: now.weights },
        }));
      });
      this.#residual(feedForward.norm, source.length, (x) => this.#feedForward(feedForward, x, source.length));
      yield;
    }
    this.#leave(this.encoder, source.length);
    this.decoder.layers.forEach(({ cross }, i) => {
      this.#keysAndValues(cross, now.x, source.length, now.layers[i].sourceKeys, now.layers[i].sourceValues, {});
    });
  }

  /**
   * One token further in every beginning; `from[b]` is the beginning of the step before that `tokens[b]` continues. For
   * each a row of logits, which the next step writes over, the logarithm of the sum of their exponentials, and where its
   * heads looked in the source: (L, H, S) numbers.
   */
  step(tokens, from) {
    const now = this.#reading;
    const { beams, limit, source } = now;
    const t = now.length++;
    const rows = tokens.length;
    const [before, places] = t % 2 ? [now.evens, now.odds] : [now.odds, now.evens];
    for (let b = 0; b < rows; b++) {
      places.set(before.subarray(from[b] * limit, from[b] * limit + t), b * limit);
      places[b * limit + t] = t * beams + b;
    }
    const { positions, layers } = this.decoder;
    const [first, size] = [t * beams * this.#kvWidth, this.config.n_heads * source]; // of this step; of a layer's map
    this.#enter(this.decoder, tokens, () => t);
    layers.forEach(({ attention, cross, feedForward }, i) => {
      const { keys, values, sourceKeys, sourceValues } = now.layers[i];
      this.#residual(attention.norm, rows, (x) => {
        this.#keysAndValues(attention, x, rows, keys.subarray(first), values.subarray(first), positions, () => t);
        this.#attend(attention, x, rows, positions, (b) => ({
          ...{ keys, values, places: places.subarray(b * limit), count: t + 1, t, weights: now.weights },
        }));
      });
      this.#residual(cross.norm, rows, (x) => {
        this.#attend(cross, x, rows, {}, (b) => ({
          ...{ keys: sourceKeys, values: sourceValues, places: now.identity, count: source, t },
          weights: now.looked.subarray((b * layers.length + i) * size),
        }));
      });
      this.#residual(feedForward.norm, rows, (x) => this.#feedForward(feedForward, x, rows));
    });
    this.#leave(this.decoder, rows);
    this.#linear({ weight: this.output }, now.x, now.logits, rows);
    const part = (array, b, length) => array.subarray(b * length, (b + 1) * length);
    return Array.from({ length: rows }, (_, b) => {
      const logits = part(now.logits, b, this.output.rows);
      const logSum = this.#kernels.logSumExp(logits, logits.length);
      return { logits, logSum, looked: part(now.looked, b, layers.length * size).slice() };
    });
  }

  get #kvWidth() {
    return this.kvHeads * this.width;
  }

  /** Room for one source, given out at once: while a layer computes, the memory does not grow. */
  #arrays(source, beams, limit) {
    const { d_model, d_ff, n_heads: heads, n_decoder_layers: layers } = this.config;
    const [rows, mixed, kv] = [Math.max(source, beams), heads * this.width, this.#kvWidth];
    const floats = {
      ...{ x: rows * d_model, normed: rows * d_model, y: rows * d_model, q: rows * mixed, mixed: rows * mixed },
      ...{ k: rows * kv, v: rows * kv, hidden: rows * d_ff, gate: rows * d_ff },
      ...{ weights: heads * Math.max(source, limit), looked: beams * layers * heads * source },
      logits: beams * this.output.rows,
    };
    const cached = {
      keys: limit * beams * kv,
      values: limit * beams * kv,
      sourceKeys: source * kv,
      sourceValues: source * kv,
    };
    const integers = { identity: source, odds: beams * limit, evens: beams * limit };
    const all = [floats, integers, ...Array(layers).fill(cached)].flatMap((sizes) => Object.values(sizes));
    const kernels = this.#kernels;
    kernels.release(this.#begin);
    kernels.ensure(all.reduce((sum, size) => sum + 4 * size + 16, halvesBytes(rows, Math.max(d_model, d_ff, mixed))));
    const taken = (kind, sizes) =>
      Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, kernels[kind](size)]));
    return {
      ...{ source, beams, limit, length: 0, ...taken("floats", floats), ...taken("integers", integers) },
      layers: Array.from({ length: layers }, () => taken("floats", cached)),
    };
  }

  #linear({ weight, bias }, x, y, rows) {
    this.#kernels.linear8(x, weight.whole, weight.scales, bias, y, rows, weight.columns, weight.rows);
  }

  /** The tokens' vectors to x, with their positions. */
  #enter({ positions, embeddingNorm }, tokens, placeOf) {
    const { d_model: width, scaled } = this.config;
    const [whole, scales] = [this.embedding.whole, this.embedding.scales].map((one) => this.#kernels.again(one));
    const { x } = this.#reading;
    tokens.forEach((token, row) => {
      const scale = scales[token] * (scaled ? Math.sqrt(width) : 1);
      for (let i = 0, at = row * width; i < width; i++) x[at + i] = scale * whole[token * width + i];
      positions.add?.(x.subarray(row * width, (row + 1) * width), placeOf(row));
    });
    if (embeddingNorm) this.#norm(x, x, tokens.length, embeddingNorm);
  }

  #leave(stack, rows) {
    const { x } = this.#reading;
    if (stack.norm) this.#norm(x, x, rows, stack.norm);
  }

  #norm(from, to, rows, weights) {
    this.norm(from, to, rows, this.config.d_model, weights, this.config.norm_eps);
  }

  /** x + f(norm(x)), or norm(x + f(x)) as published; `sublayer` writes f to y. */
  #residual(weights, rows, sublayer) {
    const { x, y, normed } = this.#reading;
    const isPre = this.config.norm === "pre";
    if (isPre) this.#norm(x, normed, rows, weights);
    sublayer(isPre ? normed : x);
    addTo(x, y, rows * this.config.d_model);
    if (!isPre) this.#norm(x, x, rows, weights);
  }

  #keysAndValues({ key, value }, x, rows, k, v, { rotate }, placeOf) {
    this.#linear(key, x, k, rows);
    this.#linear(value, x, v, rows);
    for (let row = 0; rotate && row < rows; row++) rotate(k, row * this.#kvWidth, this.kvHeads, placeOf(row));
  }

  /** Every row asks keys in every head, and what it hears is mixed; `seen(row)`: which keys, and where its weights go. */
  #attend({ query, output }, x, rows, { rotate, bias }, seen) {
    const { q, mixed, y } = this.#reading;
    const { n_heads: heads } = this.config;
    const { width } = this;
    this.#linear(query, x, q, rows);
    const sizes = { heads, group: heads / this.kvHeads, width, row: this.#kvWidth, scale: 1 / Math.sqrt(width) };
    for (let row = 0; row < rows; row++) {
      const { keys, values, places, count, t, weights } = seen(row);
      const at = row * heads * width;
      if (rotate) rotate(q, at, heads, t);
      if (bias) bias(weights, count, t);
      else weights.fill(0, 0, heads * count);
      this.#kernels.attend(q.subarray(at), keys, values, places, count, sizes, weights, mixed.subarray(at));
    }
    this.#linear(output, mixed, y, rows);
  }

  #feedForward({ expand, gate, contract }, x, rows) {
    const { hidden, gate: open, y } = this.#reading;
    const size = rows * expand.weight.rows;
    this.#linear(expand, x, hidden, rows);
    this.activation(hidden, size);
    if (gate.weight) {
      this.#linear(gate, x, open, rows);
      multiplyBy(hidden, open, size);
    }
    this.#linear(contract, hidden, y, rows);
  }
}
